"""From evidence to a list: copies, diversity, the floor, the desk's hand, and the laws that no list may break."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsroom import publish, settings_for, store, stories

from recommender import fusion
from recommender.answer import Answer, Options
from recommender.article import Article, ReadMore
from recommender.compose import recipe
from recommender.dense import DenseIndex
from recommender.editorial import parse_rules
from recommender.encoder import HashingEncoder
from recommender.fusion import PARTS, Calibration, Spread
from recommender.graph import LinkGraph
from recommender.measures import ndcg_at
from recommender.rank import Columns, Filters
from recommender.recommend import Recommender
from recommender.recommend.evidence import Evidence
from recommender.recommend.order import Arrangement, KeptCopy, arrange, collapse, diversify
from recommender.settings import Settings
from recommender.vectors import UNDATED, normalise

DAY = 86_400
KINDS = ("news", "wire")
NEWS, WIRE = range(2)
LINKS = PARTS.index("links")
CLOCK = datetime(2025, 6, 1, tzinfo=UTC)
properties = examples(deadline=None, max_examples=60)


def _columns(
    copies: Sequence[int],
    *,
    published_at: Sequence[int] | None = None,
    n_words: Sequence[int] | None = None,
    kind: Sequence[int] | None = None,
) -> Columns:
    n = len(copies)
    none = np.zeros((0, 2), np.int32)
    return Columns(
        np.array(published_at if published_at is not None else [0] * n, np.int64), np.zeros(n, np.int32),
        np.zeros(n, np.int32), np.array(kind if kind is not None else [NEWS] * n, np.int32), np.zeros(n, np.bool_),
        np.array(n_words if n_words is not None else [0] * n, np.int32), np.array(copies, np.int32), none, none,
        ("en",), ("world",), KINDS, (), (),
    )  # fmt: skip


def _evidence(
    rows: Sequence[int],
    scores: Sequence[float] | None = None,
    *,
    dense: Sequence[float] | None = None,
    lexical: Sequence[float] | None = None,
    probability: Sequence[float] | None = None,
    links: Sequence[float] | None = None,
) -> Evidence:
    n = len(rows)
    parts = np.zeros((n, len(PARTS)))
    parts[:, LINKS] = links if links is not None else 0.0
    return Evidence(
        np.array(rows, np.int64),
        np.array(scores if scores is not None else range(n, 0, -1), np.float64),
        parts,
        np.array(dense if dense is not None else [0.0] * n),
        np.array(lexical if lexical is not None else [0.0] * n),
        None if probability is None else np.array(probability),
    )


def _arranged(
    columns: Columns,
    similar: Evidence,
    *,
    own_row: int | None = None,
    linked: Sequence[int] = (),
    pinned: Sequence[int] = (),
    is_article: bool = True,
    **options: Any,
) -> Arrangement:
    n = len(columns.copies)
    snapshot: Any = SimpleNamespace(
        columns=columns, dense=DenseIndex.build([f"{row:03d}" for row in range(n)], np.eye(n, dtype=np.float32))
    )
    query: Any = SimpleNamespace(own_row=own_row, is_article=is_article)
    ahead = [_evidence(rows, probability=[0.0] * len(rows)) for rows in (linked, pinned)]
    return arrange(snapshot, query, similar, *ahead, Options(**options), "own")


# One of each group of near-copies.

# Rows 1, 2, 4 and 6 are copies of each other; 2 is an agency's, 4 the best of the house, 1 the newest, 6 the longest.
GROUP = _columns(
    [-1, 1, 1, -1, 1, -1, 1],
    kind=[NEWS, NEWS, WIRE, NEWS, NEWS, NEWS, NEWS],
    published_at=[0, 40, 10, 0, 20, 0, 30],
    n_words=[0, 200, 100, 0, 300, 0, 900],
)
BEST_FIRST = (3, 2, 0, 4, 1, 5, 6)


@pytest.mark.parametrize(("keep", "kept"), [("best", 2), ("newest", 1), ("longest", 6), ("own", 4)])
def test_of_near_copies_one_stands_at_the_place_of_the_best(keep: KeptCopy, kept: int) -> None:
    hidden: list[tuple[int, str, int]] = []
    left = collapse(GROUP, _evidence(BEST_FIRST), [], keep, hidden)
    assert left.rows.tolist() == [3, kept, 0, 5]
    assert hidden == [(row, "copy", kept) for row in (2, 4, 1, 6) if row != kept]


def test_the_kept_copy_brings_its_own_score_and_evidence() -> None:
    similar = _evidence(
        BEST_FIRST, dense=[row / 10 for row in BEST_FIRST], probability=[row / 100 for row in BEST_FIRST]
    )
    left = collapse(GROUP, similar, [], "longest", [])
    at = left.rows.tolist().index(6)
    assert (left.scores[at], left.dense[at]) == (1, 0.6)
    assert left.probability is not None
    assert left.probability[at] == 0.06


@pytest.mark.parametrize("keep", ["newest", "longest", "own"])
def test_of_equal_copies_the_best_is_kept(keep: KeptCopy) -> None:
    columns = _columns([0, 0, 0], kind=[WIRE, WIRE, WIRE], published_at=[5, 5, 5], n_words=[7, 7, 7])
    assert collapse(columns, _evidence([2, 0, 1]), [], keep, []).rows.tolist() == [2]


def test_the_newest_copy_is_none_without_a_date() -> None:
    columns = _columns([0, 0, 0], published_at=[UNDATED, -500, -900])
    assert collapse(columns, _evidence([0, 1, 2]), [], "newest", []).rows.tolist() == [1]


def test_an_archive_without_agencies_keeps_the_best_as_its_own() -> None:
    columns = replace(_columns([0, 0]), kinds=("news",))
    assert collapse(columns, _evidence([1, 0]), [], "own", []).rows.tolist() == [1]


def test_a_copy_of_what_stands_ahead_is_hidden_and_what_stands_ahead_is_not() -> None:
    hidden: list[tuple[int, str, int]] = []
    assert collapse(GROUP, _evidence(BEST_FIRST), [6], "best", hidden).rows.tolist() == [3, 0, 5, 6]
    assert hidden == [(2, "copy", 6), (4, "copy", 6), (1, "copy", 6)]


@properties
@given(st.data(), st.sampled_from(["best", "newest", "longest", "own"]))
def test_collapse_leaves_one_of_each_group_and_all_that_stand_alone(data: st.DataObject, keep: KeptCopy) -> None:
    """The oracle goes from the best to the last and asks of each group which member the rule names."""
    n = data.draw(st.integers(1, 12))
    numbers = st.lists(st.integers(0, 3), min_size=n, max_size=n)
    copies = [code - 1 for code in data.draw(numbers)]
    dates, words, kinds = data.draw(numbers), data.draw(numbers), [code % 2 for code in data.draw(numbers)]
    order = data.draw(st.permutations(range(n)))
    columns = _columns(copies, published_at=dates, n_words=words, kind=kinds)
    value = {
        "best": lambda row: 0, "newest": lambda row: dates[row], "longest": lambda row: words[row],
        "own": lambda row: kinds[row] != WIRE,
    }[keep]  # fmt: skip
    expected: list[int] = []
    told: dict[int, int] = {}
    for row in order:
        members = [other for other in order if other == row or 0 <= copies[other] == copies[row]]
        kept = max(members, key=lambda member: (value(member), -order.index(member)))
        if kept not in expected:
            expected.append(kept)
        if kept != row:
            told[row] = kept
    hidden: list[tuple[int, str, int]] = []
    left = collapse(columns, _evidence(order), [], keep, hidden)
    assert left.rows.tolist() == expected
    assert {row: kept for row, _, kept in hidden} == told
    assert len(hidden) == len(told)


# No copy of the article itself.


def test_a_near_copy_of_the_article_is_hidden_and_other_copies_are_not() -> None:
    made = _arranged(GROUP, _evidence([3, 2, 0, 4]), own_row=1)
    assert made.evidence.rows.tolist() == [3, 0]
    assert made.hidden == [(2, "own copy", -1), (4, "own copy", -1)]
    alone = _arranged(GROUP, _evidence([3, 2, 5]), own_row=0)  # two stories without copies are no copies of each other
    assert alone.evidence.rows.tolist() == [3, 2, 5]


def test_without_collapse_every_copy_stays() -> None:
    assert _arranged(GROUP, _evidence([3, 2, 0, 4]), own_row=1, collapse=False).evidence.rows.tolist() == [3, 2, 0, 4]


@pytest.mark.parametrize("wire", [0, 1])
@pytest.mark.parametrize(
    ("published_at", "dense", "lexical", "hides"),
    [
        ((0, 2 * DAY), 0.7, 0.5, True),
        ((2 * DAY, 0), 0.95, 0.88, True),
        ((0, 2 * DAY + 1), 0.95, 0.88, False),
        ((0, DAY), 0.69, 0.88, False),
        ((0, DAY), 0.95, 0.49, False),
        ((0, UNDATED), 0.95, 0.88, False),
        ((UNDATED, 0), 0.95, 0.88, False),
    ],
)
def test_an_agencys_version_in_other_words_is_a_copy_of_the_article(
    wire: int, published_at: tuple[int, int], dense: float, lexical: float, hides: bool
) -> None:
    columns = _columns([-1, -1], published_at=published_at, kind=[WIRE if row == wire else NEWS for row in range(2)])
    made = _arranged(columns, _evidence([1], dense=[dense], lexical=[lexical]), own_row=0)
    assert made.evidence.rows.tolist() == ([] if hides else [1])
    assert made.hidden == ([(1, "own copy", -1)] if hides else [])


def test_two_stories_of_the_house_are_no_versions_of_each_other() -> None:
    made = _arranged(_columns([-1, -1]), _evidence([1], dense=[0.95], lexical=[0.88]), own_row=0)
    assert made.evidence.rows.tolist() == [1]


@pytest.mark.parametrize(
    ("dense", "lexical", "hides"), [(0.95, 0.8, True), (1.0, 1.0, True), (0.94, 1.0, False), (1.0, 0.79, False)]
)
def test_what_says_the_same_as_an_unseen_article_is_its_copy(dense: float, lexical: float, hides: bool) -> None:
    found = _evidence([1], dense=[dense], lexical=[lexical])
    assert _arranged(_columns([-1, -1]), found).evidence.rows.tolist() == ([] if hides else [1])
    assert _arranged(_columns([-1, -1]), found, is_article=False).evidence.rows.tolist() == [1]


def test_an_editors_link_to_a_copy_of_the_article_is_hidden_and_told_once() -> None:
    made = _arranged(GROUP, _evidence([3, 2, 0]), own_row=1, linked=[2])
    assert made.evidence.rows.tolist() == [3, 0]
    assert made.hidden == [(2, "own copy", -1)]


def test_a_copy_of_the_article_that_the_desk_pinned_is_shown_and_not_told_as_hidden() -> None:
    made = _arranged(GROUP, _evidence([3, 2, 0]), own_row=1, pinned=[2])
    assert made.evidence.rows.tolist() == [2, 3, 0]
    assert made.hidden == []


# Diversity.


@properties
@given(st.integers(0, 12), st.integers(1, 14), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_diversity_of_nothing_is_the_ranking_itself(n: int, k: int, n_above: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    scores = -np.sort(-random.normal(size=n).round(1))
    alike, above = random.uniform(-1, 1, (n, n)), random.uniform(-1, 1, (n, n_above))
    assert diversify(scores, alike, above, 0.0, k) == list(range(min(n, k)))


@properties
@given(
    st.integers(1, 8), st.integers(1, 9), st.integers(0, 3), st.sampled_from([0.1, 0.5, 2.0, 50.0]), st.integers(0, 999)
)
def test_diversity_takes_the_best_of_what_is_left_each_time(
    n: int, k: int, n_above: int, strength: float, seed: int
) -> None:
    """The oracle works out every candidate's worth from scratch at every step."""
    random = np.random.default_rng(seed)
    scores = -np.sort(-random.normal(size=n).round(1))
    vectors = normalise(random.normal(size=(n + n_above, 3)).astype(np.float32)).astype(np.float64)
    cosines = vectors[:n] @ vectors.T
    expected: list[int] = []
    while len(expected) < min(n, k):

        def worth(at: int) -> tuple[float, int]:
            near = [0.0, *cosines[at, n:], *(cosines[at, other] for other in expected)]
            return round(scores[at] - strength * max(near), 6), -at

        expected.append(max((at for at in range(n) if at not in expected), key=worth))
    assert diversify(scores, cosines[:, :n], cosines[:, n:], strength, k) == expected


