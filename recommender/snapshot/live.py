"""A snapshot opened for reading: every file is hashed before anything parses it."""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.copies import Signatures
from recommender.dense import DenseIndex
from recommender.disk import mapped_array
from recommender.errors import SnapshotError
from recommender.explain import TermCounts
from recommender.graph import LinkGraph
from recommender.home import Home
from recommender.lexical import LexicalIndex
from recommender.links import Headlines, Target
from recommender.neighbours import Near, Neighbours, Own
from recommender.rank import BY_ROW, Columns
from recommender.ready import ReadyLists
from recommender.snapshot.contents import Fit, Row
from recommender.snapshot.current import REBUILD, read_current, readable
from recommender.snapshot.files import TERMS, verify
from recommender.snapshot.view import View, numbers_by_key
from recommender.vectors import Centres

_LANDMARKS = 4.0  # so many times the square root of the number of rows


class Snapshot(View):
    """A published index, loaded.

    Attributes:
        dense, lexical: mapped from their files.
        fit: what its rows were made with.
        signatures, copy_pairs: of near-copies; see ``Facts``.
        neighbours: the rows most like each; None where none are kept.
    """

    dense: DenseIndex
    lexical: LexicalIndex

    def __init__(
        self, folder: Path, manifest: dict[str, Any], names: dict[str, Any], arrays: Mapping[str, Any]
    ) -> None:
        self.name: str = manifest["name"]  # the folder still has another one while it is being published
        self.change = int(manifest["change"])
        self.manifest = manifest
        self.dense = DenseIndex.read(names["ids"], folder / "dense.faiss")
        self.columns = Columns(
            *(arrays[name] for name in (*BY_ROW, "tags", "authors")),
            *(tuple(names[name]) for name in ("languages", "sections", "kinds", "tags", "authors")),
        )
        self._url_keys: list[str | None] = names["url_keys"]
        self._offsets: NDArray[np.int64] = arrays["offsets"]
        self.copy_pairs: NDArray[np.int64] = arrays["copy_pairs"]
        hashes = mapped_array(folder / "copies.npy")
        self.signatures = Signatures(hashes, arrays["n_shingles"], arrays["marks"])
        n = len(self.dense)
        by_row = (self._url_keys, hashes, self._offsets[1:], *(arrays[name] for name in BY_ROW))
        lengths = {len(each) for each in (*by_row, self.signatures.n_shingles, self.signatures.marks)}
        links: NDArray[np.int32] = arrays["links"]
        pairs = np.concatenate([links.ravel(), self.copy_pairs.ravel()])
        if lengths != {n} or (pairs.size and not 0 <= pairs.min() <= pairs.max() < n):
            raise SnapshotError(f"{folder}: its files do not belong together; {REBUILD}")
        self.lexical = LexicalIndex.read(folder, n)
        self.graph = LinkGraph(links, self.columns.published_at)
        self.fit = Fit(
            Centres(names["centres"], arrays["centres"]),
            Centres(names["centres"], arrays["headline_centres"]),
            TermCounts(names["n_articles_counted"], mapped_array(folder / TERMS[0]), mapped_array(folder / TERMS[1])),
            self.lexical.fit,
        )
        self.centres, self.headline_centres = self.fit.centres, self.fit.headline_centres
        kept = manifest.get("neighbours")
        self.take(Neighbours.read(folder, n, _own(kept)) if kept else None)
        self.finish_with(folder, manifest.get("lists"))
        with (folder / "rows.jsonl").open("rb") as stream:
            self._lines = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) if n else b""

    def take(self, neighbours: Neighbours | None) -> None:
        """Answer with these neighbours from here on."""
        self.neighbours = neighbours
        self.own = neighbours.own if neighbours else None

    def near(self, number: int) -> Near | None:
        """Return what is kept of the rows most like one; None where nothing is."""
        return self.neighbours.near(number) if self.neighbours else None

    def around(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the nearest of some rows by vectors, as far as they are kept, in no order, some twice."""
        return self.neighbours.around(rows) if self.neighbours else np.zeros(0, np.int64)

    def landmarks(self) -> NDArray[np.int64]:
        """Return rows from which any other is a few steps away, from neighbour to neighbour."""
        n = len(self)
        return np.arange(0, n, max(1, int(math.sqrt(n) / _LANDMARKS)), dtype=np.int64)

    def finish_with(self, folder: Path, said: Mapping[str, Any] | None) -> None:
        """Answer with the finished lists in a folder from here on, with none where nothing is said of them."""
        self.finished_with = str(said["made_with"]) if said else None
        self._lists = ReadyLists.read(folder, len(self)) if said else None

    def finished(self, number: int) -> bytes | None:
        """Return a row's finished list, None where there is none."""
        return self._lists.of(number) if self._lists else None

    def row(self, number: int) -> Row:
        """Return what is served of one row."""
        fields = json.loads(self._lines[self._offsets[number] : self._offsets[number + 1]])
        return Row(self.dense.ids[number], **fields | {"terms": tuple(fields["terms"])})

    @property
    def url_keys(self) -> Sequence[str | None]:
        """The url key of every row, None for one without an address."""
        return self._url_keys

    @cached_property
    def _rows_by_url(self) -> dict[str, list[int]]:
        return numbers_by_key(self._url_keys)

    def rows_at(self, key: str) -> list[int]:
        """Return the rows that have an address (a url key), ascending."""
        return self._rows_by_url.get(key, [])

    @cached_property
    def headlines(self) -> Headlines:
        """The rows by headline, for links; built when first asked for."""
        rows = map(self.row, range(len(self)))
        return Headlines(Target(row.id, row.title, row.url) for row in rows)


def _own(said: Mapping[str, Any]) -> Own:
    return Own(tuple(said["kinds"]), bool(said["same_language"]), bool(said["past_only"]))


def load(home: Home, name: str | None = None, *, folder: Path | None = None) -> Snapshot:
    """Return a snapshot, the live one unless ``name`` says which, with every byte checked.

    Whoever reads holds no lock, so the live one may be replaced and dropped while it is being opened: then the one that is
    live by now is opened instead.

    Raises:
        NoSnapshotError: nothing has been published here.
        SnapshotError: a file is missing or changed, or it was written in another format.
    """
    if name is not None:
        current = readable(home) if folder is None else None
        return _opened(folder or home.snapshots / name, current.manifests.get(name) if current else None)
    while True:
        live = read_current(home)
        try:
            return _opened(home.snapshots / live.name, live.manifest_sha256)
        except SnapshotError:
            if read_current(home) == live:
                raise


def _opened(folder: Path, manifest_sha256: str | None) -> Snapshot:
    problems = verify(folder, manifest_sha256)
    if problems:
        raise SnapshotError(f"{problems[0]}; {REBUILD}")
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        names = json.loads((folder / "names.json").read_text(encoding="utf-8"))
        with np.load(folder / "rows.npz", allow_pickle=False) as arrays:
            return Snapshot(folder, manifest, names, dict(arrays))
    except (OSError, ValueError, KeyError) as error:
        raise SnapshotError(f"{folder}: cannot be opened: {error}; {REBUILD}") from error
