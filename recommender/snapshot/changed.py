"""The rows that lie over a snapshot, together. A state follows upon another several times a second: what both have is made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.copies import CopyRules, Signatures
from recommender.lexical import LexicalFit, LexicalIndex
from recommender.snapshot.entry import Entry
from recommender.vectors import Matrix

_BATCH = 64
_FEW = 16  # new rows: they are held against the others one by one


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows, and one lexical index over them."""

    entries: tuple[Entry, ...]
    lexical: LexicalIndex


class ChangedRows:
    """Rows that are new or were replaced since a snapshot was built, ascending by id.

    Attributes:
        entries: what each is, shape (n,).
        vectors: shape (n, dim).
        published_at: in seconds, shape (n,).
        signatures: what near-copies are found by.
        lexical: an index over them, made under the snapshot's fit.
        pairs: of them which are near-copies of each other, shape (m, 2).
    """

    def __init__(self, entries: Sequence[Entry], fit: LexicalFit, dim: int, before: ChangedRows | None = None) -> None:
        """Take the rows.

        Args:
            entries: ascending by id.
            fit: that they were weighed by.
            dim: of their vectors.
            before: rows that lay over the same snapshot; what they have in common with these is taken from there.
        """
        self.entries = entries
        self.vectors: Matrix = np.array([entry.vector for entry in entries], np.float32).reshape(-1, dim)
        self.published_at = np.array([entry.published_at for entry in entries], np.int64)
        self.signatures = Signatures.of([entry.signature for entry in entries])
        self._row_of = {id(entry): row for row, entry in enumerate(entries)}  # an entry is made once, and never altered
        new = [entry for entry in entries if before is None or id(entry) not in before._row_of]
        self._batches: Sequence[Batch] = self._batched(new, fit, before._batches if before else ())
        in_turn = [entry for batch in self._batches for entry in batch.entries]
        row_at = np.array([self._row_of[id(entry)] for entry in in_turn], np.int64)
        self.lexical = LexicalIndex.joined([batch.lexical for batch in self._batches], fit, row_at)
        self.pairs = self._pairs(new, before)

    def __len__(self) -> int:
        return len(self.entries)

    def _batched(self, new: Sequence[Entry], fit: LexicalFit, before: Sequence[Batch]) -> list[Batch]:
        """Return all rows in batches: those there were as long as all their rows are left, new ones as soon as they are full."""
        full: list[Batch] = []
        loose: list[Entry] = []
        for batch in before:
            left = [entry for entry in batch.entries if id(entry) in self._row_of]
            if len(left) == _BATCH:
                full.append(batch)
            else:
                loose += left
        loose += new
        while len(loose) >= _BATCH:
            some, loose = loose[:_BATCH], loose[_BATCH:]
            full.append(
                Batch(tuple(some), LexicalIndex.joined([entry.lexical for entry in some], fit, np.arange(_BATCH)))
            )
        return [*full, *(Batch((entry,), entry.lexical) for entry in loose)]

    def _pairs(self, new: Sequence[Entry], before: ChangedRows | None) -> NDArray[np.int64]:
        if before is None or len(new) > _FEW:
            return CopyRules().pairs(self.signatures, self.vectors, self.published_at)
        row_at = np.array([self._row_of.get(id(entry), -1) for entry in before.entries], np.int64)
        found = [row_at[before.pairs]]
        many = (self.signatures, lambda rows: self.vectors[rows], self.published_at)
        for entry in new:
            row = self._row_of[id(entry)]
            copies = CopyRules().copies_of((entry.signature, entry.vector, entry.published_at), many)
            found.append(np.stack([np.full(len(copies), row), copies], axis=1))
        pairs = np.sort(np.concatenate(found), axis=1)
        return np.unique(pairs[(pairs[:, 0] >= 0) & (pairs[:, 0] != pairs[:, 1])], axis=0)
