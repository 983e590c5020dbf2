"""Disks that fail under what is not Python: SQLite's own calls one at a time, any file at any size, a disk without room."""

from __future__ import annotations

import _sqlite3
import contextlib
import ctypes
import errno
import os
import resource
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from faults.steps import Step

_NEW_NAMESPACES = 0x10000000 | 0x00020000  # CLONE_NEWUSER | CLONE_NEWNS
_POINTER, _INT, _INT64, _CODE = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64, ctypes.c_int
_VFS_FIELDS = ("xOpen", "xDelete")
_METHODS = (
    *("xClose", "xRead", "xWrite", "xTruncate", "xSync", "xFileSize", "xLock", "xUnlock", "xCheckReservedLock"),
    *("xFileControl", "xSectorSize", "xDeviceCharacteristics", "xShmMap", "xShmLock", "xShmBarrier", "xShmUnmap"),
    *("xFetch", "xUnfetch"),
)
_OPEN = ctypes.CFUNCTYPE(_CODE, _POINTER, _POINTER, _POINTER, _INT, _POINTER)
_DELETE = ctypes.CFUNCTYPE(_CODE, _POINTER, _POINTER, _INT)
_WRITE = ctypes.CFUNCTYPE(_CODE, _POINTER, _POINTER, _INT, _INT64)
_TRUNCATE = ctypes.CFUNCTYPE(_CODE, _POINTER, _INT64)
_SYNC = ctypes.CFUNCTYPE(_CODE, _POINTER, _INT)
_IO_ERRORS = {
    "write": sqlite3.SQLITE_IOERR_WRITE,
    "truncate": sqlite3.SQLITE_IOERR_TRUNCATE,
    "sync": sqlite3.SQLITE_IOERR_FSYNC,
    "delete": sqlite3.SQLITE_IOERR_DELETE,
}


class _Vfs(ctypes.Structure):
    """The beginning of ``sqlite3_vfs``: how SQLite speaks to the operating system."""

    _fields_ = (
        *(("iVersion", _INT), ("szOsFile", _INT), ("mxPathname", _INT), ("pNext", _POINTER), ("zName", _POINTER)),
        *(("pAppData", _POINTER), *((name, _POINTER) for name in _VFS_FIELDS)),
    )


class _Methods(ctypes.Structure):
    """``sqlite3_io_methods``: what can be done to an open file."""

    _fields_ = (("iVersion", _INT), *((name, _POINTER) for name in _METHODS))


def sqlite_is_in_reach() -> bool:
    """Tell whether :func:`failing_sqlite` can work here: this Python's SQLite is a library that gives its symbols away."""
    file = getattr(_sqlite3, "__file__", None)
    return file is not None and hasattr(ctypes.CDLL(file), "sqlite3_vfs_find")


@contextlib.contextmanager
def failing_sqlite(step: Step) -> Iterator[None]:
    """Let SQLite's writes, truncations, syncs and deletions be counted, and one of them fail: to the end of the process.

    With ``step.after`` a write is cut, half of its bytes are written first; anything else is done and then fails.
    Only files that are opened from now on are concerned. There is no way back: use it in a child.
    """
    library = ctypes.CDLL(_sqlite3.__file__)
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    _KEPT.append(_Failing(step, library.sqlite3_vfs_find(None).contents))
    yield


_KEPT: list[_Failing] = []  # what SQLite calls must never be collected


class _Failing:
    def __init__(self, step: Step, vfs: Any) -> None:
        self._step = step
        self._methods: dict[int, Any] = {}
        self._held: list[Any] = []
        self._open = _OPEN(vfs.xOpen)
        vfs.xOpen = self._address(_OPEN(self._opened))
        delete = _DELETE(vfs.xDelete)
        vfs.xDelete = self._address(_DELETE(lambda *given: self._call("delete", delete, *given)))

    def _address(self, function: Any) -> Any:
        self._held.append(function)
        return ctypes.cast(function, _POINTER)

    def _opened(self, vfs: int, name: int, file: int, flags: int, told: int) -> int:
        code = self._open(vfs, name, file, flags, told)
        if code == sqlite3.SQLITE_OK:
            methods = _POINTER.from_address(file)
            methods.value = ctypes.addressof(self._failing(int(methods.value or 0)))
        return code

    def _failing(self, methods: int) -> Any:
        """Return a copy of a table of methods, some of which may fail."""
        if methods not in self._methods:
            made = _Methods.from_buffer_copy(_Methods.from_address(methods))
            write, truncate, sync = _WRITE(made.xWrite), _TRUNCATE(made.xTruncate), _SYNC(made.xSync)
            made.xWrite = self._address(_WRITE(lambda *given: self._write(write, *given)))
            made.xTruncate = self._address(_TRUNCATE(lambda *given: self._call("truncate", truncate, *given)))
            made.xSync = self._address(_SYNC(lambda *given: self._call("sync", sync, *given)))
            self._methods[methods] = made
        return self._methods[methods]

    def _write(self, write: Any, file: int, piece: int, size: int, offset: int) -> int:
        if not self._step.comes("write"):
            return int(write(file, piece, size, offset))
        if self._step.after:
            write(file, piece, size // 2, offset)
        return self._code("write")

    def _call(self, name: str, function: Any, *given: Any) -> int:
        fails = self._step.comes(name)
        code = function(*given) if self._step.after or not fails else sqlite3.SQLITE_OK
        return self._code(name) if fails else int(code)

    def _code(self, name: str) -> int:
        error = self._step.error()
        full = name == "write" and isinstance(error, OSError) and error.errno == errno.ENOSPC
        return sqlite3.SQLITE_FULL if full else _IO_ERRORS[name]


@contextlib.contextmanager
def files_end_at(size_bytes: int) -> Iterator[None]:
    """Within the block no file grows over a size: whoever writes there writes up to it, then fails (EFBIG), in any library."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class SmallDisk:
    """A disk of its own, of memory, that this process alone sees; it ends with the process, which should be a child.

    Raises:
        OSError: this machine lets nobody mount anything.
    """

    def __init__(self, folder: Path, size_bytes: int) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        user, group = os.getuid(), os.getgid()
        _checked(libc.unshare(_NEW_NAMESPACES))
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
        _checked(libc.mount(b"none", os.fsencode(folder), b"tmpfs", 0, f"size={size_bytes}".encode()))
        self._filler = folder / "filler"

    def fill(self, free_bytes: int) -> None:
        """Leave room for so many bytes and no more; rounded up to whole pages."""
        with self._filler.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
            while stream.write(bytes(4096)):
                pass
        os.truncate(self._filler, max(0, self._filler.stat().st_size - free_bytes))

    def empty(self) -> None:
        """Make room again."""
        self._filler.unlink()


def _checked(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
