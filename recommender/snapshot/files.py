"""The files of a snapshot as bytes: held against what the manifest says of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from recommender import lexical
from recommender.disk import sha256
from recommender.neighbours import FILES as NEIGHBOURS
from recommender.ready import FILES as LISTS

FORMAT = 4
TERMS = ("terms.keys.npy", "terms.articles_with.npy")
REQUIRED = ("dense.faiss", *lexical.FILES, "copies.npy", *TERMS, "rows.npz", "rows.jsonl", "names.json")


FILES = (*REQUIRED, *NEIGHBOURS, *LISTS)
"""Those that a snapshot may have; ``manifest.json`` says whether it keeps neighbours and finished lists."""


class State(StrEnum):
    """What can be said of a snapshot when every byte of it was looked at."""

    WHOLE = "whole"
    DAMAGED = "damaged"
    OTHER_FORMAT = "other format"


def state_of(folder: Path, manifest_sha256: str | None = None) -> tuple[State, str | None]:
    """Return the state of a snapshot's files, and the first problem where they are not whole."""
    try:
        problems = _problems(folder, manifest_sha256)
    except _OtherFormatError as error:
        return State.OTHER_FORMAT, str(error)
    return (State.DAMAGED, problems[0]) if problems else (State.WHOLE, None)


def state_when_last_changed(folder: Path, manifest_sha256: str | None = None) -> tuple[State, str | None]:
    """Return the state as :func:`state_of` does, from memory where no file's size, time or inode has changed since.

    A byte that changes with none of these, as when a disk rots, is found by :func:`state_of` alone.
    """
    try:
        stats = sorted((path.name, path.stat()) for path in folder.iterdir())
    except OSError:
        return state_of(folder, manifest_sha256)
    stamps = tuple((name, stat.st_size, stat.st_mtime_ns, stat.st_ino) for name, stat in stats)
    return _remembered(folder, manifest_sha256, stamps)


@lru_cache(maxsize=32)
def _remembered(
    folder: Path, manifest_sha256: str | None, stamps: tuple[tuple[str, int, int, int], ...]
) -> tuple[State, str | None]:
    return state_of(folder, manifest_sha256)


def verify(folder: Path, manifest_sha256: str | None = None) -> list[str]:
    """Return what is wrong with a snapshot's files, one line each; an empty list when every byte is as published."""
    try:
        return _problems(folder, manifest_sha256)
    except _OtherFormatError as error:
        return [str(error)]


class _OtherFormatError(Exception):
    """The manifest is one of another format: what else is expected here is not known."""


def _problems(folder: Path, manifest_sha256: str | None) -> list[str]:
    path = folder / "manifest.json"
    try:
        raw = path.read_bytes()
        if manifest_sha256 is not None and hashlib.sha256(raw).hexdigest() != manifest_sha256:
            return [f"{path}: is not the manifest that was published (its sha256 differs)"]
        manifest = json.loads(raw)
        if manifest["format"] != FORMAT:
            raise _OtherFormatError(f"{path}: has format {manifest['format']!r}, this program reads {FORMAT}")
        files: dict[str, dict[str, Any]] = {file: dict(said) for file, said in dict(manifest["files"]).items()}
        kept = [*(NEIGHBOURS if "neighbours" in manifest else ()), *(LISTS if "lists" in manifest else ())]
        if set(files) != {*REQUIRED, *kept}:
            return [f"{path}: names the files {', '.join(sorted(files))}, {', '.join(REQUIRED)} are expected"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        return [f"{path}: cannot be read ({error})"]
    return [problem for file, said in files.items() if (problem := _file_problem(folder / file, said))]


def _file_problem(path: Path, said: Mapping[str, Any]) -> str | None:
    try:
        size = path.stat().st_size
        if size != said.get("bytes"):
            return f"{path}: has {size:,} bytes, {said.get('bytes')} were published"
        if sha256(path) != said.get("sha256"):
            return f"{path}: was changed after it was published (its sha256 differs)"
    except OSError as error:
        return f"{path}: cannot be read ({error.strerror})"
    return None
