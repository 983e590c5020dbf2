"""Files within files: gzip and Zstandard as streams, members of a zip where they lie. Nothing is written anywhere, and all of it has bounds."""

from __future__ import annotations

import gzip
import io
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from recommender.errors import SourceError
from recommender.readers.entry import Entry, LeftOut, Reader

MAX_MEMBERS = 100_000
MAX_RATIO = 200
_FREE_BYTES = 64 * 2**20  # of what is unpacked, before its ratio counts
_MAX_DIRECTORY_BYTES = 32 * 2**20
_PACKED = frozenset({".zip", ".gz", ".zst", ".bz2", ".xz", ".7z", ".rar", ".tar", ".tgz", ".jar"})


class Unpacking(io.RawIOBase):
    """What a compressed stream holds, as a stream; can be read again from its beginning.

    Reading raises SourceError where the stream is damaged, is cut, or becomes over 200 times as long as it was.
    """

    def __init__(self, opened: Callable[[], Any], n_packed: Callable[[], int], spare_bytes: int = _FREE_BYTES) -> None:
        """Take what opens the stream at its beginning, what tells how much of it was read, and what is free of the ratio."""
        self._opened = opened
        self._n_packed = n_packed
        self._spare_bytes = spare_bytes
        self._inner = opened()
        self._at = 0
        self.n_read = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read again."""
        return True

    def tell(self) -> int:
        """Return how many bytes stand before."""
        return self._at

    def seek(self, to: int, whence: int = 0) -> int:
        """Go to a place, by reading again where that lies behind."""
        if whence == 2:
            while self.read(2**16):
                pass
            return self._at
        to += self._at if whence == 1 else 0
        if to < self._at:
            self._inner = self._opened()
            self._at = 0
        while self._at < to and self.read(min(2**16, to - self._at)):
            pass
        return self._at

    def readinto(self, into: Any) -> int:
        """Read some; raises SourceError where the stream is damaged, or too large for what it was."""
        try:
            some = self._inner.read1(len(into))
        except (
            OSError,
            EOFError,
            ValueError,
            zlib.error,
            NotImplementedError,
            RuntimeError,
            zipfile.BadZipFile,
        ) as error:
            raise SourceError(
                f"is damaged or cut after {self._at:,} bytes ({' '.join(str(error).split())[:100]})"
            ) from None
        except Exception as error:
            if type(error).__name__ != "ZstdError":  # of an extra that need not be there to be named
                raise
            raise SourceError(f"is damaged after {self._at:,} bytes ({str(error)[:100]})") from None
        into[: len(some)] = some
        self._at += len(some)
        self.n_read = max(self.n_read, self._at)
        if self._at > self._spare_bytes and self._at > MAX_RATIO * max(self._n_packed(), 1):
            raise SourceError(f"becomes over {MAX_RATIO} times as long when unpacked; no articles do")
        return len(some)


def unpacked(stream: BinaryIO, suffix: str) -> BinaryIO:
    """Return what a stream holds that is packed as its suffix says (``.gz`` or ``.zst``).

    Raises:
        SourceError: the extra for Zstandard is not installed.
    """
    zstd = None if suffix == ".gz" else _zstd()

    def opened() -> Any:
        stream.seek(0)
        return gzip.GzipFile(fileobj=stream, mode="rb") if zstd is None else zstd(stream)

    return cast(BinaryIO, io.BufferedReader(Unpacking(opened, stream.tell)))


def read_packed(stream: BinaryIO, source: str, suffix: str, reader: Reader) -> Iterator[Entry]:
    """Yield the entries of what is packed; raises as :func:`unpacked`, and where the stream is damaged."""
    for entry in reader(unpacked(stream, suffix), source):
        yield replace(entry, offset_bytes=stream.tell())


def _zstd() -> Any:
    try:
        if sys.version_info >= (3, 14):
            from compression.zstd import ZstdFile
        else:
            from backports.zstd import ZstdFile
    except ImportError:
        raise SourceError("Zstandard needs an extra: pip install 'newsroom-recommender[zst]'") from None
    return ZstdFile


def read_zip(stream: BinaryIO, source: str, reader_of: Callable[[str], Reader | None]) -> Iterator[Entry]:
    """Yield the entries of every member that a reader knows, in the order of the archive, each named ``ARCHIVE: MEMBER``.

    A member that is encrypted, damaged, another archive, or called as no file of a folder is called costs itself.

    Args:
        stream: can be read anywhere.
        source: the archive's name.
        reader_of: gives the reader for a member by its name.
    """
    try:
        members = _members(stream)
    except SourceError as error:
        yield Entry(source, None, 0, reason=str(error))
        return
    with members:
        for info in members.infolist():
            if not info.is_dir():
                yield from _member(members, info, source, reader_of)


def _member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, source: str, reader_of: Callable[[str], Reader | None]
) -> Iterator[Entry]:
    name = "".join(each if each.isprintable() else "\ufffd" for each in info.filename)[:300]
    within = f"{source}: {name}"
    end = info.header_offset + info.compress_size
    path = PurePosixPath(info.filename)
    if path.suffix.lower() in _PACKED:
        yield Entry(within, None, end, reason="is an archive within an archive; unpack it first")
        return
    reader = reader_of(info.filename)
    if reader is None or any(part.startswith((".", "__MACOSX")) and part != ".." for part in path.parts):
        yield Entry(within, None, end, left_out=LeftOut("files of other kinds"))
        return
    if path.is_absolute() or ".." in path.parts or "\\" in info.filename:
        yield Entry(within, None, end, reason="its name leads out of the archive")
        return
    if info.flag_bits & 1:
        yield Entry(within, None, end, reason="is encrypted")
        return
    n_entries = 0
    try:
        opened = Unpacking(lambda: archive.open(info), lambda: info.compress_size, 2**20)
        for entry in reader(cast(BinaryIO, io.BufferedReader(opened)), within):
            n_entries += 1
            yield replace(entry, offset_bytes=end)
    except SourceError as error:
        yield Entry(within, None, end, reason=str(error))
        return
    except (OSError, ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
        yield Entry(within, None, end, reason=f"cannot be read: {' '.join(str(error).split())[:200]}")
        return
    if not n_entries:
        yield Entry(within, None, end, reason="the file is empty")


def _members(stream: BinaryIO) -> zipfile.ZipFile:
    """Return the archive, when it keeps within the bounds.

    Raises:
        SourceError: it does not, or is none.
    """
    _check_directory(stream)
    try:
        archive = zipfile.ZipFile(stream)
    except (
        zipfile.BadZipFile,
        OSError,
        ValueError,
        NotImplementedError,
        struct.error,
        UnicodeDecodeError,
        OverflowError,
    ) as error:
        raise SourceError(f"is no zip that can be read: {' '.join(str(error).split())[:200]}") from None
    infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
    if len(infos) > MAX_MEMBERS:
        raise SourceError(f"has {len(infos):,} members, at most {MAX_MEMBERS:,} are taken")
    for one, other in pairwise(infos):
        if one.header_offset + one.compress_size > other.header_offset:
            raise SourceError("its members lie over each other, as only a bomb's do")
    return archive


def _check_directory(stream: BinaryIO) -> None:
    """Refuse an archive whose list of members alone would fill the memory, before anything reads it."""
    n_bytes = stream.seek(0, 2)
    stream.seek(max(n_bytes - 66_000, 0))
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 20:
        raise SourceError("is no zip, or was cut")
    (size,) = struct.unpack("<L", tail[at + 12 : at + 16])
    at_64 = tail.rfind(b"PK\x06\x06", 0, at)
    if size == 0xFFFFFFFF and at_64 >= 0 and len(tail) >= at_64 + 48:
        (size,) = struct.unpack("<Q", tail[at_64 + 40 : at_64 + 48])
    if size > _MAX_DIRECTORY_BYTES:
        raise SourceError(f"its list of members has {size:,} bytes, at most {_MAX_DIRECTORY_BYTES:,} are taken")
    stream.seek(0)
