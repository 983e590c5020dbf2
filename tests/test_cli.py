from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from newsroom import RECORDS, STUB_TITLE, write_jsonl

from recommender.answer import Options
from recommender.cli import main
from recommender.home import Home
from recommender.recommend import Recommender
from recommender.settings import Settings
from recommender.snapshot import load

IDS = [str(record["id"]) for record in RECORDS]
RESULT_KEYS = [
    "rank", "id", "title", "url", "score", "source", "reason", "published_at", "section", "language", "stub", "image_url",
]  # fmt: skip


class Done(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Done]


@pytest.fixture
def command(environment: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line in this process, with a home that does not exist yet."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        assert "Traceback" not in err
        return Done(ended.value.code, out, err)

    return run


@pytest.fixture
def source(environment: Path) -> Path:
    return write_jsonl(environment.parent / "stories.jsonl", RECORDS)


@pytest.fixture
def ready(command: Command, source: Path, environment: Path, shared: Settings) -> Command:
    """The command line over a published home of its own."""
    shutil.copytree(shared.home, environment)
    return command


@pytest.fixture
def wide_ready(command: Command, environment: Path, wide: Settings) -> Command:
    """The command line over a published home of its own, with stories of three kinds, tags and authors."""
    shutil.copytree(wide.home, environment)
    return command


def test_ingest_prints_what_became_of_the_records(command: Command, source: Path) -> None:
    assert command("ingest", source) == Done(
        0,
        "7 new, 0 changed, 0 unchanged, 0 refused\n",
        "the catalog holds 7 articles; run: recommender rebuild\n",
    )
    assert command("ingest", source).out == "0 new, 0 changed, 7 unchanged, 0 refused\n"


def test_ingest_tells_json_with_every_refusal_and_ends_with_one(command: Command, tmp_path: Path) -> None:
    bad = tmp_path / "in" / "bad.jsonl"
    write_jsonl(bad, [{"id": "a", "title": "A"}, {"id": "b"}])
    (tmp_path / "in" / "x.png").write_bytes(b"x")
    done = command("ingest", "--json", bad.parent)
    assert done.code == 1
    assert done.data == {
        "new": 1,
        "changed": 0,
        "unchanged": 0,
        "refused": 1,
        "n_files": 1,
        "n_skipped": 1,
        "n_articles": 1,
        "withdrawn": [],
        "left_out": {},
        "refusals": [
            {
                "source": str(bad),
                "line": 2,
                "reason": "title: is missing or empty; every article needs a headline",
            }
        ],
    }
    assert done.err == f"refused: {bad}, line 2: title: is missing or empty; every article needs a headline\n"


def test_ingest_names_twenty_refusals_and_counts_the_rest(command: Command, tmp_path: Path) -> None:
    done = command("ingest", write_jsonl(tmp_path / "bad.jsonl", [{}] * 25))
    assert (done.code, done.out) == (1, "0 new, 0 changed, 0 unchanged, 25 refused\n")
    assert done.err.count("refused: ") == 21
    assert "refused: 5 more; --report FILE lists them all" in done.err


def test_rebuild_prints_what_was_published(command: Command, source: Path) -> None:
    command("ingest", source)
    first = command("rebuild")
    assert first.code == 0
    assert first.out == (
        "published s00000001: 7 articles, 1 stubs; links: 1 stub, 3 title, 1 url\n"
        "17 texts were encoded, the others were known\n"
    )
    again = command("rebuild", "--json")
    assert again.err == ""
    assert again.data == {
        "snapshot": "s00000002",
        "n_articles": 7,
        "n_stubs": 1,
        "n_texts_encoded": 0,
        "links": {"stub": 1, "title": 3, "url": 1},
        "unknown_languages": {},
    }


def test_rebuild_of_nothing_says_so_and_leaves_nothing_behind(command: Command, environment: Path) -> None:
    done = command("rebuild")
    assert (done.code, done.out) == (1, "")
    assert "there is no catalog yet; run: recommender ingest SOURCE" in done.err
    assert not environment.exists()


def test_related_prints_a_list_for_people(ready: Command) -> None:
    done = ready("related", "ferry-strike", "-k", "3")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "Related to: Ferries stay in port as strike begins"
    assert len(lines) == 1 + 3 * 3
    assert re.fullmatch(r"  1\. [+-]\d\.\d{3}  Ferry crews vote to strike over night shifts", lines[1])
    assert lines[2].strip() == "Linked by this story's editor  (business · 2025-03-10 · en)"
    assert lines[3].strip() == "https://www.lindenpost.example/business/ferry-vote"
    assert "not in the archive yet" in lines[8]


def test_related_prints_the_json_of_the_contract(ready: Command) -> None:
    done = ready("related", "ferry-strike", "-k", "3", "--json")
    assert (done.code, done.err) == (0, "")
    assert list(done.data) == ["query", "results", "snapshot"]
    assert done.data["query"] == {
        "id": "ferry-strike",
        "title": "Ferries stay in port as strike begins",
        "language": "en",
        "k": 3,
    }
    assert [list(result) for result in done.data["results"]] == [RESULT_KEYS] * 3
    assert done.data["results"][2]["title"] == STUB_TITLE


def test_related_takes_an_address_in_any_spelling(ready: Command) -> None:
    by_id = ready("related", "ferry-vote", "--json").data
    assert ready("related", "http://lindenpost.example/business/ferry-vote/?utm_source=x", "--json").data == by_id


def test_related_takes_a_file_and_standard_input(ready: Command, tmp_path: Path) -> None:
    text = "Night crossings resume\nThe ferry crews return.\nRead more:\nFerries stay in port as strike begins\n"
    story = tmp_path / "story.txt"
    story.write_text(text, encoding="utf-8")
    from_file = ready("related", story, "--json").data
    assert from_file["results"][0]["id"] == "ferry-strike"
    assert from_file["query"]["title"] == "Night crossings resume"
    assert ready("related", "-", "--json", stdin=text.encode()).data == from_file
    record = json.dumps({"title": "Night crossings resume", "text": text.split("\n", 1)[1]})
    assert ready("related", "-", "--json", stdin=record.encode()).data == from_file


def test_related_prints_one_line_for_each_of_several_articles(ready: Command) -> None:
    done = ready("related", "-", "--json", stdin=b'{"title": "Ferry"}\n{"title": "Cup final"}\n')
    assert [json.loads(line)["query"]["title"] for line in done.out.splitlines()] == ["Ferry", "Cup final"]


@pytest.mark.parametrize(
    ("stdin", "message"),
    [
        (b"", "error: standard input: is empty\n"),
        (b'{"id": "x"}', "error: standard input, line 1: title: is missing or empty; every article needs a headline\n"),
        (b"\xff\xfe", "error: standard input: is not UTF-8 (byte 0xff at 0); convert it first"),
        (b"[" * 100_000, "error: standard input: is nested too deep to be an article\n"),
    ],
)
def test_related_names_what_is_wrong_with_an_article(ready: Command, stdin: bytes, message: str) -> None:
    done = ready("related", "-", stdin=stdin)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(message)


def test_related_of_an_unknown_article_suggests_the_nearest(ready: Command) -> None:
    done = ready("related", "ferry-strik")
    assert (done.code, done.out) == (1, "")
    lines = done.err.splitlines()
    assert lines[:2] == ["error: 'ferry-strik' is no article's id, no address and no file", "nearest titles:"]
    assert lines[2] == "  ferry-strike  Ferries stay in port as strike begins"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--section", "sport"], {"cup-final"}),
        (["--section", "sport", "--section", "politics"], {"cup-final", "harbour-plan"}),
        (["--language", "DE"], {"faehren"}),
        (["--published-after", "2025-03-20"], {"ferry-deal"}),
        (["--published-before", "2025-03-01T00:00:00+01:00"], {"harbour-plan"}),
        (
            ["--no-stubs", "--exclude", "undated", "--exclude", "cup-final"],
            {"ferry-strike", "ferry-deal", "harbour-plan"},
        ),
        (["--language", "any", "--no-stubs"], {*IDS} - {"ferry-vote"}),
        (["--past-only"], {"harbour-plan"}),
        (["--raw", "--no-stubs"], {*IDS} - {"ferry-vote"}),
    ],
)
def test_related_filters(ready: Command, arguments: Sequence[str], expected: set[str]) -> None:
    done = ready("related", "ferry-vote", "-k", "100", "--json", *arguments)
    assert {result["id"] for result in done.data["results"]} == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--kind", "opinion"], {"ferry-column"}),
        (["--kind", "opinion", "--kind", "wire"], {"ferry-column", "storm-wire"}),
        (["--kind", "live"], set()),
        (["--tag", "ferry"], {"storm"}),
        (["--tag", "ferry", "--kind", "any"], {"ferry-column", "storm"}),
        (
            ["--tag", "comment", "--tag", "weather", "--kind", "any", "--no-collapse"],
            {"ferry-column", "storm", "storm-wire"},
        ),
        (["--author", "Anna Berg", "--kind", "any"], {"ferry-column", "storm"}),
        (["--author", "Ole Holm", "--tag", "comment", "--kind", "any"], set()),
        (["--raw", "--tag", "weather"], {"storm", "storm-wire"}),
        (["--raw", "--tag", "weather", "--kind", "wire"], {"storm-wire"}),
    ],
)
def test_kind_tag_and_author_filter(wide_ready: Command, arguments: Sequence[str], expected: set[str]) -> None:
    for asked in (["related", "ferry-vote"], ["search", "ferries in the storm"]):
        done = wide_ready(*asked, "-k", "100", "--json", *arguments)
        assert (done.code, {result["id"] for result in done.data["results"]}) == (0, expected)


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], Options()),
        (["--ranker", "dense"], Options(ranker="dense")),
        (
            ["--ranker", "fusion", "--no-freshness", "--no-feedback"],
            Options(ranker="fusion", freshness=False, feedback=False),
        ),
        (
            ["--ranker", "lexical", "--no-collapse", "--kind", "any"],
            Options(ranker="lexical", collapse=False, kinds=()),
        ),
        (["--diversity", "2.5", "--floor", "0.125"], Options(diversity=2.5, floor=0.125)),
        (["--raw", "--diversity", "2.5"], Options(raw=True, diversity=2.5)),
    ],
)
def test_each_way_of_ranking_is_the_librarys(
    wide_ready: Command, wide: Settings, arguments: Sequence[str], options: Options
) -> None:
    answer = Recommender.open(wide).related("ferry-vote", options)
    assert wide_ready("related", "ferry-vote", "--json", *arguments).data == json.loads(json.dumps(answer.as_dict()))


