"""Runs and judgments, as plain data, into an evaluation: its numbers, its table, its JSON, its files, its page."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import InputError
from recommender.evaluate import ANY_DATE, PAST_ONLY, Evaluation, Facts, Shown, evaluate_runs, page, write_trec
from recommender.evaluate.facts import AGES, age_of
from recommender.evaluate.lists import Coverage
from recommender.evaluate.numbers import gini, interval_of, randomisation_p
from recommender.evaluate.plots import axis_over
from recommender.measures import MRR, ndcg_at, read_qrels, read_run

pytestmark = pytest.mark.slow  # evaluates whole archives

OURS = "ours"
DAY = datetime(2024, 5, 1, tzinfo=UTC)
HOSTILE = "\"><script>alert('x')</script><svg onload=alert(1)> &amp; \u202eevil\ud800"
IDS = [f"a{number:02d}" for number in range(30)]

Runs = dict[str, dict[str, list[str]]]


def archive(**changed: Facts) -> dict[str, Facts]:
    """Thirty articles, one a day, the last the youngest; three sections, two languages."""
    made = {
        article_id: Facts(
            f"Story {number}",
            ("city", "sport", None)[number % 3],
            ("en", "uk")[number % 2],
            DAY + timedelta(days=20 * number),
        )
        for number, article_id in enumerate(IDS)
    }
    return made | changed


QRELS = {
    "a20": {"a19": 3, "a18": 1, "a01": 0},
    "a21": {"a00": 1},
    "a22": {"a20": 2, "a29": 1, "gone": 1},
    "a23": {"a24": 1},
    "unjudged": {"a05": 0},
}
RUNS: Runs = {
    OURS: {
        "a20": ["a19", "a18", "a05", "a06", "a07", "a08"],
        "a21": ["a01", "a02", "a03", "a04", "a05", "a06", "a00"],
        "a22": ["a05", "a20"],
        "a09": ["a05"],
    },
    "BM25": {"a20": ["a05"], "a21": ["a00"], "a22": ["a20"], "a23": ["a01"]},
    "random": {"a20": ["a28"], "a21": ["a27"]},
}
PAST: Runs = {system: dict(run) for system, run in RUNS.items()}
SHOWN = Shown(
    {"a20": ["a19", "a18", "a05", "a03", "a04", "a07"], "a21": ["a01", "a02", "a03", "a04", "a05"], "a22": ["stub", "a20"],
     "a23": []},
    4,
    {"a22": "nothing else", "a23": "nothing"},
    frozenset({"a29", "a00", "a05"}),
)  # fmt: skip


def evaluated(**changed: object) -> Evaluation:
    return _evaluated(**changed) if changed else _unchanged()


def _evaluated(**changed: object) -> Evaluation:
    given: dict[str, object] = {"any_date": RUNS, "qrels": QRELS, "facts": archive(), "ours": OURS, "past_only": PAST}
    given |= {"shown": SHOWN}
    return evaluate_runs(**(given | changed))  # type: ignore[arg-type]


def _covered(made: Evaluation) -> Coverage:
    assert made.coverage is not None
    return made.coverage


@cache
def _unchanged() -> Evaluation:
    return _evaluated()


# --- numbers


@pytest.mark.parametrize(
    "differences",
    [(0.3, -0.1, 0.2, 0.05, 0.4), (0.5, 0.5, -0.5, 0.25, 0.125, -0.3), (0.1,) * 7, (-0.2, -0.4, 0.1, 0.0, 0.0), (0.7,)],
)
def test_the_randomisation_test_comes_near_to_trying_every_choice_of_signs(differences: Sequence[float]) -> None:
    observed = abs(math.fsum(differences)) - 1e-12
    sums = [
        abs(math.fsum(sign * value for sign, value in zip(signs, differences, strict=True)))
        for signs in product((1, -1), repeat=len(differences))
    ]
    exact = sum(one >= observed for one in sums) / len(sums)

    # Five standard errors of a share that is estimated from ten thousand flips.
    assert randomisation_p(differences) == pytest.approx(exact, abs=5 * math.sqrt(0.25 / 10_000))


def test_a_p_value_is_never_zero_and_is_one_without_a_difference() -> None:
    assert randomisation_p([0.2] * 400) == 1 / 10_001
    assert randomisation_p([]) == 1.0
    assert randomisation_p([0.0, 0.0]) == 1.0


@given(st.lists(st.floats(-1, 1).map(lambda value: round(value, 3)), max_size=9), st.integers(1, 300))
@settings(max_examples=30, deadline=None)
def test_a_p_value_does_not_ask_which_system_is_called_ours(differences: list[float], n_flips: int) -> None:
    found = randomisation_p(differences, n_flips=n_flips)

    assert 0 < found <= 1
    assert randomisation_p([-value for value in differences], n_flips=n_flips) == found


@given(st.lists(st.floats(0, 1), max_size=20))
@settings(max_examples=30, deadline=None)
def test_an_interval_contains_its_mean(values: list[float]) -> None:
    found = interval_of(values)

    assert found.low <= found.mean <= found.high
    assert found.mean == pytest.approx(sum(values) / len(values) if values else 0.0)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([], 0), ([0, 0], 0), ([3, 3, 3], 0), ([0, 0, 0, 8], 0.75), ([4, 1, 3, 2], 0.25), ([0, 1], 0.5), ([9], 0)],
)
def test_gini_has_its_known_values(counts: list[int], expected: float) -> None:
    assert gini(counts) == pytest.approx(expected)


def test_a_system_is_compared_with_each_baseline_query_by_query() -> None:
    scope = evaluated(any_date=dict(reversed(RUNS.items())), past_only=None).scopes[ANY_DATE]
    values = {name: ndcg_at(5).per_query(run, QRELS) for name, run in RUNS.items()}

    assert [system.name for system in scope.systems] == [OURS, "random", "BM25"]
    assert scope.best_baseline == "BM25"
    against = scope.differences[1]
    assert against.difference.mean == pytest.approx(
        sum(values[OURS][query] - values["BM25"][query] for query in values[OURS]) / 4
    )
    assert against.ratio == pytest.approx(sum(values[OURS].values()) / sum(values["BM25"].values()))
    assert (against.n_better, against.n_equal, against.n_worse) == (1, 1, 2)
    assert scope.differences[0].ratio is None


def test_a_variant_of_ours_is_compared_with_and_is_nobodys_best_baseline() -> None:
    runs = RUNS | {"half of ours": RUNS[OURS] | {"a21": ["a00"]}}
    assert evaluated(any_date=runs).scopes[ANY_DATE].best_baseline == "half of ours"
    made = evaluated(any_date=runs, past_only=None, variants=("half of ours",))

    assert made.scopes[ANY_DATE].best_baseline == "BM25"
    assert [found.baseline for found in made.scopes[ANY_DATE].differences] == ["BM25", "random", "half of ours"]
    assert "BM25, the best baseline, reaches" in page(made)


def test_means_are_those_of_the_measures_with_the_main_one_in_front() -> None:
    scope = evaluated(measures=[MRR]).scopes[ANY_DATE]

    for system in scope.systems:
        assert list(system.scores) == ["nDCG@5", "MRR"]
        assert system.scores["MRR"].mean == pytest.approx(MRR.mean(RUNS[system.name], QRELS))


# --- breakdown


def test_the_groups_of_queries_add_up_to_the_judged_queries_and_their_means_to_the_mean() -> None:
    made = evaluated()
    for scope in made.scopes.values():
        for groups in scope.breakdown.groups.values():
            assert sum(group.n_queries for group in groups) == made.n_queries == 4
            total = math.fsum(group.n_queries * group.ours.mean for group in groups)
            theirs = math.fsum(group.n_queries * (group.baseline or 0) for group in groups)
            assert total / made.n_queries == pytest.approx(scope.systems[0].scores["nDCG@5"].mean)
            assert theirs / made.n_queries == pytest.approx(scope.systems[1].scores["nDCG@5"].mean)
        assert sum(group.n_targets for group in scope.breakdown.by_target_age) == made.n_relevant == 7
        assert sum(scope.histogram.ours) == sum(scope.histogram.baseline or ()) == made.n_queries


def test_the_histogram_keeps_nothing_and_everything_apart_from_the_tenths() -> None:
    histogram = evaluated().scopes[ANY_DATE].histogram
    value = ndcg_at(5).of(RUNS[OURS]["a22"], QRELS["a22"])

    assert 0.4 < value < 0.5
    assert histogram.ours == (2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1)
    assert histogram.baseline == (2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1)


def test_groups_stand_in_their_order_with_the_unknown_ones_last() -> None:
    facts = archive(a23=Facts("undated", section="  city "))
    breakdown = evaluated(facts=facts).scopes[ANY_DATE].breakdown

    assert [(group.label, group.n_queries) for group in breakdown.by_section] == [("city", 2), ("sport", 1), (None, 1)]
    assert [group.label for group in breakdown.by_year] == ["2025", None]
    assert [group.label for group in breakdown.by_language] == ["en", "uk", None]


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (0, "within a week"),
        (7, "within a week"),
        (7.1, "within a month"),
        (30, "within a month"),
        (31, "within a year"),
        (365, "within a year"),
        (366, "older"),
        (-0.001, "newer"),
    ],
)
def test_the_age_of_a_target_is_counted_from_the_story(days: float, age: str) -> None:
    assert age_of(Facts("t", published_at=DAY - timedelta(days=days)), Facts("q", published_at=DAY)) == age
    assert age in AGES


def test_an_age_needs_two_dates() -> None:
    assert age_of(Facts("t"), Facts("q", published_at=DAY)) == age_of(Facts("t", published_at=DAY), None) == "undated"


def test_targets_are_counted_as_found_among_the_first_ten() -> None:
    by_age = {group.age: group for group in evaluated().scopes[ANY_DATE].breakdown.by_target_age}

    assert (by_age["older"].n_targets, by_age["older"].ours, by_age["older"].baseline) == (1, 1.0, 1.0)
    assert (by_age["newer"].n_targets, by_age["newer"].ours) == (2, 0.0)
    assert (by_age["undated"].n_targets, by_age["undated"].ours) == (1, 0.0)


def test_pairs_that_the_past_cannot_hold_are_told() -> None:
    scopes = evaluated().scopes

    assert (scopes[ANY_DATE].n_out_of_reach, scopes[PAST_ONLY].n_out_of_reach) == (0, 2)


# --- lists


def test_the_worst_queries_come_with_what_was_missed_and_what_stood_there() -> None:
    worst = evaluated().scopes[ANY_DATE].worst

    assert [query.article.id for query in worst] == ["a21", "a23", "a22"]
    assert worst[0].value == 0.0
    assert [(one.article.id, one.grade, one.rank) for one in worst[0].missed] == [("a00", 1, 7)]
    assert [one.article.id for one in worst[0].instead] == ["a01", "a02", "a03", "a04", "a05"]
    assert [(one.article.id, one.grade, one.rank, one.age) for one in worst[2].missed] == [
        ("a29", 1, None, "newer"),
        ("gone", 1, None, "undated"),
    ]
    assert [(one.article.id, one.rank) for one in worst[2].instead] == [("a05", 1)]
    assert worst[1].instead == ()


def test_among_equally_bad_queries_the_one_with_more_judged_comes_first_and_twenty_are_enough() -> None:
    qrels = {article_id: {"a00": 1} for article_id in IDS[1:]} | {"a15": {"a00": 1, "a01": 1}}
    worst = evaluated(qrels=qrels, any_date={OURS: {}}).scopes[ANY_DATE].worst

    assert [query.article.id for query in worst] == [
        "a15",
        *[article_id for article_id in IDS[1:] if article_id != "a15"][:19],
    ]


def test_coverage_counts_every_list_of_the_archive_cut_at_five_and_no_judged_one() -> None:
    assert _evaluated(shown=None).coverage is None
    cover = _covered(evaluated())
    shown = {"a01", "a02", "a03", "a04", "a05", "a18", "a19", "a20"}

    assert (cover.n_lists, cover.n_all, cover.sampled, cover.n_empty, cover.n_short) == (4, 4, False, 1, 1)
    assert cover.mean_length == pytest.approx((5 + 5 + 2 + 0) / 4)
    assert (cover.n_shown, cover.share, cover.n_orphans) == (8, 8 / 30, 22)
    assert cover.appearances == ((2, 3), (1, 5), (0, 22))
    assert cover.gini == pytest.approx(gini([*[2] * 3, *[1] * 5, *[0] * 22]))
    assert [(hub.article.id, hub.n_lists, hub.share) for hub in cover.hubs[:4]] == [
        ("a03", 2, 0.5), ("a04", 2, 0.5), ("a05", 2, 0.5), ("a01", 1, 0.25),
    ]  # fmt: skip
    assert {hub.article.id for hub in cover.hubs} == shown  # the stub takes a place and is no article


def test_orphans_of_a_kind_that_is_not_offered_are_counted_apart_and_not_named() -> None:
    cover = _covered(evaluated())

    assert cover.n_unoffered == 2
    left = [one for one in reversed(IDS) if one not in {"a01", "a02", "a03", "a04", "a05", "a18", "a19", "a20"}]
    assert [article.id for article in cover.orphans] == [one for one in left if one not in {"a29", "a00"}]


def test_lists_that_are_not_full_are_counted_by_reason_and_the_empty_ones_are_named() -> None:
    cover = _covered(evaluated())

    assert [(one.why, one.n_empty, one.n_short) for one in cover.reasons] == [("nothing", 1, 0), ("nothing else", 0, 1)]
    assert [article.id for article in cover.empty] == ["a23"]


def test_undated_orphans_stand_last_and_what_the_archive_does_not_hold_is_no_part_of_it() -> None:
    facts = {"q": Facts("Q"), "b": Facts("B"), "a": Facts("A"), "old": Facts("O", published_at=DAY)}
    cover = _covered(evaluated(qrels={"q": {"a": 1}}, facts=facts, shown=Shown({"q": ["stub"], "gone": []}, 2)))

    assert [article.id for article in cover.orphans] == ["old", "a", "b", "q"]
    assert (cover.n_articles, cover.n_shown, cover.gini) == (4, 0, 0.0)
    assert (cover.hubs, cover.empty) == ((), ())


def test_few_judged_queries_are_said_to_tell_little() -> None:
    many = evaluated(
        qrels={article_id: {"a00": 1} for article_id in IDS} | {"gone": {"a00": 1}}, any_date={OURS: {}}, past_only=None
    )

    for made, few in ((evaluated(), True), (many, False)):
        assert ("So few judged queries tell little" in made.table()) == few
        assert ("So few judged queries tell little" in page(made)) == few


def test_a_sample_of_the_lists_is_called_one_in_the_table_the_json_and_the_page() -> None:
    made = evaluated(shown=Shown(SHOWN.lists, 70_000))

    assert (made.as_dict()["coverage"]["n_lists"], made.as_dict()["coverage"]["n_all"]) == (4, 70_000)
    told = "a sample of 4 of the 70,000 lists as readers see them, of up to five: what stands in none of these may stand in"
    assert told in " ".join(made.table().split())
    assert f"A{told[1:]}" in Reader().read(page(made)).text
    assert "sample" not in evaluated().table() + page(evaluated())


def test_the_table_and_the_page_name_hubs_orphans_and_why_lists_are_not_full() -> None:
    hostile = {
        "a05": Facts(HOSTILE, published_at=DAY),
        "a28": Facts(HOSTILE * 9, published_at=DAY + timedelta(days=999)),
    }
    made = evaluated(facts=archive(**hostile))
    table, text = made.table(), Reader().read(page(made)).text

    for told in (table, text):
        for said in ("22 articles stand in none, 2 of them of a kind that is not offered", "Story 27", "nothing else"):
            assert said in told
    assert max(map(len, table.splitlines())) <= 110
    assert "2  Story 3  [a03]" in table


# --- refusals and bare archives


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"qrels": {"a20": {"a19": 0}}},
            "no query is judged: nothing in the qrels has a grade above 0. Give a TREC qrels",
        ),
        ({"qrels": {}}, "no query is judged"),
        ({"qrels": {"x": {"y": 1}}}, r"none of the 1 judged queries is an article of the archive \(the first is 'x'\)"),
        ({"ours": "mine"}, "any date: there is no run of 'mine', only of 'ours', 'BM25', 'random'; add it"),
        ({"past_only": {"BM25": {}}}, "past only: there is no run of 'ours', only of 'BM25'"),
        ({"any_date": {OURS: {"a20": ["b", "c", "b"]}}}, "any date, run of 'ours': b stands twice in the list of a20"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_how_to_mend_it(changed: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        evaluated(**changed)


BARE = {article_id: Facts(f"Story {article_id}") for article_id in IDS}


@pytest.mark.parametrize(
    "changed",
    [
        {"facts": BARE, "past_only": None},
        {"any_date": {OURS: RUNS[OURS]}, "past_only": {}},
        {"qrels": {"a20": {"a19": 1}}, "facts": {"a20": Facts("")}},
        {"any_date": {OURS: {}, "BM25": {}}, "past_only": {OURS: {}}},
        {"any_date": {OURS: {"a20": ["a19", "a18"]}}, "qrels": {"a20": {"a19": 1}}, "past_only": None},
    ],
    ids=["no facts", "one system", "one query", "empty runs", "all found"],
)
def test_a_bare_archive_is_evaluated_printed_and_drawn(changed: dict[str, object]) -> None:
    made = evaluated(**changed)

    assert json.loads(json.dumps(made.as_dict(), allow_nan=False))["scopes"]["any_date"]["systems"]
    assert "nan" not in made.table().lower()
    Reader().read(page(made))


# --- output


def test_the_table_marks_ours_is_aligned_and_fits_a_terminal() -> None:
    systems = RUNS | {
        "a system of a very long name that nobody can print in one line of a table": {},
        "\x1b[31mred": {},
    }
    text = evaluated(any_date=systems, measures=[ndcg_at(k) for k in range(1, 12)]).table()
    lines = text.splitlines()

    assert max(map(len, lines)) <= 110
    assert [line.split()[1] for line in lines if line.startswith("▸")] == [OURS, OURS]
    assert "\x1b" not in text
    header = next(number for number, line in enumerate(lines) if line.startswith("  any date"))
    assert len({len(line) for line in lines[header : header + 6]}) == 1
    assert "2 relevant pairs are out of reach" in text
    assert "not in the archive, counted as missed: 0 queries, 1 pairs" in text


def test_json_holds_every_number_under_the_name_of_its_scope() -> None:
    made = evaluated(described={"snapshot": "s01", "split": DAY, "home": Path("x"), "weight": math.inf})
    plain = json.loads(json.dumps(made.as_dict(), allow_nan=False))

    assert list(plain["scopes"]) == ["any_date", "past_only"]
    assert plain["described"] == {"snapshot": "s01", "split": "2024-05-01T00:00:00+00:00", "home": "x", "weight": None}
    assert plain["scopes"]["any_date"]["worst"][0]["missed"][0]["article"]["title"] == "Story 0"
    assert plain["scopes"]["any_date"]["systems"][0]["scores"]["nDCG@5"]["mean"] == round(
        made.scopes[ANY_DATE].systems[0].scores["nDCG@5"].mean, 6
    )


def test_the_order_of_judgments_facts_and_queries_changes_no_byte() -> None:
    def turned(mapping: Mapping[str, object]) -> dict[str, object]:
        return {
            key: turned(value) if isinstance(value, Mapping) else value
            for key, value in reversed(list(mapping.items()))
        }

    runs = {system: turned(run) for system, run in RUNS.items()}
    qrels = QRELS | {article_id: {"a19": 1, "a01": 2} for article_id in IDS[10:20]}
    one = evaluated(qrels=qrels)
    other = evaluated(any_date=runs, past_only=runs, qrels=turned(qrels), facts=turned(archive()))

    assert json.dumps(one.as_dict()) == json.dumps(other.as_dict())
    assert page(one) == page(other)
    assert one.table() == other.table()


def test_another_process_writes_the_same_bytes() -> None:
    program = (
        "import test_evaluate_report as t; print(t.json.dumps(t.evaluated().as_dict())); print(t.page(t.evaluated()))"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parent,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]

    assert outputs[0] == outputs[1]


def test_trec_files_are_read_back_as_they_were(tmp_path: Path) -> None:
    runs: Runs = {OURS: {"a b": ["z z", "y", "x"], "c": []}, "TF-IDF": {"c": ["a b"]}}
    files = write_trec(tmp_path / "new" / "folder", runs, {"a b": {"z z": 2, "y": -1}}, past_only={OURS: {"c": ["y"]}})

    assert [file.name for file in files] == [
        "qrels.txt", "any-date.ours.run", "any-date.tf-idf.run", "past-only.ours.run",
    ]  # fmt: skip
    assert read_qrels(files[0].read_text().splitlines()) == {"a%20b": {"z%20z": 2, "y": -1}}
    assert read_run(files[1].read_text().splitlines()) == {"a%20b": ["z%20z", "y", "x"]}
    assert files[2].read_text() == "c Q0 a%20b 1 1 tf-idf\n"


def test_a_systems_name_cannot_lead_out_of_the_folder_or_over_another_file(tmp_path: Path) -> None:
    files = write_trec(tmp_path, {"../../x": {}, "..": {}}, {})
    assert [file.name for file in files[1:]] == ["any-date.x.run", "any-date.system.run"]

    with pytest.raises(
        InputError, match=r"two systems would be written to any-date.tf-idf.run; name 'tf idf' otherwise"
    ):
        write_trec(tmp_path, {"TF-IDF": {}, "tf idf": {}}, {})


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match=r"file: cannot be written \(File exists\); name a folder that can"):
        write_trec(tmp_path / "file", {}, {})


# --- the page


class Reader(HTMLParser):
    """Holds a page to balanced tags, and keeps its elements and the text that follows each opening tag."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def read(self, text: str) -> Reader:
        text.encode("utf-8")
        self.feed(text)
        self.close()
        assert self.open == []
        return self

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.append("")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data


