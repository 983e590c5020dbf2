from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsroom import RECORDS, STUB_TITLE, publish, settings_for, store, stories, wider_stories

from recommender.answer import Answer, Options, Ranker
from recommender.article import Article, ReadMore
from recommender.compose import recipe
from recommender.encoder import HashingEncoder, article_vector, encode_views
from recommender.errors import (
    EncoderDisabledError,
    EncoderError,
    NoSnapshotError,
    QueryError,
    UnknownArticleError,
)
from recommender.fusion import Calibration
from recommender.rank import Filters
from recommender.readers import article_from_text
from recommender.recommend import Recommender
from recommender.settings import Settings
from recommender.vectors import Centres

IDS = tuple(str(record["id"]) for record in RECORDS)


@pytest.fixture(scope="module")
def recommender(shared: Settings) -> Recommender:
    return Recommender.open(shared)


@pytest.fixture(scope="module")
def stub_id(recommender: Recommender) -> str:
    (number,) = np.flatnonzero(recommender.snapshot.columns.stub)
    return recommender.snapshot.dense.ids[int(number)]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    """An archive of sixty stories, some of them copies, with links between them."""
    nouns = ("harbour", "ferry", "council", "orchestra", "penalty", "election", "glacier", "budget", "museum", "strike")
    articles = [
        Article(
            f"story-{number:02d}",
            f"{nouns[number % 10].title()} report of the {nouns[number % 7]}",
            text=f"The {nouns[number % 3]} and the {nouns[number % 9]} met the {nouns[number // 10]}.",
            published_at=datetime(2025, 1, 1 + number % 28, tzinfo=UTC) if number % 5 else None,
            language=("en", "en", "de", None, "en-gb")[number % 5],
            section=("world", "sport", None)[number % 3],
            read_more=tuple(
                ReadMore(f"{nouns[other % 10].title()} report of the {nouns[other % 7]}") for other in range(number % 4)
            ),
        )
        for number in range(60)
    ]
    made = settings_for(tmp_path_factory.mktemp("crowd") / "home")
    store(made, articles)
    publish(made)
    return Recommender.open(made)


def _ids(answer: Answer) -> list[str]:
    return [result.id for result in answer.results]


def test_scores_are_those_of_brute_force(recommender: Recommender) -> None:
    """The oracle makes every vector again, centres them, and sorts all cosines itself."""
    snapshot = recommender.snapshot
    articles = {article.id: article for article in stories()}
    rows = [snapshot.row(number) for number in range(len(snapshot))]
    made = recipe(settings_for(Path("unused")).encoder)
    vectors = []
    for row in rows:
        views = made.views(articles.get(row.id) or Article(row.id, row.title))
        vectors.append(article_vector(views, encode_views(views, HashingEncoder().encode)))
    languages = [row.language or "" for row in rows]
    matrix = np.stack(vectors)
    headlines = HashingEncoder().encode([row.title for row in rows])
    alone = np.array([len(made.views(articles.get(row.id) or Article(row.id, row.title))) == 1 for row in rows])
    assert set(alone) == {True, False}
    centred = np.where(
        alone[:, None],
        Centres.fit(headlines, languages, 10.0).apply(matrix, languages),
        Centres.fit(matrix, languages, 10.0).apply(matrix, languages),
    ).astype(np.float64)
    scores = centred @ centred.T
    for number, row in enumerate(rows):
        answer = recommender.related(row.id, Options(k=100, raw=True, ranker="dense"))
        expected = sorted((-round(scores[number, other], 6), rows[other].id) for other in range(len(rows)))
        assert {result.id for result in answer.results} == {row.id for row in rows} - {row.id}
        for result in answer.results:
            other = [row.id for row in rows].index(result.id)
            assert result.score == pytest.approx(scores[number, other], abs=2e-6)
        assert _ids(answer)[0] == next(article_id for _, article_id in expected if article_id != row.id)


@pytest.mark.parametrize("raw", [False, True])
def test_an_article_is_never_in_its_own_list(crowd: Recommender, raw: bool) -> None:
    for article_id in crowd.snapshot.dense.ids:
        answer = crowd.related(article_id, Options(k=1000, raw=raw, same_language=False))
        assert article_id not in _ids(answer)
        assert len(answer.results) == len(crowd.snapshot) - 1
        assert len(set(_ids(answer))) == len(answer.results)


