"""Coverage, orphans and hubs: counted over the lists of the whole archive as readers see them."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import test_cli
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsroom import wider_stories, write_jsonl
from test_cli import Command, _end, _hear, _started

from recommender.answer import Options
from recommender.editorial import Rule, parse_rules
from recommender.encoder import HashingEncoder, Recipe
from recommender.errors import InputError
from recommender.evaluate.lists import coverage_of
from recommender.evaluate.numbers import randomisation_p
from recommender.measures import bootstrap_interval
from recommender.recommend import Recommender
from recommender.settings import Settings
from recommender.trial import facts_of, truth_from_links
from recommender.trial.run import Trial
from recommender.trial.served import evenly, served_lists

pytestmark = pytest.mark.slow  # evaluates whole archives

command, ready, source = test_cli.command, test_cli.ready, test_cli.source
NOW = datetime(2025, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def newsroom(wide: Settings) -> Recommender:
    return Recommender.open(wide)


def test_every_article_has_its_list_as_readers_see_it_and_no_stub_has_one(newsroom: Recommender) -> None:
    shown = served_lists(newsroom, Options(k=99, blind=True))

    assert set(shown.lists) == {article.id for article in wider_stories()}
    assert shown.n_all == len(shown.lists)
    for article_id, ids in shown.lists.items():
        answer = newsroom.related(article_id, Options(k=5))
        assert list(ids) == [result.id for result in answer.results]
        assert shown.reasons.get(article_id) == (answer.empty_reason or answer.short_reason)
        assert (article_id in shown.reasons) == (len(ids) < 5)
    assert shown.lists["ferry-strike"][:2] == ["ferry-vote", "harbour-plan"]  # not blind: its editor's links are there


def test_what_is_of_a_kind_that_is_not_offered_is_told_apart(newsroom: Recommender) -> None:
    assert served_lists(newsroom, Options()).unoffered == {"ferry-column", "storm-wire"}
    assert served_lists(newsroom, Options(kinds=())).unoffered == frozenset()


def test_hubs_and_orphans_are_those_of_the_lists_counted_by_hand(newsroom: Recommender) -> None:
    cover = coverage_of(facts_of(newsroom.snapshot), served_lists(newsroom, Options()))
    lists = {
        article.id: [hit.article_id for hit in newsroom.related_hits(article.id, Options(k=5))]
        for article in wider_stories()
    }
    counts = Counter(each for ids in lists.values() for each in ids if each in lists)

    assert {hub.article.id: hub.n_lists for hub in cover.hubs} == dict(counts)
    assert cover.n_orphans == len(lists.keys() - counts.keys())
    assert {article.id for article in cover.orphans} == lists.keys() - counts.keys() - {"ferry-column", "storm-wire"}
    assert sum(reason.n_empty + reason.n_short for reason in cover.reasons) == cover.n_empty + cover.n_short


def test_of_a_large_archive_an_even_sample_of_the_lists_is_looked_at(newsroom: Recommender) -> None:
    seen: list[tuple[str, int, int, str]] = []
    shown = served_lists(newsroom, Options(), max_lists=4, watch=lambda *step: seen.append(step))
    ids = sorted(article.id for article in wider_stories())

    assert list(shown.lists) == [ids[0], ids[2], ids[5], ids[7]]
    assert shown.n_all == 10
    assert coverage_of(facts_of(newsroom.snapshot), shown).sampled
    assert seen == [("looking at readers' lists", done, 4, "lists") for done in (1, 2, 3, 4)]


@given(st.integers(0, 400), st.integers(1, 50))
@examples(deadline=None)
def test_an_even_sample_holds_as_many_as_are_asked_for_in_steps_that_differ_by_one(n: int, most: int) -> None:
    chosen = evenly(range(n), most)

    assert len(chosen) == min(n, most)
    steps = {after - before for before, after in pairwise(chosen)}
    assert not steps or max(steps) - min(steps) <= 1


def test_lists_that_nobody_judges_count_and_a_trial_of_few_stories_changes_no_coverage(newsroom: Recommender) -> None:
    def coverage(since: datetime | None) -> object:
        truth = truth_from_links(newsroom.snapshot, since)
        trial = Trial(newsroom, truth, lambda: iter(wider_stories()))
        return trial.evaluate(lambda: served_lists(newsroom, Options())).coverage

    assert coverage(None) == coverage(NOW - timedelta(days=15)) is not None


def test_evaluate_speaks_of_the_whole_archive(ready: Command) -> None:
    told = ready("evaluate", "--json").data["coverage"]
    people = ready("evaluate").out

    assert (told["n_articles"], told["n_lists"], told["n_all"]) == (7, 7, 7)
    assert "all 7 lists as readers see them, of up to five" in people
    assert f"they show {told['n_shown']} of 7 articles" in people
    assert "in most lists:" in people


def test_lists_are_looked_at_after_the_judgments_were_found_good(newsroom: Recommender) -> None:
    truth = replace(truth_from_links(newsroom.snapshot), qrels={"stranger": {"storm": 1}})

    def never() -> object:
        raise AssertionError("minutes of work for nothing")

    with pytest.raises(InputError, match="none of the 1 judged queries is an article of the archive"):
        Trial(newsroom, truth, lambda: iter(wider_stories())).evaluate(never)  # type: ignore[arg-type]


# --- what a new user does


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--report", "no/page.html"), "error: no/page.html: cannot be written: No such file or directory"),
        (("--report", "."), "error: .: cannot be written: Is a directory"),
        (("--trec", "stories.jsonl"), "error: stories.jsonl: cannot be written (File exists); name a folder that can"),
        (("--trec", "stories.jsonl/runs"), "cannot be written (File exists)"),
        (("--against", "../secrets"), "error: --against: no snapshot '../secrets' is kept here; there are: none but"),
    ],
)
def test_what_cannot_end_well_is_refused_before_the_work(
    ready: Command, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.setattr(Trial, "evaluate", None)  # it would fail if it were called
    done = ready("evaluate", *arguments)

    assert (done.code, done.out) == (1, "")
    assert message in done.err


def test_the_result_is_on_the_terminal_even_where_a_file_cannot_be_written_at_last(
    ready: Command, environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Trial.evaluate

    def and_meanwhile(self: Trial, *given: object) -> object:
        (environment.parent / "page.html").mkdir()
        return made(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Trial, "evaluate", and_meanwhile)
    done = ready("evaluate", "--report", environment.parent / "page.html")

    assert done.code == 1
    assert "▸ recommender" in done.out
    assert "page.html: cannot be written: Is a directory" in done.err


@pytest.mark.parametrize(
    ("text", "judged"),
    [
        ("\ufeffferry-deal 0 ferry-strike 1\r\n\r\nfaehren\t0\tferry-vote\t2\r\n", (2, 2, 0)),
        ("ferry-deal 0 ferry-strike 1\nferry-deal 0 ferry-strike 1\n", (1, 1, 0)),
        ("ferry-deal 0 ferry-strike 1\nferry-deal 0 ferry-vote -2\nfaehren 0 ferry-vote -1\n", (1, 1, 0)),
        ("ferry-deal 0 ferry-strike 1\nferry-deal 0 ferry-deal 1\n", (1, 1, 0)),
        ("ferry-deal 0 nothing 1\nferry-deal 0 ferry-vote 1\nnobody 0 ferry-vote 1\n", (2, 3, 1)),
    ],
    ids=["BOM, CRLF and tabs", "said twice", "negative grades", "a story under itself", "strangers"],
)
def test_judgments_of_any_make_are_read(
    ready: Command, tmp_path: Path, text: str, judged: tuple[int, int, int]
) -> None:
    path = tmp_path / "judged.txt"
    path.write_bytes(text.encode())
    done = ready("evaluate", "--qrels", path, "--json")

    assert (done.code, done.err) == (0, "")
    assert (done.data["n_queries"], done.data["n_relevant"], done.data["n_unknown_queries"]) == judged


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no query is judged: nothing in the qrels has a grade above 0"),
        ("ferry-deal 0 ferry-vote -1\n", "no query is judged"),
        ("ferry-deal 0 ferry-vote 1\nferry-deal 0 ferry-vote 2\n", "line 2: 'ferry-vote' is judged 2 for 'ferry-deal'"),
    ],
)
def test_judgments_that_say_nothing_or_two_things_are_refused(
    ready: Command, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "judged.txt"
    path.write_text(text, encoding="utf-8")
    done = ready("evaluate", "--qrels", path)

    assert (done.code, done.out) == (1, "")
    assert message in done.err


def test_an_interval_of_very_many_values_is_what_the_bootstrap_comes_to() -> None:
    random = np.random.default_rng(1)
    values = list(random.random(10_000))
    low, high = bootstrap_interval(values)
    long_low, long_high = bootstrap_interval([*values, 0.5])

    assert (long_low, long_high) == pytest.approx((low, high), abs=2e-4)
    assert bootstrap_interval([1.0] * 10_001) == (1.0, 1.0)


@pytest.mark.parametrize("shift", [0.0, 0.02, 0.04])
def test_a_test_of_very_many_differences_is_what_the_flips_come_to(shift: float) -> None:
    differences = list(np.random.default_rng(2).normal(shift, 1.0, 10_000))

    many = randomisation_p([*differences, 1e-12])

    assert many == pytest.approx(randomisation_p(differences), abs=0.015)
    assert randomisation_p([0.1] * 10_001) == 1 / 10_001


def test_ids_and_titles_that_look_like_markup_stay_text_and_come_back_from_the_files(
    command: Command, tmp_path: Path
) -> None:
    hostile = [
        {
            "id": f"\"<i>{number}' x",
            "title": f"<script>alert({number})</script> ferry {number}",
            "text": "ferry harbour strike crew",
            "section": "<b>bold</b>",
            "language": "uk" if number % 2 else "en",
            "published_at": f"2025-01-{number + 1:02d}",
            "read_more": [f"<script>alert({number - 2})</script> ferry {number - 2}"] if number > 1 else [],
        }
        for number in range(8)
    ]
    assert command("ingest", write_jsonl(tmp_path / "hostile.jsonl", hostile)).code == 0
    assert command("rebuild").code == 0
    done = command("evaluate", "--json", "--report", tmp_path / "page.html", "--trec", tmp_path / "trec")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")

    assert (done.code, done.data["n_queries"]) == (0, 6)
    assert not any(piece in page for piece in ("<script", "<i>", "<b>"))
    assert "&lt;script&gt;alert(7)&lt;/script&gt;" in page
    again = command("evaluate", "--json", "--qrels", tmp_path / "trec" / "qrels.txt")
    assert again.data["scopes"] == done.data["scopes"]
    assert again.data["coverage"] == done.data["coverage"]


_SLOW_LISTS = """
import sys
from recommender.cli import main
from recommender.cli import judge

