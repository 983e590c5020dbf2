"""Every article's list as files, for a site without a server; only lists that changed are written again.

What an export promises: a file is the old one or the new one, never half of one; ``index.json`` names files that are
there; whatever was written or taken away is announced before it is forgotten, once at least, so that nothing stays in a cache
in front of the site; and no file is ever touched that an export did not write.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from recommender.answer import Options
from recommender.errors import ExportError
from recommender.export.folder import Folder, read_journal
from recommender.export.index import Entry, Index, Kept, read_index, write_index
from recommender.export.lists import Maker
from recommender.export.pages import Page
from recommender.recommend import Recommender
from recommender.settings import Settings

__all__ = ["Exported", "export"]

_FLAT = 1000
_BATCH = 128
Watch = Callable[[str, int, int, str], None]  # stage, done, total, unit


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did, or would do.

    Attributes:
        snapshot: the lists are of.
        written: paths of the files that are new or changed since the last export that was finished.
        removed: paths of the files that are gone since then.
        unchanged: how many files stayed as they were.
    """

    snapshot: str
    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int


def export(
    recommender: Recommender,
    settings: Settings,
    folder: Path,
    options: Options,
    *,
    html: bool = True,
    processes: int = 1,
    dry_run: bool = False,
    announce: Callable[[Exported], None] = lambda exported: None,
    watch: Watch = lambda stage, done, total, unit: None,
) -> Exported:
    """Bring a folder up to the lists of a snapshot.

    Args:
        recommender: answers from the snapshot.
        settings: the recommender was opened with.
        folder: made where it is missing; files in it that no export wrote stay as they are.
        options: how lists are made.
        html: write fragments beside the JSON files.
        processes: how many make lists.
        dry_run: write nothing, and take no lock.
        announce: told what was done when all files are written, and before this is forgotten: where it raises, the next export
            tells it again.
        watch: takes note of the progress.

    Raises:
        ExportError: the folder cannot be used or written; what was written stays, and the next export goes on there.
        BusyError: another process exports into it.
        QueryError: a filter that can never match.
    """
    snapshot = recommender.snapshot
    options.filters.check(snapshot.columns)
    with _explained(folder):
        _check_place(folder, settings.home)
    ids = [article_id for article_id, stub in zip(snapshot.dense.ids, snapshot.columns.stub, strict=True) if not stub]
    with contextlib.ExitStack() as stack:
        with _explained(folder):
            place = None if dry_run else stack.enter_context(Folder(folder))
            before, journal = read_index(folder), read_journal(folder)
            folders = len(ids) > _FLAT if before.folders is None else before.folders
            maker = Maker(recommender, options, html, folders)
            writing = _Writing(folder, place, before, journal)
            watch("exporting", 0, len(ids), "articles")
            for done, made in enumerate(maker.all(ids, settings, processes), start=1):
                writing.take(made.pages)
                writing.articles[made.article_id] = Entry(made.url, {page.kind: page.file for page in made.pages})
                watch("exporting", done, len(ids), "articles")
            writing.flush()
            exported = writing.exported(snapshot.name)
            if place:
                place.settle()
        announce(exported)
        with _explained(folder):
            if place:
                after = Index(snapshot.name, folders, writing.articles, writing.kept, exported.removed)
                if after != before:
                    write_index(folder, after)
                place.finish(exported.removed)
    return exported


class _Writing:
    """What is known of the files while they are gone through."""

    def __init__(self, path: Path, place: Folder | None, before: Index, journal: dict[str, Kept | None]) -> None:
        self._path = path
        self._place = place
        self._known: dict[str, Kept | None] = {**before.kept, **journal}
        self._doubtful = {*journal}
        self._removed_before = before.removed
        self._written: list[str] = []
        self._due: list[Page] = []
        self.articles: dict[str, Entry] = {}
        self.kept: dict[str, Kept] = {}

    def take(self, pages: tuple[Page, ...]) -> None:
        """Take the files of an article; those that are not as they should be are written, many at a time."""
        for page in pages:
            there = self._there(page)
            self.kept[page.file] = there or Kept(page.digest, len(page.body))
            if there is None:
                self._due.append(page)
            # What a killed export wrote was not announced, or not for certain.
            if there is None or page.file in self._doubtful:
                self._written.append(page.file)
        if len(self._due) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what is due."""
        if self._place and self._due:
            self._place.write(self._due)
        self._due.clear()

    def exported(self, snapshot: str) -> Exported:
        """Return what was done, when all articles were gone through."""
        gone = [file for file in self._known if file not in self.kept]
        # Of a process that was killed while it took them away.
        left = [file for file in self._removed_before if file not in self.kept and (self._path / file).exists()]
        removed = tuple(sorted({*gone, *left}))
        return Exported(snapshot, tuple(self._written), removed, len(self.kept) - len(self._written))

    def _there(self, page: Page) -> Kept | None:
        """Return what a file holds where that is as good as ``page``, else None."""
        known = self._known.get(page.file)
        if known is None or known.digest != page.digest:
            return None
        try:
            return known if (self._path / page.file).stat().st_size == known.bytes else None
        except FileNotFoundError:
            return None


def _check_place(folder: Path, home: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ExportError(f"{folder}: is no folder; name one, or one that is to be made")
    if home.resolve() in (folder.resolve(), *folder.resolve().parents):
        raise ExportError(f"{folder}: lies in the home {home}; choose another folder")


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else str(error)
        raise ExportError(
            f"{folder}: could not be written: {why}; every file in it is whole. Make room or mend the permissions there and run it "
            "again: it goes on where it stopped"
        ) from error