@examples(deadline=None, max_examples=80)
@given(number=st.integers(0, 59), k=st.integers(1, 70), raw=st.booleans(), past=st.booleans(), same=st.booleans())
def test_a_longer_list_extends_the_shorter_one(
    crowd: Recommender, number: int, k: int, raw: bool, past: bool, same: bool
) -> None:
    article_id = crowd.snapshot.dense.ids[number]
    options = Options(k=k, raw=raw, past_only=past, same_language=same)
    shorter = _ids(crowd.related(article_id, options))
    longer = _ids(crowd.related(article_id, dataclasses.replace(options, k=k + 1)))
    assert longer[:k] == shorter
    assert len(longer) <= k + 1


@examples(deadline=None, max_examples=60)
@given(number=st.integers(0, 59), raw=st.booleans())
def test_ranks_count_from_one_and_scores_fall_behind_the_links_with_six_decimals(
    crowd: Recommender, number: int, raw: bool
) -> None:
    results = crowd.related(crowd.snapshot.dense.ids[number], Options(k=100, raw=raw)).results
    assert [result.rank for result in results] == list(range(1, len(results) + 1))
    linked = set() if raw else {crowd.snapshot.dense.ids[row] for row in crowd.snapshot.graph.linked_by(number)}
    similar = [result for result in results if result.id not in linked]
    assert results[len(results) - len(similar) :] == tuple(similar)
    assert similar == sorted(similar, key=lambda result: (-result.score, result.id))
    assert all(result.score == round(result.score, 6) for result in results)
    assert all(map(math.isfinite, (result.score for result in results)))


def test_editors_links_stand_first_in_the_editors_order(recommender: Recommender, stub_id: str) -> None:
    results = recommender.related("ferry-strike", Options(k=10)).results
    assert [result.id for result in results[:3]] == ["ferry-vote", "harbour-plan", stub_id]
    assert {(result.source, result.reason) for result in results[:3]} == {("link", "Linked by this story's editor")}
    (linking,) = (result for result in results if result.id == "ferry-deal")
    assert (linking.source, linking.reason) == ("link", "Its editor links to this story")
    assert linking.rank > 3


def test_a_list_shorter_than_the_links_holds_the_first_links(recommender: Recommender) -> None:
    assert _ids(recommender.related("ferry-strike", Options(k=2))) == ["ferry-vote", "harbour-plan"]


def test_the_raw_list_is_ordered_by_score_alone_in_every_language(recommender: Recommender) -> None:
    results = recommender.related("ferry-strike", Options(k=10, raw=True)).results
    assert [result.score for result in results] == sorted((result.score for result in results), reverse=True)
    assert [result.id for result in results[:3]] != _ids(recommender.related("ferry-strike", Options(k=3)))
    assert len(results) == 7
    assert "faehren" in {result.id for result in results}


def test_a_planted_own_link_changes_nothing_in_the_articles_raw_list(recommender: Recommender, tmp_path: Path) -> None:
    """The story that is linked to learns of it, so the link is there; the story that links does not."""
    planted = [
        dataclasses.replace(
            article, read_more=(*article.read_more, ReadMore("Ferry strike ends with a deal on night crews"))
        )
        if article.id == "harbour-plan"
        else article
        for article in stories()
    ]
    made = settings_for(tmp_path / "home")
    store(made, planted)
    publish(made)
    linking = Recommender.open(made)
    raw = Options(k=100, raw=True, explain=True)
    assert linking.related("harbour-plan", raw).results == recommender.related("harbour-plan", raw).results
    assert linking.related("ferry-deal", raw).results != recommender.related("ferry-deal", raw).results
    assert _ids(linking.related("harbour-plan"))[0] == "ferry-deal" != _ids(recommender.related("harbour-plan"))[0]


def test_only_the_articles_language_unless_the_caller_wants_any(recommender: Recommender) -> None:
    assert "faehren" not in _ids(recommender.related("ferry-strike", Options(k=10)))
    assert "faehren" in _ids(recommender.related("ferry-strike", Options(k=10, same_language=False)))
    wanted = Options(k=10, filters=Filters(languages=("de",)))
    assert "faehren" in _ids(recommender.related("undated", wanted))


def test_a_link_into_another_language_stands_where_any_language_may(recommender: Recommender) -> None:
    assert _ids(recommender.related("faehren")) == []
    first = recommender.related("faehren", Options(same_language=False)).results[0]
    assert (first.id, first.source) == ("ferry-vote", "link")


def test_past_only_leaves_out_what_is_younger_and_what_has_no_date(recommender: Recommender) -> None:
    assert set(_ids(recommender.related("ferry-strike", Options(k=10, past_only=True)))) == {
        "ferry-vote",
        "harbour-plan",
    }
    deal = recommender.related("ferry-deal", Options(k=10, past_only=True))
    assert set(_ids(deal)) == {"ferry-vote", "ferry-strike", "harbour-plan", "cup-final"}


