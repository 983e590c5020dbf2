from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from recommender import language
from recommender.language import detect

SENTENCES = {
    "en": "The council voted on Monday to build a new bridge across the harbour.",
    "de": "Der Stadtrat hat am Montag beschlossen, eine neue Brücke über den Hafen zu bauen.",
    "uk": "Міська рада в понеділок вирішила побудувати новий міст через гавань.",
    "fr": "Le conseil municipal a décidé lundi de construire un nouveau pont sur le port.",
    "pl": "Rada miasta postanowiła w poniedziałek zbudować nowy most nad portem.",
}


@pytest.mark.parametrize(("language", "text"), SENTENCES.items())
def test_a_sentence_is_enough(language: str, text: str) -> None:
    assert detect(text) == language


@pytest.mark.parametrize("text", ["", "Ferry strike", "1234567890 " * 10, "?!… " * 40, "x" * 29])
def test_of_too_few_letters_nothing_is_claimed(text: str) -> None:
    assert detect(text) is None


def test_where_the_choice_is_known_few_letters_are_enough() -> None:
    assert detect("der Hafen", ("en", "de")) == "de"
    assert detect("the harbour", ("en", "de")) == "en"
    assert detect("ab", ("en", "de")) is None


def test_a_single_choice_is_the_answer() -> None:
    assert detect(SENTENCES["en"], ("uk",)) == "uk"


@pytest.mark.parametrize("among", [("en", "de"), ("de", "en"), ("xx", "yy"), ("en", "xx")])
@pytest.mark.parametrize("text", SENTENCES.values())
def test_the_answer_is_one_of_the_choices_or_none(text: str, among: tuple[str, ...]) -> None:
    assert detect(text, among) in (*among, None)


def test_only_the_beginning_is_looked_at() -> None:
    assert detect((SENTENCES["de"] + " ") * 40 + SENTENCES["en"] * 1_000) == "de"


def test_the_tables_are_loaded_once_whoever_asks_for_whichever_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    from py3langid.langid import LanguageIdentifier

    loaded: list[object] = []
    load = LanguageIdentifier.from_model_file

    def counted(*arguments: object, **named: object) -> object:
        loaded.append(arguments)
        return load(*arguments, **named)

    monkeypatch.setattr(LanguageIdentifier, "from_model_file", counted)
    for cached in (language._whole, language._identifier):
        cached.cache_clear()
    languages = [("en", "de"), ("en", "fr"), ("uk", "de"), ()] * 2
    with ThreadPoolExecutor(len(languages)) as threads:
        found = list(threads.map(lambda among: detect(SENTENCES["de"], among), languages))

    assert found == ["de", found[1], "de", "de"] * 2
    assert found[1] in ("en", "fr")
    assert len(loaded) == 1
    assert language._identifier(("de", "en")).nb_ptc.shape[1] == 2
    assert language._identifier(()).nb_ptc.shape[1] > 90
