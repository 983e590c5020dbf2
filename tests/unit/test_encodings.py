"""Which form a client gets: by its q-values, and never one that it does not take."""

from __future__ import annotations

import gzip
import random

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.web import encodings
from recommender.web.encodings import BROTLI, GZIP, PLAIN, chosen, etag_of, packed

BODY = b'{"title": "Ferries stay in port as strike begins", "section": "business"}' * 20


CASES = [
    ("", PLAIN),
    ("gzip", GZIP),
    ("GZIP", GZIP),
    ("x-gzip", GZIP),
    ("br", BROTLI),
    ("gzip, deflate, br, zstd", BROTLI),
    ("br;q=0.5, gzip", GZIP),
    ("br;q=0.5, gzip;q=0.8", GZIP),
    ("br;q=0, *", GZIP),
    ("*", BROTLI),
    ("*;q=0.1", BROTLI),
    ("*;q=0", PLAIN),
    ("gzip;q=0", PLAIN),
    ("gzip; q=0.000", PLAIN),
    ("identity, gzip;q=0.5, br;q=0.5", PLAIN),
    ("identity;q=0.5, gzip;q=0.5", GZIP),
    ("identity;q=0", PLAIN),  # there is nothing else that it takes
    ("gzipped, brr", PLAIN),
    ("gzip;q=nan, br;q=inf", PLAIN),
    ("gzip;q=2", PLAIN),
    (",;=,;q=1,", PLAIN),
    ("gzip, " + "x" * 300, PLAIN),
]


@pytest.mark.parametrize(("told", "form"), CASES)
def test_the_best_form_that_a_client_takes_is_chosen(told: str, form: str) -> None:
    assert chosen(told) == form


@given(st.text(max_size=250))
def test_anything_may_stand_there(told: str) -> None:
    assert chosen(told) in (PLAIN, *encodings.OFFERED)


def test_a_packed_form_is_the_same_body() -> None:
    assert gzip.decompress(packed(BODY, GZIP) or b"") == BODY
    assert brotli.decompress(packed(BODY, BROTLI) or b"") == BODY
    assert packed(BODY, GZIP) == packed(BODY, GZIP), "every worker makes the same bytes"


def test_what_is_short_or_hardly_shorter_is_left_as_it_is() -> None:
    assert packed(b"a" * 499, GZIP) is None
    assert packed(random.Random(0).randbytes(600), GZIP) is None
    assert packed(BODY, PLAIN) is None


def test_each_form_has_an_etag_of_its_own() -> None:
    assert [etag_of('"abc"', form) for form in (PLAIN, GZIP, BROTLI)] == ['"abc"', '"abc-gzip"', '"abc-br"']
