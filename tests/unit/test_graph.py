from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recommender.graph import MAX_VOTERS, NOTHING, LinkGraph, RowValues
from recommender.vectors import UNDATED

MANY = settings(deadline=None, max_examples=150)
N = 9
Edges = list[tuple[int, int]]

ROWS = st.integers(0, N - 1)
LINKS = st.tuples(ROWS, ROWS).filter(lambda link: link[0] != link[1])
EDGES = st.lists(LINKS, unique=True, max_size=30)
DATES = st.lists(st.sampled_from([UNDATED, -5, 0, 1, 2, 3]), min_size=N, max_size=N)
BEFORE = st.sampled_from([None, UNDATED, -5, 0, 2, 9])
OWN = st.none() | ROWS
COSINES = st.floats(-1, 1).map(lambda cosine: round(cosine, 3))
SIMILAR = st.lists(st.tuples(ROWS, COSINES), unique_by=lambda pair: pair[0], max_size=N).map(
    lambda pairs: sorted(pairs, key=lambda pair: -pair[1])
)


def _graph(edges: Edges, dates: Sequence[int] = (0,) * N) -> LinkGraph:
    return LinkGraph(np.array(edges, np.int32).reshape(-1, 2), np.array(dates, np.int64))


def _plain(values: RowValues) -> tuple[list[int], list[float]]:
    return values.rows.tolist(), values.values.tolist()


def _votes(
    graph: LinkGraph, similar: Sequence[tuple[int, float]], own_row: int | None, before: int | None = None
) -> RowValues:
    rows, cosines = np.array([row for row, _ in similar], np.int64), np.array([cosine for _, cosine in similar])
    return graph.votes(rows, cosines, own_row, before)


def _near(graph: LinkGraph, own_row: int | None, before: int | None = None) -> dict[int, float]:
    return dict(zip(*_plain(graph.nearness(own_row, before)), strict=True))


# --- links ---


@MANY
@given(EDGES)
def test_links_keep_the_editors_order_and_linkers_ascend(edges: Edges) -> None:
    graph = _graph(edges)
    for row in range(N):
        assert graph.linked_by(row) == [target for source, target in edges if source == row]
        assert graph.linking_to(row) == sorted(source for source, target in edges if target == row)


def test_links_of_several_editors_may_arrive_among_one_another() -> None:
    graph = _graph([(2, 8), (0, 5), (2, 1), (0, 3), (2, 4)])
    assert [graph.linked_by(row) for row in range(3)] == [[5, 3], [], [8, 1, 4]]
    assert graph.edges.tolist() == [[0, 5], [0, 3], [2, 8], [2, 1], [2, 4]]


@pytest.mark.parametrize("n", [0, 1, 5])
def test_a_graph_without_links_says_nothing_of_anybody(n: int) -> None:
    graph = _graph([], (0,) * n)
    assert graph.in_degree(None).tolist() == [0] * n
    assert graph.in_degree(None, 3).tolist() == [0] * n
    for row in range(n):
        assert (graph.linked_by(row), graph.linking_to(row), _near(graph, row, 3)) == ([], [], {})
        assert graph.in_degree(row).tolist() == [0] * n
        assert _votes(graph, [(other, 1.0) for other in range(n)], row) is NOTHING


# --- popularity ---


def _listened(edges: Edges, dates: Sequence[int], own_row: int | None, before: int | None) -> Edges:
    """Return the links that may be listened to: not the article's own, none of a later or undated linker."""
    return [
        (source, target)
        for source, target in edges
        if source != own_row and (before is None or (dates[source] != UNDATED and dates[source] < before))
    ]


@MANY
@given(EDGES, DATES, OWN, BEFORE)
def test_popularity_counts_the_links_that_may_be_listened_to(
    edges: Edges, dates: list[int], own_row: int | None, before: int | None
) -> None:
    listened = _listened(edges, dates, own_row, before)
    counted = _graph(edges, dates).in_degree(own_row, before)
    assert counted.dtype == np.int64
    assert counted.tolist() == [sum(target == row for _, target in listened) for row in range(N)]


def test_before_hides_linkers_of_that_instant_later_ones_and_undated_ones() -> None:
    graph = _graph([(0, 8), (1, 8), (2, 8), (3, 8)], (1, 2, 3, UNDATED, 0, 0, 0, 0, 0))
    assert [int(graph.in_degree(None, before)[8]) for before in (None, 4, 3, 2, 1)] == [4, 3, 2, 1, 0]
    assert int(graph.in_degree(0, 3)[8]) == 1


def test_who_changes_the_counts_changes_his_own_copy() -> None:
    graph = _graph([(0, 1)])
    graph.in_degree(None)[:] = 7
    graph.in_degree(0)[:] = 7
    assert graph.in_degree(None).tolist() == [0, 1] + [0] * (N - 2)


# --- votes ---

EDITORS: Edges = [(0, 5), (0, 6), (1, 6), (2, 7), (3, 0)]


def test_similar_stories_vote_with_their_squared_similarity() -> None:
    rows, shares = _plain(_votes(_graph(EDITORS), [(0, 0.8), (1, 0.6)], None))
    assert rows == [5, 6]
    assert shares == pytest.approx([0.64, 1.0])


def test_stories_without_links_and_those_that_are_not_alike_do_not_vote() -> None:
    alone = _plain(_votes(_graph(EDITORS), [(2, 0.5)], None))
    among = [(8, 0.9), (2, 0.5), (0, 0.0), (1, -0.7)]
    assert _plain(_votes(_graph(EDITORS), among, None)) == alone == ([7], [1.0])


def test_an_article_does_not_vote_for_itself() -> None:
    graph = _graph(EDITORS)
    assert _plain(_votes(graph, [(0, 1.0), (2, 0.5)], 0)) == ([7], [1.0])
    assert _votes(graph, [(0, 1.0)], 0) is NOTHING


