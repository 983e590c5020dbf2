"""The files of a snapshot as bytes: written so that they last, hashed so that a changed one is found."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FORMAT = 1
FILES = ("dense.faiss", "rows.npz", "rows.jsonl", "names.json")


def verify(folder: Path, manifest_sha256: str | None = None) -> list[str]:
    """Return what is wrong with a snapshot's files, one line each; an empty list when every byte is as published."""
    path = folder / "manifest.json"
    try:
        raw = path.read_bytes()
        if manifest_sha256 is not None and hashlib.sha256(raw).hexdigest() != manifest_sha256:
            return [f"{path}: is not the manifest that was published (its sha256 differs)"]
        manifest = json.loads(raw)
        if manifest["format"] != FORMAT:
            return [f"{path}: has format {manifest['format']!r}, this program reads {FORMAT}"]
        files: dict[str, dict[str, Any]] = {file: dict(said) for file, said in dict(manifest["files"]).items()}
        if set(files) != set(FILES):
            return [f"{path}: names the files {', '.join(sorted(files))}, {', '.join(FILES)} are expected"]
    except (OSError, ValueError, KeyError, TypeError) as error:
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


def sha256(path: Path) -> str:
    """Return the hex sha256 of a file. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_synced(path: Path, raw: bytes) -> None:
    """Write a file and return when it is on the disk. Raises OSError."""
    with path.open("wb") as stream:
        stream.write(raw)
        stream.flush()
        os.fsync(stream.fileno())


def sync(path: Path) -> None:
    """Bring a file or folder to the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
