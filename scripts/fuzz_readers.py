"""Give every reader input that nobody should send, and hold it to its word: an article, or a refusal; in time, and in bounds.

    scripts/fuzz_readers.py                                # 100,000 inputs, all readers in turn
    scripts/fuzz_readers.py --inputs 5000 --reader page    # some of them
    scripts/fuzz_readers.py --reader page --only 1234      # one of them again, written to standard output

Every input is made from its number: real inputs that are cut, doubled, mixed and sown with what breaks parsers, and nonsense made from
the words of the format. A reader may raise RecordError or SourceError and nothing else, take 2 seconds of a processor for an input, and 500 MB.
Exit 1 where anything was found. A reader is one row in ``READERS``.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import faulthandler
import gzip
import io
import json
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path

from recommender.errors import RecordError, SourceError
from recommender.fetch import parse_rules
from recommender.readers import (
    FORMATS,
    Body,
    Feed,
    article_from_entry,
    article_from_record,
    parse_feed,
    parse_json_feed,
    parse_sitemap,
    read,
    read_bytes,
)
from recommender.readers.exports.ghosteditor import html_of_lexical, html_of_mobiledoc
from recommender.readers.page.announced import announced
from recommender.readers.page.extract import body_of, record_from_page
from recommender.readers.page.guard import check_size

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import exported
from testsite import pages
from testsite.story import SEEDS

MOST_SECONDS = 2.0
MOST_BYTES = 500 * 10**6
_HANGS_SECONDS = 60  # of a clock, for what never ends
_LARGEST = 300_000


@dataclass(frozen=True)
class Reader:
    """A row of the table.

    Attributes:
        read: takes an input, and raises RecordError or SourceError where it refuses it.
        seeds: real inputs, made when first asked for.
        words: of which inputs of this format are made.
    """

    read: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]
    words: Sequence[bytes]


def _entries(form: str) -> Callable[[bytes], object]:
    return lambda raw: list(FORMATS[form](io.BytesIO(raw), "fuzz"))


def _page(raw: bytes) -> object:
    """Take a page apart here, where a fault is seen, and not in a process that hides it."""
    return article_from_record(record_from_page(raw, "https://paper.example/2025/05/a-story-of-ours", None))


def _body(raw: bytes) -> object:
    check_size(raw)
    return body_of(raw.decode("utf-8", "surrogateescape"), url="https://paper.example/2025/05/a-story-of-ours")


@cache
def _pages() -> list[bytes]:
    return [page.html for page in pages("https://paper.example")]


@cache
def _records() -> list[bytes]:
    return [line.encode() for file in sorted(SEEDS.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]


def _tables() -> list[bytes]:
    made = []
    for record in _records()[:20]:
        story = json.loads(record)
        rows = io.StringIO()
        writer = csv.writer(rows)
        writer.writerows(
            [
                ["id", "title", "text", "tags", "read_more"],
                [story["id"], story["title"], story["text"], "a; b", '["c"]'],
            ]
        )
        made.append(rows.getvalue().encode())
    return made


def _texts() -> list[bytes]:
    return [
        f"{story['title']}\n{story['text']}\nRead more:\nOne story\nAnother".encode()
        for story in map(json.loads, _records()[:40])
    ]


_MARKUP = [
    *(b"<div>", b"</div>", b"<p>", b"</p>", b"<a href='/2025/05/other-story-of-ours'>", b"</a>", b"<ul><li>", b"<table><td>", b"<script>", b"</script>"),
    *(b"<script type='application/ld+json'>", b'{"@graph":[', b'{"@type":"NewsArticle","headline":', b"]}", b"<h1>", b"<h2>Read more</h2>", b"<br><br>"),
    *(b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<!DOCTYPE html [<!ENTITY a 'b'>]>", b"&a;", b"&#x110000;", b"&#0;", b"&nbsp;", b"&lt;script&gt;", b"<svg><math>"),
    *(b"<time datetime='", b"2025-02-30", b"9999-12-31T23:59:59+23:59", b"0001-01-01T00:00:00+14:00", b"<meta charset=", b"utf-7", b"utf-16", b"<link rel=canonical href="),
    *(b"https://[::1", b"http://a:99999/", b"//\x00/", b"javascript:alert(1)", b"<base href='//evil.example'>", b"<template>", b"<noscript>", b"<plaintext>", b"<frameset>"),
    *(b" class='entry-content'", b" class='related'", b" class='" + b"a-" * 200 + b"'", b" itemprop=articleBody", b" itemscope itemtype='https://schema.org/Article'", b"='", b'="', b">", b"<"),
    *("\u202e\u2066".encode(), "Читайте також:".encode(), "\U0001f600\u200d".encode(), b"\xed\xa0\x80", b"\xff\xfe", b"\x00", b"\xef\xbb\xbf", "ﷺ\u0300\u0300\u0300".encode()),
]  # fmt: skip
_JSON = [
    *(
        b'{"title":',
        b'"id":',
        b'"text":',
        b'"url":"https://',
        b'"published_at":"',
        b'"read_more":[',
        b"{}",
        b"[]",
        b"null",
        b"1e999",
        b"-0",
        b"NaN",
        b'"\\ud800"',
        b"\\u0000",
    ),
    *(
        b'"',
        b",",
        b":",
        b"{",
        b"}",
        b"[" * 500,
        b"1" * 5_000,
        b"\n",
        b"\r",
        b"\xff",
        b"\x00",
        b"true",
        b'"9999-99-99"',
        b'"stub:x"',
        "\u2028".encode(),
    ),
]
_CSV = [
    b"title",
    b"id",
    b"text",
    b",",
    b";",
    b"\t",
    b'"',
    b'""',
    b"\r\n",
    b"\n",
    b"\r",
    b"[",
    b'["a"',
    b"\x00",
    b"\xff",
    b"published_at",
    b"read_more",
    b"2025-01-01",
]
_TEXT = [
    b"Read more:",
    b"\n",
    b"\r",
    b"- ",
    b"\xff",
    b"\x00",
    b"Title",
    "Читайте також: ".encode(),
    "\u2028\u0085".encode(),
    b"* " * 300,
]

_FEED = [
    *(b"<rss version='2.0'>", b"</rss>", b"<channel>", b"<item>", b"</item>", b"<title>", b"</title>", b"<link>", b"</link>", b"https://a.example/b"),
    *(b"<feed xmlns='http://www.w3.org/2005/Atom'>", b"<entry>", b"<content type='xhtml'>", b"<content type='html'>", b"<summary>", b"<div>", b"<updated>"),
    *(b"<pubDate>", b"Tue, 10 Mar 2026 09:00:00 +0200", b"Mon, 99 Foo 20260 99:99", b"<guid isPermaLink='false'>", b"<enclosure url='", b"<category>", b"<a:b>"),
    *(b"<content:encoded xmlns:content='http://purl.org/rss/1.0/modules/content/'>", b"<media:content medium='image' url='", b"xml:lang='", b"xmlns:x='", b"<author>"),
    *(b"<urlset>", b"<url>", b"<loc>", b"</loc>", b"<lastmod>", b"<sitemapindex>", b"<sitemap>", b"<n:news xmlns:n='http://www.google.com/schemas/sitemap-news/0.9'>"),
    *(b"<?xml version='1.0' encoding='", b"utf-7", b"utf-16", b"'?>", b"<!DOCTYPE rss [", b"<!ENTITY a '&b;&b;'>", b"<!ENTITY b SYSTEM 'file:///etc/passwd'>", b"]>", b"&a;"),
    *(b" a='" + b"x" * 300 + b"'", b"<x" + b" y='1'" * 150 + b">", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?", b"&#x110000;", b"&lt;b&gt;", b"\xff\xfe", b"\x00", b"\x1f\x8b"),
]  # fmt: skip
_JSON_FEED = [
    *(b'{"version": "https://jsonfeed.org/version/1.1", "items": [', b'{"id": "1", "url": "https://a.example/1", "title": "A"', b'"content_html": "<p>'),
    *(b'"content_text":', b'"authors": [', b'{"name": {}}', b'"tags": [1, null,', b'"date_published": "0001-01-01T00:00:00+14:00"', b'"language": 7', *_JSON),
]  # fmt: skip
_ROBOTS = [
    *(b"User-agent: *", b"User-agent: newsroom-recommender", b"Disallow: /", b"Allow: /", b"Crawl-delay: ", b"Sitemap: https://a.example/s.xml", b"*a" * 300),
    *(b"\n", b"\r", b"\n\n", b"#", b":", b"$", b"%zz", b"%ff", b"1e999", b"nan", b"-5", b"\xff", b"\x00", b"\xef\xbb\xbf", b"Request-rate: 1/0s", b"Visit-time: 9-9"),
]  # fmt: skip
_ADDRESS = "https://a.example/news/a-story"


@cache
def _feeds() -> list[bytes]:
    made = []
    for record in _records()[:40]:
        told = json.loads(record)
        html = "".join(f"&lt;p&gt;{escape(escape(line))}&lt;/p&gt;" for line in told["text"].split("\n"))
        item = f"<title>{escape(told['title'])}</title><link>{_ADDRESS}</link><description>{html}</description>"
        made.append(f'<?xml version="1.0"?><rss version="2.0"><channel><item>{item}</item></channel></rss>'.encode())
        entry = f"<entry><title>{escape(told['title'])}</title><link href='{_ADDRESS}'/><content type='html'>{html}</content></entry>"
        made.append(f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>'.encode())
    return made


@cache
def _json_feeds() -> list[bytes]:
    stories = [json.loads(record) for record in _records()[:40]]
    items = [
        {"id": each["id"], "title": each["title"], "content_text": each["text"], "url": _ADDRESS} for each in stories
    ]
    head = {"version": "https://jsonfeed.org/version/1.1", "title": "Post"}
    return [json.dumps(head | {"items": items[start : start + 4]}).encode() for start in range(0, 40, 4)]


def _sitemaps() -> list[bytes]:
    line = "<{0}><loc>https://a.example/{1}</loc><lastmod>2026-03-{2:02d}T09:00:00+01:00</lastmod></{0}>"
    made = []
    for root, name in (("urlset", "url"), ("sitemapindex", "sitemap")):
        lines = "".join(line.format(name, number, number % 28 + 1) for number in range(50))
        made.append(f'<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{lines}</{root}>'.encode())
    return [*made, b"\n".join(b"https://a.example/%d" % number for number in range(50))]


def _feed(parse: Callable[[bytes], Feed]) -> Callable[[bytes], object]:
    """Return what reads a feed and all of its entries, whose texts are taken apart here, where a fault is seen."""

    def read(raw: bytes) -> object:
        articles = []
        for entry in parse(raw).entries:
            with contextlib.suppress(RecordError):
                html = entry.content or entry.summary
                check_size(html.encode("utf-8", "replace"))
                articles.append(
                    article_from_entry(entry, body_of(html, url=entry.url) if html.strip() else Body("", ()))
                )
        return articles

    return read


def _announced(raw: bytes) -> object:
    check_size(raw)
    return announced(raw, "https://paper.example/", None)


def _editor(raw: bytes) -> object:
    """Read a post of Ghost as its editor stored it: the HTML that is made of it, and the body of that, taken apart here."""
    text = raw.decode("utf-8", "surrogateescape")
    try:
        html = html_of_lexical(text)
    except RecordError:
        html = html_of_mobiledoc(text)
    check_size(html.encode("utf-8", "replace"))
    return body_of(html, url="https://paper.example/a-story-of-ours")


def _robots(raw: bytes) -> object:
    rules = parse_rules(raw, "newsroom-recommender")
    return rules.allow(_ADDRESS), rules.allow("https://a.example/" + "a" * 2_000), rules.delay_seconds, rules.sitemaps


_XML = [
    *(b"<item>", b"</item>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<wp:status>draft</wp:status>", b"<wp:post_type>attachment</wp:post_type>", b"<wp:post_id>"),
    *(b"<content:encoded>", b"</content:encoded>", b"[caption id=1]", b"[/caption]", b"[gallery", b"[a=", b"<!-- wp:paragraph -->", b"<wp:post_name>", b"<link>"),
    *(b"<!DOCTYPE rss [<!ENTITY a '&b;&b;'>]>", b"&a;", b"&nbsp;", b"&#x110000;", b"<?xml version='1.0' encoding='utf-7'?>", b"<?xml encoding='koi8-r'?>", b"<rss xmlns:wp='/export/'>"),
    *(b"<newsItem guid='a'>", b"</newsItem>", b"<nar:newsItem>", b"<pubStatus qcode='stat:canceled'/>", b"<embargoed>", b"<inlineXML>", b"<inlineData contenttype='text/html'>"),
    *(b"<nitf>", b"<docdata management-status='embargoed'>", b"<date.release norm='99999999T999999Z'/>", b"<body.content>", b"<p>", b"</p>", b"<a href='"),
    *(b" a='1'" * 300, b"<b>" * 200, b"0000-00-00 00:00:00", b"9999-12-31 23:59:59", b"<wp:meta_key>_thumbnail_id</wp:meta_key>", b"\xff", b"\x00", "ﷺ\u202e".encode()),
]  # fmt: skip
_EDITOR = [
    *(b'{"root":{"children":[', b'{"type":"link","url":"', b'{"type":"html","html":"', b'"children":[', b"]}", b'{"type":"list","children":[' * 120, b'{"sections":[', b'"markups":[["a",["href","'),
    *(b'[1,"p",[[0,[0],1,"', b"[3,", b"[10,0]", b'"cards":[["bookmark",{"url":"', b'"atoms":[["soft-return"', b"-1", b"9" * 30, b"true", b"null", b"[[", b"]]", b"\\ud800", b"<p>", b"</p>", b"\x00", b"\xff"),
]  # fmt: skip
_ANNOUNCED = [
    *(b"<link rel=alternate type=application/rss+xml href='", b"<link rel=alternate type=application/feed+json title='", b"<base href='", b"//[", b"http://a:b@c/", b"' href=/comments/feed/>"),
]  # fmt: skip
_MARKDOWN = [
    *(b"---\n", b"+++\n", b"{", b"}", b"title: ", b"date: 2025-13-45\n", b"date: 9999-12-31T23:59:59+23:59\n", b"draft: true\n", b"!!python/object:os.system x", b"&a ", b"*a "),
    *(b"[" * 300, b"(" * 300, b"**" * 300, b"`" * 300, b"> " * 300, b"- " * 300, b"![](" * 100, b"<a", b"]: x", b"| a | b |\n|---|---|\n", b"{{< x >}}", b"{% x %}", b"\n\n"),
    *(b"[a]: " * 100, b"<!--" * 100, b"<?" * 100, b"_a" * 300, b"&#" * 300, b"1:2:3:4:5:6", b"1e99999", b"0o7777", b".inf", b"!!timestamp x", b"!!int " + b"9" * 5_000, b"<<: {a: b}", b"\xff", b"\x00"),
]  # fmt: skip
_BINARY = [
    *(b"PAR1", b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", b"\x00" * 50, b"\xff" * 8, b"\x7f\xff\xff\xff", b"\x80" * 9 + b"\x01"),
    *(b"WARC/1.0\r\n", b"WARC/1.1\r\n", b"WARC-Type: response\r\n", b"WARC-Type: revisit\r\n", b"Content-Length: 99999999999\r\n", b"Content-Length: -1\r\n", b"\r\n\r\n"),
    *(b"HTTP/1.1 200 OK\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n", b"Content-Encoding: br\r\n", b"ffffffff\r\n", b"0\r\n\r\n", b"Content-Type: text/html\r\n"),
]  # fmt: skip


def _wordpress() -> list[bytes]:
    more = {"content": "One\n\n[caption id=1]x[/caption]\n\nTwo [sic]", "status": "draft"}
    items = [exported.wxr_item(1, rest=exported.THUMBNAIL), exported.PICTURE, exported.wxr_item(2, **more)]
    return [exported.wxr(*items), exported.wxr(*items[::-1])]


def _newsml() -> list[bytes]:
    embargo = "<embargoed>2026-05-01T00:00:00Z</embargoed>"
    items = [exported.news_item(1), exported.news_item(2, status="canceled"), exported.news_item(3, embargo=embargo)]
    return [exported.newsml(*items), exported.newsml(exported.news_item(4, prefix="nar")), items[0].encode()]


def _parquets() -> list[bytes]:
    rows = [{"id": f"a{n}", "title": "A", "tags": ["b"], "read_more": [{"title": "c", "url": None}]} for n in range(30)]
    return [exported.parquet(rows), exported.parquet([{"title": "A"}])]


def _warcs() -> list[bytes]:
    address = "https://paper.example/2025/03/pier"
    captures: list[tuple[str, dict[str, object]]] = [
        (address, {}),
        (f"{address}-2", {"chunked": True, "coding": "gzip"}),
        (address, {"record": "revisit"}),
    ]
    return [exported.warc(*captures), exported.warc(*captures, packed=False)]


def _zips() -> list[bytes]:
    return [
        exported.zipped(a__csv=_tables()[0], b__json=exported.ghost({}), c__md=exported.MARKDOWN.encode()),
        exported.zipped(a__xml=exported.nitf(), d__zip=b""),
    ]


def _named(name: str) -> Callable[[bytes], object]:
    """Read a file of this name: what is packed is opened by it."""

    def read_file(raw: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, name)
            file.write_bytes(raw)
            return list(read(file))

    return read_file


READERS: dict[str, Reader] = {
    "page": Reader(_page, _pages, _MARKUP),
    "body": Reader(_body, _pages, _MARKUP),
    "jsonl": Reader(_entries("jsonl"), _records, _JSON),
    "json": Reader(_entries("json"), lambda: [*_records(), *_json_feeds()], [*_JSON, *_JSON_FEED]),
    "csv": Reader(_entries("csv"), _tables, _CSV),
    "txt": Reader(_entries("txt"), _texts, _TEXT),
    "feed": Reader(_feed(parse_feed), _feeds, _FEED),
    "json feed": Reader(_feed(parse_json_feed), _json_feeds, _JSON_FEED),
    "sitemap": Reader(parse_sitemap, _sitemaps, _FEED),
    "robots.txt": Reader(_robots, lambda: [b"User-agent: *\nDisallow: /private/\nCrawl-delay: 5\n"], _ROBOTS),
    "xml": Reader(_entries("xml"), lambda: [*_wordpress(), *_newsml(), exported.nitf()], _XML),
    "wordpress": Reader(_entries("wordpress"), _wordpress, _XML),
    "newsml": Reader(_entries("newsml"), _newsml, _XML),
    "nitf": Reader(_entries("nitf"), lambda: [exported.nitf(), exported.nitf(status="embargoed")], _XML),
    "ghost": Reader(
        _entries("ghost"),
        lambda: [
            exported.ghost(
                {},
                {"status": "draft"},
                {"html": None, "lexical": exported.LEXICAL},
                {"html": "", "mobiledoc": exported.MOBILEDOC},
            )
        ],
        [*_JSON, b'"db":[{"meta":{},"data":{"posts":'],
    ),
    "ghost's editors": Reader(_editor, lambda: [exported.LEXICAL.encode(), exported.MOBILEDOC.encode()], _EDITOR),
    "feeds of a page": Reader(_announced, _pages, [*_MARKUP, *_ANNOUNCED]),
    "md": Reader(_entries("md"), lambda: [exported.MARKDOWN.encode(), b'+++\ntitle = "T"\n+++\n# Text\n'], _MARKDOWN),
    "parquet": Reader(_entries("parquet"), _parquets, _BINARY),
    "warc": Reader(_entries("warc"), _warcs, _BINARY),
    "zip": Reader(_named("a.zip"), _zips, [*_BINARY, b"a.csv", b"../b.csv"]),
    "gz": Reader(_named("a.csv.gz"), lambda: [gzip.compress(each) for each in _tables()], _BINARY),
    "zst": Reader(_named("a.csv.zst"), lambda: [exported.zst(each) for each in _tables()], _BINARY),
    "by looking": Reader(
        lambda raw: [read_bytes(raw)],
        lambda: [*_records()[:20], *_tables()[:5], *_texts()[:5], *_json_feeds()],
        [*_JSON, *_CSV, *_TEXT],
    ),
}
"""Every reader; a new format adds a row."""


@dataclass
class Findings:
    """What came of the inputs."""

    counts: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, 0)
    found: list[str] = field(default_factory=list)


def made(name: str, number: int) -> bytes:
    """Return an input of a reader by its number."""
    chance = random.Random(f"{name} {number}")
    reader = READERS[name]
    raw = _nonsense(reader.words, chance) if chance.random() < 0.25 else chance.choice(reader.seeds())
    for _ in range(chance.choice((0, 1, 1, 2, 3, 5, 8, 20))):
        raw = chance.choice(_MUTATIONS)(raw, reader, chance)[:_LARGEST]
    return raw


def _nonsense(words: Sequence[bytes], chance: random.Random) -> bytes:
    n = chance.choice((0, 1, 5, 30, 200, 2_000))
    return (
        b" ".join(chance.choice(words) for _ in range(n))
        if chance.random() < 0.5
        else b"".join(chance.choices(words, k=n))
    )


def _span(raw: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(raw) + 1)
    return start, min(len(raw), start + chance.choice((1, 2, 10, 100, 2_000)))


def _flip(raw: bytes, reader: Reader, chance: random.Random) -> bytes:
    if not raw:
        return raw
    at = chance.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ (1 << chance.randrange(8))]) + raw[at + 1 :]


def _cut(raw: bytes, reader: Reader, chance: random.Random) -> bytes:
    start, end = _span(raw, chance)
    return raw[:start] + raw[end:]


def _end(raw: bytes, reader: Reader, chance: random.Random) -> bytes:
    return raw[: chance.randrange(len(raw) + 1)]


def _sow(raw: bytes, reader: Reader, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + chance.choice(reader.words) + raw[at:]


def _repeat(raw: bytes, reader: Reader, chance: random.Random) -> bytes:
    start, end = _span(raw, chance)
    return (
        raw[:end]
        + raw[start:end] * min(chance.choice((1, 10, 300, 5_000)), _LARGEST // max(1, end - start))
        + raw[end:]
    )


def _mix(raw: bytes, reader: Reader, chance: random.Random) -> bytes:
    other = chance.choice(reader.seeds())
    start, end = _span(other, chance)
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + other[start:end] + raw[at:]


def _recode(raw: bytes, reader: Reader, chance: random.Random) -> bytes:
    text = raw.decode("utf-8", "replace")
    return (
        text.encode(chance.choice(("utf-16", "utf-16-le", "utf-32", "cp1251", "shift_jis", "utf-7")), "replace")
        if chance.random() < 0.3
        else gzip.compress(raw[:1_000])
    )


_MUTATIONS = (_flip, _flip, _cut, _cut, _end, _sow, _sow, _sow, _repeat, _repeat, _mix, _mix, _recode)


def fuzz(name: str, numbers: Sequence[int]) -> Findings:
    """Give one reader these inputs."""
    findings = Findings()
    before = _peak_bytes(anew=True)
    for number in numbers:
        raw = made(name, number)
        faulthandler.dump_traceback_later(_HANGS_SECONDS, exit=True)
        started = time.process_time()
        try:
            READERS[name].read(raw)
            findings.counts["read"] += 1
        except (RecordError, SourceError):
            findings.counts["refused"] += 1
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            findings.found.append(f"{name} {number}: {type(error).__name__}: {str(error)[:200]}")
        finally:
            faulthandler.cancel_dump_traceback_later()
        seconds = time.process_time() - started
        findings.slowest = max(findings.slowest, (seconds, number))
        if seconds > MOST_SECONDS:
            findings.found.append(f"{name} {number}: took {seconds:.1f} seconds for {len(raw):,} bytes")
    n_bytes = _peak_bytes() - before
    if n_bytes > MOST_BYTES:
        findings.found.append(f"{name} {numbers[0]} to {numbers[-1]}: took {n_bytes // 10**6:,} MB")
    return findings


def _peak_bytes(*, anew: bool = False) -> int:
    """Return the most memory that this process has had (Linux), from now on where ``anew``."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    told = Path("/proc/self/status").read_text(encoding="ascii")
    return int(told.partition("VmHWM:")[2].split()[0]) * 1024


def shares(names: Sequence[str], n_inputs: int) -> Iterator[tuple[str, range]]:
    """Yield for each reader the numbers of its inputs."""
    for at, name in enumerate(names):
        yield name, range(n_inputs // len(names) + (at < n_inputs % len(names)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000, help="of all readers together")
    parser.add_argument("--reader", action="append", choices=sorted(READERS), help="only this one; may be given again")
    parser.add_argument(
        "--only", type=int, metavar="NUMBER", help="write this input of the one reader to standard output"
    )
    asked = parser.parse_args()
    names = asked.reader or list(READERS)
    if asked.only is not None:
        sys.stdout.buffer.write(made(names[0], asked.only))
        return 0
    found: list[str] = []
    print("| reader | inputs | read | refused | slowest, s | found |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, numbers in shares(names, asked.inputs):
        findings = fuzz(name, numbers)
        found += findings.found
        print(
            f"| {name} | {len(numbers):,} | {findings.counts['read']:,} | {findings.counts['refused']:,} | {findings.slowest[0]:.2f} (number {findings.slowest[1]}) | {len(findings.found)} |",
            flush=True,
        )
    print(f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // 10**6:,} MB")
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
