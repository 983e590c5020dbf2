"""Sources made into articles. One module a format; :func:`read` chooses by file name, :func:`read_bytes` by looking."""

from __future__ import annotations

import codecs
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO

from recommender.article import Article
from recommender.errors import RecordError, SourceError
from recommender.readers.entries import article_from_entry, begins_json, body_of, feed_entries, is_whole, read_feed
from recommender.readers.entry import NOTHING, About, Entry, LeftOut, Reader, bounded_lines
from recommender.readers.exports.ghost import ghost_entries, is_ghost, read_ghost
from recommender.readers.exports.markdown import read_markdown
from recommender.readers.exports.newsml import ROOTS as NEWSML
from recommender.readers.exports.newsml import read_newsml
from recommender.readers.exports.nitf import read_nitf
from recommender.readers.exports.packed import read_packed, read_zip
from recommender.readers.exports.parquet import read_parquet
from recommender.readers.exports.warc import read_warc
from recommender.readers.exports.wordpress import read_wordpress
from recommender.readers.exports.xml import root_of
from recommender.readers.feed import Feed, FeedEntry, is_feed, parse_feed
from recommender.readers.jsonfeed import is_json_feed, json_feed_of, parse_json_feed
from recommender.readers.jsonl import parse_json, read_json, read_jsonl
from recommender.readers.page import Body, article_from_page, body_from_html, feeds_of_page, in_parallel, read_page
from recommender.readers.page.site import same_site
from recommender.readers.plain import article_from_text, read_plain
from recommender.readers.record import article_from_record
from recommender.readers.shown import entry_of
from recommender.readers.sitemap import Listed, Sitemap, is_list_of_urls, is_sitemap, parse_sitemap
from recommender.readers.table import read_csv
from recommender.readers.xml import unzipped, xml_text

__all__ = [
    "NOTHING",
    "About",
    "Body",
    "Entry",
    "Feed",
    "FeedEntry",
    "Found",
    "LeftOut",
    "Listed",
    "Sitemap",
    "article_from_entry",
    "article_from_page",
    "article_from_record",
    "article_from_text",
    "begins_json",
    "body_from_html",
    "body_of",
    "bounded_lines",
    "entry_of",
    "feeds_of_page",
    "find",
    "is_feed",
    "is_json_feed",
    "is_list_of_urls",
    "is_page",
    "is_sitemap",
    "is_whole",
    "parse_feed",
    "parse_json",
    "parse_json_feed",
    "parse_sitemap",
    "read",
    "read_bytes",
    "read_jsonl",
    "read_pages",
    "same_site",
    "unzipped",
    "xml_text",
]

_HEAD_BYTES = 65_536


def read_xml(stream: BinaryIO, source: str, about: About = NOTHING) -> Iterator[Entry]:
    """Yield the entries of an XML document, whose format is told by its first element."""
    head = stream.read(_HEAD_BYTES)
    stream.seek(0)
    name, attributes = root_of(head)
    if name == "rss" and ("/export/" in attributes or b"<wp:wxr_version>" in head):
        yield from read_wordpress(stream, source)
    elif name in NEWSML:
        yield from read_newsml(stream, source, about)
    elif name == "nitf":
        yield from read_nitf(stream, source, about)
    elif name == "html":
        yield from read_page(stream, source)
    elif name in ("rss", "feed", "rdf"):
        yield from read_feed(stream, source)
    elif head.strip():
        known = "a feed, a WordPress export, NewsML-G2, NITF or a page"
        yield Entry(source, None, len(head), reason=f"its first element is <{name}>: it is none of {known}")


def read_json_or_ghost(stream: BinaryIO, source: str, about: About = NOTHING) -> Iterator[Entry]:
    """Yield the entries of a JSON document: articles, an export of Ghost, or a JSON Feed."""

    def other(found: object) -> Iterator[Entry] | None:
        if is_ghost(found):
            return ghost_entries(found, source, about)
        return feed_entries(json_feed_of(found, url=about.site), source, 0) if is_json_feed(found) else None

    return read_json(stream, source, other)


READERS: dict[str, Reader] = {
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".json": read_json_or_ghost,
    ".csv": read_csv,
    ".txt": read_plain,
    ".html": read_page,
    ".htm": read_page,
    ".xhtml": read_page,
    ".xml": read_xml,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".parquet": read_parquet,
    ".warc": read_warc,
    ".rss": read_feed,
    ".atom": read_feed,
}
_PACKED = (".gz", ".zst")


FORMATS: dict[str, Reader] = {suffix.removeprefix("."): reader for suffix, reader in READERS.items()} | {
    "wordpress": read_wordpress,
    "ghost": read_ghost,
    "newsml": read_newsml,
    "nitf": read_nitf,
}
"""The formats by the names under which a caller may ask for one."""

_TOLD: dict[Reader, Callable[[BinaryIO, str, About], Iterator[Entry]]] = {
    each: each for each in (read_xml, read_json_or_ghost, read_ghost, read_newsml, read_nitf, read_markdown)
}
"""The readers that are told what a file does not say of itself."""

