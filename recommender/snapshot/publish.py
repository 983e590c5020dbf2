"""A snapshot written aside, checked as a reader would, and made live by one rename."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.copies import groups_of
from recommender.dense import DenseIndex
from recommender.disk import save_array, sha256, sync, write_synced
from recommender.errors import SnapshotError
from recommender.home import Home
from recommender.neighbours import FILES as NEIGHBOURS
from recommender.neighbours import Near, Neighbours, Own
from recommender.rank import BY_ROW
from recommender.ready import FILES as LISTS
from recommender.ready import ReadyLists
from recommender.snapshot.columns import columns_of
from recommender.snapshot.contents import SERVED, Contents, Row
from recommender.snapshot.current import REBUILD, next_name, taking_over, write_current
from recommender.snapshot.entry import dates_of
from recommender.snapshot.files import FORMAT, REQUIRED, TERMS
from recommender.snapshot.keep import ASIDE, KEEP, clear_left_overs, prune
from recommender.snapshot.live import Snapshot, load
from recommender.text import url_key

Check = Callable[[Snapshot], Mapping[str, Any] | None]
"""Looks at a snapshot before it goes live: raises where it should not, and returns what its manifest shall say besides."""


class Found(NamedTuple):
    """Neighbours as they are found: of every row in their order, and what may stand in a list; see ``Neighbours``."""

    every: Iterable[Near]
    own: Own


Find = Callable[[Snapshot, Path], Found | None]
"""Finds the neighbours in a snapshot that lies in a folder aside; None where none are to be kept."""


class Finished(NamedTuple):
    """Lists as they are finished: of every row in their order, packed, empty for none; and how they are made."""

    every: Iterable[bytes]
    made_with: str


Finish = Callable[[Snapshot, Path], Finished | None]
"""Finishes the lists of a snapshot that lies in a folder aside; None where none are to be kept."""


def publish(
    home: Home,
    contents: Contents,
    described: Mapping[str, Any],
    *,
    now: datetime,
    check: Check = lambda snapshot: None,
    keep: int = KEEP,
    neighbours: Find = lambda snapshot, folder: None,
    lists: Finish = lambda snapshot, folder: None,
) -> Snapshot:
    """Write a snapshot aside, open it as a reader would, and make it live.

    Build aside, fsync each file, rename, load and verify, replace ``CURRENT`` by rename. A process that is killed at
    any moment leaves the former snapshot live. The caller holds the home's writer lock.

    Args:
        home: where.
        contents: what.
        described: goes into the manifest: ``encoder``, ``counts``, ``change`` and so on.
        now: time of publication.
        check: called with the loaded snapshot before it goes live; what it raises stops the publication, what it returns goes
            into the manifest.
        keep: how many snapshots stay, see :func:`prune`.
        neighbours: finds what is kept of the rows most like each, in the loaded snapshot.
        lists: finishes the lists of all articles, when the neighbours are there.

    Raises:
        SnapshotError: it could not be written, or did not pass its own check.
    """
    try:
        home.snapshots.mkdir(parents=True, exist_ok=True)
        clear_left_overs(home)
        name = next_name(home)
        aside = home.snapshots / f"{ASIDE}{name}"
        aside.mkdir()
        _write_files(aside, contents)
        manifest: dict[str, Any] = {
            "format": FORMAT,
            "name": name,
            "created_at": now.astimezone(UTC).isoformat(timespec="seconds"),
            **described,
            "files": _described(aside, REQUIRED),
        }
        _write_manifest(aside, manifest)
        published = load(home, name, folder=aside)
        if (found := neighbours(published, aside)) is not None:
            Neighbours.write(aside, found.every)
            manifest["neighbours"] = asdict(found.own)
            manifest["files"] |= _described(aside, NEIGHBOURS)
            _write_manifest(aside, manifest)
            published.manifest = manifest
            published.take(Neighbours.read(aside, len(published), found.own))
        if (finished := lists(published, aside)) is not None:
            ReadyLists.write(aside, finished.every)
            manifest["lists"] = {"made_with": finished.made_with}
            manifest["files"] |= _described(aside, LISTS)
            _write_manifest(aside, manifest)
            published.finish_with(aside, manifest["lists"])
        if more := check(published):
            published.manifest = {**published.manifest, **more}
            _write_manifest(aside, {**manifest, **more})
        folder = home.snapshots / name
        aside.rename(folder)
        sync(home.snapshots)
        write_current(home, taking_over(home, name, sha256(folder / "manifest.json")))
    except OSError as error:
        raise SnapshotError(
            f"{home.path}: the snapshot could not be written ({error}); recommender status says which one is live"
        ) from error
    with contextlib.suppress(SnapshotError):  # it is live; what could not be dropped goes the next time
        prune(home, keep)
    return published


def _described(folder: Path, files: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Bring files to the disk, and return what the manifest says of them."""
    for file in files:
        sync(folder / file)
    return {file: {"bytes": (folder / file).stat().st_size, "sha256": sha256(folder / file)} for file in files}


def _write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    write_synced(folder / "manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n")
    sync(folder)


def _write_files(folder: Path, contents: Contents) -> None:
    rows, facts = contents.rows, contents.facts
    signatures, dates = facts.signatures, dates_of(rows)
    if len(signatures) != len(rows):
        raise SnapshotError(f"{folder}: its files do not belong together; {REBUILD}")
    groups = groups_of(facts.copy_pairs, signatures.n_shingles, signatures.marks, dates)
    columns = columns_of(rows, dates, facts.n_words, facts.tags, facts.authors, groups)
    DenseIndex.build([row.id for row in rows], contents.vectors).write(folder / "dense.faiss")
    contents.lexical.write(folder)
    save_array(folder / "copies.npy", signatures.hashes)
    save_array(folder / TERMS[0], contents.terms.keys)
    save_array(folder / TERMS[1], contents.terms.n_with)
    with (folder / "rows.npz").open("wb") as stream:
        np.savez(
            stream,
            **{name: getattr(columns, name) for name in (*BY_ROW, "tags", "authors")},
            links=contents.links.reshape(-1, 2),
            copy_pairs=facts.copy_pairs.reshape(-1, 2),
            n_shingles=signatures.n_shingles,
            marks=signatures.marks,
            offsets=_write_rows(folder / "rows.jsonl", rows),
            centres=contents.centres.matrix,
            headline_centres=contents.headline_centres.matrix,
        )
    names = {
        "ids": [row.id for row in rows],
        "url_keys": [url_key(row.url) if row.url else None for row in rows],
        "languages": columns.languages,
        "sections": columns.sections,
        "kinds": columns.kinds,
        "tags": columns.tag_names,
        "authors": columns.author_names,
        "centres": contents.centres.languages,
        "n_articles_counted": contents.terms.n_articles,
    }
    (folder / "names.json").write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")


def _write_rows(path: Path, rows: Sequence[Row]) -> NDArray[np.int64]:
    """Write what is served of the rows, one a line, and return where each starts, shape (n + 1,)."""
    offsets = np.zeros(len(rows) + 1, np.int64)
    with path.open("wb") as stream:
        for number, row in enumerate(rows):
            fields = {name: getattr(row, name) for name in SERVED}
            stream.write(json.dumps(fields, ensure_ascii=False).encode() + b"\n")
            offsets[number + 1] = stream.tell()
    return offsets