def test_past_only_means_nothing_under_an_article_without_a_date(recommender: Recommender) -> None:
    assert _ids(recommender.related("undated", Options(past_only=True))) == _ids(recommender.related("undated"))


_DAY = datetime(2025, 3, 14, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(sections=("sport",)), {"cup-final"}),
        (Filters(sections=("sport", "politics")), {"cup-final", "harbour-plan"}),
        (Filters(languages=("de",)), {"faehren"}),
        (Filters(published_after=_DAY), {"ferry-strike", "ferry-deal", "cup-final"}),
        (Filters(published_before=_DAY), {"harbour-plan"}),
        (Filters(stubs=False), {"ferry-strike", "ferry-deal", "harbour-plan", "cup-final", "undated"}),
        (Filters(stubs=False, exclude=frozenset(["undated", "nobody"])), {*IDS} - {"ferry-vote", "faehren", "undated"}),
    ],
)
def test_a_filter_leaves_exactly_what_passes(recommender: Recommender, filters: Filters, expected: set[str]) -> None:
    assert set(_ids(recommender.related("ferry-vote", Options(k=100, filters=filters)))) == expected


@pytest.fixture(scope="module")
def wider(wide: Settings) -> Recommender:
    """Answers from an archive with an opinion, and with a storm told by the house and by an agency."""
    return Recommender.open(wide)


ASIDE = {"ferry-column", "storm-wire"}


def test_only_news_stands_in_a_list_for_being_similar_unless_other_kinds_are_asked_for(wider: Recommender) -> None:
    def ids(**options: Any) -> set[str]:
        return set(_ids(wider.related("ferry-vote", Options(k=100, collapse=False, **options))))

    def found(**options: Any) -> set[str]:
        return set(_ids(wider.search("storm and night ferries", Options(k=100, collapse=False, **options))))

    for asked in (ids, found):
        assert not asked() & ASIDE
        assert asked(kinds=()) - asked() == ASIDE
        assert asked(kinds=("news", "wire")) - asked() == {"storm-wire"}
        assert asked(filters=Filters(kinds=("opinion", "wire"))) == ASIDE
        assert asked(filters=Filters(kinds=("live",))) == set()
        assert asked(raw=True) >= ASIDE
        assert asked(raw=True, filters=Filters(kinds=("opinion",))) == {"ferry-column"}


def test_an_editors_link_to_an_opinion_stands_all_the_same(tmp_path: Path) -> None:
    made = settings_for(tmp_path / "home")
    link = (ReadMore("Pay the night crews of the ferries, and be quick"),)
    store(made, [*wider_stories(), Article("new", "Night crossings resume", language="en", read_more=link)])
    publish(made)
    answer = Recommender.open(made).related("new")
    assert (answer.results[0].id, answer.results[0].source) == ("ferry-column", "link")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(tags=("ferry",)), {"ferry-column", "storm"}),
        (Filters(tags=("weather",)), {"storm", "storm-wire"}),
        (Filters(tags=("comment", "weather")), {"ferry-column", "storm", "storm-wire"}),
        (Filters(tags=("ferry",), authors=("Ole Holm",)), {"storm"}),
        (Filters(authors=("Anna Berg",)), {"ferry-column", "storm"}),
        (Filters(authors=("Anna Berg",), kinds=("opinion",)), {"ferry-column"}),
        (Filters(authors=("Anna Berg",), sections=("politics",)), set()),
    ],
)
@pytest.mark.parametrize("raw", [False, True])
def test_tags_and_authors_leave_exactly_the_stories_that_have_one_of_them(
    wider: Recommender, filters: Filters, expected: set[str], raw: bool
) -> None:
    options = Options(k=100, filters=filters, raw=raw, kinds=(), collapse=False)
    assert set(_ids(wider.related("ferry-vote", options))) == expected
    assert set(_ids(wider.search("ferries", options))) == expected


def test_filters_hold_for_editors_links_too(recommender: Recommender) -> None:
    filters = Filters(exclude=frozenset(["ferry-vote"]), sections=("business", "politics"))
    assert _ids(recommender.related("ferry-strike", Options(filters=filters))) == ["harbour-plan", "ferry-deal"]