def test_equals_stand_in_the_order_of_the_ranking() -> None:
    assert diversify(np.zeros(5), np.ones((5, 5)), np.zeros((5, 0)), 3.0, 4) == [0, 1, 2, 3]
    assert diversify(np.zeros(5), np.zeros((5, 5)), np.ones((5, 2)), 3.0, 9) == [0, 1, 2, 3, 4]


def test_what_is_unlike_the_others_gains_nothing_by_it() -> None:
    alike = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])
    assert diversify(np.array([3.0, 2.0, 1.5]), alike, np.zeros((3, 0)), 1.0, 3) == [0, 1, 2]


# The floor.


def test_the_floor_cuts_what_is_unlikely_and_lets_pass_what_links_join() -> None:
    columns = _columns([-1] * 6)
    similar = _evidence(range(4), probability=[0.5, 0.0049, 0.0049, 0.005], links=[0, 0, 0.5, 0])
    made = _arranged(columns, similar, own_row=5, floor=0.005)
    assert made.evidence.rows.tolist() == [0, 2, 3]
    assert made.hidden == [(1, "unlike", -1)]
    assert made.below_floor


def test_the_floor_asks_nothing_of_links_and_pins() -> None:
    made = _arranged(_columns([-1] * 4), _evidence([2], probability=[0.1]), linked=[0], pinned=[1], floor=0.9)
    assert made.evidence.rows.tolist() == [1, 0]
    assert made.sources == ["pinned", "link"]