def test_a_flag_wins_over_the_settings_file(wide_ready: Command, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[ranking]\nkinds = []\ncollapse = false\nfreshness = false\n", encoding="utf-8")

    def found(*flags: str) -> set[str]:
        done = wide_ready("--config", file, "related", "ferry-vote", "-k", "100", "--explain", "--json", *flags)
        assert any("freshness" in result["parts"] for result in done.data["results"]) == ("--freshness" in flags)
        return {result["id"] for result in done.data["results"]} & {"ferry-column", "storm-wire"}

    assert found() == {"ferry-column", "storm-wire"}
    assert found("--collapse", "--freshness") == {"ferry-column"}
    assert found("--kind", "news") == set()


def test_explain_option_names_what_was_hidden(wide_ready: Command) -> None:
    lines = wide_ready("related", "ferry-vote", "-k", "100", "--kind", "any", "--explain").out.splitlines()
    assert lines[-1] == "  hidden: Storm stops ferries at Port Linden: a near-copy of a story that is shown"
    assert [line for line in lines if line.startswith("  hidden")] == lines[-1:]
    assert "hidden" not in wide_ready("related", "ferry-vote", "-k", "100", "--kind", "any").out


def test_a_short_list_says_why_in_json(ready: Command) -> None:
    reason = "nothing else in the archive passes the rules and filters"
    assert ready("related", "ferry-vote", "-k", "100", "--json").data["short_reason"] == reason
    assert "short_reason" not in ready("related", "ferry-vote", "-k", "1", "--json").data


_RULES = """
[[pin]]
under = "ferry-vote"
show = ["cup-final", "nobody"]
note = "our dossier"

[[block]]
article = "ferry-strike"
"""


def test_a_preview_applies_the_rules_of_a_file_and_publishes_nothing(ready: Command, tmp_path: Path) -> None:
    rules = tmp_path / "tomorrow.toml"
    rules.write_text(_RULES, encoding="utf-8")
    before = ready("related", "ferry-vote", "--json").data
    done = ready("related", "ferry-vote", "--json", "--preview", rules)
    first = done.data["results"][0]
    assert (first["id"], first["source"], first["reason"]) == ("cup-final", "pinned", "Pinned by the desk: our dossier")
    assert "ferry-strike" in {result["id"] for result in before["results"]}
    assert "ferry-strike" not in {result["id"] for result in done.data["results"]}
    assert re.fullmatch(r"tomorrow\.toml, pin 1.*nobody.*the rule does nothing\n", done.err)
    assert ready("related", "ferry-vote", "--json").data == before
    raw = ready("related", "ferry-vote", "--json", "--raw", "--preview", rules).data
    assert raw == ready("related", "ferry-vote", "--json", "--raw").data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "error: {path}: no such file; give the path of the desk's .toml or .csv"),
        ("[[pin]]\nshow = 7\n", "tomorrow.toml, pin 1"),
        ("not toml", "tomorrow.toml"),
    ],
)
def test_a_preview_of_rules_that_cannot_be_used_is_refused(
    ready: Command, tmp_path: Path, text: str | None, message: str
) -> None:
    path = tmp_path / "tomorrow.toml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    done = ready("search", "ferry", "--preview", path)
    assert (done.code, done.out) == (1, "")
    assert message.format(path=path) in done.err


