"""All snapshots of a home, as told to whoever runs it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recommender.disk import folder_bytes
from recommender.home import Home
from recommender.snapshot.current import former, names, readable
from recommender.snapshot.files import State, state_of, state_when_last_changed


@dataclass(frozen=True, slots=True)
class Published:
    """One snapshot; what its manifest does not say, or says unreadably, is None.

    Attributes:
        published_at: RFC 3339.
        bytes: of all its files.
        encoder: name of what made its vectors.
        live: it answers now.
        former: it is where ``recommender rollback`` goes.
        state: every byte of it was looked at.
        problem: the first one, where it is not whole.
        score: what was measured when it was published (``measure``, ``value``, ``low``, ``high``, ``queries``, ``truth``).
    """

    name: str
    published_at: str | None
    articles: int | None
    stubs: int | None
    bytes: int
    encoder: str | None
    live: bool
    former: bool
    state: State
    problem: str | None
    score: Any


def published(home: Home, *, from_memory: bool = False) -> list[Published]:
    """Return every snapshot that is there, the highest number first, each with all its bytes checked.

    Args:
        home: whose.
        from_memory: files that are as this process last saw them, by size, time and inode, are not read again.
    """
    look = state_when_last_changed if from_memory else state_of
    current = readable(home)
    live = current.name if current else None
    before = former(home, live) if live else None
    found = []
    for name in names(home):
        folder = home.snapshots / name
        state, problem = look(folder, current.manifests.get(name) if current else None)
        manifest = _manifest(folder)
        try:
            size = folder_bytes(folder)
        except FileNotFoundError:  # dropped while we looked
            continue
        found.append(
            Published(
                name,
                _said(manifest, str, "created_at"),
                _said(manifest, int, "counts", "articles"),
                _said(manifest, int, "counts", "stubs"),
                size,
                _said(manifest, str, "encoder", "name"),
                name == live,
                name == before,
                state,
                problem,
                _said(manifest, object, "score"),
            )
        )
    return found


def _manifest(folder: Path) -> Any:
    try:
        return json.loads((folder / "manifest.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _said(manifest: Any, kind: type, *path: str) -> Any:
    """Return what stands at ``path``, None where nothing of this kind does."""
    for name in path:
        manifest = manifest.get(name) if isinstance(manifest, dict) else None
    return manifest if isinstance(manifest, kind) else None
