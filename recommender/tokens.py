"""The terms of a text, as the lexical index and the reasons compare them. The one owner of PyStemmer (Snowball).

A word becomes its Snowball stem where its language has a stemmer. Ukrainian and other languages of their own scripts
without one are cut into pieces of three to five letters, which share what inflected forms of a word share; scripts
without blanks between words (Chinese, Japanese, Thai) into pairs of letters. Words in Latin letters are never cut, also
where such letters touch them.
"""

from __future__ import annotations

import re
import threading
from typing import Any

import Stemmer

from recommender.text import title_key

_STEMMERS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali",
    "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
_PIECES = (3, 4, 5)
_MIN_CUT_CHARS = 4
_MAX_WORD_CHARS = 60
_LATIN = re.compile(r"[\x00-\u024f\u1e00-\u1eff]+")
_LATIN_RUN = re.compile(r"[0-9a-z\u00df-\u024f\u1e00-\u1eff]{2,}")
_UNPARTED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_PIECE = "\u00a6"  # starts every piece, so that a piece is never taken for a word
_local = threading.local()


def terms(text: str, language: str | None) -> list[str]:
    """Return the terms of ``text`` in order; words of one letter are left out.

    Args:
        text: any; folded by ``text.title_key``, so case, apostrophes and punctuation do not matter.
        language: BCP 47 tag; None for unknown, which stems nothing.
    """
    stemmer = _stemmer((language or "").partition("-")[0])
    parts = (part for word in title_key(text).split() for part in _parted(word))
    words = [word for word in parts if len(word) > 1 or _UNPARTED.match(word)]
    if stemmer is not None:
        # A Snowball stemmer leaves words of another script alone, so those are cut all the same.
        stems: list[str] = stemmer.stemWords(words)
        return [
            term
            for word, stem in zip(words, stems, strict=True)
            for term in ([stem] if stem != word or not _UNPARTED.search(word) else _cut(word))
            if term  # some stemmers leave nothing of a particle
        ]
    return [term for word in words for term in _cut(word)]


def stem(word: str, language: str | None) -> str:
    """Return the Snowball stem of a folded word; the word itself where its language has no stemmer."""
    stemmer = _stemmer((language or "").partition("-")[0])
    return word if stemmer is None else str(stemmer.stemWord(word))


def _parted(word: str) -> list[str]:
    """Return the word; where letters of a script without blanks touch a Latin word, each apart. Numbers stay where they are."""
    if not _UNPARTED.search(word):
        return [word]
    return _LATIN_RUN.sub(lambda run: run[0] if run[0].isdigit() else f" {run[0]} ", word).split()


def _cut(word: str) -> list[str]:
    """Return the pieces of a word in a script of its own; the word itself where it is Latin, short, or no word at all."""
    if _UNPARTED.search(word):
        return [_PIECE + word[at : at + 2] for at in range(max(1, len(word) - 1))]
    if _LATIN.fullmatch(word) or len(word) < _MIN_CUT_CHARS or len(word) > _MAX_WORD_CHARS:
        return [word]
    framed = f" {word} "
    return [_PIECE + framed[at : at + size] for size in _PIECES for at in range(len(framed) - size + 1)]


def _stemmer(language: str) -> Any:
    """Return this thread's stemmer of a language, None where there is none: a stemmer is not safe to share."""
    if language not in _STEMMERS:
        return None
    mine: dict[str, Any] = _local.__dict__
    if language not in mine:
        mine[language] = Stemmer.Stemmer(_STEMMERS[language])
    return mine[language]
