from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.article import Article
from recommender.explain import (
    CLOSE,
    Relation,
    TermCounter,
    TermCounts,
    alike_sentences,
    relation,
    shared_terms,
    similar_reason,
    terms_in_text,
)
from recommender.vectors import UNDATED


def _counter(*articles: Article) -> TermCounts:
    counter = TermCounter()
    for article in articles:
        counter.add(article)
    return counter.counts()


ENGLISH = Article(
    "en",
    "Mayor Olena Kravets opens the harbour bridge",
    "Talks about the toll go on.",
    "KARSHOLM - The harbour bridge in Karsholm has cost 40 million. Olena Kravets spoke of a good day. "
    "Drivers fear the toll. Talks begin on Monday. The toll is what the drivers talk about.",
)
UKRAINIAN = Article(
    "uk",
    "Мер Олена Кравець відкрила міст у порту",
    "",
    "Міст у Карсгольмі коштував сорок мільйонів. Олена Кравець говорила про добрий день. Водії бояться платного проїзду.",
)
GERMAN = Article(
    "de",
    "Bürgermeisterin Kravets eröffnet die Hafenbrücke",
    "",
    "Die Hafenbrücke in Karsholm hat vierzig Millionen gekostet. Autofahrer fürchten die Maut, sagt Olena Kravets.",
)


@pytest.mark.parametrize(
    ("article", "expected"),
    [
        (ENGLISH, {"Mayor Olena Kravets", "harbour", "Karsholm", "Drivers"}),
        (UKRAINIAN, {"Олена Кравець", "Карсгольмі"}),
        (GERMAN, {"Hafenbrücke", "Olena Kravets", "Karsholm"}),
    ],
)
def test_names_and_telling_words_are_terms_in_every_language(article: Article, expected: set[str]) -> None:
    terms = _counter(ENGLISH, UKRAINIAN, GERMAN).terms(article)

    assert expected <= set(terms)
    assert len(terms) <= 16


def test_a_capitalised_word_that_is_also_written_small_is_no_part_of_a_name() -> None:
    small = Article("a", "Title", text="The Karsholm Talks resumed after ten days. The talks were hard.")
    never = Article("a", "Title", text="The Karsholm Talks resumed after ten days. They were hard.")

    assert {"Karsholm", "Talks"} <= set(_counter(small).terms(small))
    assert "Karsholm Talks" in _counter(never).terms(never)


def test_a_place_in_the_capitals_of_a_dateline_is_written_as_a_name() -> None:
    terms = _counter(ENGLISH).terms(ENGLISH)

    assert "Karsholm" in terms
    assert "KARSHOLM" not in terms


def test_what_stands_everywhere_tells_nothing() -> None:
    archive = [Article(f"a{number}", f"Karsholm story number{number}x", text="Harbour news.") for number in range(60)]
    counter = _counter(*archive)

    terms = counter.terms(archive[7])

    assert "number7x" in terms
    assert not {"Karsholm", "Harbour"} & set(terms)
    assert "Karsholm" in _counter(*archive[:10]).terms(archive[7])


def test_rarer_terms_come_first_and_a_headline_counts_more() -> None:
    rare = Article("a", "The zeppelin above the harbour")
    terms = _counter(rare, *(Article(f"b{number}", "Quiet harbour") for number in range(8))).terms(rare)

    assert terms.index("zeppelin") < terms.index("harbour")
    headline = Article("h", "Words about turbines", text="Words about windmills.")
    ranked = _counter(headline).terms(headline)
    assert ranked.index("turbines") < ranked.index("windmills")


def test_a_part_of_a_chosen_name_is_not_said_again() -> None:
    article = Article(
        "a", "A day with Olena Kravets", text="People know Kravets well. Olena Kravets smiled at Kravets."
    )

    terms = _counter(article).terms(article)

    assert sum("Kravets" in term for term in terms) == 1 or "Olena Kravets" not in terms[: terms.index("Kravets")]


@pytest.mark.parametrize("title", ["…", "Oil up", "12345", "中文标题"])
def test_an_article_of_few_words_has_few_terms_and_no_crash(title: str) -> None:
    article = Article("a", title)

    assert len(_counter(article).terms(article)) <= 1
    assert TermCounter().counts().terms(article) == _counter(article).terms(article)


@given(st.permutations([ENGLISH, UKRAINIAN, GERMAN, Article("x", "Harbour toll"), Article("y", "Karsholm")]))
@settings(deadline=None, max_examples=30)
def test_terms_do_not_depend_on_the_order_of_the_archive(archive: list[Article]) -> None:
    expected = _counter(ENGLISH, UKRAINIAN, GERMAN, Article("x", "Harbour toll"), Article("y", "Karsholm"))

    assert [_counter(*archive).terms(article) for article in archive] == [
        expected.terms(article) for article in archive
    ]