def test_the_page_is_well_formed_and_asks_nobody_for_anything() -> None:
    text = page(evaluated())
    reader = Reader().read(text)

    assert text.startswith('<!doctype html>\n<html lang="en">')
    assert "http://" not in text
    assert "https://" not in text
    assert "url(" not in text
    assert "@import" not in text
    assert {name for _, attributes in reader.elements for name in attributes}.isdisjoint(
        {"src", "href", "style", "srcset"}
    )
    assert {tag for tag, _ in reader.elements}.isdisjoint({"script", "link", "img", "iframe", "object", "a"})
    assert "prefers-color-scheme: dark" in text


def test_the_page_draws_each_scope_and_tells_its_result_first() -> None:
    made = evaluated(described={"snapshot": "s00000007", "n": 1234567, "split": None, "lone": "\ud800"})
    reader = Reader().read(page(made))
    score = made.scopes[PAST_ONLY].systems[0].scores["nDCG@5"]

    assert f"Past only: ours reaches nDCG@5 {score.mean:.3f}" in reader.text
    assert "s00000007" in reader.text
    assert "1,234,567" in reader.text
    assert "nan" not in reader.text
    alone = Reader().read(page(evaluated(past_only=None)))
    n_drawn, n_alone = (sum(tag == "figure" for tag, _ in one.elements) for one in (reader, alone))
    assert n_drawn - 1 == 2 * (n_alone - 1) > 10  # lists by article are drawn once
    assert "Past only: ours" not in alone.text


