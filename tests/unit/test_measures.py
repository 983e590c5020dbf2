from __future__ import annotations

import math
import re
from collections.abc import Callable

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import InputError
from recommender.measures import (
    MRR,
    STANDARD,
    Measure,
    bootstrap_interval,
    ndcg_at,
    read_qrels,
    read_run,
    recall_at,
    success_at,
)

ORACLES = [
    (ndcg_at(1), ir_measures.nDCG @ 1),
    (ndcg_at(5), ir_measures.nDCG @ 5),
    (ndcg_at(10), ir_measures.nDCG @ 10),
    (recall_at(3), ir_measures.R @ 3),
    (recall_at(10), ir_measures.R @ 10),
    (success_at(1), ir_measures.Success @ 1),
    (success_at(5), ir_measures.Success @ 5),
    (MRR, ir_measures.RR),
]
ARTICLES = [f"a{number:02d}" for number in range(14)]
QRELS = st.dictionaries(
    st.sampled_from(["q1", "q2", "q3", "q4"]),
    st.dictionaries(st.sampled_from(ARTICLES), st.integers(-1, 4), min_size=1),
    min_size=1,
)
RUNS = st.dictionaries(st.sampled_from(["q1", "q2", "q3", "q4", "unjudged"]), st.permutations(ARTICLES)).flatmap(
    lambda run: st.integers(0, 14).map(lambda depth: {query: hits[depth % 15 :] for query, hits in run.items()})
)


@pytest.mark.parametrize(("measure", "oracle"), ORACLES, ids=lambda value: getattr(value, "name", ""))
@given(qrels=QRELS, run=RUNS)
@settings(deadline=None, max_examples=60)
def test_every_measure_gives_the_numbers_of_trec_eval(
    measure: Measure, oracle: ir_measures.Measure, qrels: dict[str, dict[str, int]], run: dict[str, list[str]]
) -> None:
    judged = {query: grades for query, grades in qrels.items() if max(grades.values()) > 0}
    scored = {
        query: {article_id: float(len(hits) - position) for position, article_id in enumerate(hits)}
        for query, hits in run.items()
    }
    expected = dict.fromkeys(judged, 0.0) | {
        value.query_id: value.value
        for value in ir_measures.iter_calc([oracle], judged, scored)
        if value.query_id in judged
    }

    assert measure.per_query(run, qrels) == pytest.approx(expected, abs=1e-9)
    assert measure.mean(run, qrels) == pytest.approx(
        sum(expected.values()) / len(expected) if expected else 0.0, abs=1e-9
    )


@pytest.mark.parametrize("measure", STANDARD, ids=lambda measure: measure.name)
def test_an_unanswered_query_scores_nothing_and_still_counts(measure: Measure) -> None:
    qrels = {"q1": {"a": 1}, "q2": {"b": 1}, "unjudged": {"c": 0}}

    assert measure.mean({"q1": ["a"], "other": ["x"]}, qrels) == 0.5
    assert measure.mean({}, qrels) == 0.0
    assert measure.mean({"q1": ["a"]}, {}) == 0.0


def test_gain_is_linear_in_the_grade() -> None:
    value = ndcg_at(2).mean({"q": ["low", "high"]}, {"q": {"low": 1, "high": 3}})

    assert value == pytest.approx((1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3)))


def test_measures_are_called_by_the_names_of_the_field() -> None:
    assert [measure.name for measure in STANDARD] == ["nDCG@5", "nDCG@10", "recall@10", "MRR", "success@5"]


def test_the_interval_holds_the_mean_narrows_with_more_queries_and_repeats() -> None:
    values = [0.0, 1.0, 0.5, 0.25] * 5
    low, high = bootstrap_interval(values)
    narrow_low, narrow_high = bootstrap_interval(values * 10)

    assert 0 < low < sum(values) / len(values) < high < 1
    assert narrow_high - narrow_low < (high - low) / 2
    assert bootstrap_interval(values) == (low, high)
    assert bootstrap_interval(values, seed=1) != (low, high)


def test_the_interval_is_that_of_the_normal_distribution_on_many_values() -> None:
    values = [number / 499 for number in range(500)]
    error = 1.96 * (1 / 12) ** 0.5 / 500**0.5

    assert bootstrap_interval(values) == pytest.approx((0.5 - error, 0.5 + error), abs=0.005)


@pytest.mark.parametrize("n_values", [1, 7, 300])
def test_the_interval_is_that_of_resamples_drawn_one_after_the_other(n_values: int) -> None:
    values = np.random.default_rng(5).random(n_values)
    generator = np.random.default_rng(0)
    means = [values[generator.integers(0, n_values, n_values)].mean() for _ in range(2_000)]

    assert bootstrap_interval(list(values)) == tuple(np.percentile(means, [2.5, 97.5]))


def test_the_interval_of_equal_values_is_that_value_and_of_none_nothing() -> None:
    assert bootstrap_interval([0.25] * 7) == (0.25, 0.25)
    assert bootstrap_interval([]) == (0.0, 0.0)


def test_a_qrels_file_is_read_whatever_blanks_part_its_columns() -> None:
    lines = ["q1 0 a 1", "q1\t0\tb\t0\n", "", "  q2  0  a  -1  "]

    assert read_qrels(lines) == {"q1": {"a": 1, "b": 0}, "q2": {"a": -1}}


def test_a_run_file_is_ordered_by_score_and_then_by_id() -> None:
    lines = ["q1 Q0 c 1 0.5 x", "q1 Q0 b 2 0.5 x", "q1 Q0 a 3 0.9 x", "\n", "q2 Q0 a 1 -1e-3 x"]

    assert read_run(lines) == {"q1": ["a", "b", "c"], "q2": ["a"]}


@pytest.mark.parametrize(
    ("read", "line", "message"),
    [
        (read_qrels, "q1 0 a", "qrels, line 2: needs four columns, query 0 article grade; it reads 'q1 0 a'"),
        (read_qrels, "q1 0 a x", "qrels, line 2: needs four columns, query 0 article grade; it reads 'q1 0 a x'"),
        (read_qrels, "x" * 200, f"qrels, line 2: needs four columns, query 0 article grade; it reads '{'x' * 80}'"),
        (read_run, "q1 Q0 a 1 0.5", "run, line 2: needs six columns, query Q0 article rank score tag"),
        (read_run, "q1 Q0 a 1 high x", "run, line 2: needs six columns, query Q0 article rank score tag"),
    ],
)
def test_a_line_that_is_none_is_named(read: Callable[[list[str]], object], line: str, message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(["", line])


def test_an_article_that_stands_twice_under_one_query_is_refused_since_it_would_count_twice() -> None:
    with pytest.raises(InputError, match=r"^run, line 3: a stands twice in the list of q1$"):
        read_run(["q1 Q0 a 1 0.5 x", "q2 Q0 a 1 0.5 x", "q1 Q0 a 2 0.4 x"])


def test_the_file_is_named_as_the_caller_names_it() -> None:
    with pytest.raises(InputError, match=r"^desk\.tsv, line 1: "):
        read_qrels(["x"], "desk.tsv")
