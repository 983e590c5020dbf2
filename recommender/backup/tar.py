"""The narrow dialect of tar that backups speak: plain files, one after the other, and nothing else.

Headers are made and read by ``tarfile``; what may follow them is decided here. So links, devices, sparse files, long
names and whatever else tar can say end as an error, before a byte of them is looked at.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

_BLOCK = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK)
_PIECE_BYTES = 2**20


def packed_bytes(sizes: Iterable[int]) -> int:
    """Return the length of an archive of members of these sizes."""
    return sum(_BLOCK + size + _padding(size) for size in sizes) + len(_END)


def pieces(stream: BinaryIO) -> Iterator[bytes]:
    """Yield all of a stream, a piece at a time."""
    while piece := stream.read(_PIECE_BYTES):
        yield piece


def counting(watch: Callable[[int], None]) -> Callable[[Iterable[bytes]], Iterator[bytes]]:
    """Return what lets pieces through, of one file after the other, and tells ``watch`` how many bytes they were so far."""
    done = 0

    def counted(content: Iterable[bytes]) -> Iterator[bytes]:
        nonlocal done
        for piece in content:
            done += len(piece)
            watch(done)
            yield piece

    return counted


def write_member(stream: BinaryIO, name: str, size: int, mtime: int, content: Iterable[bytes]) -> None:
    """Write one file; the caller answers for ``content`` being ``size`` bytes long."""
    header = tarfile.TarInfo(name)
    header.size, header.mtime, header.mode = size, mtime, 0o644
    stream.write(header.tobuf(tarfile.GNU_FORMAT))
    for piece in content:
        stream.write(piece)
    stream.write(bytes(_padding(size)))


def write_end(stream: BinaryIO) -> None:
    """End the archive."""
    stream.write(_END)


def read_member(stream: BinaryIO, name: str, max_bytes: int) -> tuple[int, Iterator[bytes]]:
    """Return the size of the next file, which must have this name, and its content a piece at a time; take all of it.

    Raises:
        ValueError: something else comes next, it is larger, or the archive is cut.
    """
    raw = _exactly(stream, _BLOCK)
    try:
        header = tarfile.TarInfo.frombuf(raw, "utf-8", "surrogateescape")
    except tarfile.TarError as error:
        raise ValueError(f"where {name} should begin there is no file ({error})") from error
    if header.type != tarfile.REGTYPE or header.name != name:
        raise ValueError(f"where {name} should begin there is {header.name[:100]!r}, of type {header.type!r}")
    if not 0 <= header.size <= max_bytes:
        raise ValueError(f"{name} has {header.size} bytes, at most {max_bytes} are expected")
    return header.size, _content(stream, header.size)


def read_end(stream: BinaryIO) -> None:
    """Check that the archive ends here. Raises ValueError."""
    if stream.read(len(_END) + 1) != _END:
        raise ValueError("something stands after its last file")


def _content(stream: BinaryIO, size: int) -> Iterator[bytes]:
    left = size
    while left:
        piece = _exactly(stream, min(left, _PIECE_BYTES))
        left -= len(piece)
        yield piece
    if any(_exactly(stream, _padding(size))):
        raise ValueError("something stands between two files")


def _exactly(stream: BinaryIO, size: int) -> bytes:
    raw = stream.read(size)
    if len(raw) != size:
        raise ValueError("it is cut")
    return raw


def _padding(size: int) -> int:
    return -size % _BLOCK