def test_a_missed_article_is_shown_with_its_rank() -> None:
    assert "Story 0grade 1 · rank 7 · 2024-05-01" in Reader().read(page(evaluated())).text


def test_the_smallest_sections_share_a_row() -> None:
    facts = {article_id: replace(found, section=f"s{article_id}") for article_id, found in archive().items()}
    qrels = {article_id: {"a00": 1} for article_id in IDS[10:]}
    reader = Reader().read(page(evaluated(facts=facts, qrels=qrels, past_only=None)))
    pairs = zip(reader.elements, reader.texts, strict=True)
    labels = [text for (_, attributes), text in pairs if (attributes.get("class") or "").startswith("label")]

    assert [label for label in labels if label.startswith("sa")] == [f"s{article_id}" for article_id in IDS[10:21]]
    assert f"9 others0.000 / {1 / 9:.3f}  n 9" in reader.text


def test_a_label_without_an_end_is_cut_on_the_page_alone() -> None:
    made = evaluated(facts=archive(a21=Facts("t", section="x" * 99)), past_only=None)

    assert f">{'x' * 39}…<" in page(made)
    assert "x" * 99 in [group.label for group in made.scopes[ANY_DATE].breakdown.by_section]


def test_nothing_that_comes_from_an_article_becomes_markup() -> None:
    plain = Reader().read(page(evaluated()))
    hostile = {
        article_id: replace(facts, title=HOSTILE, section=facts.section and HOSTILE + facts.section, language=HOSTILE)
        for article_id, facts in archive().items()
    }
    read = Reader().read(page(evaluated(facts=hostile, described={"<b>": "<i>"})))

    assert {tag for tag, _ in read.elements} <= {tag for tag, _ in plain.elements}
    assert {name for _, attributes in read.elements for name in attributes} <= {
        name for _, attributes in plain.elements for name in attributes
    }
    assert read.text.count("<script>alert('x')</script>") > 20
    assert "<b>" in read.text
    assert "\u202e" not in read.text


