from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender import tokens
from recommender.text import title_key
from recommender.tokens import stem, terms

MANY = settings(deadline=None, max_examples=150)
LANGUAGES = (*tokens._STEMMERS, "uk", "bg", "zh", "ja", "th", "ko", "he", "pl", "xx", "", None)
ANY_TEXT = st.text(st.characters())  # lone surrogates too
CYRILLIC = "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"


@pytest.mark.parametrize(
    ("language", "words", "root"),
    [
        ("en", "strike strikes striking", "strike"),
        ("en-gb", "ferry ferries", "ferri"),
        ("de", "Haus Häuser Häusern", "haus"),
        ("de", "Fähre Fähren", "fahr"),
        ("ru", "забастовка забастовки забастовку забастовкой", "забастовк"),
        ("pt-br", "greve greves", "grev"),
    ],
)
def test_inflected_forms_become_the_stem_of_their_language(language: str, words: str, root: str) -> None:
    assert terms(words, language) == [root] * len(words.split())
    assert [stem(word.lower(), language) for word in words.split()] == [root] * len(words.split())


@pytest.mark.parametrize("language", tokens._STEMMERS)
def test_every_language_of_the_table_has_its_stemmer(language: str) -> None:
    assert len(terms("harbour 2025", language)) == 2


@pytest.mark.parametrize("language", [None, "", "pl", "xx", "xx-en"])
def test_without_a_stemmer_latin_words_stay_as_they_are(language: str | None) -> None:
    assert terms("Ferries sailing, Häuser & łódź", language) == ["ferries", "sailing", "häuser", "łódź"]
    assert stem("sailing", language) == "sailing"


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("FERRIES Stay", "ferries stay", "en"),
        ("ferries – stay!", "ferries, stay", "en"),
        ("Сім'я", "сім’я", "uk"),
        ("Straße", "STRASSE", "de"),
        ("Ｆｅｒｒｙ", "ferry", "en"),
        ("КИЇВ", "київ", "uk"),
    ],
)
def test_case_apostrophes_and_punctuation_do_not_matter(one: str, other: str, language: str) -> None:
    assert terms(one, language) == terms(other, language) != []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", ["", " \n\t", "… — !!!", "a б 7", "_"])
def test_signs_and_single_letters_have_no_terms(text: str, language: str | None) -> None:
    assert terms(text, language) == []


@pytest.mark.parametrize(("language", "word"), [("ru", "порт"), ("en", "київ"), ("el", "уряд")])
def test_a_word_that_is_its_own_stem_is_not_cut(language: str, word: str) -> None:
    assert terms(word, language) == [word]


def test_terms_keep_the_order_and_the_number_of_the_words() -> None:
    assert terms("port strike port, ferry port", "en") == ["port", "strike", "port", "ferri", "port"]


# --- scripts without a stemmer ---


def test_a_word_of_its_own_script_becomes_its_pieces_of_three_to_five_letters_with_its_ends_marked() -> None:
    pieces = [" ур", "уря", "ряд", "яд ", " уря", "уряд", "ряд ", " уряд", "уряд "]
    assert terms("Уряд", "uk") == ["¦" + piece for piece in pieces]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("уряд", "урядом"),
        ("Київ", "Києва"),
        ("президент", "президентові"),
        ("війна", "війною"),
        ("вибори", "виборів"),
        ("страйк", "страйкували"),
    ],
)
def test_inflected_ukrainian_words_share_pieces_and_others_hardly_any(one: str, other: str) -> None:
    found, inflected, foreign = (set(terms(word, "uk")) for word in (one, other, "гімнастика"))
    assert len(found & inflected) >= 1
    assert len(found & inflected) > len(found & foreign)


@pytest.mark.parametrize("word", ["рух", "мир", "ні"])
def test_a_word_of_under_four_letters_is_not_cut(word: str) -> None:
    assert terms(word, "uk") == [word]


@pytest.mark.parametrize(("n_letters", "n_terms"), [(4, 9), (60, 60 + 59 + 58), (61, 1), (5000, 1)])
def test_a_word_is_cut_up_to_sixty_letters(n_letters: int, n_terms: int) -> None:
    assert len(terms("п" * n_letters, "uk")) == n_terms


@pytest.mark.parametrize("language", ["uk", "zh", "bg", None])
def test_latin_words_stay_whole_among_words_that_are_cut(language: str | None) -> None:
    found = terms("Компанія BMW показала iPhone15 у Zürich", language)
    assert [term for term in found if not term.startswith("¦")] == ["bmw", "iphone15", "zürich"]


