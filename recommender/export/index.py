"""``index.json`` of an exported folder: which article's list lies in which file, and what stood there when it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from recommender.disk import replace_synced, sealed, unsealed
from recommender.errors import ExportError
from recommender.export.pages import FILE

NAME = "index.json"
FORMAT = 1


class Kept(NamedTuple):
    """What a file holds: the digest of what readers see in it, and its size."""

    digest: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Entry:
    """The files of one article by kind (``json``, ``html``)."""

    url: str | None
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Index:
    """What the last finished export left.

    Attributes:
        snapshot: the lists were made from; None before the first export.
        folders: whether the files lie in two levels of folders; what the first export decided stays.
        articles: by id.
        kept: by path of the file.
        removed: paths of the files that this export took away.
    """

    snapshot: str | None = None
    folders: bool | None = None
    articles: Mapping[str, Entry] = field(default_factory=dict)
    kept: Mapping[str, Kept] = field(default_factory=dict)
    removed: tuple[str, ...] = ()

    def as_bytes(self) -> bytes:
        """Return the file: sealed with its own sha256."""
        articles = {
            article_id: {"url": entry.url}
            | {kind: {"file": file, **self.kept[file]._asdict()} for kind, file in entry.files.items()}
            for article_id, entry in self.articles.items()
        }
        urls = {entry.url: article_id for article_id, entry in reversed([*self.articles.items()]) if entry.url}
        named = {"format": FORMAT, "snapshot": self.snapshot, "folders": self.folders, "articles": articles}
        return sealed(named | {"urls": urls, "removed": list(self.removed)})


def read_index(folder: Path) -> Index:
    """Return what the last finished export left in a folder, an empty index where there was none.

    Raises:
        ExportError: there is an ``index.json`` that no export wrote, or that was changed since.
        OSError: it cannot be read.
    """
    path = folder / NAME
    try:
        return _parsed(unsealed(path.read_bytes()))
    except FileNotFoundError:
        return Index()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExportError(
            f"{path}: was not written by an export, or was changed since ({error}); choose another folder, or move that file "
            "away: then all lists are written anew"
        ) from error


def write_index(folder: Path, index: Index) -> None:
    """Put an index in the place of the former one, in one step. Raises OSError."""
    replace_synced(folder / NAME, index.as_bytes())


def _parsed(fields: dict[str, Any]) -> Index:
    if fields["format"] != FORMAT:
        raise ValueError(f"it has format {fields['format']!r}, this program writes {FORMAT}")
    articles: dict[str, Entry] = {}
    kept: dict[str, Kept] = {}
    for article_id, entry in fields["articles"].items():
        url = entry.pop("url")
        articles[article_id] = Entry(url, {kind: checked(said["file"]) for kind, said in entry.items()})
        kept |= {said["file"]: Kept(str(said["digest"]), int(said["bytes"])) for said in entry.values()}
    removed = tuple(map(checked, fields["removed"]))
    return Index(str(fields["snapshot"]), bool(fields["folders"]), articles, kept, removed)


def checked(file: str) -> str:
    """Return a path in the folder, or raise ValueError: no other is ever written, read or removed."""
    if not FILE.fullmatch(file):
        raise ValueError(f"{file!r} is no exported file's path")
    return file
