"""Terms and pairs of neighbours of a text, as 64-bit keys with how often each stands there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from recommender.tokens import terms

Keys = NDArray[np.uint64]
PAIR = np.uint64(1)  # the lowest bit tells a pair of terms from a single one
_TITLE_COUNT = 2


def counts_of(title: str, body: str, language: str) -> tuple[Keys, NDArray[np.float32]]:
    """Return the keys of a text's terms and pairs, ascending, and how often each stands there."""
    parts = [*[keys_of(terms(title, language), language)] * _TITLE_COUNT, keys_of(terms(body, language), language)]
    found = [keys for part in parts for keys in (part, _pairs(part))]
    keys, counts = np.unique(np.concatenate(found), return_counts=True)
    return keys, counts.astype(np.float32)


def keys_of(words: Iterable[str], language: str) -> Keys:
    """Return the keys of terms, in their order."""
    return np.array([_key(word, language) for word in words], np.uint64)


@lru_cache(maxsize=2**15)
def _key(term: str, language: str) -> int:
    raw = hashlib.blake2b(f"{language}\n{term}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(raw, "little") & ~1


def _pairs(keys: Keys) -> Keys:
    """Return the keys of neighbouring terms: a mix of the two, in their order, with the pairs' bit set."""
    mixed: Keys = keys[:-1] * np.uint64(0x9E3779B97F4A7C15) + (keys[1:] ^ (keys[1:] >> np.uint64(29)))
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return mixed | PAIR