@MANY
@given(st.text("abcxyzäöüßéłőž0189 -", max_size=80), st.sampled_from(["uk", "zh", "pl", None]))
def test_latin_words_are_never_cut(text: str, language: str | None) -> None:
    assert terms(text, language) == [word for word in title_key(text).split() if len(word) > 1]


@pytest.mark.parametrize("language", ["zh", "ja", "zh-hant", "en", "ru", None])
def test_letters_without_blanks_between_words_become_neighbouring_pairs(language: str | None) -> None:
    assert terms("北京大学 カタカナ", language) == ["¦北京", "¦京大", "¦大学", "¦カタ", "¦タカ", "¦カナ"]
    assert terms("火", language) == ["¦火"]
    assert terms("ภาษา", language) == ["¦ภา", "¦าษ", "¦ษา"]


@MANY
@given(st.text("北京大学生日报", min_size=2, max_size=200))
def test_a_run_of_such_letters_has_one_pair_less_than_letters_and_every_letter_stands_in_one(run: str) -> None:
    pairs = [term.removeprefix("¦") for term in terms(run, "zh")]
    assert len(pairs) == len(run) - 1
    assert pairs[0][0] + "".join(pair[1] for pair in pairs) == run


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("苹果iPhone手机", "zh", ["¦苹果", "iphone", "¦手机"]),
        ("5G网络", "zh", ["5g", "¦网络"]),
        ("iPhones 的", "en", ["iphon", "¦的"]),
        ("买iPhones了", "en", ["¦买", "iphon", "¦了"]),
        ("维生素C", "zh", ["¦维生", "¦生素", "¦素c"]),
        ("3月", "ja", ["¦3月"]),
        ("2024年", "zh", ["¦20", "¦02", "¦24", "¦4年"]),
        ("1" * 200_000 + "年", "zh", ["¦11"] * 199_999 + ["¦1年"]),
    ],
    ids=lambda value: str(value)[:12],
)
def test_latin_words_that_touch_chinese_letters_are_not_cut(text: str, language: str, expected: list[str]) -> None:
    assert terms(text, language) == expected


@pytest.mark.parametrize(("word", "language"), [("का", "ne"), ("कि", "ne"), ("ــ", "ar")])
def test_no_term_is_empty(word: str, language: str) -> None:
    assert "" not in terms(word, language)


# --- laws ---


@MANY
@given(ANY_TEXT, st.sampled_from(LANGUAGES))
def test_any_text_in_any_language_has_terms_that_tell_pieces_from_words(text: str, language: str | None) -> None:
    found = terms(text, language)
    assert all("¦" not in term[1:] for term in found)
    assert all(" " not in term for term in found if not term.startswith("¦"))
    assert all(len(term) >= 2 for term in found if term.startswith("¦"))


@MANY
@given(ANY_TEXT, ANY_TEXT, st.sampled_from(LANGUAGES))
def test_two_paragraphs_have_the_terms_of_the_one_then_of_the_other(one: str, other: str, language: str | None) -> None:
    assert terms(f"{one}\n{other}", language) == terms(one, language) + terms(other, language)


@MANY
@given(st.text(CYRILLIC, min_size=4, max_size=60))
def test_a_word_and_its_own_pieces_are_the_same_in_every_language_without_a_stemmer(word: str) -> None:
    found = terms(word, "uk")
    assert found == terms(word, "bg") == terms(word, None)
    assert {len(term) for term in found} <= {4, 5, 6}
    assert all(term[1:] in f" {word} " for term in found)


def test_several_threads_find_what_one_finds() -> None:
    texts = [
        ("en", "Ferries sailing striking harbours " * 30),
        ("de", "Häuser Fähren Besatzungen Streiks " * 30),
        ("ru", "забастовки кораблей моряками порты " * 30),
        ("uk", "страйкували урядом кораблями " * 30),
    ] * 50
    alone = [terms(text, language) for language, text in texts]
    barrier = threading.Barrier(8)

    def work(_: int) -> list[list[str]]:
        barrier.wait()
        return [terms(text, language) for language, text in texts]

    with ThreadPoolExecutor(8) as pool:
        assert all(found == alone for found in pool.map(work, range(8)))


def test_no_two_threads_share_a_stemmer() -> None:
    barrier = threading.Barrier(4)

    def work(_: int) -> tuple[Any, Any]:
        barrier.wait()
        return tokens._stemmer("en"), tokens._stemmer("en")

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, range(4)))
    assert all(first is again for first, again in found)
    assert len({id(first) for first, _ in found}) == 4