def test_a_list_that_filters_emptied_says_so(recommender: Recommender) -> None:
    filters = Filters(published_before=datetime(1999, 1, 1, tzinfo=UTC))
    answer = recommender.related("ferry-vote", Options(filters=filters))
    assert (answer.results, answer.empty_reason) == ((), "nothing in the archive passes the rules and filters")


RULED_OUT = "nothing else in the archive passes the rules and filters"


def test_a_list_that_is_shorter_than_was_asked_for_says_why(recommender: Recommender) -> None:
    whole = recommender.related("ferry-vote", Options(k=100))
    n_all = len(whole.results)
    assert (whole.short_reason, whole.as_dict()["short_reason"]) == (RULED_OUT, RULED_OUT)
    assert recommender.related("ferry-vote", Options(k=n_all + 1)).short_reason == RULED_OUT
    full = recommender.related("ferry-vote", Options(k=n_all))
    assert (len(full.results), full.short_reason) == (n_all, None)
    assert not {"short_reason", "empty_reason"} & set(full.as_dict())
    assert recommender.search("ferry", Options(k=100)).short_reason == RULED_OUT


def test_an_empty_list_gives_one_reason_and_not_two(recommender: Recommender) -> None:
    answer = recommender.related("faehren").as_dict()
    assert list(answer) == ["query", "results", "snapshot", "empty_reason"]


def _calibrated(recommender: Recommender, **calibration: float) -> Recommender:
    """Return the recommender with a calibration for its encoder, under which probability rises with the vectors' cosine."""
    fitted = Calibration(**{"intercept": -2.0, "dense": 10.0, "lexical": 0.0} | calibration)
    return recommender.with_model(
        dataclasses.replace(recommender.model, calibrations={"hashing@1": {"*": fitted, "text": fitted}})
    )


def test_a_list_that_the_floor_cut_says_so(recommender: Recommender) -> None:
    calibrated = _calibrated(recommender)
    whole = calibrated.related("cup-final", Options(k=100, explain=True))
    chances = sorted(result.as_dict()["probability"] for result in whole.results)
    floor = (chances[1] + chances[2]) / 2
    cut = calibrated.related("cup-final", Options(k=100, floor=floor, explain=True))
    assert _ids(cut) == [result.id for result in whole.results if result.as_dict()["probability"] >= floor]
    assert 0 < len(cut.results) < len(whole.results)
    assert cut.short_reason == "nothing else in the archive is related closely enough"
    assert {hidden["why"] for hidden in cut.hidden or ()} == {"not related closely enough"}
    assert {hidden["id"] for hidden in cut.hidden or ()} == set(_ids(whole)) - set(_ids(cut))
    nothing = calibrated.related("cup-final", Options(k=100, floor=1.0))
    assert (nothing.results, nothing.short_reason) == ((), None)
    assert nothing.empty_reason == "nothing in the archive is related closely enough"
    assert calibrated.search("goalkeeper", Options(floor=1.0)).empty_reason == nothing.empty_reason


def test_without_a_calibration_there_is_no_probability_and_no_floor(recommender: Recommender) -> None:
    assert recommender.related("cup-final", Options(floor=1.0)) == recommender.related("cup-final")
    assert recommender.explain("cup-final", "undated")["probability"] is None
    chance = _calibrated(recommender, intercept=0.0, dense=0.0).explain("cup-final", "undated")["probability"]
    assert chance == 0.5


