"""``backup.json``: what a backup holds, said before it comes. A file that says anything else is refused."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from recommender.backup.tar import packed_bytes
from recommender.disk import sealed, unsealed

FORMAT = 1
MANIFEST = "backup.json"
MAX_MANIFEST_BYTES = 1_000_000
CATALOG = "catalog.db"
CURRENT = "CURRENT"
DESK = ("rules.toml", "weights.json")  # what people and `tune` put into a home
NAME = re.compile(
    rf"{re.escape(CATALOG)}|{CURRENT}|{'|'.join(map(re.escape, DESK))}|snapshots/s\d{{8}}/[A-Za-z0-9][A-Za-z0-9._-]{{0,60}}"
)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a home: its path there, its size and the sha256 of its bytes."""

    name: str
    size: int
    sha256: str

    def checked(self, content: Iterable[bytes]) -> Iterator[bytes]:
        """Yield a content a piece at a time. Raises ValueError in the end where it is not this one."""
        digest, size = hashlib.sha256(), 0
        for piece in content:
            digest.update(piece)
            size += len(piece)
            yield piece
        if (size, digest.hexdigest()) != (self.size, self.sha256):
            raise ValueError(f"{self.name} is not what it was (its sha256 differs)")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    Attributes:
        created_at: RFC 3339.
        articles: how many the catalog holds.
        snapshot: the live one's name, None where none is in it.
        members: in the order in which they follow.
    """

    created_at: str
    articles: int
    snapshot: str | None
    members: Sequence[Member]

    @property
    def n_bytes(self) -> int:
        """Of all members, as they will lie on the disk."""
        return sum(member.size for member in self.members)

    def archive_bytes(self, own_bytes: int) -> int:
        """Return the length of the whole backup, whose manifest has ``own_bytes``; it has this length or is cut."""
        return packed_bytes([own_bytes, *(member.size for member in self.members)])

    def as_bytes(self) -> bytes:
        """Return the file."""
        return sealed({"format": FORMAT, **asdict(self)})


def parsed(raw: bytes) -> Manifest:
    """Return what a manifest says.

    Raises:
        ValueError: it is damaged, of another format, or names something that is no file of a home.
    """
    fields = unsealed(raw)
    if fields.get("format") != FORMAT:
        raise ValueError(f"it has format {fields.get('format')!r}, this program reads {FORMAT}")
    if set(fields) != {"format", "created_at", "articles", "snapshot", "members"}:
        raise ValueError("it does not say what a backup says")
    members = tuple(_member(each) for each in _list(fields["members"]))
    names = [member.name for member in members]
    if len(set(names)) != len(names):
        raise ValueError("it names a file twice")
    if CATALOG not in names:
        raise ValueError("it holds no catalog")
    created_at, articles, snapshot = fields["created_at"], fields["articles"], fields["snapshot"]
    if not isinstance(created_at, str) or type(articles) is not int or not isinstance(snapshot, str | None):
        raise ValueError("it does not say what a backup says")
    if (snapshot is not None) != (CURRENT in names):
        raise ValueError("it does not say which snapshot is live")
    return Manifest(created_at, articles, snapshot, members)


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise ValueError("its members are no list")
    return value


def _member(fields: Any) -> Member:
    if not isinstance(fields, Mapping) or set(fields) != {"name", "size", "sha256"}:
        raise ValueError("a member is not told as name, size and sha256")
    name, size, sha256 = fields["name"], fields["size"], fields["sha256"]
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"{str(name)[:100]!r} is no file of a home")
    if type(size) is not int or size < 0 or not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ValueError(f"{name}: its size or sha256 is none")
    return Member(name, size, sha256)