def test_an_empty_list_says_why(ready: Command) -> None:
    done = ready("related", "ferry-vote", "--published-before", "1999-01-01")
    assert (done.code, done.out.splitlines()[1:]) == (
        0,
        ["  nothing: nothing in the archive passes the rules and filters"],
    )


def test_explain_option_shows_the_parts_and_the_sentences(ready: Command) -> None:
    lines = ready("related", "ferry-vote", "--explain").out.splitlines()
    for result in ready("related", "ferry-vote", "--explain", "--json").data["results"]:
        assert list(result["parts"])[:2] == ["dense", "lexical"]
        parts = ", ".join(f"{name} {value:+.3f}" for name, value in result["parts"].items())
        at = lines.index(f"{' ' * 13}{parts}")
        for sentence, line in zip(result["sentences"] or (), lines[at + 1 :], strict=False):
            assert line == f"{' ' * 13}“{sentence}”"
    assert "“" not in ready("related", "ferry-vote").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["related", "ferry-vote", "-k", "0"], "error: k: must be at least 1, it is 0"),
        (["related", "ferry-vote", "-k", "-1"], "error: k: must be at least 1, it is -1"),
        (["search", "ferry", "-k", "1000000000"], "error: k: must be at most 1000, it is 1000000000"),
        (["related", "ferry-vote", "-k", "abc"], "'abc' is not a valid integer"),
        (["related"], "give one article (ID, URL, FILE or -), or --all"),
        (["related", "ferry-vote", "--all"], "give one article (ID, URL, FILE or -), or --all"),
        (["related", "ferry-vote", "--published-after", "soon"], "'soon' is no date; write it like 2025-03-14"),
        (["related", "ferry-vote", "--section", "sports"], "error: section: 'sports' is not in this archive"),
        (["related", "ferry-vote", "--kind", "rumour"], "error: kind: 'rumour' is none; kinds are news, opinion, wire"),
        (["related", "ferry-vote", "--tag", "x"], "error: tag: 'x' is not in this archive; its tags are none"),
        (["search", "ferry", "--author", "x"], "error: author: 'x' is not in this archive; its authors are none"),
        (["related", "ferry-vote", "--ranker", "best"], "'best' is not one of 'full', 'fusion', 'dense', 'lexical'"),
        (["explain", "a", "b", "--ranker", "best"], "'best' is not one of 'full', 'fusion', 'dense', 'lexical'"),
        (["related", "ferry-vote", "--diversity", "much"], "'much' is not a valid float"),
        (["related", "ferry-vote", "--diversity", "-1"], "error: diversity: must be 0 to 100, it is -1.0"),
        (["related", "ferry-vote", "--floor", "nan"], "error: floor: is a probability, 0 to 1; it is nan"),
        (["search", "ferry", "--floor", "1.5"], "error: floor: is a probability, 0 to 1; it is 1.5"),
        (["evaluate", "--since", "soon"], "'soon' is no date; write it like 2025-03-14"),
        (["tune", "--split", "soon"], "'soon' is no date; write it like 2025-03-14"),
        (["search"], "give one TEXT, or --queries FILE.tsv"),
        (["search", "x", "--queries", "f.tsv"], "give one TEXT, or --queries FILE.tsv"),
        (["search", " "], "error: the query is empty; give a few words or a whole text"),
        (["explain", "ferry-vote"], "give two ids, or --pairs FILE.tsv"),
        (["explain", "ferry-vote", "--pairs", "f.tsv"], "give two ids, or --pairs FILE.tsv"),
        (["explain", "a", "b", "--pairs", "f.tsv"], "give two ids, or --pairs FILE.tsv"),
        (["related", "--all", "--format", "xml"], "'xml' is not one of 'trec', 'jsonl'"),
        (["ingest"], "Missing argument 'SOURCES...'"),
        (["nonsense"], "No such command 'nonsense'"),
        (["--nonsense"], "No such option"),
        (["--config", "missing.toml", "status"], "error: missing.toml: no such file"),
    ],
)
def test_wrong_usage_ends_with_two_and_names_the_mend(ready: Command, arguments: Sequence[str], message: str) -> None:
    done = ready(*arguments)
    assert (done.code, done.out) == (2, "")
    assert message in " ".join(done.err.split())


