"""Laws of the ranking: what may and what may not move a list. A hundred small stories, the encoder without a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from newsroom import publish, settings_for, store

from recommender.answer import Options
from recommender.article import Article, ReadMore
from recommender.home import Home
from recommender.rank import Filters
from recommender.recommend import Recommender
from recommender.trial import Trial, truth_from_links

START = datetime(2024, 1, 1, tzinfo=UTC)
SUBJECTS = (
    "ferry harbour strike crew",
    "river flood dam valley",
    "court trial judge appeal",
    "vaccine fever clinic dose",
)
N = 100
RAW = Options(k=20, raw=True)


def _story(number: int, links: Sequence[int] = ()) -> Article:
    random = np.random.default_rng(number)
    subject = SUBJECTS[number % 4].split()
    words = [*random.permutation(subject), *(f"word{each}" for each in random.integers(0, 60, 12))]
    text = " ".join(
        [*words, *random.permutation(subject), f"name{number // 4 % 9} speaks again about the {subject[0]}"]
    )
    return Article(
        f"s{number:03d}",
        f"{subject[0]} {subject[number % 3]} name{number // 4 % 9}",
        text=text,
        published_at=START + timedelta(days=number),
        language="en",
        section=subject[0],
        read_more=tuple(ReadMore(f"story {target}", f"https://linden.example/s{target:03d}") for target in links),
        url=f"https://linden.example/s{number:03d}",
    )


def _archive(links: dict[int, Sequence[int]] | None = None) -> list[Article]:
    return [_story(number, (links or {}).get(number, ())) for number in range(N)]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Recommender]:
    made: dict[str, Recommender] = {}

    def of(links: dict[int, Sequence[int]] | None = None, rules: str = "") -> Recommender:
        key = f"{links}{rules}"
        if key not in made:
            settings = settings_for(tmp_path_factory.mktemp("laws") / "home")
            store(settings, _archive(links))
            publish(settings)
            Home(settings.home).rules.write_text(rules, encoding="utf-8")
            made[key] = Recommender.open(settings)
        return made[key]

    return of


def _earlier_links() -> dict[int, Sequence[int]]:
    """Every story from the twentieth on links to the two before it on its subject."""
    return {number: (number - 4, number - 8) for number in range(20, N)}


Opened = Callable[..., Recommender]


def _articles(recommender: Recommender) -> Callable[[], Iterator[Article]]:
    return lambda: iter(_archive())


def test_a_blind_trial_sees_neither_the_links_that_it_predicts_nor_later_ones(opened: Opened) -> None:
    # Links that no likeness explains: found, they would make the score perfect.
    unlike = {number: (number - 17, number - 18, number - 19) for number in range(40, N)}
    recommender = opened(unlike)
    truth = truth_from_links(recommender.snapshot)
    lists = Trial(recommender, truth, _articles(recommender)).ours(past_only=False)
    without = opened({number: targets for number, targets in unlike.items() if number < 70})
    blind = Options(k=20, blind=True, raw=True)
    assert recommender.related_hits("s070", blind) == without.related_hits("s070", blind)
    served = recommender.related_hits("s070")
    assert [hit.article_id for hit in served][:3] == ["s053", "s052", "s051"]
    assert lists["s070"][:3] != ["s053", "s052", "s051"]


def test_what_editors_of_earlier_like_stories_linked_to_is_known_to_a_blind_trial(opened: Opened) -> None:
    # Everybody writing about the subject of s060 linked to s002 before.
    links = dict.fromkeys(range(24, 60, 4), (2,))
    blind = Options(k=50, blind=True, raw=True)
    rank = [hit.article_id for hit in opened(links).related_hits("s060", blind)].index("s002")
    before = [hit.article_id for hit in opened().related_hits("s060", blind)]
    assert rank < (before.index("s002") if "s002" in before else 50)


@pytest.mark.parametrize("options", [Options(), RAW, Options(ranker="fusion"), Options(diversity=1.0, floor=0.0)])
def test_a_longer_list_begins_with_the_shorter_one(opened: Opened, options: Options) -> None:
    recommender = opened(_earlier_links())
    for article_id in ("s000", "s033", "s099"):
        long = recommender.related_hits(article_id, dataclasses.replace(options, k=12))
        for k in (1, 5, 11):
            assert recommender.related_hits(article_id, dataclasses.replace(options, k=k)) == long[:k]


def test_filters_and_exclusions_change_no_score_of_what_stays(opened: Opened) -> None:
    recommender = opened(_earlier_links())
    everything = dict(recommender.related_hits("s050", Options(k=99, raw=True)))
    narrow = Options(k=99, raw=True, filters=Filters(sections=("river",), exclude=frozenset(["s046"])))
    some = dict(recommender.related_hits("s050", narrow))
    assert some
    assert "s046" not in some
    for article_id, score in some.items():
        if article_id in everything:
            assert score == everything[article_id]


def test_the_parts_are_the_score_and_a_ranker_alone_is_its_cosine(opened: Opened) -> None:
    recommender = opened(_earlier_links())
    for result in recommender.related("s050", Options(k=10, explain=True)).results:
        assert result.details is not None
        assert sum(result.details["parts"].values()) == pytest.approx(result.score, abs=1e-5)
        for ranker in ("dense", "lexical"):
            alone = dict(recommender.related_hits("s050", Options(k=99, raw=True, ranker=ranker)))
            if result.id in alone:
                assert alone[result.id] == pytest.approx(result.details["cosines"][ranker], abs=1e-5)


def test_freshness_moves_the_nearer_in_time_ahead_and_can_be_turned_off(opened: Opened) -> None:
    recommender = opened()
    faded = dict(recommender.related_hits("s099", Options(k=99, raw=True)))
    timeless = dict(recommender.related_hits("s099", Options(k=99, raw=True, freshness=False)))
    lost = {each: timeless[each] - faded[each] for each in faded if each in timeless}
    by_age = sorted(lost, reverse=True)  # ids stand in the order of time
    assert [lost[each] for each in by_age] == sorted(lost.values())
    assert lost["s098"] < 0.1 < lost[min(lost)]