def test_a_list_that_passes_the_floor_is_not_called_cut() -> None:
    made = _arranged(_columns([-1] * 3), _evidence([0, 1], probability=[0.9, 0.8]), floor=0.5)
    assert (made.below_floor, made.hidden) == (False, [])
    for unasked in (
        _arranged(_columns([-1] * 3), _evidence([0, 1], probability=[0.0, 0.0]), floor=0.0),
        _arranged(_columns([-1] * 3), _evidence([0, 1]), floor=0.5),  # no calibration was fitted for this encoder
    ):
        assert unasked.evidence.rows.tolist() == [0, 1]
        assert not unasked.below_floor


# Archives of stories whose subjects are words that no other subject has.

SYLLABLES = (
    "bar",
    "dol",
    "fen",
    "gim",
    "hus",
    "kal",
    "lor",
    "mev",
    "nip",
    "pog",
    "rud",
    "sit",
    "tav",
    "vex",
    "wob",
    "zul",
)


@cache
def words_of(subject: int) -> tuple[str, ...]:
    """Return the thirty words of a subject."""
    random = np.random.default_rng([7, subject])
    return tuple("".join(random.choice(SYLLABLES, 3)) + SYLLABLES[subject % 16] for _ in range(30))


def story(subject: int, number: int, **fields: Any) -> Article:
    """Return a story of a subject, dated by its number and its subject; the same at every call."""
    random = np.random.default_rng([subject, number])
    words = [str(word) for word in random.choice(words_of(subject), 60)]
    made = Article(
        f"s{subject:02d}-{number:02d}",
        " ".join([*random.choice(words_of(subject), 4), f"{SYLLABLES[number % 16]}{SYLLABLES[number // 16]}"]),
        text=" ".join(words),
        published_at=datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=10 * number, hours=subject),
        language="en",
        section=("world", "sport", "arts")[subject % 3],
    )
    return replace(made, **fields)