def test_a_settings_file_is_read_and_an_unknown_name_is_answered_with_the_nearest(
    ready: Command, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[ranking]\nk = 2\n", encoding="utf-8")
    assert len(ready("--config", file, "related", "ferry-vote", "--json").data["results"]) == 2
    file.write_text("[rankng]\nk = 2\n", encoding="utf-8")
    done = ready("--config", file, "related", "ferry-vote")
    assert (done.code, done.err) == (2, f"error: {file}: unknown setting rankng; did you mean ranking?\n")


def _trec(out: str) -> dict[str, list[tuple[str, int, float]]]:
    found: dict[str, list[tuple[str, int, float]]] = {}
    for line in out.splitlines():
        query, zero, article_id, rank, score, name = line.split(" ")
        assert (zero, name) == ("Q0", "recommender")
        found.setdefault(query, []).append((article_id, int(rank), float(score)))
    return found


def test_all_prints_the_list_of_every_article_and_of_no_stub(ready: Command) -> None:
    done = ready("related", "--all", "-k", "3")
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert (done.code, done.err, [answer["query"]["id"] for answer in answers]) == (0, "", sorted(IDS))
    assert answers == [ready("related", article_id, "-k", "3", "--json").data for article_id in sorted(IDS)]
    run = _trec(ready("related", "--all", "-k", "3", "--format", "trec").out)
    assert {query: [hit[0] for hit in hits] for query, hits in run.items()} == {
        answer["query"]["id"]: [result["id"] for result in answer["results"]] for answer in answers if answer["results"]
    }
    assert all([rank for _, rank, _ in hits] == list(range(1, len(hits) + 1)) for hits in run.values())


def test_blanks_in_ids_do_not_break_trec_columns(command: Command, tmp_path: Path) -> None:
    records = [{"id": f"the  id {number}", "title": f"Ferry {number}", "language": "en"} for number in range(3)]
    command("ingest", write_jsonl(tmp_path / "s.jsonl", records))
    command("rebuild")
    run = _trec(command("related", "--all", "--format", "trec").out)
    assert {hit[0] for hits in run.values() for hit in hits} == set(run) == {f"the%20id%20{n}" for n in range(3)}


def test_search_prints_people_and_machines_the_same_list(ready: Command) -> None:
    done = ready("search", "penalties of the goalkeeper", "-k", "2", "--json")
    assert (done.code, done.err, list(done.data)) == (0, "", ["query", "results", "snapshot"])
    assert done.data["query"] == {"text": "penalties of the goalkeeper", "language": "en", "k": 2}
    assert [list(result) for result in done.data["results"]] == [RESULT_KEYS] * 2
    assert done.data["results"][0]["id"] == "cup-final"
    people = ready("search", "penalties of the goalkeeper", "-k", "2").out
    assert people.startswith("Related to: penalties of the goalkeeper\n")
    assert all(result["title"] in people for result in done.data["results"])


def test_many_queries_are_answered_and_bad_lines_are_named(ready: Command, tmp_path: Path) -> None:
    queries = tmp_path / "queries.tsv"
    queries.write_bytes(
        b"\xef\xbb\xbfq1\tnight ferry\nno tab here\n\n\xff\tx\nq2\t\nq3\t\xef\xbb\xbf\x01\nq4\tcup\tfinal\r\nq5\tharbour"
    )
    done = ready("search", "--queries", queries, "-k", "2")
    assert done.code == 1
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert [answer["query"] for answer in answers] == [
        {"id": "q1", "text": "night ferry"},
        {"id": "q4", "text": "cup final"},
        {"id": "q5", "text": "harbour"},
    ]
    assert [list(result) for result in answers[0]["results"]] == [["rank", "id", "score"]] * 2
    assert done.err.splitlines() == [
        f"refused: {queries}, line {line}: {reason}"
        for line, reason in (
            (2, "needs 2 columns parted by a tab"),
            (4, "is not UTF-8"),
            (5, "needs 2 columns parted by a tab"),
            (6, "needs 2 columns parted by a tab"),
        )
    ]


def test_many_queries_make_a_trec_run(ready: Command) -> None:
    done = ready("search", "--queries", "-", "--format", "trec", "-k", "3", stdin=b"q1\tnight ferry\nq2\tcup final\n")
    run = _trec(done.out)
    assert (done.code, list(run)) == (0, ["q1", "q2"])
    alone = ready("search", "night ferry", "-k", "3", "--json").data["results"]
    assert run["q1"] == [(result["id"], result["rank"], result["score"]) for result in alone]


def test_explain_prints_every_part_of_one_pair(ready: Command) -> None:
    told = ready("explain", "ferry-deal", "ferry-strike", "--json").data
    lines = ready("explain", "ferry-deal", "ferry-strike").out.splitlines()
    sentences = told["sentences"]
    assert len(sentences) == 2
    assert lines == [
        "Ferry strike ends with a deal on night crews  [ferry-deal]",
        "Ferries stay in port as strike begins  [ferry-strike]",
        f"score  {told['score']:+.6f}",
        *(f"  {name:<8} {value:+.6f}" for name, value in told["parts"].items()),
        "links  the first links to the second",
        f"relation {told['relation']}",
        *(f"  “{sentence}”" for sentence in sentences),
        f"shared {', '.join(told['shared_terms'])}",
    ]
    assert sum(told["parts"].values()) == pytest.approx(told["score"], abs=1e-5)
    assert "links  the second links to the first" in ready("explain", "ferry-strike", "ferry-deal").out.splitlines()


def test_explain_counts_as_the_ranker_that_was_named(ready: Command) -> None:
    whole = ready("explain", "ferry-deal", "ferry-strike", "--json").data
    for ranker in ("dense", "lexical"):
        told = ready("explain", "ferry-deal", "ferry-strike", "--json", "--ranker", ranker).data
        assert (told["score"], told["parts"]) == (whole["cosines"][ranker], {ranker: whole["cosines"][ranker]})


def test_explain_names_near_copies(wide_ready: Command) -> None:
    lines = wide_ready("explain", "storm", "storm-wire").out.splitlines()
    assert "relation same event, near-copies" in lines


def test_many_pairs_are_scored_and_bad_lines_are_named(ready: Command, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("ferry-vote\tferry-deal\nferry-vote\tnobody\nalone\nferry-deal\tundated\n", encoding="utf-8")
    done = ready("explain", "--pairs", pairs)
    score = ready("explain", "ferry-vote", "ferry-deal", "--json").data["score"]
    other = ready("explain", "ferry-deal", "undated", "--json").data["score"]
    assert done.code == 1
    assert done.out == f"ferry-vote\tferry-deal\t{score:.6f}\nferry-deal\tundated\t{other:.6f}\n"
    assert done.err == (
        f"refused: {pairs}, line 2: no article has the id 'nobody'\n"
        f"refused: {pairs}, line 3: needs 2 columns parted by a tab\n"
    )
    lines = ready("explain", "--pairs", pairs, "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["score"] for line in lines] == [score, other]


@pytest.mark.parametrize("arguments", [["search", "--queries"], ["explain", "--pairs"]])
def test_a_missing_tsv_file_is_named(ready: Command, arguments: Sequence[str]) -> None:
    done = ready(*arguments, "missing.tsv")
    assert (done.code, done.out) == (1, "")
    assert done.err == "error: missing.tsv: cannot be read: No such file or directory\n"


@pytest.mark.slow
def test_evaluate_measures_every_system_on_the_archives_own_links(ready: Command, tmp_path: Path) -> None:
    done = ready("evaluate", "--json")
    assert (done.code, done.err) == (0, "")
    assert (done.data["n_articles"], done.data["n_queries"], done.data["n_relevant"]) == (7, 3, 4)
    people = ready("evaluate", "--report", tmp_path / "page.html", "--trec", tmp_path / "runs")
    assert (people.code, people.err) == (0, f"written: {tmp_path / 'runs'}\nwritten: {tmp_path / 'page.html'}\n")
    for scope in done.data["scopes"].values():
        assert {"recommender", "dense alone", "BM25", "TF-IDF", "random"} <= {each["name"] for each in scope["systems"]}
        assert all(each["name"] in people.out for each in scope["systems"])
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "runs" / "qrels.txt").read_text(encoding="utf-8").count("\n") == 4


@pytest.mark.slow
def test_evaluate_takes_judgments_from_a_file(ready: Command, tmp_path: Path) -> None:
    qrels = tmp_path / "qrels.txt"
    qrels.write_text("cup-final 0 undated 1\nnobody 0 cup-final 1\n", encoding="utf-8")
    told = ready("evaluate", "--qrels", qrels, "--json").data
    assert (told["n_queries"], told["n_unknown_queries"]) == (
        2,
        1,
    )  # what the archive does not know counts as not found


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "--since", "2030-01-01"], "no article of this span links to another one of the archive"),
        (["evaluate", "--against", "s00000001"], "--against: s00000001 is the live snapshot itself"),
        (
            ["evaluate", "--against", "s00000009"],
            "--against: no snapshot 's00000009' is kept here; there are: none but the live one",
        ),
        (["evaluate", "--qrels", "missing.txt"], "missing.txt: cannot be read: No such file or directory"),
        (["evaluate", "--trec", "stories.jsonl"], "stories.jsonl: cannot be written (File exists)"),
        (["tune"], "only 1 articles with links were published before the split, at least 30 are needed"),
    ],
)
def test_what_cannot_be_measured_or_learned_is_told(ready: Command, arguments: Sequence[str], message: str) -> None:
    done = ready(*arguments)
    assert done.code == 1
    assert message in done.err
    assert "error: " in done.err