def test_what_was_hidden_is_told_to_whoever_asks_for_the_parts(wider: Recommender) -> None:
    asked = Options(k=100, kinds=(), explain=True)
    copy = {"id": "storm-wire", "title": "Storm stops ferries at Port Linden"}
    under_another = wider.related("ferry-vote", asked)
    assert "storm" in _ids(under_another)
    assert "storm-wire" not in _ids(under_another)
    assert under_another.as_dict()["hidden"] == [
        copy | {"why": "a near-copy of a story that is shown", "shown_instead": "storm"}
    ]
    assert wider.related("storm", asked).hidden == (
        copy | {"why": "a near-copy of the article itself", "shown_instead": None},
    )
    assert wider.explain("storm", "storm-wire")["near_copies"]
    assert not wider.explain("storm", "ferry-vote")["near_copies"]
    assert "hidden" not in wider.related("ferry-vote", Options(k=100, kinds=())).as_dict()
    raw = wider.related("ferry-vote", Options(k=100, raw=True, explain=True))
    assert (set(_ids(raw)) >= ASIDE, raw.hidden) == (True, ())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Filters(kinds=("rumour",)), "^kind: 'rumour' is none; kinds are news, opinion, wire, live, sponsored$"),
        (Filters(tags=("fery",)), "^tag: 'fery' is not in this archive; its tags are comment, ferry, weather$"),
        (Filters(authors=("Ole",)), "^author: 'Ole' is not in this archive; its authors are Anna Berg, Ole Holm$"),
    ],
)
def test_a_kind_tag_or_author_that_there_is_none_of_is_named(wider: Recommender, wrong: Filters, message: str) -> None:
    for raw in (False, True):
        with pytest.raises(QueryError, match=message):
            wider.related("ferry-vote", Options(filters=wrong, raw=raw))
    with pytest.raises(QueryError, match=message):
        wider.search("ferry", Options(filters=wrong))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"ranker": "best"}, "^ranker: 'best' is none; rankers are full, fusion, dense, lexical$"),
        ({"diversity": -0.1}, "^diversity: must be 0 to 100, it is -0.1$"),
        ({"diversity": 101.0}, "^diversity: must be 0 to 100, it is 101.0$"),
        ({"diversity": math.nan}, "^diversity: must be 0 to 100, it is nan$"),
        ({"floor": -0.1}, "^floor: is a probability, 0 to 1; it is -0.1$"),
        ({"floor": 1.5}, "^floor: is a probability, 0 to 1; it is 1.5$"),
        ({"floor": math.nan}, "^floor: is a probability, 0 to 1; it is nan$"),
    ],
)
def test_an_option_out_of_range_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        Options(**wrong)


def test_a_section_that_the_archive_does_not_have_is_named(recommender: Recommender) -> None:
    wrong = Options(filters=Filters(sections=("sports",)))
    message = "section: 'sports' is not in this archive; its sections are business, politics, sport"
    with pytest.raises(QueryError, match=message):
        recommender.related("ferry-vote", wrong)


def test_a_span_that_ends_before_it_starts_is_refused(recommender: Recommender) -> None:
    wrong = Options(filters=Filters(published_after=_DAY, published_before=_DAY))
    with pytest.raises(QueryError, match=r"published_after \(2025-03-14T09:00:00\+00:00\) is not before published_bef"):
        recommender.search("ferry", wrong)


@pytest.mark.parametrize(
    ("k", "message"),
    [(0, "k: must be at least 1, it is 0"), (-1, "at least 1, it is -1"), (10**9, "k: must be at most 1000, it is 10")],
)
def test_a_k_out_of_range_is_refused(k: int, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        Options(k=k)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.lindenpost.example/business/ferry-vote",
        "http://lindenpost.example/business/ferry-vote/",
        "HTTPS://WWW.LindenPost.example:443/business/ferry-vote?utm_source=mail&fbclid=1#top",
        " https://www.lindenpost.example/business/ferry-vote ",
    ],
)
def test_every_spelling_of_an_address_finds_its_article(recommender: Recommender, url: str) -> None:
    assert recommender.related_by_url(url) == recommender.related("ferry-vote")


def test_an_address_that_nobody_has_is_not_found(recommender: Recommender) -> None:
    with pytest.raises(
        UnknownArticleError, match=r"no article has the address https://www.lindenpost.example/b/ferry"
    ) as caught:
        recommender.related_by_url("https://www.lindenpost.example/b/ferry-vot")
    assert caught.value.suggestions[0].article_id == "ferry-vote"


@pytest.mark.parametrize(
    "url", ["", "ferry-vote", "javascript:alert(1)", "/business/ferry-vote", "http://", "ftp://a/b"]
)
def test_what_is_no_address_is_refused(recommender: Recommender, url: str) -> None:
    with pytest.raises(QueryError, match="is not an absolute http"):
        recommender.related_by_url(url)


def test_an_unknown_id_carries_the_nearest_titles(recommender: Recommender) -> None:
    with pytest.raises(UnknownArticleError, match="no article has the id 'ferry-strik'") as caught:
        recommender.related("ferry-strik")
    first = caught.value.suggestions[0]
    assert (first.article_id, first.title) == ("ferry-strike", "Ferries stay in port as strike begins")
    assert len(caught.value.suggestions) <= 3


def test_nothing_near_gives_no_suggestions(recommender: Recommender) -> None:
    assert recommender.nearest_titles("?!") == []
    assert recommender.nearest_titles("zzzzqqqq") == []


@pytest.mark.parametrize("article_id", ["", " ", "\x00", "a" * 100_000, "stub:", "'; DROP TABLE articles; --"])
def test_a_hostile_id_is_just_unknown(recommender: Recommender, article_id: str) -> None:
    with pytest.raises(UnknownArticleError, match="no article has the id ") as caught:
        recommender.related(article_id)
    assert len(str(caught.value)) < 1_000