def test_shared_terms_are_those_of_both_that_rank_high_in_both_first() -> None:
    terms = ["Karsholm", "harbour", "toll", "bridge"]
    others = ["toll", "strike", "KARSHOLM", "harbour"]

    assert shared_terms(terms, others) == ["Karsholm", "toll", "harbour"]
    assert shared_terms(terms, []) == shared_terms([], others) == []
    assert shared_terms(terms, ["ship"]) == []


def test_a_word_inside_a_longer_name_is_shared_and_a_piece_of_a_word_is_not() -> None:
    assert shared_terms(["Kravets"], ["Olena Kravets"]) == ["Kravets"]
    assert shared_terms(["Olena Kravets"], ["Kravets"]) == ["Olena Kravets"]
    assert shared_terms(["port"], ["transport"]) == []


@pytest.mark.parametrize(
    ("one", "other", "language", "is_shared"),
    [
        ("ferries", "ferry", "en", True),
        ("strikes", "Striking", "en", True),
        ("ferry", "fern", "en", False),
        ("Harbour Strikes", "strike", "en", True),
        ("Fähren", "Fähre", "de", True),
        ("забастовки", "забастовку", "ru", True),
        ("Кравець", "Кравцем", "uk", True),
        ("Кравець", "Краєм", "uk", False),
        ("забастовка", "забастовкою", "uk", True),
        ("уряду", "урядом", "uk", True),
        ("порту", "порода", "uk", False),
    ],
)
def test_two_forms_of_a_word_are_one_word(one: str, other: str, language: str, is_shared: bool) -> None:
    assert bool(shared_terms([one], [other], language)) == is_shared
    assert bool(shared_terms([other], [one], language)) == is_shared


@given(st.lists(st.sampled_from(["a", "b", "a b", "c"])), st.lists(st.sampled_from(["a", "b", "b c", "d"])))
@settings(deadline=None, max_examples=60)
def test_sharing_goes_both_ways(terms: list[str], others: list[str]) -> None:
    assert bool(shared_terms(terms, others)) == bool(shared_terms(others, terms))


PIECES = ("port", "toll", "порту", "портом", "уряд", "урядом", "Fähre")
NAMES = st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map(" ".join)


@given(st.lists(NAMES, max_size=8), st.lists(NAMES, max_size=8, unique=True), st.sampled_from(["en", "uk", None]))
@settings(deadline=None, max_examples=150)
def test_what_is_shared_among_many_is_what_is_shared_of_each_pair(
    terms: list[str], others: list[str], language: str | None
) -> None:
    exact: list[tuple[int, int, str]] = []
    for rank, term in enumerate(terms):
        meets = [at for at, other in enumerate(others) if shared_terms([term], [other], language)]
        exact += [(rank + at, rank, term) for at in meets[:1]]

    assert shared_terms(terms, others, language) == [term for _, _, term in sorted(exact)]


def test_terms_that_stand_in_a_text_come_before_words_of_the_headline() -> None:
    text = "What did olena kravets say about the toll at the HARBOUR? Will ferries sail?"

    assert terms_in_text(["Olena Kravets", "bridge"], "Harbour toll\nThe ferries", text) == [
        "Olena Kravets", "Harbour", "toll", "ferries",
    ]  # fmt: skip
    assert terms_in_text(["Olena Kravets"], "Harbour", "") == []


def test_a_word_of_the_headline_is_named_when_it_tells_something() -> None:
    text = "a ferry with two crews"
    assert terms_in_text(["with"], "Ferry with crews", text, "en", lambda word: word != "with") == [
        "with",
        "Ferry",
        "crews",
    ]
    assert terms_in_text([], "Ferry with crews", text, "en", lambda word: word != "with") == ["Ferry", "crews"]


def test_a_comma_parts_two_names() -> None:
    text = "On Sunday they met in Berlin with Donald Trump, Volodymyr Zelensky and Anna of the Council, Anna said."
    terms = _counter(Article("names", "Talks", text=text)).terms(Article("names", "Talks", text=text))
    assert {"Donald Trump", "Volodymyr Zelensky"} <= set(terms)


@pytest.mark.parametrize(
    ("language", "term", "text", "shared"),
    [
        ("en", "hospitals", "hackers in a hospital", True),
        ("en", "hospital gates", "the gate of the hospital", False),
        ("de", "Hafenbrücken", "eine Hafenbrücke für alle", True),
        ("uk", "Карсгольмі", "з Карсгольма до порту", True),
        ("uk", "Карсгольмі", "з Києва до порту", False),
        (None, "hospitals", "hackers in a hospital", False),
        ("en", "hospital", "x " * 10_000 + "hospital", False),
    ],
)
def test_a_text_shares_a_term_in_any_form_of_its_words(
    language: str | None, term: str, text: str, shared: bool
) -> None:
    assert terms_in_text([term], "", text, language) == ([term] if shared else [])


