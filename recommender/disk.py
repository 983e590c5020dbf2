"""Files as bytes: hashed so that a changed one is found, written so that they last."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_SEAL = "sha256"


def sha256(path: Path) -> str:
    """Return the hex sha256 of a file. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def folder_bytes(folder: Path) -> int:
    """Return how many bytes the files directly in a folder hold. Raises OSError."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def write_synced(path: Path, raw: bytes) -> None:
    """Write a file and return when it is on the disk. Raises OSError."""
    write_pieces(path, [raw])


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file piece by piece and return when it is on the disk. Raises OSError, and what ``pieces`` raises."""
    with path.open("wb") as stream:
        for piece in pieces:
            stream.write(piece)
        stream.flush()
        os.fsync(stream.fileno())


def replace_synced(path: Path, raw: bytes, *, mode: int | None = None) -> None:
    """Put a file in the place of another: whoever reads sees the old one or the new one, whenever power fails. Raises OSError.

    With a ``mode`` such as 0o600 it is never open to anybody else, not while it is being written either.
    """
    aside = path.parent / f".{path.name}.tmp"
    if mode is not None:
        aside.unlink(missing_ok=True)  # of a killed process, and perhaps of another mode
        os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode))
    write_synced(aside, raw)
    aside.replace(path)
    sync(path.parent)


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array as a ``.npy`` file. Raises OSError, which says why; NumPy's own writing does not."""
    with open_array(path, array.dtype, *array.shape) as stream:
        stream.write(array.tobytes())


def open_array(path: Path, kind: np.dtype[Any], *shape: int) -> IO[bytes]:
    """Return a ``.npy`` file that is open for its values, which are to be written row by row.

    For arrays that do not fit into memory. They are not mapped: a full disk ends a process that writes to a map (SIGBUS).

    Raises:
        OSError: the disk refused.
    """
    stream = path.open("wb")
    try:
        told = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, told)
    except BaseException:
        stream.close()
        raise
    return stream


def mapped_array(path: Path) -> NDArray[Any]:
    """Return the array in a ``.npy`` file, mapped into memory. Raises OSError, and ValueError where it is none."""
    try:
        # As a plain array: every slice of a memmap makes another memmap, at ten times the price.
        array: NDArray[Any] = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except ValueError:  # empty arrays cannot be mapped
        array = np.load(path, allow_pickle=False)
    return array


def sync(path: Path) -> None:
    """Bring a file or folder to the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folders(folder: Path) -> None:
    """Bring a folder and all that are in it to the disk, the innermost first; their files are there already. Raises OSError."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            sync_folders(path)
    sync(folder)


def exchange(one: Path, other: Path) -> None:
    """Let two files or folders change places in one step, as ``rename`` does with one. Linux only.

    Raises:
        OSError: the file system cannot do it (EINVAL), or the two lie on different ones (EXDEV).
    """
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        raise OSError(38, os.strerror(38))
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(one))


def sealed(fields: Mapping[str, Any]) -> bytes:
    """Return fields as JSON that carries its own sha256, for small files that nothing else vouches for."""
    return json.dumps({**fields, _SEAL: _seal(fields)}, ensure_ascii=False).encode() + b"\n"


def unsealed(raw: bytes) -> dict[str, Any]:
    """Return what was sealed.

    Raises:
        ValueError: it is no JSON object, or not the one that was sealed.
    """
    try:
        fields = json.loads(raw)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(fields, dict):
        raise ValueError("it is no JSON object")
    if fields.pop(_SEAL, None) != _seal(fields):
        raise ValueError("its own sha256 differs")
    return fields


def _seal(fields: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
