"""Texts made into vectors. :class:`Encoder` is the seam; each module behind it owns one runtime and imports it late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from recommender.encoder.hashing import HashingEncoder
from recommender.encoder.onnx import OnnxEncoder, read_export
from recommender.encoder.sentence import UNFINISHED, SentenceEncoder
from recommender.encoder.views import Recipe, View, article_vector, encode_views, headline_only
from recommender.encoder.weights import ModelFiles, known_languages, locate
from recommender.vectors import Matrix

__all__ = [
    "UNFINISHED",
    "Encoder",
    "HashingEncoder",
    "ModelFiles",
    "OnnxEncoder",
    "Recipe",
    "SentenceEncoder",
    "View",
    "article_vector",
    "encode_views",
    "headline_only",
    "known_languages",
    "locate",
    "read_export",
]


class Encoder(Protocol):
    """Anything that makes unit vectors of texts.

    Attributes:
        name: two encoders of one name give the same vectors (to about 1e-6); the key of cached embeddings.
        dim: length of a vector.
        max_tokens: a longer text is cut there.
    """

    name: str
    dim: int
    max_tokens: int

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Return unit vectors, shape (len(texts), dim), float32, in the order of ``texts``."""
        ...
