"""A finished answer in every form in which it is sent, and what is told to who has it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from recommender.web.encodings import PLAIN, etag_of

Headers = tuple[tuple[str, str], ...]  # no lists: there are many, and the garbage collector looks into those
Key = tuple[str, str, str]

_NOT_OF_ALL_FORMS = {"content-length", "content-encoding", "date", "etag", "vary"}
_OVERHEAD_BYTES = 1_650  # beside its bodies and what was asked; measured over 10,000 of them
_LEFT_OUT_OF_304 = {"content-length", "content-type", "content-encoding"}


class Form(NamedTuple):
    """An answer in a form in which it is sent.

    Attributes:
        etag: as it stands in its header.
        headers, unchanged: of the answer, and of one to who has it.
        body: its bytes.
        n_bytes: what it takes that no other form does.
    """

    etag: str
    headers: Headers
    unchanged: Headers
    body: bytes
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished answer.

    Attributes:
        key: what was asked.
        serial: of the recommender that it was made with.
        good_until: seconds on the clock.
        headers: what all forms have.
        etag: of the plain form.
        forms: by name, each made when it is first asked for.
    """

    key: Key
    serial: int
    good_until: float
    headers: Headers
    etag: str
    forms: dict[str, Form] = field(default_factory=dict)

    @classmethod
    def of(
        cls, key: Key, serial: int, good_until: float, headers: Iterable[tuple[str, str]], etag: str, body: bytes
    ) -> Kept:
        """Return an answer of which the plain form is known. For all but the body see the attributes."""
        kept = cls(key, serial, good_until, _of_all_forms(headers), etag)
        kept.forms[PLAIN] = kept.form(PLAIN, body, len(body))
        return kept

    @property
    def n_bytes(self) -> int:
        """What it takes, about."""
        return _OVERHEAD_BYTES + sum(map(len, self.key)) + sum(form.n_bytes for form in self.forms.values())

    def form(self, name: str, body: bytes, n_bytes: int) -> Form:
        """Return a form with these bytes."""
        encoding = () if name == PLAIN else (("Content-Encoding", name),)
        etag = etag_of(self.etag, name)
        headers = (*self.headers, ("ETag", etag), ("Content-Length", str(len(body))), *encoding)
        unchanged = tuple([pair for pair in headers if pair[0].lower() not in _LEFT_OUT_OF_304])
        return Form(etag, headers, unchanged, body, n_bytes)


def _of_all_forms(headers: Iterable[tuple[str, str]]) -> Headers:
    kept, vary = [], ""
    for pair in headers:
        lowered = pair[0].lower()
        if lowered == "vary":
            vary += f"{pair[1]},"
        elif lowered not in _NOT_OF_ALL_FORMS:
            kept.append(pair)
    return (*kept, _varying(vary))


@lru_cache(maxsize=64)
def _varying(told: str) -> tuple[str, str]:
    parts = dict.fromkeys(part.strip() for part in f"{told}Accept-Encoding".split(",") if part)
    return "Vary", ", ".join(parts)


def names(if_none_match: str, etag: str) -> bool:
    """Tell whether a request names an ETag it holds. Compared weakly, as RFC 9110, 13.1.2 asks."""
    if not if_none_match:
        return False
    return if_none_match.strip() == "*" or any(
        each.strip().removeprefix("W/") == etag for each in if_none_match.split(",")
    )