_MARKUP = re.compile(
    rb"(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Found:
    """The files that a source stands for.

    Attributes:
        paths: files that a reader knows, in a stable order.
        n_skipped: files in a folder that no reader knows (a named file of that sort is an error instead).
        n_bytes: size of ``paths`` together.
    """

    paths: tuple[Path, ...]
    n_skipped: int
    n_bytes: int


def find(source: Path, form: str | None = None) -> Found:
    """Return the files of ``source``: itself, or for a folder all known files below it (hidden ones left out).

    Args:
        source: a file or folder.
        form: the format of every file, one of ``FORMATS``, whatever its name is; None for what the name says.

    Raises:
        SourceError: nothing is there, it may not be read, or no reader knows this kind of file.
    """
    if source.is_dir():
        below = sorted(path for path in _walk(source) if path.is_file())
        known = tuple(path for path in below if form or is_known(path.name))
        return Found(known, len(below) - len(known), sum(path.stat().st_size for path in known))
    if not source.exists():
        raise SourceError(f"{source}: no such file or folder")
    if not form and not is_known(source.name):
        raise SourceError(
            f"{source}: no reader knows this kind of file; known are {', '.join(sorted(READERS))} and folders,"
            " and all of these in .gz, .zst or .zip"
            " (--format says what a file of another name holds)"
        )
    return Found((source,), 0, source.stat().st_size)


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in files if not name.startswith("."))


def is_page(path: Path, form: str | None = None) -> bool:
    """Tell whether a file holds one page."""
    return _reader(path, form, NOTHING) is read_page


def is_known(name: str) -> bool:
    """Tell whether a file of this name has a reader."""
    return _reader(PurePath(name), None, NOTHING) is not None


def _reader(path: PurePath, form: str | None, about: About) -> Reader | None:
    """Return the reader for a file, None where there is none; what is packed is read as what it holds."""
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return lambda stream, source: read_zip(stream, source, lambda name: _reader(PurePath(name), form, about))
    inner = PurePath(path.stem)
    if suffix in _PACKED and inner.suffix.lower() != ".warc":
        if inner.suffix.lower() in (*_PACKED, ".zip"):
            return None
        within = _reader(inner, form, about)
        return None if within is None else lambda stream, source: read_packed(stream, source, suffix, within)
    if form:
        reader: Reader | None = FORMATS[form]
    else:
        reader = read_warc if inner.suffix.lower() == ".warc" and suffix == ".gz" else READERS.get(suffix)
    told = _TOLD.get(reader) if reader else None
    return reader if told is None else lambda stream, source: told(stream, source, about)


def read_pages(paths: Iterable[Path]) -> Iterator[list[Entry]]:
    """Yield the entries of each of these pages in order, some of them read at once. A file that cannot be read is one refusal."""
    return in_parallel(_page, paths)


def _page(path: Path) -> list[Entry]:
    try:
        return list(read(path, "html"))
    except SourceError as error:
        return [Entry(str(path), None, 0, reason=str(error).removeprefix(f"{path}: "))]


def read(path: Path, form: str | None = None, about: About = NOTHING) -> Iterator[Entry]:
    """Yield the records of one file, good and bad, in order. An empty file yields one refusal.

    Args:
        path: of the file.
        form: its format, one of ``FORMATS``; None for what its name says.
        about: what it does not say of itself.

    Raises:
        SourceError: the file cannot be opened or read.
    """
    n_entries = 0
    reader = _reader(path, form, about)
    if reader is None:
        raise SourceError(f"{path}: no reader knows this kind of file")
    try:
        with path.open("rb") as stream:
            for entry in reader(stream, str(path)):
                n_entries += 1
                yield entry
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from error
    except SourceError as error:
        raise SourceError(f"{path}: {error}") from None
    if n_entries == 0:
        yield Entry(str(path), None, 0, reason="the file is empty")


def read_bytes(raw: bytes, source: str = "input") -> list[Article]:
    """Return the articles in ``raw``, whose form is told by looking: JSON, JSON lines, a page, CSV or plain text.

    Raises:
        RecordError: there is no article in it, or one of them is refused (the message names its line).
    """
    articles: list[Article] = []
    left_out = ""
    for entry in _sniff(raw)(io.BytesIO(raw), source):
        if entry.left_out:
            left_out = entry.left_out.status
            continue
        if entry.article is None:
            where = source if entry.line is None else f"{source}, line {entry.line}"
            raise RecordError(f"{where}: {entry.reason}")
        articles.append(entry.article)
    if not articles:
        raise RecordError(f"{source}: holds nothing that is shown ({left_out})" if left_out else f"{source}: is empty")
    return articles


def _sniff(raw: bytes) -> Reader:
    """Return the reader for these bytes; what looks like nothing else is plain text."""
    start = raw.removeprefix(codecs.BOM_UTF8).lstrip()
    if not start:
        return read_jsonl  # yields nothing
    if start.startswith(b"["):
        return read_json_or_ghost
    if start.startswith(b"{"):
        return read_jsonl if _is_record(start.partition(b"\n")[0]) else read_json_or_ghost
    if _MARKUP.match(start):
        return read_page
    if start.startswith(b"<") and root_of(start[:_HEAD_BYTES])[0] in ("rss", "nitf", *NEWSML):
        return read_xml
    header = start.partition(b"\n")[0].lower()
    is_table = any(
        b"title" in [name.strip(b' "\r') for name in header.split(mark)] and mark in header
        for mark in (b",", b";", b"\t")
    )
    return read_csv if is_table else read_plain


def _is_record(line: bytes) -> bool:
    try:
        found = parse_json(line)
        return not (is_ghost(found) or is_json_feed(found))
    except RecordError:
        return False
