"""Which form a client gets: by its q-values, and never one that it does not take."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.web import encodings
from recommender.web.encodings import BROTLI, GZIP, PLAIN, chosen, etag_of, packed

BODY = b'{"title": "Ferries stay in port as strike begins", "section": "business"}' * 20


@pytest.fixture
def with_brotli(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(encodings, "OFFERED", (BROTLI, GZIP))
    encodings._chosen.cache_clear()
    yield
    encodings._chosen.cache_clear()


@pytest.fixture
def without_brotli(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(encodings, "OFFERED", (GZIP,))
    encodings._chosen.cache_clear()
    yield
    encodings._chosen.cache_clear()


CASES = [
    ("", PLAIN, PLAIN),
    ("gzip", GZIP, GZIP),
    ("GZIP", GZIP, GZIP),
    ("x-gzip", GZIP, GZIP),
    ("br", BROTLI, PLAIN),
    ("gzip, deflate, br, zstd", BROTLI, GZIP),
    ("br;q=0.5, gzip", GZIP, GZIP),
    ("br;q=0.5, gzip;q=0.8", GZIP, GZIP),
    ("br;q=0, *", GZIP, GZIP),
    ("*", BROTLI, GZIP),
    ("*;q=0.1", BROTLI, GZIP),
    ("*;q=0", PLAIN, PLAIN),
    ("gzip;q=0", PLAIN, PLAIN),
    ("gzip; q=0.000", PLAIN, PLAIN),
    ("identity, gzip;q=0.5, br;q=0.5", PLAIN, PLAIN),
    ("identity;q=0.5, gzip;q=0.5", GZIP, GZIP),
    ("identity;q=0", PLAIN, PLAIN),  # there is nothing else that it takes
    ("gzipped, brr", PLAIN, PLAIN),
    ("gzip;q=nan, br;q=inf", PLAIN, PLAIN),
    ("gzip;q=2", PLAIN, PLAIN),
    (",;=,;q=1,", PLAIN, PLAIN),
    ("gzip, " + "x" * 300, PLAIN, PLAIN),
]


@pytest.mark.usefixtures("with_brotli")
@pytest.mark.parametrize(("told", "form"), [case[:2] for case in CASES])
def test_the_best_form_that_a_client_takes_is_chosen(told: str, form: str) -> None:
    assert chosen(told) == form


@pytest.mark.usefixtures("without_brotli")
@pytest.mark.parametrize(("told", "form"), [case[::2] for case in CASES])
def test_without_brotli_it_is_gzip(told: str, form: str) -> None:
    assert chosen(told) == form


@given(st.text(max_size=250))
def test_anything_may_stand_there(told: str) -> None:
    assert chosen(told) in (PLAIN, *encodings.OFFERED)


def test_a_packed_form_is_the_same_body() -> None:
    brotli = pytest.importorskip("brotli")
    assert gzip.decompress(packed(BODY, GZIP) or b"") == BODY
    assert brotli.decompress(packed(BODY, BROTLI) or b"") == BODY
    assert packed(BODY, GZIP) == packed(BODY, GZIP), "every worker makes the same bytes"


def test_what_is_short_or_hardly_shorter_is_left_as_it_is() -> None:
    assert packed(b"a" * 499, GZIP) is None
    assert packed(random.Random(0).randbytes(600), GZIP) is None
    assert packed(BODY, PLAIN) is None


def test_each_form_has_an_etag_of_its_own() -> None:
    assert [etag_of('"abc"', form) for form in (PLAIN, GZIP, BROTLI)] == ['"abc"', '"abc-gzip"', '"abc-br"']