def test_before_hides_the_votes_of_later_and_undated_stories() -> None:
    graph = _graph(EDITORS, (3, 1, UNDATED, 0, 0, 0, 0, 0, 0))
    similar = [(0, 0.9), (1, 0.6), (2, 0.5)]
    assert _plain(_votes(graph, similar, None, 3)) == ([6], [1.0])
    assert _plain(_votes(graph, similar, None))[0] == [5, 6, 7]


def test_the_first_thirty_that_link_are_listened_to_and_no_more() -> None:
    n = 100
    graph = _graph([(row, 50 + row) for row in range(1, 41)], (0,) * n)
    silent = [(row, 0.95) for row in range(91, 100)]
    similar = [*silent, *((row, 0.9) for row in range(41))]
    rows, shares = _plain(_votes(graph, similar, 4))
    assert len(rows) == MAX_VOTERS == 30
    assert rows == [50 + row for row in range(1, 32) if row != 4]
    assert shares == pytest.approx([1 / 30] * 30)


def _votes_by_hand(
    edges: Edges, dates: Sequence[int], similar: list[tuple[int, float]], own_row: int | None, before: int | None
) -> dict[int, float]:
    listened = _listened(edges, dates, own_row, before)
    voting = {row: cosine**2 for row, cosine in similar if cosine > 0 and row in {source for source, _ in listened}}
    got: dict[int, float] = {}
    for source, target in listened:
        if source in voting:
            got[target] = got.get(target, 0.0) + voting[source] / sum(voting.values())
    return dict(sorted(got.items()))


@MANY
@given(EDGES, DATES, SIMILAR, OWN, BEFORE)
def test_votes_are_those_of_a_count_by_hand_and_shares_of_one(
    edges: Edges, dates: list[int], similar: list[tuple[int, float]], own_row: int | None, before: int | None
) -> None:
    votes = _votes(_graph(edges, dates), similar, own_row, before)
    exact = _votes_by_hand(edges, dates, similar, own_row, before)
    assert votes.rows.tolist() == list(exact)
    assert votes.values.tolist() == pytest.approx(list(exact.values()))
    assert ((votes.values > 0) & (votes.values <= 1 + 1e-12)).all()


# --- nearness ---


def test_who_links_to_a_story_is_one_away_and_what_stands_beside_it_two() -> None:
    #  3 ─▶ 1 ─▶ 0 ─▶ 4     1 ─▶ 2     6 ─▶ 4
    graph = _graph([(1, 0), (1, 2), (3, 1), (0, 4), (6, 4), (7, 3)])
    assert _near(graph, 0) == {1: 1.0, 2: 0.5, 3: 0.5}
    assert _near(graph, None) == {}
    assert _near(graph, 5) == {}


def test_a_story_that_is_one_and_two_away_is_one_away() -> None:
    assert _near(_graph([(1, 0), (2, 0), (1, 2), (2, 1)]), 0) == {1: 1.0, 2: 1.0}


def test_before_hides_later_and_undated_linkers_from_nearness() -> None:
    edges = [(1, 0), (2, 0), (3, 0), (1, 5), (2, 6), (4, 1), (7, 1)]
    graph = _graph(edges, (0, 1, 5, UNDATED, 2, 9, 9, 6, 0))
    assert _near(graph, 0, 5) == {1: 1.0, 5: 0.5, 4: 0.5}
    assert _near(graph, 0) == {1: 1.0, 2: 1.0, 3: 1.0, 5: 0.5, 6: 0.5, 4: 0.5, 7: 0.5}


@MANY
@given(EDGES, DATES, ROWS, BEFORE)
def test_nearness_is_one_link_or_two_among_those_that_may_be_listened_to(
    edges: Edges, dates: list[int], own_row: int, before: int | None
) -> None:
    listened = _listened(edges, dates, own_row, before)
    one = {source for source, target in listened if target == own_row}
    two = {target for source, target in listened if source in one} | {source for source, at in listened if at in one}
    exact = dict.fromkeys(two, 0.5) | dict.fromkeys(one, 1.0)
    exact.pop(own_row, None)
    assert _near(_graph(edges, dates), own_row, before) == exact


@MANY
@given(st.dictionaries(ROWS, st.floats(0.1, 1)), st.lists(ROWS))
def test_a_row_without_a_number_has_zero(numbers: dict[int, float], rows: list[int]) -> None:
    known = sorted(numbers)
    values = RowValues(np.array(known, np.int64), np.array([numbers[row] for row in known]))
    assert values.of(np.array(rows, np.int64)).tolist() == [numbers.get(row, 0.0) for row in rows]


# --- an article's own links ---


@MANY
@given(EDGES, st.lists(ROWS, unique=True, max_size=6), DATES, SIMILAR, ROWS, BEFORE)
def test_whatever_an_article_links_to_changes_nothing_for_that_article(
    edges: Edges,
    targets: list[int],
    dates: list[int],
    similar: list[tuple[int, float]],
    own_row: int,
    before: int | None,
) -> None:
    without = [link for link in edges if link[0] != own_row]
    others = [*((own_row, target) for target in targets if target != own_row), *without]

    def known(links: Edges) -> tuple[NDArray[np.int64], tuple[list[int], list[float]], dict[int, float]]:
        graph = _graph(links, dates)
        return (
            graph.in_degree(own_row, before),
            _plain(_votes(graph, similar, own_row, before)),
            _near(graph, own_row, before),
        )

    (counted, votes, near), *rest = known(edges), known(without), known(others)
    for other_counted, other_votes, other_near in rest:
        assert other_counted.tolist() == counted.tolist()
        assert other_votes == votes
        assert other_near == near
