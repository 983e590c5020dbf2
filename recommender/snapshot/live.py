"""A snapshot opened for reading: every file is hashed before anything parses it."""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.dense import DenseIndex
from recommender.errors import SnapshotError
from recommender.graph import LinkGraph
from recommender.home import Home
from recommender.lexical import LexicalIndex
from recommender.rank import Columns
from recommender.snapshot.contents import Row
from recommender.snapshot.current import REBUILD, read_current, readable
from recommender.snapshot.files import verify
from recommender.text import title_key
from recommender.vectors import Centres


class Snapshot:
    """A loaded snapshot: read-only, safe to share between threads.

    Attributes:
        name: e.g. ``s00000017``.
        manifest: what ``manifest.json`` says.
        dense: the vector index; its ids give the row numbers used everywhere here.
        lexical: the index of terms, row by row the same.
        graph: editors' links.
        columns: what rules look at.
        centres, headline_centres: of the languages; see ``Contents``.
    """

    def __init__(
        self, folder: Path, manifest: dict[str, Any], names: dict[str, Any], arrays: Mapping[str, Any]
    ) -> None:
        self.name: str = manifest["name"]  # the folder still has another one while it is being published
        self.manifest = manifest
        self.dense = DenseIndex.read(names["ids"], folder / "dense.faiss")
        self.columns = Columns(
            arrays["published_at"],
            arrays["language"],
            arrays["section"],
            arrays["kind"],
            arrays["stub"],
            arrays["n_words"],
            arrays["copies"],
            arrays["tags"],
            arrays["authors"],
            tuple(names["languages"]),
            tuple(names["sections"]),
            tuple(names["kinds"]),
            tuple(names["tags"]),
            tuple(names["authors"]),
        )
        self.centres = Centres(names["centres"], arrays["centres"])
        self.headline_centres = Centres(names["centres"], arrays["headline_centres"])
        self._url_keys: list[str | None] = names["url_keys"]
        self._offsets: NDArray[np.int64] = arrays["offsets"]
        n = len(self.dense)
        lengths = {
            len(self._offsets) - 1,
            len(self._url_keys),
            *(
                len(arrays[name])
                for name in ("published_at", "language", "section", "kind", "stub", "n_words", "copies")
            ),
        }
        links: NDArray[np.int32] = arrays["links"]
        if lengths != {n} or (links.size and not 0 <= links.min() <= links.max() < n):
            raise SnapshotError(f"{folder}: its files do not belong together; {REBUILD}")
        self.lexical = LexicalIndex.read(folder, n)
        self.graph = LinkGraph(links, self.columns.published_at)
        with (folder / "rows.jsonl").open("rb") as stream:
            self._lines = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) if n else b""

    def __len__(self) -> int:
        return len(self.dense)

    def row(self, number: int) -> Row:
        """Return what is served of one row."""
        fields = json.loads(self._lines[self._offsets[number] : self._offsets[number + 1]])
        return Row(self.dense.ids[number], **fields | {"terms": tuple(fields["terms"])})

    @cached_property
    def rows_by_url(self) -> dict[str, int]:
        """The row of each url key; built when first asked for. Of two articles with one address, the first by id."""
        keys = [(key, number) for number, key in enumerate(self._url_keys) if key]
        return dict(reversed(keys))

    @cached_property
    def title_keys(self) -> tuple[str, ...]:
        """The title key of every row; built when first asked for."""
        return tuple(title_key(self.row(number).title) for number in range(len(self)))

    @cached_property
    def id_keys(self) -> tuple[str, ...]:
        """The title key of every row's id; built when first asked for."""
        return tuple(title_key(article_id) for article_id in self.dense.ids)


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
