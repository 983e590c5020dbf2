"""The folder that is exported into: locked while it is written, every file replaced by rename, and a journal of what was.

The journal (``.export.journal``) holds what was written since the last finished export. A path is noted before its file is
touched and again, with what it holds then, afterwards: whatever is killed in between is known to be in doubt.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from recommender.disk import sync, write_synced
from recommender.export.index import Kept, checked
from recommender.export.pages import Page
from recommender.home import take_lock

JOURNAL = ".export.journal"
LOCK = ".export.lock"
ASIDE = ".export.aside"

_THREADS = 8


class Folder:
    """A folder that only this process exports into, for as long as it is open."""

    def __init__(self, path: Path) -> None:
        """Make the folder where it is missing, and lock it.

        Raises:
            BusyError: another process exports into it.
            OSError: it cannot be made or written.
        """
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self._lock = take_lock(path / LOCK, "an export")
        self._touched = {path}
        self._aside = path / ASIDE
        self._threads = ThreadPoolExecutor(_THREADS)
        try:
            self._aside.mkdir(exist_ok=True)
            self._journal = os.open(path / JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown()
        os.close(self._journal)
        os.close(self._lock)

    def write(self, pages: Sequence[Page]) -> None:
        """Put files in the place of former ones, each by one rename when it is on the disk.

        The disk is waited for by several threads: it brings many files down at once in hardly more time than one.

        Raises:
            OSError: some are written and the others are as they were.
        """
        for page in pages:
            if (parent := (self.path / page.file).parent) not in self._touched:
                parent.mkdir(parents=True, exist_ok=True)
                self._touched |= {parent, parent.parent}
        asides = [self._aside / str(number) for number in range(len(pages))]
        try:
            list(self._threads.map(write_synced, asides, (page.body for page in pages)))
            self._note({page.file: None for page in pages})
            for page, aside in zip(pages, asides, strict=True):
                aside.replace(self.path / page.file)
        except OSError:
            for aside in asides:
                with contextlib.suppress(OSError):
                    aside.unlink(missing_ok=True)
            raise
        self._note({page.file: Kept(page.digest, len(page.body)) for page in pages})

    def settle(self) -> None:
        """Return when the names of all files that were written are on the disk. Raises OSError."""
        for folder in sorted(self._touched, key=lambda path: len(path.parts), reverse=True):
            sync(folder)

    def finish(self, removed: Sequence[str]) -> None:
        """Forget the journal, since the index now says it all, and take files away. Raises OSError."""
        os.truncate(self.path / JOURNAL, 0)
        for file in (*removed, JOURNAL):
            (self.path / file).unlink(missing_ok=True)
        shutil.rmtree(self._aside)

    def _note(self, written: Mapping[str, Kept | None]) -> None:
        raw = "".join(json.dumps([file, *(kept or ())]) + "\n" for file, kept in written.items()).encode()
        while raw:
            raw = raw[os.write(self._journal, raw) :]


def read_journal(path: Path) -> dict[str, Kept | None]:
    """Return what was written since the last finished export, by path; None for a file that is in doubt. Raises OSError."""
    try:
        lines = (path / JOURNAL).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    return dict(_noted(lines))


def _noted(lines: Sequence[str]) -> Iterator[tuple[str, Kept | None]]:
    for line in lines:
        with contextlib.suppress(ValueError, TypeError, IndexError, KeyError):  # the last one may have been cut
            file, *kept = json.loads(line)
            yield checked(file), Kept(str(kept[0]), int(kept[1])) if kept else None