def test_the_gate_holds_a_turned_index_back_unless_it_is_forced(
    wide_ready: Command, environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOMMENDER_GATE__MAX_CHURN", "0")
    same = wide_ready("rebuild", "--gate")
    assert (same.code, load(Home(environment)).name) == (0, "s00000002")
    assert same.err.startswith("compared with the live index: 0.0% of the first five changed in 10 lists\n")
    titles = [record["title"] for record in RECORDS]
    turned = [record | {"title": titles[-number], "text": ""} for number, record in enumerate(RECORDS)]
    wide_ready("ingest", write_jsonl(tmp_path / "turned.jsonl", turned))
    held = wide_ready("rebuild", "--gate")
    assert (held.code, held.out, load(Home(environment)).name) == (1, "", "s00000002")
    assert "compared with the live index: " in held.err
    assert re.search(
        r"^error: the new index was not published: it .*\. Publish it with --force$", held.err, re.MULTILINE
    )
    assert wide_ready("verify").code == 0
    forced = wide_ready("rebuild", "--force")
    assert (forced.code, load(Home(environment)).name) == (0, "s00000003")
    assert "compared with the live index: " in forced.err


def test_the_first_index_has_nothing_to_be_compared_with(command: Command, source: Path) -> None:
    command("ingest", source)
    done = command("rebuild", "--gate")
    assert (done.code, "the gate has nothing to compare with: " in done.err) == (0, True)


def test_status_tells_what_is_live(ready: Command, environment: Path) -> None:
    done = ready("status", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.data["home"] == str(environment)
    assert done.data["problems"] == []
    assert done.data["snapshot"]["name"] == "s00000001"
    assert done.data["snapshot"]["encoder"]["name"] == "hashing@1"
    assert done.data["catalog"]["n_articles"] == 7
    assert done.data["catalog"]["languages"] == {"en": 6, "de": 1}
    assert done.data["catalog"]["links"] == {"stub": 1, "title": 3, "url": 1}
    people = ready("status").out
    assert "snapshot  s00000001, published " in people
    assert "catalog   7 articles (en 6, de 1), 5 links" in people


def test_status_of_an_empty_home_tells_both_problems_and_makes_nothing(command: Command, environment: Path) -> None:
    done = command("status")
    assert (done.code, done.out) == (1, f"home      {environment}\n")
    assert "problem: " in done.err
    assert "no index has been published here" in done.err
    assert "there is no catalog yet" in done.err
    assert not environment.exists()
    assert len(command("status", "--json").data["problems"]) == 2


def test_verify_passes_what_is_whole(ready: Command) -> None:
    assert ready("verify") == Done(
        0,
        "everything is as it was published\n",
        "checked catalog: 7 articles\nchecked snapshot s00000001: 8 rows\n",
    )
    assert ready("verify", "--json").data == {
        "ok": True,
        "checked": ["catalog: 7 articles", "snapshot s00000001: 8 rows"],
        "problems": [],
    }


def test_verify_names_a_changed_file(ready: Command, environment: Path) -> None:
    path = environment / "snapshots" / "s00000001" / "rows.jsonl"
    path.write_bytes(path.read_bytes().replace(b"strike", b"spring"))
    done = ready("verify")
    assert (done.code, done.out) == (
        1,
        f"problem: {path}: was changed after it was published (its sha256 differs); run: recommender rebuild\n",
    )
    assert ready("related", "ferry-vote").code == 1
    assert ready("rebuild").code == 0
    assert ready("verify").code == 0


def test_verify_names_a_damaged_catalog_while_the_snapshot_still_answers(ready: Command, environment: Path) -> None:
    (environment / "catalog.db").write_bytes(b"no database" * 1_000)
    done = ready("verify", "--json")
    assert (done.code, done.data["ok"]) == (1, False)
    assert "catalog.db: is not a catalog; move it away, or choose another folder" in done.data["problems"][0]
    assert ready("related", "ferry-vote").code == 0


def test_verify_finds_a_snapshot_of_another_catalog(ready: Command, environment: Path, tmp_path: Path) -> None:
    (environment / "catalog.db").unlink()
    ready("ingest", write_jsonl(tmp_path / "few.jsonl", RECORDS[:2]))
    done = ready("verify")
    assert done.code == 1
    assert (
        "snapshot s00000001: 5 articles are not in the catalog: 'cup-final', 'faehren', 'ferry-deal', ...; run"
        in done.out
    )


def test_an_article_that_came_after_the_snapshot_is_no_problem(ready: Command, tmp_path: Path) -> None:
    ready("ingest", write_jsonl(tmp_path / "new.jsonl", [{"id": "new", "title": "New"}]))
    assert ready("verify").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ingest", "stories.jsonl"], "cannot be written (Not a directory|File exists)"),
        (["rebuild"], "(there is no catalog yet|cannot be opened)"),
        (["related", "ferry-vote"], "no index has been published here"),
        (["status"], "no index has been published here"),
        (["verify"], "no index has been published here"),
    ],
)
@pytest.mark.parametrize("below", [False, True])
def test_a_file_where_the_home_should_be_is_named(
    command: Command, source: Path, environment: Path, arguments: Sequence[str], message: str, below: bool
) -> None:
    environment.write_text("not a folder", encoding="utf-8")
    done = command("--home", environment / "deeper" if below else environment, *arguments)
    assert done.code == 1
    assert re.search(message.replace("(Not", r"\((Not"), done.out + done.err)
    assert environment.read_text(encoding="utf-8") == "not a folder"


