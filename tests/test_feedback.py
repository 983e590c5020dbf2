"""A free text asked together with the stories that it finds first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from newsroom import publish, settings_for, store

from recommender.answer import Options
from recommender.article import Article
from recommender.fusion import Feedback, shipped
from recommender.lexical import NOTHING_ASKED, TermQuery, blend
from recommender.recommend import Recommender
from recommender.recommend.feedback import with_feedback

START = datetime(2024, 1, 1, tzinfo=UTC)
HARBOUR = "Ferry crews stop work. The harbour stays closed and commuters wait for buses at the mole."
# What a newcomer to the subject would type, and a follow-up that shares no word with it.
ASKED = "Ferry crews stop work"
FOLLOW_UP = "The harbour stays closed, commuters wait for buses at the mole for a third day."
STRANGERS = (
    "Judges hear the appeal of the bank",
    "Goalkeeper saves three penalties in the final",
    "Vaccine doses reach the clinics of the valley",
    "Parliament debates the budget of the army",
    "A comet passes the observatory tonight; two crews with cameras climb the hill of the old town to see it",
)
RAW = Options(k=20, raw=True)


def _article(number: int, title: str, text: str = "") -> Article:
    return Article(
        f"s{number}", title, text=text, published_at=START + timedelta(days=number), language="en", section="city"
    )


@pytest.fixture(scope="module")
def recommender(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    settings = settings_for(tmp_path_factory.mktemp("feedback") / "home")
    stories = [_article(0, ASKED, HARBOUR), _article(1, "No way across the water", FOLLOW_UP)]
    stories += [_article(number, title) for number, title in enumerate(STRANGERS, start=2)]
    store(settings, stories)
    publish(settings)
    return Recommender.open(settings)


def _place(recommender: Recommender, text: str, article_id: str, options: Options = RAW) -> int:
    return [result.id for result in recommender.search(text, options).results].index(article_id)


def test_a_story_without_a_word_of_the_text_is_found_through_the_story_that_has_them(recommender: Recommender) -> None:
    assert _place(recommender, ASKED, "s0") == 0
    assert _place(recommender, ASKED, "s1") == 1
    assert _place(recommender, ASKED, "s1", replace(RAW, feedback=False)) > 1


def test_a_page_that_already_shows_the_first_story_still_gets_its_list(recommender: Recommender) -> None:
    without = replace(RAW, filters=replace(RAW.filters, exclude=frozenset(["s0"])))

    assert _place(recommender, ASKED, "s1", without) == 0


@pytest.mark.parametrize("ranker", ["dense", "lexical"])
def test_one_generator_alone_is_asked_with_the_text_alone(recommender: Recommender, ranker: str) -> None:
    options = replace(RAW, ranker=ranker)  # type: ignore[arg-type]

    assert recommender.search(ASKED, options) == recommender.search(ASKED, replace(options, feedback=False))


def test_an_article_is_not_asked_with_others(recommender: Recommender) -> None:
    assert recommender.related("s0", RAW) == recommender.related("s0", replace(RAW, feedback=False))


def test_a_file_of_weights_can_turn_it_off(recommender: Recommender) -> None:
    quiet = recommender.with_model(replace(shipped(), feedback=Feedback(n_stories=0)))

    assert quiet.search(ASKED, RAW) == recommender.search(ASKED, replace(RAW, feedback=False))


def test_many_texts_at_once_get_what_each_gets_alone(recommender: Recommender) -> None:
    many = {
        query_id: [hit.article_id for hit in hits]
        for query_id, _, hits in recommender.search_hits([("a", ASKED), ("b", STRANGERS[0])], RAW)
    }

    assert many == {
        query_id: [result.id for result in recommender.search(text, RAW).results]
        for query_id, text in (("a", ASKED), ("b", STRANGERS[0]))
    }


def test_an_empty_archive_is_asked_once(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "home")
    publish(settings)

    assert Recommender.open(settings).search(ASKED, RAW).results == ()


def test_a_text_in_a_language_that_the_encoder_does_not_know_finds_its_own_language_first(
    recommender: Recommender,
) -> None:
    (query,) = recommender._questions.of_texts([ASKED], "uk")
    rows = np.arange(len(recommender.snapshot), dtype=np.int64)
    known, unknown = (
        recommender._lists.inquiry(replace(query, language_known=knows), RAW).signals(rows) for knows in (True, False)
    )

    # Every story here is in English: what its vector says is not counted for its terms as well.
    np.testing.assert_array_equal(known.lexical, known.dense)
    assert not unknown.lexical.any()
    article = replace(query, language_known=False, is_article=True)
    told = recommender._lists.inquiry(article, RAW).signals(rows)
    np.testing.assert_array_equal(told.lexical, told.dense)


def test_the_question_moves_towards_the_first_stories_by_their_shares(recommender: Recommender) -> None:
    snapshot = recommender.snapshot
    (query,) = recommender._questions.of_texts([ASKED])
    found = recommender.learning_texts([ASKED], replace(RAW, feedback=False))[0]
    first = found.score(np.arange(len(snapshot), dtype=np.int64))

    asked = with_feedback(snapshot, query, first, Feedback(n_stories=2, dense=0.5, lexical=0.25))

    odds = np.exp(first.scores[:2])
    shares = odds / odds.sum()
    mean = 0.5 * (shares @ snapshot.dense.vectors(first.rows[:2]))
    expected = (query.vector + mean) / np.linalg.norm(query.vector + mean)
    np.testing.assert_allclose(asked.vector, expected, atol=1e-6)
    terms = dict(zip(query.terms.numbers.tolist(), query.terms.weights.tolist(), strict=True))
    for row, share in zip(first.rows[:2], shares, strict=True):
        told = snapshot.lexical.query_of_row(int(row))
        for number, weight in zip(told.numbers.tolist(), told.weights.tolist(), strict=True):
            terms[number] = terms.get(number, 0.0) + 0.25 * share * weight
    assert asked.all_terms().numbers.tolist() == sorted(terms)
    np.testing.assert_allclose(asked.all_terms().weights, [terms[number] for number in sorted(terms)], rtol=1e-5)
    assert asked.all_terms().short


def test_where_nothing_was_found_the_question_stays(recommender: Recommender) -> None:
    (query,) = recommender._questions.of_texts([ASKED])
    nothing = recommender.learning_texts([ASKED], RAW)[0].score(np.zeros(0, np.int64))

    assert with_feedback(recommender.snapshot, query, nothing, Feedback()) is query


def _terms(numbers: Sequence[int], weights: Sequence[float], *, short: bool = False) -> TermQuery:
    return TermQuery(np.array(numbers, np.uint64), np.array(numbers, np.int32), np.array(weights, np.float32), short)


def test_blended_terms_add_up_by_number() -> None:
    blended = blend(_terms([7, 2], [1.0, 0.5], short=True), [(_terms([2, 3], [1, 1]), 0.5), (NOTHING_ASKED, 9.0)])

    assert (blended.numbers.tolist(), blended.weights.tolist(), blended.short) == ([2, 3, 7], [1.0, 0.5, 1.0], True)


def test_nothing_blended_with_nothing_asks_nothing() -> None:
    assert len(blend(NOTHING_ASKED, []).numbers) == 0