def copy_of(article: Article, article_id: str, **fields: Any) -> Article:
    """Return a near-copy: another headline, the last fifth of the text in words of its own, a day later."""
    words = article.text.split()
    kept = words[: len(words) * 4 // 5]
    own = np.random.default_rng(len(article_id)).choice(SYLLABLES, len(words) - len(kept))
    published_at = article.published_at and article.published_at + timedelta(days=1)
    made = replace(article, id=article_id, title=f"{article.title} again", text=" ".join([*kept, *own]))
    return replace(made, **{"published_at": published_at, **fields})


def opened(home: Path, articles: Iterable[Article], **ranking: Any) -> Recommender:
    """Return a recommender over a new archive."""
    made = settings_for(home)
    made = made.model_copy(update={"ranking": made.ranking.model_copy(update=ranking)})
    store(made, articles)
    publish(made)
    return Recommender.open(made)


def changed(recommender: Recommender, **given: Any) -> Recommender:
    """Return a recommender over the same archive with other rules, weights, links (as edges) or time of day."""
    snapshot = copy.copy(recommender.snapshot)
    if "edges" in given:
        edges = np.array(given.pop("edges"), np.int32).reshape(-1, 2)
        snapshot.graph = LinkGraph(edges, snapshot.columns.published_at)
    if "rules" in given:
        given["rules"] = parse_rules(given["rules"].encode(), "rules.toml")
    encoder = HashingEncoder()
    made = recipe(settings_for(Path("unused")).encoder)
    defaults: dict[str, Any] = {"model": recommender.model, "clock": lambda: CLOCK}
    return Recommender(snapshot, recipe=made, encoder=lambda: encoder, fuzzy_threshold=90, **(defaults | given))


def hits(recommender: Recommender, row: int, **options: Any) -> list[tuple[str, float]]:
    """Return ids and scores of a list; of any language and kind where nothing else is said."""
    asked = Options(**{"k": 100, "same_language": False, "kinds": ()} | options)
    return [(hit.article_id, hit.score) for hit in recommender.related_hits(recommender.snapshot.dense.ids[row], asked)]


def ids(answer: Answer) -> list[str]:
    """Return the ids of a list."""
    return [result.id for result in answer.results]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    """Ten subjects of six stories: of three languages and three kinds, some undated, with near-copies and links."""
    made: list[Article] = []
    for subject in range(10):
        for number in range(6):
            other = (subject + number) % 10
            links = [f"s{other:02d}-{at:02d}" for at in range(number % 3)] + [f"s{subject:02d}-00"] * (number % 2)
            article = story(
                subject,
                number,
                kind=("news", "news", "news", "opinion", "wire", "news")[(number + subject) % 6],
                language=("en", "en", "en", "de", "en-gb", None)[(3 * number + subject) % 6],
                read_more=tuple(ReadMore("a link", f"https://news.example/{each}") for each in links),
            )
            made.append(article if (subject, number) != (4, 2) else replace(article, published_at=None))
        first = next(each for each in made[-6:] if each.kind == "news" and each.language == "en")
        made += [copy_of(first, f"{first.id}-copy{number}", read_more=()) for number in range(subject % 3)]
    made = [replace(article, url=f"https://news.example/{article.id}") for article in made]
    return opened(tmp_path_factory.mktemp("ranking") / "home", made)


def test_the_crowd_has_what_the_laws_are_tried_on(crowd: Recommender) -> None:
    columns, graph = crowd.snapshot.columns, crowd.snapshot.graph
    assert len(crowd.snapshot) == 69
    assert (np.bincount(columns.copies[columns.copies >= 0]) == 3).sum() == 3
    assert not columns.stub.any()
    assert len(graph.edges) > 60
    assert {len(graph.linked_by(row)) for row in range(len(crowd.snapshot))} >= {0, 1, 2, 3}


# Laws, tried on the crowd.

ROWS = st.integers(0, 68)
MODES: tuple[dict[str, Any], ...] = ({"raw": True}, {"same_language": True, "kinds": ("news",)}, {})
"""The pure ranking, a list as it is served, and one of every language and kind."""


@pytest.mark.slow
@properties
@given(ROWS, st.integers(1, 70), st.sampled_from(MODES))
def test_a_longer_list_extends_the_shorter_one(crowd: Recommender, row: int, k: int, mode: dict[str, Any]) -> None:
    shorter, longer = (hits(crowd, row, k=length, **mode) for length in (k, k + 1))
    assert longer[:k] == shorter
    assert len(longer) <= k + 1


@pytest.mark.slow
@pytest.mark.parametrize("strength", [0.5, 5.0, 100.0])
def test_a_longer_list_extends_the_shorter_one_with_diversity_too(crowd: Recommender, strength: float) -> None:
    for row in range(0, 69, 9):
        lists = [hits(crowd, row, k=k, diversity=strength) for k in range(1, 25)]
        assert all(longer[:-1] == shorter for shorter, longer in pairwise(lists))


FILTERS = (
    Filters(sections=("sport", "arts")),
    Filters(languages=("de",)),
    Filters(kinds=("wire", "opinion")),
    Filters(published_after=datetime(2025, 1, 15, tzinfo=UTC)),
    Filters(published_before=datetime(2025, 2, 5, tzinfo=UTC), stubs=False),
    Filters(exclude=frozenset(f"s{subject:02d}-00" for subject in range(0, 10, 2))),
)


@pytest.mark.slow
@pytest.mark.parametrize("filters", FILTERS)
def test_filters_change_no_score_of_what_stays(crowd: Recommender, filters: Filters) -> None:
    for row in range(69):
        whole = hits(crowd, row, raw=True)
        left = hits(crowd, row, raw=True, filters=filters)
        stay = {article_id for article_id, _ in left}
        assert left == [hit for hit in whole if hit[0] in stay]
        assert 0 < len(left) < len(whole)
        assert set(hits(crowd, row, filters=filters)) <= set(whole)


@pytest.mark.slow
@properties
@given(ROWS, st.data(), st.sampled_from(MODES))
def test_what_is_excluded_is_gone_and_nothing_else_changes(
    crowd: Recommender, row: int, data: st.DataObject, mode: dict[str, Any]
) -> None:
    """What is excluded stands on the page already, so a near-copy of it does not step into its place."""
    whole = hits(crowd, row, **mode)
    gone = data.draw(st.frozensets(st.sampled_from([*(article_id for article_id, _ in whole), "nobody"])))
    left = hits(crowd, row, filters=Filters(exclude=gone), **mode)
    assert left == [hit for hit in whole if hit[0] not in gone]


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_an_article_is_never_in_its_own_list(crowd: Recommender, mode: dict[str, Any]) -> None:
    boosted = changed(crowd, rules='[[boost]]\nsection = "world"\nfactor = 10.0\nuntil = 2030-01-01')
    for row, article_id in enumerate(crowd.snapshot.dense.ids):
        for recommender in (crowd, boosted):
            assert article_id not in dict(hits(recommender, row, k=1000, **mode))


@pytest.mark.slow
def test_two_runs_agree_to_the_last_digit(crowd: Recommender) -> None:
    again = changed(crowd, clock=lambda: datetime.now(UTC))
    for row, article_id in enumerate(crowd.snapshot.dense.ids):
        assert hits(again, row, raw=True) == hits(crowd, row, raw=True)
        if row % 10 == 0:
            options = Options(k=10, explain=True, diversity=1.0)
            assert again.related(article_id, options) == crowd.related(article_id, options)


@pytest.mark.slow
def test_the_order_in_which_articles_were_stored_changes_nothing(tmp_path: Path) -> None:
    articles = [story(subject, number) for subject in range(4) for number in range(4)]
    forth, back = opened(tmp_path / "a", articles), opened(tmp_path / "b", articles[::-1])
    for row in range(16):
        assert hits(forth, row) == hits(back, row)


# What links may say, and what they may not.

EDGES = st.lists(st.tuples(ROWS, ROWS).filter(lambda edge: edge[0] != edge[1]), max_size=40, unique=True)


@pytest.mark.slow
@properties
@given(ROWS, EDGES, st.sets(ROWS, min_size=1, max_size=4))
def test_an_articles_own_links_do_not_touch_the_pure_ranking(
    crowd: Recommender, row: int, others: list[tuple[int, int]], planted: set[int]
) -> None:
    without = [edge for edge in others if edge[0] != row]
    own = [(row, target) for target in sorted(planted - {row})]
    assert hits(changed(crowd, edges=without + own), row, raw=True) == hits(
        changed(crowd, edges=without), row, raw=True
    )


@pytest.mark.slow
@properties
@given(ROWS, EDGES, EDGES, st.booleans())
def test_a_blind_ranking_knows_no_link_of_the_article_and_none_of_what_came_later(
    crowd: Recommender, row: int, edges: list[tuple[int, int]], more: list[tuple[int, int]], raw: bool
) -> None:
    published_at = crowd.snapshot.columns.published_at
    dated = published_at != UNDATED

    def known(source: int) -> bool:
        return bool(source != row and dated[source] and dated[row] and published_at[source] < published_at[row])

    earlier = [edge for edge in edges if known(edge[0])]
    hidden = [edge for edge in more if not known(edge[0])]
    one, other = changed(crowd, edges=earlier), changed(crowd, edges=earlier + hidden)
    assert hits(one, row, blind=True, raw=raw) == hits(other, row, blind=True, raw=raw)


def test_a_link_of_the_same_moment_is_no_earlier_one(crowd: Recommender) -> None:
    row_of = crowd.snapshot.dense.require_row
    first = next(article_id for article_id in crowd.snapshot.dense.ids if article_id.endswith("-copy0")).removesuffix(
        "-copy0"
    )
    row, twin, target = row_of(first), row_of(f"{first}-copy0"), row_of("s09-05")
    same = copy.copy(crowd)
    same.snapshot = copy.copy(crowd.snapshot)
    at = crowd.snapshot.columns.published_at.copy()
    at[twin] = at[row]
    same.snapshot.columns = replace(crowd.snapshot.columns, published_at=at)
    without, linked = (changed(same, edges=edges) for edges in ([], [(twin, target)]))
    assert hits(linked, row, blind=True) == hits(without, row, blind=True)
    assert hits(linked, row) != hits(without, row)


LEAK_QUERY = story(0, 3)
LEAK_TARGET = story(9, 0)


def leaky(home: Path, *linking: Article) -> Recommender:
    """Return an archive in which the query's editor means a story that only a link could find."""
    planted = {article.id: article for article in linking}
    base = [story(subject, number) for subject in range(10) for number in range(6)]
    return opened(home, [planted.get(article.id, article) for article in base])


def nearest_found(recommender: Recommender, **options: Any) -> float:
    """Return nDCG@10 of the query's list."""
    found = [hit.article_id for hit in recommender.related_hits(LEAK_QUERY.id, Options(k=100, **options))]
    return ndcg_at(10).of(found, {LEAK_TARGET.id: 1})


@pytest.mark.slow
def test_a_planted_link_helps_only_who_may_know_it(tmp_path: Path) -> None:
    """The target is of another subject. Its link would make the list perfect, under the article or under a later twin."""
    means = (ReadMore(LEAK_TARGET.title),)
    twin = replace(LEAK_QUERY, read_more=means)
    later = replace(story(0, 4), read_more=means)
    earlier = [replace(story(0, number), read_more=means) for number in range(3)]
    nobody = leaky(tmp_path / "nobody")
    own = leaky(tmp_path / "own", twin)
    after = leaky(tmp_path / "after", later)
    before = leaky(tmp_path / "before", *earlier)

    assert nearest_found(nobody) == nearest_found(nobody, blind=True) == 0
    assert nearest_found(own) == 1.0
    assert nearest_found(own, blind=True) == nearest_found(own, raw=True) == 0
    assert nearest_found(after) > 0
    assert nearest_found(after, blind=True) == 0
    assert nearest_found(before, blind=True) == nearest_found(before, raw=True) > 0

    row = nobody.snapshot.dense.require_row(LEAK_QUERY.id)
    for planted in (own, after):
        assert hits(planted, row, blind=True) == hits(nobody, row, blind=True)
    assert hits(own, row, raw=True) == hits(nobody, row, raw=True)


@pytest.mark.slow
def test_a_blind_list_puts_no_link_ahead(crowd: Recommender) -> None:
    n_served = 0
    for row in range(69):
        scores = [score for _, score in hits(crowd, row, blind=True, collapse=False)]
        assert scores == sorted(scores, reverse=True)
        served = [score for _, score in hits(crowd, row, collapse=False)]
        n_served += served != sorted(served, reverse=True)
    assert n_served > 20


# Candidates and scores.


@pytest.mark.parametrize("ranker", ["full", "fusion", "dense", "lexical"])
def test_candidates_are_the_best_of_each_generator_and_nothing_that_is_not_allowed(
    crowd: Recommender, monkeypatch: pytest.MonkeyPatch, ranker: Any
) -> None:
    monkeypatch.setattr("recommender.recommend.evidence.DEPTH", 6)
    snapshot = crowd.snapshot
    for row in range(0, 69, 6):
        inquiry = crowd.learning(snapshot.dense.ids[row], Options(ranker=ranker))
        allowed = np.arange(69) % 3 != 0
        allowed[row] = False
        dense, lexical = inquiry.cosines()
        rows = [other for other in range(69) if allowed[other]]
        expected: set[int] = set()
        if ranker != "lexical":
            expected.update(sorted(rows, key=lambda other: (-round(dense[other], 6), other))[:8])
        if ranker != "dense":
            expected.update(
                sorted((other for other in rows if lexical[other] > 0), key=lambda other: -lexical[other])[:8]
            )
        if ranker == "full":
            told = inquiry.signals(np.arange(69, dtype=np.int64))
            expected.update(target for target in rows if told.votes[target] or told.links[target])
        assert inquiry.candidates(lambda rows, allowed=allowed: allowed[rows], 4).tolist() == sorted(expected)


@pytest.mark.parametrize("row", range(0, 69, 4))
def test_a_score_is_the_weighted_sum_of_what_is_known(crowd: Recommender, row: int) -> None:
    """The oracle takes the two cosines and the graph, and works out all else by hand, with links of every part."""
    snapshot, weights, curve = crowd.snapshot, crowd.model.article, crowd.model.curve
    article_id = snapshot.dense.ids[row]
    columns, graph = snapshot.columns, snapshot.graph
    dense, lexical = crowd.learning(article_id, Options()).cosines()
    languages = [snapshot.row(number).language or "" for number in range(len(snapshot))]
    mine = languages[row].partition("-")[0]
    foreign = [bool(mine and name and name.partition("-")[0] != mine) for name in languages]
    others = [number for number in range(len(snapshot)) if number != row]
    distance = Spread.of(np.array([dense[number] for number in others])).z(dense)
    at_home = Spread.of(np.array([lexical[number] for number in others if not foreign[number]], np.float32)).z(lexical)
    terms = np.where(foreign, distance, at_home)
    alike = (weights.dense * distance + weights.lexical * terms) / (weights.dense + weights.lexical)
    by_likeness = sorted(others, key=lambda number: (-round(alike[number], 6), number))
    voters = [number for number in by_likeness if graph.linked_by(number) and alike[number] > 0][:30]
    total = sum(alike[number] ** 2 for number in voters)
    joined = graph.nearness(row)
    near = dict(zip(joined.rows.tolist(), joined.values.tolist(), strict=True))
    for result in crowd.related(article_id, Options(k=100, raw=True, explain=True)).results:
        other = snapshot.dense.require_row(result.id)
        share = sum(alike[voter] ** 2 for voter in voters if other in graph.linked_by(voter)) / total
        linking = set(graph.linking_to(other)) - {row}
        age = (float(columns.published_at[row]) - float(columns.published_at[other])) / DAY
        half = curve.half_life_days if age >= 0 else curve.newer_half_life_days
        fresh = 0.5 ** (abs(age) / half)
        if columns.published_at[other] == UNDATED:
            fresh = 0.25
        if columns.published_at[row] == UNDATED:
            fresh = 1.0
        expected = {
            "dense": weights.dense * distance[other],
            "lexical": weights.lexical * terms[other],
            "votes": weights.votes * share**0.5,
            "links": weights.links * near.get(other, 0.0),
            "popularity": weights.popularity * np.log(1 + len(linking)),
            "freshness": weights.freshness * (fresh - 1),
        }
        assert result.details is not None
        assert result.details["parts"] == pytest.approx(
            {name: x for name, x in expected.items() if round(x, 6)}, abs=1e-4
        )
        assert result.score == pytest.approx(sum(expected.values()), abs=1e-4)


def test_a_story_in_another_language_is_scored_by_its_vector_in_place_of_its_terms(crowd: Recommender) -> None:
    columns, weights = crowd.snapshot.columns, crowd.model.article
    row = next(row for row in range(69) if crowd.snapshot.row(row).language == "en")
    answer = crowd.related(crowd.snapshot.dense.ids[row], Options(k=100, raw=True, explain=True))
    parts = {result.id: (result.language, result.details["parts"]) for result in answer.results if result.details}
    german = [each for language, each in parts.values() if language == "de"]
    english = [each for language, each in parts.values() if language == "en"]
    assert len(german) > 5
    for each in german:
        assert each["lexical"] / weights.lexical == pytest.approx(each["dense"] / weights.dense, abs=1e-4)
    assert any(abs(each["lexical"] / weights.lexical - each["dense"] / weights.dense) > 0.5 for each in english)
    assert len({int(code) for code in columns.language}) > 2


def test_a_language_that_the_encoder_does_not_know_leans_on_terms(crowd: Recommender) -> None:
    model = crowd.model
    halved = model.weights(is_article=True, language_known=False)
    assert halved.dense == pytest.approx(model.article.dense / 2)
    assert halved.dense + halved.lexical == pytest.approx(model.article.dense + model.article.lexical)
    snapshot = copy.copy(crowd.snapshot)
    snapshot.manifest = {**snapshot.manifest, "encoder": {**snapshot.manifest["encoder"], "model": "all-MiniLM-L6-v2"}}
    minded = copy.copy(crowd)
    minded.snapshot = snapshot
    minded = changed(minded)
    row = next(row for row in range(69) if snapshot.row(row).language == "de")
    other = next(row for row in range(69) if snapshot.row(row).language == "en")
    for number, known in ((row, False), (other, True)):
        article_id, target = snapshot.dense.ids[number], snapshot.dense.ids[number - 1]
        there, here = (each.explain(article_id, target)["parts"] for each in (minded, crowd))
        assert there["dense"] == pytest.approx(here["dense"] * (1.0 if known else model.unknown_language), abs=1e-5)


# Copies in an archive, and what is told of them.

OWN, OTHER = story(0, 0), story(0, 1)


def reworded(article: Article, article_id: str, **fields: Any) -> Article:
    """Return the same news in another order of words: no shingle is shared, every term is."""
    random = np.random.default_rng(5)
    title, text = (" ".join(random.permutation(text.split())) for text in (article.title, article.text))
    return replace(article, id=article_id, title=title, text=text, **fields)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    """An archive with copies of two stories, and an agency's version of each."""
    later = OWN.published_at and OWN.published_at + timedelta(hours=20)
    articles = [story(subject, number) for subject in range(4) for number in range(4)]
    articles += [copy_of(OWN, "own-copy"), reworded(OWN, "own-wire", kind="wire", published_at=later)]
    articles += [copy_of(OTHER, "other-copy"), copy_of(OTHER, "other-wire", kind="wire", title=OTHER.title)]
    return opened(tmp_path_factory.mktemp("copied") / "home", articles)


def test_the_archive_knows_its_copies(copied: Recommender) -> None:
    columns, row_of = copied.snapshot.columns, copied.snapshot.dense.require_row
    groups = {article_id: int(columns.copies[row_of(article_id)]) for article_id in copied.snapshot.dense.ids}
    together = {article_id for article_id, group in groups.items() if group == groups[OTHER.id]}
    assert together == {OTHER.id, "other-copy", "other-wire"}
    assert {article_id for article_id, group in groups.items() if group == groups[OWN.id]} == {OWN.id, "own-copy"}
    assert groups["own-wire"] == -1


def test_no_copy_and_no_agencys_version_of_the_article_is_shown(copied: Recommender) -> None:
    for article_id in (OWN.id, "own-wire"):
        answer = copied.related(article_id, Options(k=100, kinds=(), explain=True))
        assert not {OWN.id, "own-copy", "own-wire"}.intersection(ids(answer))
        hidden = {each["id"]: (each["why"], each["shown_instead"]) for each in answer.hidden or ()}
        expected = {OWN.id, "own-copy", "own-wire"} - {article_id}
        assert {each: hidden.get(each) for each in expected} == dict.fromkeys(
            expected, ("a near-copy of the article itself", None)
        )
    every = copied.related(OWN.id, Options(k=100, kinds=(), collapse=False))
    assert {"own-copy", "own-wire", OTHER.id, "other-copy", "other-wire"} < set(ids(every))


def test_an_agencys_version_of_two_days_and_more_ago_is_a_story_of_its_own(tmp_path: Path) -> None:
    late = reworded(
        OWN, "own-wire", kind="wire", published_at=OWN.published_at and OWN.published_at + timedelta(days=3)
    )
    made = opened(tmp_path / "home", [OWN, OTHER, late])
    assert "own-wire" in ids(made.related(OWN.id, Options(k=100, kinds=())))


def test_of_copies_the_houses_own_is_shown_and_the_others_are_told(copied: Recommender) -> None:
    answer = copied.related("s00-02", Options(k=100, kinds=(), explain=True))
    shown = {OTHER.id, "other-copy", "other-wire"}.intersection(ids(answer))
    assert len(shown) == 1
    assert "other-wire" not in shown
    told = {each["id"]: each for each in answer.hidden or ()}
    gone = {OTHER.id, "other-copy", "other-wire"} - shown
    assert gone < set(told)
    for article_id in gone:
        row = copied.snapshot.row(copied.snapshot.dense.require_row(article_id))
        assert told[article_id] == {
            "id": article_id,
            "title": row.title,
            "why": "a near-copy of a story that is shown",
            "shown_instead": min(shown),
        }


def test_what_is_hidden_is_told_under_explain_alone(copied: Recommender) -> None:
    asked = copied.related(OWN.id, Options(kinds=(), explain=True))
    unasked = copied.related(OWN.id, Options(kinds=()))
    assert unasked.hidden is None
    assert "hidden" not in unasked.as_dict()
    assert asked.as_dict()["hidden"] == list(asked.hidden or ())
    assert ids(asked) == ids(unasked)


@pytest.mark.slow
@pytest.mark.parametrize("k", [1, 3, 100])
def test_a_hidden_story_is_told_once_and_what_is_shown_instead_is_shown(crowd: Recommender, k: int) -> None:
    n_told = 0
    for article_id in crowd.snapshot.dense.ids[::2]:
        answer = crowd.related(article_id, Options(k=k, same_language=False, kinds=(), explain=True))
        told = [each["id"] for each in answer.hidden or ()]
        n_told += len(told)
        assert len(told) == len(set(told))
        assert not set(told).intersection(ids(answer))
        assert {each["shown_instead"] for each in answer.hidden or ()} <= {None, *ids(answer)}
    assert n_told


def test_an_unseen_article_that_is_sent_again_is_not_shown_itself(copied: Recommender) -> None:
    answer = copied.related_to(replace(OWN, id="elsewhere", url=None), Options(k=100, explain=True))
    assert OWN.id not in ids(answer)
    assert (OWN.id, "a near-copy of the article itself") in [(each["id"], each["why"]) for each in answer.hidden or ()]
    assert OTHER.id in ids(answer)


def test_the_copies_of_an_unseen_article_that_is_sent_again_are_not_shown_either(tmp_path: Path) -> None:
    """The archive knows that the two are copies; the one alone is too short to say as much as the article."""
    short = replace(OWN, id="short", title="Another headline", text=" ".join(OWN.text.split()[:35]))
    made = opened(tmp_path / "home", [OWN, short, *(story(subject, 1) for subject in range(6))])
    assert "short" not in ids(made.related(OWN.id, Options(k=100)))
    answer = made.related_to(replace(OWN, id="elsewhere", url=None), Options(k=100))
    assert OWN.id not in ids(answer)
    assert "short" not in ids(answer)


@pytest.mark.parametrize("keep", ["best", "newest", "longest", "own"])
def test_the_settings_say_which_copy_is_kept(copied: Recommender, tmp_path: Path, keep: str) -> None:
    long = copy_of(OTHER, "long", text=f"{OTHER.text} with a few more words", published_at=OTHER.published_at)
    young = copy_of(OTHER, "young", kind="wire")
    made = opened(tmp_path / "home", [story(0, 2), OTHER, long, young, story(1, 1)], keep_copy=keep)
    (shown,) = {OTHER.id, "long", "young"}.intersection(ids(made.related("s00-02", Options(k=100, kinds=()))))
    best = next(each for each in ids(made.related("s00-02", Options(k=100, kinds=(), collapse=False))))
    own = next(
        each for each in ids(made.related("s00-02", Options(k=100, kinds=(), collapse=False))) if each != "young"
    )
    assert shown == {"best": best, "newest": "young", "longest": "long", "own": own}[keep]


# The floor, in an archive.


def floored(crowd: Recommender, **rules: Any) -> Recommender:
    """Return the crowd with a calibration: the probability is that of the cosine of vectors alone, even at .3."""
    fitted = {"hashing@1": {"*": Calibration(-6.0, 20.0, 0.0), "text": Calibration(-6.0, 20.0, 0.0)}}
    return changed(crowd, model=replace(fusion.shipped(), calibrations=fitted), **rules)


def test_a_list_is_cut_at_the_floor_and_says_so(crowd: Recommender) -> None:
    made = floored(crowd, edges=[])
    whole = made.related("s00-00", Options(k=30, floor=0.0, collapse=False, explain=True))
    cut = made.related("s00-00", Options(k=30, floor=0.5, collapse=False, explain=True))
    assert len(whole.results) == 30
    assert (whole.short_reason, whole.empty_reason) == (None, None)
    likely = [result for result in whole.results if result.details and result.details["cosines"]["dense"] >= 0.3]
    assert ids(cut) == [result.id for result in likely]
    assert 0 < len(likely) < 30
    assert cut.short_reason == cut.as_dict()["short_reason"] == "nothing else in the archive is related closely enough"
    assert {each["why"] for each in cut.hidden or ()} == {"not related closely enough"}
    for result in cut.results:
        assert result.details is not None
        likelihood = 1 / (1 + np.exp(6 - 20 * result.details["cosines"]["dense"]))
        assert result.details["probability"] == pytest.approx(likelihood, abs=1e-4)


@pytest.mark.slow
def test_a_list_that_the_floor_empties_says_so(crowd: Recommender) -> None:
    answer = floored(crowd, edges=[]).related("s00-00", Options(floor=1.0))
    assert (answer.results, answer.short_reason) == ((), None)
    assert answer.empty_reason == "nothing in the archive is related closely enough"
    found = floored(crowd).search("nothing of the kind", Options(floor=1.0))
    assert (found.results, found.empty_reason) == ((), "nothing in the archive is related closely enough")


def test_a_list_that_the_rules_shorten_does_not_blame_the_floor(crowd: Recommender) -> None:
    filters = Filters(exclude=frozenset(crowd.snapshot.dense.ids[3:]))
    answer = floored(crowd).related("s00-00", Options(floor=0.0, same_language=False, kinds=(), filters=filters))
    assert len(answer.results) == 2
    assert answer.short_reason == "nothing else in the archive passes the rules and filters"


def test_a_full_list_gives_no_reason(crowd: Recommender) -> None:
    answer = floored(crowd, edges=[]).related("s00-00", Options(k=1, floor=0.5))
    assert len(answer.results) == 1
    assert (answer.short_reason, answer.empty_reason) == (None, None)


def test_what_links_join_to_the_article_passes_the_floor(crowd: Recommender) -> None:
    row_of = crowd.snapshot.dense.require_row
    own, linking, beside, linked = (row_of(f"s{subject:02d}-0{at}") for subject, at in ((0, 0), (5, 0), (7, 0), (8, 0)))
    made = floored(crowd, edges=[(linking, own), (linking, beside), (own, linked)])
    found = hits(made, own, floor=1.0)
    assert [article_id for article_id, _ in found] == ["s08-00", "s05-00", "s07-00"]
    assert hits(made, own, floor=1.0, blind=True) == []


# The desk's hand.

READER = "s00-00"
PINS = """
[[pin]]
under = "s00-00"
show = [{shown}]
note = "our dossier"
"""


def of(crowd: Recommender, **wanted: str) -> str:
    """Return the first story of another subject whose row has these values."""
    rows = map(crowd.snapshot.row, range(20, len(crowd.snapshot)))
    return next(row.id for row in rows if all(getattr(row, name) == value for name, value in wanted.items()))


def test_pins_stand_first_in_their_order_whatever_their_kind_and_language(crowd: Recommender) -> None:
    pinned = [of(crowd, kind="opinion", language="en"), of(crowd, kind="news", language="de"), "s09-01", "s08-03"]
    made = changed(crowd, rules=PINS.format(shown=", ".join(f'"{article_id}"' for article_id in pinned)))
    filters = Filters(kinds=("news",), languages=("en",))
    for options in (Options(k=10), Options(k=10, filters=filters), Options(k=10, diversity=1.0)):
        results = made.related(READER, options).results
        assert [result.id for result in results[:4]] == pinned
        assert {(result.source, result.reason) for result in results[:4]} == {
            ("pinned", "Pinned by the desk: our dossier")
        }
        plain = [each for each in ids(crowd.related(READER, replace(options, k=20))) if each not in pinned]
        assert ids(made.related(READER, options))[4:] == plain[:6] or options.diversity
        assert "pinned" not in {result.source for result in results[4:]}
    assert ids(made.related(READER, Options(k=3))) == pinned[:3]
    assert hits(made, 1) == hits(crowd, 1)


def test_pins_stand_before_what_the_editor_linked(crowd: Recommender) -> None:
    row_of = crowd.snapshot.dense.require_row
    edges = [(row_of(READER), row_of("s03-00")), (row_of(READER), row_of("s04-00"))]
    made = changed(crowd, rules=PINS.format(shown='"s09-01", "s04-00"'), edges=edges)
    results = made.related(READER, Options(k=4, same_language=False, kinds=())).results
    assert [(result.id, result.source) for result in results[:3]] == [
        ("s09-01", "pinned"),
        ("s04-00", "pinned"),
        ("s03-00", "link"),
    ]
    assert len({result.id for result in results}) == 4


def test_a_copy_of_a_pin_does_not_follow_it(copied: Recommender) -> None:
    rules = '[[pin]]\nunder = "s00-02"\nshow = ["other-wire"]'
    shown = ids(changed(copied, rules=rules).related("s00-02", Options(k=100, kinds=())))
    assert shown[0] == "other-wire"
    assert not {OTHER.id, "other-copy"}.intersection(shown)


def test_what_stands_on_the_page_already_is_not_pinned_again(crowd: Recommender) -> None:
    made = changed(crowd, rules=PINS.format(shown='"s09-01", "s08-01"'))
    filters = Filters(exclude=frozenset(["s09-01"]))
    assert ids(made.related(READER, Options(k=100, filters=filters)))[0] == "s08-01"
    assert "s09-01" not in ids(made.related(READER, Options(k=100, filters=filters)))


@pytest.mark.parametrize("under", ["", f'under = "{READER}"'])
def test_what_is_blocked_is_nowhere_or_not_under_one_story(crowd: Recommender, under: str) -> None:
    row_of = crowd.snapshot.dense.require_row
    found = [article_id for article_id, _ in hits(crowd, row_of(READER))][3]
    made = changed(crowd, rules=f'[[block]]\narticle = "{found}"\n{under}', edges=[(row_of(READER), row_of(found))])
    answer = made.related(READER, Options(k=100, same_language=False, kinds=(), explain=True))
    assert found not in ids(answer)
    assert (found, "blocked by the desk", None) in [
        (each["id"], each["why"], each["shown_instead"]) for each in answer.hidden or ()
    ]
    elsewhere = [row for row in range(69) if row not in (row_of(READER), row_of(found))]
    shown = [found in dict(hits(made, row, collapse=False)) for row in elsewhere]
    assert all(shown) if under else not any(shown)
    assert (found in ids(made.search(crowd.snapshot.row(row_of(found)).title, Options(k=100)))) == bool(under)


def test_a_block_takes_one_story_out_and_leaves_the_rest_as_it_was(crowd: Recommender) -> None:
    before = hits(crowd, 0, collapse=False)
    gone = before[2][0]
    made = changed(crowd, rules=f'[[block]]\narticle = "{gone}"')
    assert hits(made, 0, collapse=False) == [hit for hit in before if hit[0] != gone]


def test_a_boost_multiplies_the_odds_until_it_ends(crowd: Recommender) -> None:
    before = dict(hits(crowd, 0))
    lifted = list(before)[20]
    rules = f'[[boost]]\narticle = "{lifted}"\nfactor = 10.0\nuntil = 2025-07-01\nnote = "our series"'
    now = [CLOCK]
    made = changed(crowd, rules=rules, clock=lambda: now[0])

    boosted = dict(hits(made, 0))
    assert boosted == before | {lifted: pytest.approx(before[lifted] + np.log(10), abs=2e-6)}
    assert list(boosted).index(lifted) < 20
    answer = made.related(crowd.snapshot.dense.ids[0], Options(k=100, same_language=False, kinds=(), explain=True))
    (told,) = [result for result in answer.results if result.id == lifted]
    assert told.reason.endswith(". Boosted ×10 until 1 Jul 2025: our series")
    assert told.details is not None
    assert told.details["parts"]["boost"] == pytest.approx(np.log(10), abs=1e-5)
    assert sum("boost" in (result.details or {})["parts"] for result in answer.results) == 1

    now[0] = datetime(2025, 7, 1, tzinfo=UTC) - timedelta(seconds=1)
    assert list(hits(made, 0)) == list(boosted.items())
    now[0] = datetime(2025, 7, 1, tzinfo=UTC)
    assert hits(made, 0) == list(before.items())


def test_a_section_and_a_story_of_it_are_boosted_together(crowd: Recommender) -> None:
    before = dict(hits(crowd, 0))
    sections = {row.id: row.section for row in map(crowd.snapshot.row, range(len(crowd.snapshot)))}
    sport = next(article_id for article_id in before if sections[article_id] == "sport")
    rules = f"""
        [[boost]]
        section = "sport"
        factor = 0.5
        until = 2030-01-01
        [[boost]]
        article = "{sport}"
        factor = 4.0
        until = 2030-01-01
    """
    for article_id, score in hits(changed(crowd, rules=rules), 0):
        added = np.log(0.5) * (sections[article_id] == "sport") + np.log(4) * (article_id == sport)
        assert score == pytest.approx(before[article_id] + added, abs=2e-6)


def test_the_desk_does_not_touch_the_pure_ranking(crowd: Recommender) -> None:
    rules = PINS.format(shown='"s09-01"') + '[[block]]\narticle = "s00-01"\n'
    rules += '[[boost]]\nsection = "sport"\nfactor = 9.0\nuntil = 2030-01-01'
    made = changed(crowd, rules=rules)
    for row in range(0, 69, 5):
        assert hits(made, row, raw=True) == hits(crowd, row, raw=True)
        assert hits(made, row) != hits(crowd, row)


def test_rules_are_read_from_the_home_or_from_the_file_that_the_settings_name(tmp_path: Path, shared: Settings) -> None:
    articles = [story(0, number) for number in range(6)]
    home = tmp_path / "home"
    opened(home, articles)
    (home / "rules.toml").write_text('[[block]]\narticle = "s00-03"', encoding="utf-8")
    (tmp_path / "desk.csv").write_text("rule,article\nblock,s00-04\n", encoding="utf-8")
    made = settings_for(home)
    named = made.model_copy(update={"ranking": made.ranking.model_copy(update={"rules": tmp_path / "desk.csv"})})
    listed = [{article_id for article_id, _ in hits(Recommender.open(each), 0)} for each in (made, named)]
    every = {f"s00-0{number}" for number in range(1, 6)}
    assert listed == [every - {"s00-03"}, every - {"s00-04"}]
    assert len(stories()) == len(Recommender.open(shared).snapshot) - 1
