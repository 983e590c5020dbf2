"""Which packed form of an answer is sent, as the client's ``Accept-Encoding`` says."""

from __future__ import annotations

import gzip
import re
from functools import lru_cache

import brotli
from flask import Response

PLAIN, GZIP, BROTLI = "identity", "gzip", "br"
OFFERED = (BROTLI, GZIP)
"""Packed forms, the smallest first."""

_LEAST_BYTES = 500
_MUST_SAVE = 0.1
_GZIP_LEVEL, _BROTLI_QUALITY = 6, 5  # higher ones take fifty times as long, for a twelfth less
_MAX_ACCEPT_CHARS = 200
_QVALUE = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


def chosen(accept_encoding: str) -> str:
    """Return the form that a client likes best; of those that it likes as much, the smallest. RFC 9110, 12.5.3."""
    return PLAIN if len(accept_encoding) > _MAX_ACCEPT_CHARS else _chosen(accept_encoding)


@lru_cache(maxsize=1024)
def _chosen(accept_encoding: str) -> str:
    told = {}
    for part in accept_encoding.lower().split(","):
        name, _, parameters = part.partition(";")
        told[name.strip().removeprefix("x-")] = _quality(parameters)
    others = told.get("*", 0.0)
    best = max(OFFERED, key=lambda form: told.get(form, others))  # the first of equals
    quality = told.get(best, others)
    return best if quality > 0 and quality >= told.get(PLAIN, 0.0) else PLAIN


def packed(body: bytes, form: str) -> bytes | None:
    """Return a body in a form, None where it is too short, or hardly shorter for it."""
    if form == PLAIN or len(body) < _LEAST_BYTES:
        return None
    if form == GZIP:
        made = gzip.compress(body, _GZIP_LEVEL, mtime=0)
    else:
        made = brotli.compress(body, mode=brotli.MODE_TEXT, quality=_BROTLI_QUALITY)
    return made if len(made) < (1 - _MUST_SAVE) * len(body) else None


def etag_of(etag: str, form: str) -> str:
    """Return the ETag of a form. Strong ones differ where the bytes do. RFC 9110, 8.8.3.3."""
    return etag if form == PLAIN else f'{etag[:-1]}-{form}"'


def pack(response: Response, form: str) -> None:
    """Send a response in a form, where that pays."""
    if (made := packed(response.get_data(), form)) is not None:
        response.set_data(made)
        response.headers["Content-Encoding"] = form


def _quality(parameters: str) -> float:
    """Return how much a form is liked; not at all where that cannot be read."""
    if not parameters.strip():
        return 1.0
    name, _, value = parameters.partition("=")
    return float(value) if name.strip() == "q" and _QVALUE.fullmatch(value := value.strip()) else 0.0
