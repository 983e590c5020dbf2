"""An index written to disk, from texts that come one after the other."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from recommender.disk import open_array, save_array
from recommender.lexical.counts import counts_of
from recommender.lexical.fit import LexicalFit
from recommender.lexical.weighing import (
    ENTRY,
    POSTING,
    Weighed,
    entries_of,
    lengths_of,
    postings_of,
    strongest,
    weigh,
    with_all_of,
)
from recommender.text import base_language

SPOOL_PREFIX = ".spool-"
_N_BUCKETS = 16
_MANY_POSTINGS = 1_000_000


class LexicalBuilder:
    """Takes texts in the order of rows and writes the index; memory does not grow with the archive but by its largest sixteenth.

    Source: single-pass inversion in buckets of keys, as in Manning, Raghavan and Schütze, "Introduction to Information
    Retrieval", 4.3; here by range of keys, which leaves nothing to merge.
    """

    def __init__(self, spool: Path | None = None, fit: LexicalFit | None = None) -> None:
        """Take what the index needs beside the texts.

        Args:
            spool: where to spool what does not fit into memory; None for the system's folder of temporary files.
            fit: how telling each term is; counted anew where None.
        """
        self._spool_in = spool
        self._fit = fit
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._spools: list[IO[bytes]] = []
        self._by_row: _Strongest | None = None
        self._waiting: list[NDArray[Any]] = []
        self._n_waiting = 0
        self._n_rows = 0
        self._groups: dict[str, int] = {language: at for at, language in enumerate(fit.n_articles)} if fit else {}
        self._group_of: list[int] = []

    def add(self, title: str, body: str, language: str | None) -> None:
        """Take the next row. Raises OSError when the disk that is spooled to refuses."""
        group = base_language(language)
        self._group_of.append(self._groups.setdefault(group, len(self._groups)))
        postings = postings_of(self._n_rows, *counts_of(title, body, group))
        self._waiting.append(postings)
        self._n_rows += 1
        self._n_waiting += len(postings)
        if self._n_waiting > _MANY_POSTINGS:
            self._spool()

    def write(self, folder: Path) -> None:
        """Write the index files into ``folder`` and end. Raises OSError when a disk refuses."""
        try:
            self._spool()
            self._write(folder)
        finally:
            self.close()

    def _write(self, folder: Path) -> None:
        n = self._n_rows
        n_in_language = self._n_in_language()
        n_articles = n_in_language[np.array(self._group_of, np.int64)]
        squares = np.zeros(n)
        kept = [self._weigh(bucket, n_articles, squares) for bucket in range(len(self._spools))]
        lengths = lengths_of(squares)
        idf = np.concatenate([part.idf for part in kept])
        sizes = np.concatenate([part.sizes for part in kept])
        mean_length = float(np.mean(lengths.astype(np.float32))) if n else 1.0
        constants = (self._fit.rarest, self._fit.mean_length) if self._fit else (idf.max(initial=0.0), mean_length)
        _save(folder, "languages", np.array(list(self._groups), dtype=np.str_))
        _save(folder, "articles", n_in_language)
        _save(folder, "constants", np.array(constants, np.float64))
        _save(folder, "keys", np.concatenate([part.keys for part in kept]))
        _save(folder, "idf", idf)
        _save(folder, "articles_with", np.concatenate([part.n_with for part in kept]))
        _save(folder, "lengths", lengths.astype(np.float32))
        _save(folder, "offsets", np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))
        self._write_lists(folder, kept, lengths, int(sizes.sum()))

    def _write_lists(self, folder: Path, kept: list[Weighed], lengths: NDArray[np.float64], n_postings: int) -> None:
        self._by_row = by_row = _Strongest(self._n_rows, Path(self._spools[0].name).parent, len(self._spools))
        number = 0
        with (
            open_array(_path(folder, "rows"), np.dtype(np.int32), n_postings) as rows,
            open_array(_path(folder, "weights"), np.dtype(np.float16), n_postings) as weights,
        ):
            for bucket, part in enumerate(kept):
                postings = np.fromfile(self._spools[bucket].name + ".kept", POSTING)
                scaled = (postings["count"] / lengths[postings["row"]]).astype(np.float16)
                rows.write(postings["row"].tobytes())
                weights.write(scaled.tobytes())
                numbers = np.repeat(np.arange(number, number + len(part.keys), dtype=np.int32), part.sizes)
                by_row.offer(entries_of(postings["row"], numbers, scaled))
                number += len(part.keys)
        by_row.save(folder)

    def close(self) -> None:
        """Drop what is spooled. What a failing disk keeps of it, the next rebuild removes."""
        for spool in (*self._spools, *(self._by_row.spools if self._by_row else ())):
            with contextlib.suppress(OSError):  # what was not written yet is not needed any more
                spool.close()
        if self._folder is not None:
            self._folder.cleanup()

    def _n_in_language(self) -> NDArray[np.int64]:
        """Return how many articles count in each language, in the order of ``_groups``; none in one that the fit does not know."""
        if self._fit is None:
            return np.bincount(np.array(self._group_of, np.int64), minlength=len(self._groups)).astype(np.int64)
        return np.array([self._fit.n_articles.get(language, 0) for language in self._groups], np.int64)

    def _spool(self) -> None:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(
                prefix=SPOOL_PREFIX, dir=self._spool_in, ignore_cleanup_errors=True
            )
            n_buckets = 1 if self._n_waiting <= _MANY_POSTINGS else _N_BUCKETS
            for number in range(n_buckets):
                self._spools.append((Path(self._folder.name) / f"{number}").open("w+b"))
        if not self._waiting:
            return
        postings = np.concatenate(self._waiting)
        buckets = _buckets(postings["key"], len(self._spools))
        for bucket, spool in enumerate(self._spools):
            spool.write(postings[buckets == bucket].tobytes())
        self._waiting, self._n_waiting = [], 0

    def _weigh(self, bucket: int, n_articles: NDArray[np.int64], squares: NDArray[np.float64]) -> Weighed:
        """Weigh the terms of one bucket; their postings go back to the disk."""
        spool = self._spools[bucket]
        spool.seek(0)
        weighed = weigh(np.frombuffer(spool.read(), POSTING), n_articles, squares, self._fit)
        Path(spool.name + ".kept").write_bytes(weighed.postings.tobytes())
        if self._fit:
            weighed = with_all_of(weighed, self._fit, _buckets(self._fit.keys, len(self._spools)) == bucket)
        return weighed._replace(postings=weighed.postings[:0])


class _Strongest:
    """Finds the strongest terms of every row while postings go by term after term: spooled by range of rows, then sorted."""

    def __init__(self, n_rows: int, folder: Path, n_buckets: int) -> None:
        self._n_rows = n_rows
        self.spools: list[IO[bytes]] = []
        for number in range(n_buckets):
            self.spools.append((folder / f"rows-{number}").open("w+b"))

    def offer(self, entries: NDArray[Any]) -> None:
        """Take the postings of a block of terms."""
        buckets = entries["row"].astype(np.int64) * len(self.spools) // max(1, self._n_rows)
        for bucket, spool in enumerate(self.spools):
            spool.write(entries[buckets == bucket].tobytes())

    def save(self, folder: Path) -> None:
        """Write the strongest terms of every row, the strongest first."""
        kept = []
        for spool in self.spools:
            spool.seek(0)
            kept.append(strongest(np.frombuffer(spool.read(), ENTRY)))
            spool.close()
        entries = np.concatenate(kept)
        _save(folder, "query_offsets", np.searchsorted(entries["row"], np.arange(self._n_rows + 1)).astype(np.int64))
        _save(folder, "query_terms", np.ascontiguousarray(entries["number"]))
        _save(folder, "query_weights", np.ascontiguousarray(entries["weight"]))


def _buckets(keys: NDArray[np.uint64], n: int) -> NDArray[np.int64]:
    """Return the bucket of each key: a range of keys, so that buckets one after the other are in order."""
    return ((keys >> np.uint64(32)) * np.uint64(n) >> np.uint64(32)).astype(np.int64)


def _save(folder: Path, name: str, array: NDArray[Any]) -> None:
    save_array(_path(folder, name), array)


def _path(folder: Path, name: str) -> Path:
    return folder / f"lexical.{name}.npy"