def test_the_names_of_systems_and_ids_are_escaped_too() -> None:
    runs = {"<b>ours": {"a20": ["<i>x", "a19"]}, "<u>other": RUNS["BM25"]}
    text = page(evaluated(any_date=runs, past_only=None, ours="<b>ours", qrels=QRELS | {"a20": {"<s>": 1}}))

    Reader().read(text)
    assert not any(piece in text for piece in ("<b>", "<i>", "<u>", "<s>"))
    assert all(f"&lt;{piece}" in text for piece in ("b&gt;ours", "i&gt;x", "u&gt;other", "s&gt;"))


def test_every_title_turns_the_way_of_its_own_letters() -> None:
    title = "خبر عاجل"
    reader = Reader().read(page(evaluated(facts=archive(a05=Facts(title), a29=Facts(title), a21=Facts(title)))))
    directed = [
        attributes.get("dir")
        for (_, attributes), text in zip(reader.elements, reader.texts, strict=True)
        if text == title
    ]

    assert len(directed) >= 4
    assert set(directed) == {"auto"}


@given(st.lists(st.floats(-1, 1), max_size=6) | st.lists(st.integers(0, 9_000_000).map(float), max_size=6))
def test_an_axis_reaches_over_its_values_with_few_round_ticks(values: list[float]) -> None:
    axis = axis_over(values)

    assert axis.low <= min([0.0, *values]) + 1e-6
    assert axis.high >= max([0.0, *values]) - 1e-6
    assert 2 <= len(axis.ticks) <= 8
    assert 0.0 in axis.ticks
