"""Coverage, orphans and hubs: counted over the lists of the whole archive as readers see them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import test_cli
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsroom import wider_stories
from test_cli import Command

from recommender.answer import Options
from recommender.errors import InputError
from recommender.evaluate.lists import coverage_of
from recommender.recommend import Recommender
from recommender.settings import Settings
from recommender.trial import facts_of, truth_from_links
from recommender.trial.run import Trial
from recommender.trial.served import evenly, served_lists

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