def waiting(*given, **named):
    print("looking", flush=True)
    sys.stdin.read()

judge.served_lists = waiting
main(["evaluate", "--report", "page.html", "--trec", "runs"])
"""


def test_ctrl_c_during_an_evaluation_leaves_no_file(ready: Command, environment: Path) -> None:
    with _started(python=("-c", _SLOW_LISTS)) as process:
        assert _hear(process) == "looking\n"
        process.send_signal(signal.SIGINT)
        code, err = _end(process)

    assert (code, "Traceback" in err) == (130, False)
    assert not (environment.parent / "page.html").exists()
    assert not (environment.parent / "runs").exists()


def test_a_blind_trial_does_not_look_at_the_desks_rules(wide: Settings) -> None:
    """A pin is an editor's link by another name."""
    rules = parse_rules(
        b'[[pin]]\nunder = "ferry-deal"\nshow = ["cup-final"]\n[[block]]\narticle = "ferry-vote"\n', "rules.toml"
    )
    plain, ruled = Recommender.open(wide), _ruled(wide, rules)
    blind = Options(k=9, blind=True)

    assert ruled.related("ferry-deal").results[0].id == "cup-final"
    assert ruled.related_hits("ferry-deal", blind) == plain.related_hits("ferry-deal", blind)
    assert served_lists(ruled, Options()).lists["ferry-deal"][0] == "cup-final"


def _ruled(settings: Settings, rules: Sequence[Rule]) -> Recommender:
    opened = Recommender.open(settings)
    return Recommender(
        opened.snapshot,
        recipe=Recipe(**opened.snapshot.manifest["encoder"]["recipe"]),
        encoder=HashingEncoder,
        fuzzy_threshold=90.0,
        rules=rules,
    )


def test_neither_a_part_of_ours_nor_the_last_snapshot_is_the_best_baseline(newsroom: Recommender) -> None:
    trial = Trial(newsroom, truth_from_links(newsroom.snapshot), lambda: iter(wider_stories()), last=newsroom)

    for scope in trial.evaluate().scopes.values():
        assert "last snapshot" in [system.name for system in scope.systems]
        assert scope.best_baseline in {"dense alone", "BM25", "TF-IDF", "newest in section", "random"}
