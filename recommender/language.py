"""Which language a story is written in. The one owner of py3langid."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cache, lru_cache
from threading import Lock
from typing import Any

_MIN_LETTERS = 30
_MIN_LETTERS_AMONG = 3
_MIN_PROBABILITY = 0.8
_MAX_CHARS = 2_000
_opening = Lock()


def detect(text: str, among: Sequence[str] = ()) -> str | None:
    """Return the ISO 639-1 code of ``text``, None when it is too short or too mixed to tell.

    Args:
        text: the first 2,000 characters are looked at. Under 30 letters nothing is claimed, nor below a probability of 0.8.
        among: where given, the likeliest of these languages is returned, also for a text of a few letters.
    """
    text = text[:_MAX_CHARS]
    n_letters = sum(map(str.isalpha, text))
    if n_letters < (_MIN_LETTERS_AMONG if among else _MIN_LETTERS):
        return None
    if len(among) == 1:
        return among[0]
    with _opening:
        identifier = _identifier(tuple(sorted(among)))
    language, probability = identifier.classify(text)
    return str(language) if (language in among if among else probability >= _MIN_PROBABILITY) else None


@lru_cache(maxsize=8)  # the languages of an archive change as stories come and go
def _identifier(among: tuple[str, ...]) -> Any:
    identifier = copy.copy(
        _whole()
    )  # with the same 70 MB of tables; what is kept of them for a few languages is little
    known = [language for language in among if language in identifier.nb_classes]
    if known:
        identifier.set_languages(known)
    return identifier


@cache
def _whole() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