def test_a_stub_has_a_list_of_its_own(recommender: Recommender, stub_id: str) -> None:
    answer = recommender.related(stub_id)
    assert answer.query["title"] == STUB_TITLE
    assert answer.results[0].id in IDS


def test_an_unseen_article_is_answered_and_its_links_are_looked_up(recommender: Recommender) -> None:
    text = (
        "Night crossings resume\nFerry crews return to the harbour.\nRead more:\nFerries stay in port as strike begins"
    )
    answer = recommender.related_to(article_from_text(text), Options(k=3))
    assert answer.query == {"title": "Night crossings resume", "language": "en", "k": 3}
    first, *others = answer.results
    assert (first.id, first.source, first.reason) == ("ferry-strike", "link", "Linked by this story's editor")
    assert {other.source for other in others} == {"similar"}


def test_an_unseen_copy_of_a_known_article_leaves_it_out_by_id_or_by_address(recommender: Recommender) -> None:
    known = stories()[0]
    by_id = dataclasses.replace(known, url=None)
    by_url = dataclasses.replace(known, id="elsewhere", url="http://lindenpost.example/business/ferry-vote")
    stranger = dataclasses.replace(known, id="elsewhere", url=None)
    for article in (known, by_id, by_url):
        assert "ferry-vote" not in _ids(recommender.related_to(article, Options(k=100)))
    assert "ferry-vote" not in _ids(recommender.related_to(stranger, Options(k=100)))
    twin = recommender.related_to(stranger, Options(k=1, collapse=False, ranker="dense")).results[0]
    assert (twin.id, twin.score) == ("ferry-vote", 1.0)


def test_a_known_article_sent_along_gets_the_list_that_it_has(recommender: Recommender) -> None:
    """Its scores differ by no more than the sixteen bits in which the index keeps the weights of terms."""
    for article in stories():
        sent = recommender.related_to(article, Options(k=100))
        known = recommender.related(article.id, Options(k=100))
        assert _ids(sent) == _ids(known)
        assert [result.score for result in sent.results] == pytest.approx([r.score for r in known.results], abs=3e-4)


def test_a_search_with_a_whole_story_finds_it_first(recommender: Recommender) -> None:
    for article in stories():
        best = recommender.search(f"{article.title}\n{article.text}").results[0]
        assert best.id == article.id
        assert best.source == "similar"


@pytest.mark.parametrize("text", ["", "  \n ", "\x00", "\ufeff"])
def test_an_empty_search_is_refused(recommender: Recommender, text: str) -> None:
    with pytest.raises(QueryError, match="the query is empty; give a few words or a whole text"):
        recommender.search(text)


def test_a_search_tells_what_was_asked(recommender: Recommender) -> None:
    assert recommender.search(" night\tferry  ", Options(k=2)).query == {
        "text": "night ferry",
        "language": "en",
        "k": 2,
    }
    assert recommender.search("night ferry", language="uk").query["language"] == "uk"


def test_many_searches_give_what_each_gives_alone(recommender: Recommender) -> None:
    texts = [(f"q{number}", f"{article.title} {number}") for number, article in enumerate(stories() * 20)]
    found = list(recommender.search_hits(texts, Options(k=3)))
    assert [(query_id, text) for query_id, text, _ in found] == texts
    for _, text, hits in found[::17]:
        alone = recommender.search(text, Options(k=3)).results
        assert [(hit.article_id, hit.score) for hit in hits] == [(result.id, result.score) for result in alone]


def test_many_searches_hold_no_more_than_a_batch(recommender: Recommender) -> None:
    taken = itertools.count()

    def endless() -> Iterator[tuple[str, str]]:
        for number in taken:
            yield f"q{number}", "night ferry"

    answers = recommender.search_hits(endless())
    first = [next(answers)[0] for _ in range(65)]
    assert first == [f"q{number}" for number in range(65)]
    assert next(taken) <= 130


def test_many_lists_give_what_each_gives_alone(crowd: Recommender) -> None:
    for article_id in crowd.snapshot.dense.ids:
        alone = crowd.related(article_id).results
        assert [(hit.article_id, hit.score) for hit in crowd.related_hits(article_id)] == [
            (r.id, r.score) for r in alone
        ]