@pytest.mark.parametrize(
    ("shared", "to_text", "reason"),
    [
        ([], False, CLOSE),
        (["…"], False, "Both about …"),
        (["Karsholm"], False, "Both about Karsholm"),
        (["Karsholm", "toll"], False, "Both about Karsholm and toll"),
        (["Karsholm", "toll", "ferry", "strike"], False, "Both about Karsholm, toll and ferry"),
        (["Karsholm", "toll"], True, "Mentions Karsholm and toll"),
        (["Kravets", "Olena Kravets", "toll"], False, "Both about Kravets and toll"),
        (["Олена Кравець", "міст"], False, "Both about Олена Кравець and міст"),
        (["Hafenbrücke", "HAFENBRÜCKE"], False, "Both about Hafenbrücke"),
    ],
)
def test_a_reason_names_at_most_three_things_each_once(shared: list[str], to_text: bool, reason: str) -> None:
    assert similar_reason(shared, to_text=to_text) == reason


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("same event", "Same event: both about Karsholm and toll"),
        ("follow-up", "Follow-up: both about Karsholm and toll"),
        ("background", "Background: both about Karsholm and toll"),
        ("related", "Both about Karsholm and toll"),
    ],
)
def test_a_reason_says_first_how_the_story_stands_to_the_article(told: Relation, reason: str) -> None:
    assert similar_reason(["Karsholm", "toll"], told) == reason
    assert similar_reason(["Karsholm", "toll"], told, to_text=True) == "Mentions Karsholm and toll"
    assert similar_reason([], told) == (CLOSE if told == "related" else f"{told.capitalize()}: {CLOSE.lower()}")


_DAY = 86_400


@pytest.mark.parametrize(
    ("days", "dense", "terms", "expected"),
    [
        (0, 0.9, 0.9, "same event"),
        (3, 0.9, 0.9, "same event"),
        (-3, 0.9, 0.9, "same event"),
        (3.1, 0.9, 0.9, "follow-up"),
        (-3.1, 0.9, 0.9, "background"),
        (0, 0.9, 0.0, "follow-up"),  # as much by its vector, and not the same words
        (183, 0.9, 0.9, "follow-up"),
        (184, 0.9, 0.9, "related"),
        (-10_000, 0.9, 0.9, "background"),
        (-10, 0.4, 0.5, "background"),
        (-10, 0.4, 0.0, "related"),
        (-10, 0.2, 0.9, "related"),
    ],
)
def test_time_and_likeness_say_how_a_story_stands_to_the_article(
    days: float, dense: float, terms: float, expected: Relation
) -> None:
    for query_at in (0, -5_000 * _DAY, 20_000 * _DAY):
        assert relation(query_at, query_at + round(days * _DAY), dense, terms) == expected
        assert relation(query_at, UNDATED, dense, terms) == relation(UNDATED, query_at, dense, terms) == "related"
    assert relation(UNDATED, UNDATED, dense, terms) == "related"


TOLL = "The mayor opened the bridge. Drivers fear the new toll. It rained. The band played the anthem."
TRUCKS = "Snow fell all day! Owners of trucks say that the toll ruins drivers. The band went home."


def test_the_two_sentences_that_say_the_most_alike_are_quoted_one_of_each() -> None:
    assert alike_sentences(TOLL, TRUCKS, "en") == [
        "Drivers fear the new toll.",
        "Owners of trucks say that the toll ruins drivers.",
    ]
    there, back = alike_sentences(TOLL, TRUCKS, "en"), alike_sentences(TRUCKS, TOLL, "en")
    assert there is not None
    assert back == there[::-1]
    ukrainian = alike_sentences("Дощ. Водії бояться платного проїзду.", "Мер мовчить. Проїзду водії не хочуть.", "uk")
    assert ukrainian == ["Водії бояться платного проїзду.", "Проїзду водії не хочуть."]


@pytest.mark.parametrize("other", ["", "  \n ", "Nothing whatsoever in common.", "?!…"])
def test_texts_that_share_no_telling_word_have_no_sentence_to_quote(other: str) -> None:
    assert alike_sentences(TOLL, other, "en") is None
    assert alike_sentences(other, TOLL, "en") is None


def test_only_the_beginning_of_a_long_text_is_searched_and_a_long_sentence_is_cut() -> None:
    filler = "Rain fell again. " * 60
    assert alike_sentences(f"{filler}Drivers fear the toll.", "Drivers hate the toll.", "en") is None
    long = f"Drivers fear the toll {'and the traffic ' * 200}."
    found = alike_sentences(long, "Drivers hate the toll.", "en")
    assert found == [long[:400], "Drivers hate the toll."]


@given(st.text(max_size=200), st.text(max_size=200), st.none() | st.sampled_from(["en", "uk", "zh", "xx"]))
@settings(deadline=None, max_examples=60)
def test_what_is_quoted_stands_in_its_text(text: str, other: str, language: str | None) -> None:
    found = alike_sentences(text, other, language)

    if found is not None:
        assert found[0] in text
        assert found[1] in other
