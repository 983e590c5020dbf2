"""An encoder without a model: feature hashing of words and character trigrams.

It knows spelling and nothing of meaning. It needs no weights, starts at once and gives the same vectors everywhere, so
it stands in for a model in tests and lets a machine without torch try the whole way. Never use it for readers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zlib import crc32

import numpy as np

from recommender.text import title_key
from recommender.vectors import Matrix, normalise


class HashingEncoder:
    """Signed feature hashing into 256 dimensions. ``encode`` is a pure function of each text alone."""

    name = "hashing@1"
    dim = 256
    max_tokens = 1_000_000

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Return unit vectors, shape (len(texts), 256), float32; a text without words gives zeros.

        Source: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009.
        """
        vectors = np.zeros((len(texts), self.dim), np.float32)
        for row, text in enumerate(texts):
            for feature, weight in _features(text):
                code = crc32(feature.encode())
                vectors[row, code % self.dim] += weight if code & 0x8000_0000 else -weight
        return normalise(vectors)


def _features(text: str) -> Iterator[tuple[str, float]]:
    for word in title_key(text).split():
        if len(word) > 3:
            yield word, 1.0
            padded = f"^{word}$"
            yield from ((padded[at : at + 3], 0.2) for at in range(len(padded) - 2))