def test_an_explained_pair_has_one_score_in_both_directions(crowd: Recommender) -> None:
    for one, other in itertools.combinations(crowd.snapshot.dense.ids[:12], 2):
        there, back = (crowd.explain(*pair, Options(ranker="dense")) for pair in ((one, other), (other, one)))
        assert there["score"] == pytest.approx(back["score"], abs=1e-6)
        assert there["linked"]["to_other"] == back["linked"]["from_other"]
        assert there["linked"]["from_other"] == back["linked"]["to_other"]
        assert sorted(map(str.lower, there["shared_terms"])) == sorted(map(str.lower, back["shared_terms"]))


def test_an_explained_pair_has_the_score_of_the_list(recommender: Recommender) -> None:
    for result in recommender.related("ferry-strike", Options(k=10, explain=True)).results:
        told = recommender.explain("ferry-strike", result.id)
        assert result.details is not None
        assert result.details["parts"] == told["parts"]
        assert sum(told["parts"].values()) == pytest.approx(told["score"], abs=1e-5)
        assert {name: result.details[name] for name in ("cosines", "probability", "relation")} == {
            name: told[name] for name in ("cosines", "probability", "relation")
        }
        assert told["score"] == pytest.approx(result.score, abs=1e-6)
        assert told["linked"]["to_other"] == (result.reason == "Linked by this story's editor")


def test_an_explained_pair_has_the_shape_of_the_contract(recommender: Recommender) -> None:
    told = recommender.explain("ferry-deal", "ferry-strike")
    score, terms = told["score"], told["shared_terms"]
    assert set(told["parts"]) <= {"dense", "lexical", "votes", "links", "popularity", "freshness"}
    assert set(told["cosines"]) == {"dense", "lexical"}
    assert told == {
        "article": {"id": "ferry-deal", "title": "Ferry strike ends with a deal on night crews"},
        "other": {"id": "ferry-strike", "title": "Ferries stay in port as strike begins"},
        "score": score,
        "parts": told["parts"],
        "cosines": told["cosines"],
        "probability": None,
        "near_copies": False,
        "relation": told["relation"],
        "sentences": None,
        "linked": {"to_other": True, "from_other": False},
        "shared_terms": terms,
        "reason": told["reason"],
        "snapshot": "s00000001",
    }
    assert terms


@pytest.mark.parametrize("ranker", ["dense", "lexical"])
def test_a_ranker_of_one_kind_scores_with_its_cosine(recommender: Recommender, ranker: Ranker) -> None:
    for result in recommender.related("ferry-strike", Options(k=100, raw=True, ranker=ranker, explain=True)).results:
        told = result.as_dict()
        assert told["score"] == told["cosines"][ranker]
        assert told["parts"] == ({ranker: told["score"]} if told["score"] else {})


def test_vectors_and_terms_alone_are_the_full_score_without_links_and_time(recommender: Recommender) -> None:
    def parts(**options: Any) -> dict[str, dict[str, float]]:
        answer = recommender.related("ferry-vote", Options(k=100, raw=True, explain=True, **options))
        return {result["id"]: result["parts"] for result in answer.as_dict()["results"]}

    full, fusion, unfading = parts(), parts(ranker="fusion"), parts(freshness=False)
    assert {name for told in full.values() for name in told} == {
        "dense",
        "lexical",
        "votes",
        "links",
        "popularity",
        "freshness",
    }
    for article_id, told in full.items():
        assert unfading[article_id] == {name: value for name, value in told.items() if name != "freshness"}
        assert fusion[article_id] == {name: value for name, value in told.items() if name in ("dense", "lexical")}


def test_with_texts_at_hand_the_two_sentences_are_quoted(shared: Settings) -> None:
    texts = {article.id: article.text for article in stories()}
    quoting = Recommender.open(shared, texts=texts.get)
    expected = [
        "The ferry crews of Port Linden voted on Monday for a strike.",
        "No ferry left the harbour on Friday, the first day of the strike.",
    ]
    assert quoting.explain("ferry-vote", "ferry-strike")["sentences"] == expected
    results = quoting.related("ferry-vote", Options(explain=True)).as_dict()["results"]
    assert {result["id"]: result["sentences"] for result in results}["ferry-strike"] == expected
    found = quoting.search("ferry strike", Options(explain=True)).as_dict()["results"]
    assert not any("sentences" in result for result in found)


def test_an_article_is_explained_to_itself_with_cosines_of_one(recommender: Recommender) -> None:
    cosines = recommender.explain("undated", "undated")["cosines"]
    assert cosines["dense"] == pytest.approx(1.0, abs=1e-6)
    assert cosines["lexical"] == pytest.approx(1.0, abs=1e-3)


