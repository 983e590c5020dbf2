"""What can be wrong with the file of the catalog, apart from what its articles say."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from recommender.vectors import Vector

_UNIT_TOLERANCE = 1e-3


class BrokenVector(NamedTuple):
    """A stored vector that cannot be used, its key, and why."""

    encoder: int
    digest: bytes
    problem: str


def structure_problems(db: sqlite3.Connection) -> list[str]:
    """Return what SQLite finds wrong with the file, what lost its article, and what this program did not make."""
    rows = [row[0] for row in db.execute("PRAGMA integrity_check(20)")]
    problems = [] if rows == ["ok"] else rows
    lost = db.execute("SELECT DISTINCT article_id FROM links WHERE article_id NOT IN (SELECT id FROM articles)")
    problems += [f"links of article {row[0]!r}: the article is missing; ingest it again" for row in lost]
    foreign = db.execute("SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')")
    return problems + [f"{kind} {name!r}: was not made by this program; drop it" for kind, name in foreign]


def read_vector(raw: Any) -> Vector | None:
    """Return a stored vector; None where it is neither of length 1 nor all zeros, as that of a text without a known word is."""
    whole = isinstance(raw, bytes) and len(raw) % 4 == 0
    vector: Vector = np.frombuffer(raw, "<f4") if whole else np.zeros(0, "<f4")
    with np.errstate(all="ignore"):  # damaged bytes can be any numbers, or none
        length = float(np.linalg.norm(vector))
    return vector if vector.size and (length == 0 or abs(length - 1) < _UNIT_TOLERANCE) else None


def broken_vectors(db: sqlite3.Connection) -> Iterator[BrokenVector]:
    """Yield every vector that is not of length 1 (or 0, for a text without a known word), or whose encoder is unknown."""
    known = {row[0] for row in db.execute("SELECT number FROM encoders")}
    for encoder, digest, raw in db.execute("SELECT encoder, digest, vector FROM embeddings"):
        key = digest.hex() if isinstance(digest, bytes) else repr(digest)
        named = f"embedding {key} of encoder {encoder}"
        if read_vector(raw) is None:
            yield BrokenVector(encoder, digest, f"{named}: is no unit vector; run: recommender verify --repair")
        elif encoder not in known:
            yield BrokenVector(encoder, digest, f"{named}: the encoder is not named; run: recommender verify --repair")