def test_a_second_rebuild_is_told_who_is_writing_and_articles_go_in_meanwhile(
    ready: Command, environment: Path
) -> None:
    with Home(environment).writer("a rollback"):
        assert ready("ingest", "stories.jsonl").code == 0
        done = ready("rebuild")
        assert (done.code, done.out) == (1, "")
        assert re.fullmatch(
            rf"error: {environment}: process {os.getpid()}, a rollback since [-\d]+ [:\d]+ UTC is writing here; "
            "wait for it, or end it, and try again\n",
            done.err,
        )
        assert ready("related", "ferry-vote").code == 0
    assert ready("rebuild").code == 0


def test_the_snapshots_encoder_answers_whatever_the_settings_name_but_none(
    ready: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOMMENDER_ENCODER__MODEL", "all-MiniLM-L6-v2")
    assert ready("related", "ferry-vote").code == 0
    assert ready("search", "ferry").code == 0
    monkeypatch.setenv("RECOMMENDER_ENCODER__MODEL", "none")
    assert ready("related", "ferry-vote").code == 0
    done = ready("search", "ferry")
    assert done.code == 1
    assert done.err.startswith("error: this instance runs with encoder.model = 'none'")


def test_every_command_has_a_help_page(command: Command) -> None:
    commands = re.findall(r"^  (\w+) ", command("--help").out.partition("Commands:")[2], re.MULTILINE)
    assert {
        "ingest",
        "rebuild",
        "related",
        "search",
        "explain",
        "evaluate",
        "tune",
        "status",
        "rollback",
        "prune",
        "verify",
        "backup",
        "restore",
        "serve",
    } <= set(commands)
    for name in commands:
        done = command(name, "--help")
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith(f"Usage: recommender {name} [OPTIONS]")


def test_the_version_is_the_packages(command: Command) -> None:
    assert importlib.metadata.version("newsroom-recommender") in command("--version").out


def test_hostile_bytes_in_arguments_end_in_a_message(ready: Command) -> None:
    for argument in ("\udcff\udcfe", "\x00", "../../../etc/passwd\x00", "%s%n", "a" * 3_000, "http://[::1"):
        done = ready("related", argument)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("error: ")
    assert ready("search", "\udcff ferry").code == 0


@contextlib.contextmanager
def _started(*arguments: str, python: Sequence[str] = ("-m", "recommender")) -> Iterator[subprocess.Popen[str]]:
    """Start the program in a process of its own, with pipes; it is ended whatever happens."""
    process = subprocess.Popen(
        [sys.executable, *python, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    finally:
        process.kill()
        for stream in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(BrokenPipeError):
                assert stream is not None
                stream.close()
        process.wait()


def _say(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.flush()


def _hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _end(process: subprocess.Popen[str]) -> tuple[int, str]:
    assert process.stderr is not None
    err = process.stderr.read()
    return process.wait(timeout=60), err


def test_pairs_are_answered_line_by_line_and_a_reader_who_leaves_ends_it_quietly(ready: Command) -> None:
    with _started("explain", "--pairs", "-") as process:
        for pair in ("ferry-vote\tferry-deal", "undated\tcup-final", "undated\tundated"):
            _say(process, f"{pair}\n")
            assert _hear(process).startswith(f"{pair}\t")
        assert process.stdout is not None
        process.stdout.close()
        _say(process, "ferry-vote\tferry-deal\n")
        assert _end(process) == (0, "")


def test_queries_are_answered_in_batches_while_more_are_coming(ready: Command) -> None:
    with _started("search", "--queries", "-", "--format", "trec", "-k", "1") as process:
        for start in (0, 64):
            _say(process, "".join(f"q{number}\tferry {number}\n" for number in range(start, start + 64)))
            heard = [_hear(process).split()[0] for _ in range(64)]
            assert heard == [f"q{number}" for number in range(start, start + 64)]


@pytest.mark.slow
def test_ctrl_c_during_an_ingest_keeps_the_batches_that_were_done(command: Command, environment: Path) -> None:
    pipe = environment.parent / "endless.jsonl"
    os.mkfifo(pipe)
    padding = "ferry " * 200
    with _started("ingest", str(pipe)) as process, pipe.open("w", encoding="utf-8") as stream:
        # When the last of these has been taken from us, the reader is at most one pipe and one buffer behind.
        for number in range(1_000):
            stream.write(json.dumps({"id": f"a{number:04d}", "title": f"No. {number}", "text": padding}) + "\n")
        stream.flush()
        process.send_signal(signal.SIGINT)
        code, err = _end(process)
    assert (code, "Traceback" in err) == (130, False)
    assert "interrupted: what was finished is kept, the published index is as it was" in err
    kept = command("status", "--json").data["catalog"]["n_articles"]
    assert kept >= 600
    assert kept % 200 == 0
    assert command("rebuild").code == 0
    assert command("verify").code == 0


_SLOW_REBUILD = """
import sys
from recommender.build import pages
from recommender.answer import Options
from recommender.cli import main
from recommender.encoder import HashingEncoder

pages.PAGE_TEXTS = 4
encode = HashingEncoder.encode
calls = []

def waiting(self, texts):
    calls.append(texts)
    if len(calls) == 2:
        print("one page is done", flush=True)
        sys.stdin.read()
    return encode(self, texts)

HashingEncoder.encode = waiting
main(["rebuild"])
"""


def test_ctrl_c_during_a_rebuild_leaves_the_former_index_and_the_next_goes_on(
    ready: Command, environment: Path, tmp_path: Path
) -> None:
    more = [{"id": f"more-{number}", "title": f"Headline number {number}", "language": "en"} for number in range(20)]
    ready("ingest", write_jsonl(tmp_path / "more.jsonl", more))
    with _started(python=("-c", _SLOW_REBUILD)) as process:
        assert _hear(process) == "one page is done\n"
        process.send_signal(signal.SIGINT)
        code, err = _end(process)
    assert (code, "Traceback" in err) == (130, False)
    assert err.strip() == "interrupted: what was finished is kept, the published index is as it was"
    assert load(Home(environment)).name == "s00000001"
    assert ready("rebuild", "--json").data["n_texts_encoded"] == 16
    assert ready("verify").code == 0


def test_a_writer_that_was_killed_leaves_no_lock(ready: Command, environment: Path, tmp_path: Path) -> None:
    ready("ingest", write_jsonl(tmp_path / "more.jsonl", [{"id": f"m{n}", "title": f"No. {n}"} for n in range(9)]))
    with _started(python=("-c", _SLOW_REBUILD)) as process:
        assert _hear(process) == "one page is done\n"
        assert "is writing here" in ready("rebuild").err
        process.kill()
        process.wait()
    assert ready("rebuild").code == 0
    assert ready("verify").code == 0


def test_pages_go_in_from_a_folder_and_every_refusal_is_written_to_the_report(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    page = "<title>{0}</title><meta property='og:type' content='article'><h1>{0}</h1><p>It left.</p><p>Read more: <a href='https://p.example/2025/a-b-c'>A story</a></p>"
    for number in range(12):
        (folder / f"{number}.html").write_text(page.format(f"Ferry {number}"), encoding="utf-8")
    (folder / "gone.html").write_text("<title>Page not found</title>", encoding="utf-8")
    (folder / "record.jsonl").write_text('{"title": "A record"}\n{}\n', encoding="utf-8")
    done = command("ingest", folder, "--json", "--report", tmp_path / "refused.jsonl")
    refusals = [json.loads(line) for line in (tmp_path / "refused.jsonl").read_text("utf-8").splitlines()]

    assert (done.code, done.data["new"], done.data["refused"]) == (1, 13, 2)
    assert refusals == done.data["refusals"]
    assert [(Path(each["source"]).name, each["line"]) for each in refusals] == [
        ("gone.html", None),
        ("record.jsonl", 2),
    ]
    assert command("ingest", folder, "--json").data["unchanged"] == 13


def test_a_file_of_any_name_is_read_in_the_format_that_is_given(command: Command, tmp_path: Path) -> None:
    odd = tmp_path / "story?id=3"
    odd.write_text('{"title": "A record"}\n', encoding="utf-8")

    assert command("ingest", odd).code == 1
    assert command("ingest", odd, "--format", "jsonl").out.startswith("1 new")
    assert command("ingest", odd, "--format", "docx").code == 2


def test_a_report_that_cannot_be_written_is_told_before_anything_is_read(
    command: Command, source: Path, tmp_path: Path
) -> None:
    done = command("ingest", source, "--report", tmp_path / "no" / "such" / "folder")

    assert done.code == 2
    assert "cannot be written: No such file or directory" in done.err
    assert command("status").code == 1
