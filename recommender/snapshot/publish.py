"""A snapshot written aside, checked as a reader would, and made live by one rename."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from recommender.dense import DenseIndex
from recommender.disk import sha256, sync, write_synced
from recommender.errors import SnapshotError
from recommender.home import Home
from recommender.rank import encode_lists, encode_names
from recommender.snapshot.contents import Contents, Row
from recommender.snapshot.current import next_name, taking_over, write_current
from recommender.snapshot.files import FILES, FORMAT
from recommender.snapshot.keep import ASIDE, KEEP, clear_left_overs, prune
from recommender.snapshot.live import Snapshot, load
from recommender.text import url_key
from recommender.vectors import UNDATED


def publish(
    home: Home,
    contents: Contents,
    described: Mapping[str, Any],
    *,
    now: datetime,
    check: Callable[[Snapshot], None] = lambda snapshot: None,
    keep: int = KEEP,
) -> Snapshot:
    """Write a snapshot aside, open it as a reader would, and make it live.

    Build aside, fsync each file, rename, load and verify, replace ``CURRENT`` by rename. A process that is killed at
    any moment leaves the former snapshot live. The caller holds the home's writer lock.

    Args:
        home: where.
        contents: what.
        described: goes into the manifest (``encoder`` and so on).
        now: time of publication.
        check: called with the loaded snapshot before it goes live; what it raises stops the publication.
        keep: how many snapshots stay, see :func:`prune`.

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
        manifest = {
            "format": FORMAT,
            "name": name,
            "created_at": now.astimezone(UTC).isoformat(timespec="seconds"),
            **described,
            "files": {file: {"bytes": (aside / file).stat().st_size, "sha256": sha256(aside / file)} for file in FILES},
        }
        write_synced(aside / "manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n")
        sync(aside)
        published = load(home, name, folder=aside)
        check(published)
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


def _write_files(folder: Path, contents: Contents) -> None:
    rows = contents.rows
    DenseIndex.build([row.id for row in rows], contents.vectors).write(folder / "dense.faiss")
    offsets = np.zeros(len(rows) + 1, np.int64)
    with (folder / "rows.jsonl").open("wb") as stream:
        for number, row in enumerate(rows):
            fields = {name: getattr(row, name) for name in Row.__slots__ if name != "id"}
            stream.write(json.dumps(fields, ensure_ascii=False).encode() + b"\n")
            offsets[number + 1] = stream.tell()
    contents.lexical.write(folder)
    tags, tag_names = encode_lists(contents.facts.tags)
    authors, author_names = encode_lists(contents.facts.authors)
    language, languages = encode_names([row.language for row in rows])
    section, sections = encode_names([row.section for row in rows])
    kind, kinds = encode_names([row.kind for row in rows])
    with (folder / "rows.npz").open("wb") as stream:
        np.savez(
            stream,
            published_at=np.array([seconds(row.published_at) for row in rows], np.int64),
            language=language,
            section=section,
            kind=kind,
            stub=np.array([row.stub for row in rows], np.bool_),
            n_words=np.array(contents.facts.n_words, np.int32),
            copies=contents.facts.copies,
            tags=tags,
            authors=authors,
            links=contents.links.reshape(-1, 2),
            offsets=offsets,
            centres=contents.centres.matrix,
            headline_centres=contents.headline_centres.matrix,
        )
    names = {
        "ids": [row.id for row in rows],
        "url_keys": [url_key(row.url) if row.url else None for row in rows],
        "languages": languages,
        "sections": sections,
        "kinds": kinds,
        "tags": tag_names,
        "authors": author_names,
        "centres": contents.centres.languages,
    }
    (folder / "names.json").write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")
    for file in FILES:
        sync(folder / file)


def seconds(instant: str | None) -> int:
    """Return an RFC 3339 instant in seconds since 1970, ``UNDATED`` for None."""
    return UNDATED if instant is None else int(datetime.fromisoformat(instant).timestamp())