def test_the_answer_has_the_shape_of_the_contract(recommender: Recommender) -> None:
    answer = recommender.related("ferry-strike", Options(k=1)).as_dict()
    (result,) = answer["results"]
    assert answer == {
        "query": {
            "id": "ferry-strike",
            "title": "Ferries stay in port as strike begins",
            "language": "en",
            "k": 1,
        },
        "results": [
            {
                "rank": 1,
                "id": "ferry-vote",
                "title": "Ferry crews vote to strike over night shifts",
                "url": "https://www.lindenpost.example/business/ferry-vote",
                "score": result["score"],
                "source": "link",
                "reason": "Linked by this story's editor",
                "published_at": "2025-03-10T09:00:00+00:00",
                "section": "business",
                "language": "en",
                "stub": False,
                "image_url": None,
            }
        ],
        "snapshot": "s00000001",
    }
    assert list(answer) == ["query", "results", "snapshot"]
    assert isinstance(result["score"], float)


def test_a_story_brings_the_address_of_its_picture(settings: Settings) -> None:
    picture = "https://img.lindenpost.example/ferry.jpg"
    store(settings, [Article("one", "Ferry crews vote"), Article("two", "Ferry crews vote again", image_url=picture)])
    publish(settings)
    (told,) = Recommender.open(settings).related("one", Options(floor=0, same_language=False)).results
    assert told.as_dict()["image_url"] == picture


def test_parts_are_there_only_when_they_are_asked_for(recommender: Recommender) -> None:
    plain = recommender.related("ferry-vote", Options(explain=False)).as_dict()["results"]
    parted = recommender.related("ferry-vote", Options(explain=True)).as_dict()["results"]
    assert not any("parts" in result for result in plain)
    assert [sum(result["parts"].values()) for result in parted] == pytest.approx(
        [result["score"] for result in plain], abs=1e-5
    )


def test_every_result_has_a_reason_that_fits_its_source(recommender: Recommender, wider: Recommender) -> None:
    links = {"Linked by this story's editor", "Its editor links to this story"}
    asked = Options(k=10, kinds=(), collapse=False, explain=True)
    results = [result for article_id in wider.snapshot.dense.ids for result in wider.related(article_id, asked).results]
    relations = set()
    for result in results:
        relation = result.as_dict()["relation"]
        relations.add(relation)
        told = "" if relation == "related" else f"{relation.capitalize()}: "
        subject = result.reason.removeprefix(told).lower()
        similar = result.reason.startswith(told) and (
            subject == "close in subject and wording" or subject.startswith("both about ")
        )
        assert (result.source, similar) in {("link", False), ("similar", True)}
        assert similar != (result.reason in links)
    assert {result.source for result in results} == {"link", "similar"}
    assert relations == {"same event", "follow-up", "background", "related"}
    found = recommender.search("Who scored the penalties for Linden Rovers?").results[0]
    assert (found.id, found.reason) == ("cup-final", "Mentions Linden Rovers and penalties")


def test_nothing_published_yet_is_told(filled: Settings) -> None:
    with pytest.raises(NoSnapshotError, match="no index has been published here"):
        Recommender.open(filled)


def test_without_an_encoder_known_articles_are_answered_and_free_text_is_not(shared: Settings) -> None:
    without = Recommender.open(settings_for(shared.home, model="none"))
    with_encoder = Recommender.open(shared)
    for article_id in IDS:
        assert without.related(article_id) == with_encoder.related(article_id)
    message = "runs with encoder.model = 'none': it answers for known articles only, not for free text"
    with pytest.raises(EncoderDisabledError, match=message):
        without.search("ferry")
    with pytest.raises(EncoderDisabledError, match=message):
        without.related_to(stories()[0])


@pytest.mark.parametrize("encoder", [{"model": "all-MiniLM-L6-v2"}, {"prompt": "query: "}, {"runtime": "torch"}])
def test_a_text_is_asked_with_the_snapshots_encoder_whatever_the_settings_name(
    shared: Settings, encoder: dict[str, Any]
) -> None:
    others = Recommender.open(settings_for(shared.home, **encoder))
    ours = Recommender.open(shared)
    assert others.related("ferry-vote") == ours.related("ferry-vote")
    assert others.search("ferry strike") == ours.search("ferry strike")


def test_an_encoder_of_another_version_is_refused_when_it_is_needed(
    shared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HashingEncoder, "name", "hashing@2")
    changed = Recommender.open(shared)
    assert changed.related("ferry-vote").results
    with pytest.raises(EncoderError, match="the encoder here is hashing@2, snapshot s00000001 was made with hashing@1"):
        changed.search("ferry")
