"""Small exports of every format, made anew, for tests and for the fuzzer."""

from __future__ import annotations

import gzip
import io
import json
import sys
import zipfile
from typing import Any

WORDS = (
    "The harbour council voted on Tuesday to close the old pier after engineers found cracks in four of its pillars. "
)
WXR_HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>The Paper</title><link>https://paper.example</link><language>en-US</language><wp:wxr_version>1.2</wp:wxr_version>
<wp:author><wp:author_id>2</wp:author_id><wp:author_login><![CDATA[ada]]></wp:author_login><wp:author_display_name><![CDATA[Ada Berg]]></wp:author_display_name></wp:author>
"""


def wxr_item(number: int, **more: str) -> str:
    """Return a post; ``more`` replaces its fields."""
    says = {
        "title": f"Story number {number} of the harbour",
        "link": f"https://paper.example/2025/03/story-{number}/",
        "content": f"<!-- wp:paragraph -->\n<p>{WORDS * 3}</p>\n<!-- /wp:paragraph -->",
        "excerpt": f"What the council did, part {number}.",
        "gmt": "2025-03-14 08:30:00",
        "date": "2025-03-14 09:30:00",
        "slug": f"story-{number}",
        "status": "publish",
        "type": "post",
        "password": "",
        "rest": "",
    } | more
    return f"""<item><title><![CDATA[{says["title"]}]]></title><link>{says["link"]}</link><pubDate>Fri, 14 Mar 2025 08:30:00 +0000</pubDate>
<dc:creator><![CDATA[ada]]></dc:creator><guid isPermaLink="false">https://paper.example/?p={number}</guid>
<content:encoded><![CDATA[{says["content"]}]]></content:encoded><excerpt:encoded><![CDATA[{says["excerpt"]}]]></excerpt:encoded>
<wp:post_id>{number}</wp:post_id><wp:post_date><![CDATA[{says["date"]}]]></wp:post_date><wp:post_date_gmt><![CDATA[{says["gmt"]}]]></wp:post_date_gmt>
<wp:post_modified_gmt><![CDATA[2025-03-15 10:00:00]]></wp:post_modified_gmt><wp:post_name><![CDATA[{says["slug"]}]]></wp:post_name>
<wp:status><![CDATA[{says["status"]}]]></wp:status><wp:post_type><![CDATA[{says["type"]}]]></wp:post_type><wp:post_password><![CDATA[{says["password"]}]]></wp:post_password>
<category domain="category" nicename="politics"><![CDATA[Politics]]></category><category domain="post_tag" nicename="harbour"><![CDATA[Harbour]]></category>
{says["rest"]}</item>
"""


def wxr(*items: str) -> bytes:
    """Return an export of WordPress with these items."""
    return f"{WXR_HEAD}{''.join(items)}</channel></rss>".encode()


PICTURE = (
    "<item><title>pier</title><wp:post_id>90</wp:post_id><wp:status>inherit</wp:status><wp:post_type><![CDATA[attachment]]></wp:post_type>"
    "<wp:attachment_url><![CDATA[https://paper.example/pier.jpg]]></wp:attachment_url></item>"
)
THUMBNAIL = "<wp:postmeta><wp:meta_key><![CDATA[_thumbnail_id]]></wp:meta_key><wp:meta_value><![CDATA[90]]></wp:meta_value></wp:postmeta>"


def ghost(*posts: dict[str, Any]) -> bytes:
    """Return an export of Ghost with these posts, each over a published one."""
    made = [
        {
            "id": f"p{number}", "uuid": f"uuid-{number}", "title": f"Ghost story {number}", "slug": f"ghost-story-{number}", "type": "post",
            "status": "published", "html": f"<p>{WORDS * 2}</p>", "custom_excerpt": "In short.", "published_at": "2025-03-14T08:30:00.000Z",
            "updated_at": "2025-03-15T08:30:00.000Z", "feature_image": "__GHOST_URL__/content/images/pier.jpg",
        } | post
        for number, post in enumerate(posts, start=1)
    ]  # fmt: skip
    data = {
        "posts": made,
        "tags": [{"id": "t1", "name": "Politics"}, {"id": "t2", "name": "#internal"}, {"id": "t3", "name": "Harbour"}],
        "posts_tags": [
            {"post_id": "p1", "tag_id": "t3", "sort_order": 1},
            {"post_id": "p1", "tag_id": "t1", "sort_order": 0},
            {"post_id": "p1", "tag_id": "t2", "sort_order": 2},
        ],
        "users": [{"id": "u1", "name": "Ada Berg"}],
        "posts_authors": [{"post_id": "p1", "author_id": "u1", "sort_order": 0}],
    }
    return json.dumps({"db": [{"meta": {"version": "5.80.0"}, "data": data}]}).encode()


def lexical(*nodes: Any) -> str:
    """Return what Ghost's editor stores of a post with these nodes."""
    return json.dumps({"root": {"children": nodes, "type": "root", "version": 1}})


def _words(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "extended-text", "text": text, "format": 1, **more}


def _p(*children: Any, kind: str = "paragraph") -> dict[str, Any]:
    return {"type": kind, "children": list(children)}


LEXICAL = lexical(
    _p(_words("The pier "), {"type": "link", "url": "__GHOST_URL__/pier-opens-in-spring/", "rel": None, "children": [_words("opened in spring")]}, _words(" & closed <b>again</b>.")),
    _p(_words("What happens next"), kind="extended-heading"),
    _p(_words("One line"), {"type": "linebreak"}, _words("and another."), kind="extended-quote"),
    _p(_p(_words("A point"), kind="listitem"), _p(_words("One more"), kind="listitem"), kind="list"),
    {"type": "bookmark", "url": "https://paper.example/why-the-pier-closed/", "metadata": {"title": "Why the pier closed", "description": "x"}},
    {"type": "html", "html": "<p>By hand<script>x()</script>.</p>"}, {"type": "markdown", "markdown": "First.\n\nSecond."},
    {"type": "callout", "calloutText": "<b>Take care.</b>"}, {"type": "toggle", "heading": "Who?", "content": "<p>Nobody.</p>"},
    {"type": "image", "src": "a.jpg", "caption": "The pier"}, {"type": "email", "html": "<p>Dear reader</p>"}, {"type": "signup", "header": "Join"},
    _p({"type": "link", "url": "javascript:alert(1)", "children": [_words("Not a link")]}, _p(_words(" at all."), kind="no-such-kind")),
)  # fmt: skip
MOBILEDOC = json.dumps({
    "version": "0.3.1", "atoms": [["soft-return", "", {}], ["mention", "@ada", {}]],
    "markups": [["strong"], ["a", ["href", "__GHOST_URL__/pier-opens-in-spring/", "rel", "x"]], ["a", ["href", "javascript:alert(1)"]]],
    "cards": [["bookmark", {"url": "https://paper.example/why-the-pier-closed/", "metadata": {"title": "Why the pier closed"}}], ["card-markdown", {"markdown": "First.\n\nSecond."}], ["image", {"src": "x"}]],
    "sections": [
        [1, "p", [[0, [], 0, "The pier "], [0, [1, 0], 2, "opened in spring"], [0, [], 0, " & closed <b>again</b>."]]],
        [1, "script", [[0, [], 0, "One line"], [1, [], 0, 0], [0, [2], 9, "and another "], [1, [], 0, 1], [1, [], 0, 77]]],
        [3, "ol", [[[0, [], 0, "A point"]], [[0, [99], 1, "One more"]], "junk"]], [10, 0], [10, 1], [10, 2], [10, 12], [2, "a.jpg"], [7], "junk", [1, "p", [[0, [1], 0, "never closed"]]],
    ],
})  # fmt: skip


def news_item(number: int, *, status: str = "usable", embargo: str = "", headline: str = "", prefix: str = "") -> str:
    """Return a news item of NewsML-G2."""
    x = f"{prefix}:" if prefix else ""
    return f"""<{x}newsItem guid="urn:newsml:agency.example:2025:{number}" version="1"><{x}itemMeta><{x}itemClass qcode="ninat:text"/>
<{x}versionCreated>2025-03-14T10:00:00+01:00</{x}versionCreated><{x}firstCreated>2025-03-14T09:00:00+01:00</{x}firstCreated>{embargo}
<{x}pubStatus qcode="stat:{status}"/><{x}service><{x}name>Politics</{x}name></{x}service>
<{x}link rel="irel:seeAlso" href="https://agency.example/older"><{x}title>An older story of the pier</{x}title></{x}link></{x}itemMeta>
<{x}contentMeta><{x}creator><{x}name>Ada Berg</{x}name></{x}creator><{x}language tag="en"/><{x}genre qcode="genre:Current"/>
<{x}subject qcode="medtop:11000000"><{x}name>politics</{x}name></{x}subject><{x}headline>{headline or f"Wire story {number}"}</{x}headline>
<{x}description role="drol:summary">The pier in short.</{x}description></{x}contentMeta>
<{x}contentSet><{x}inlineXML contenttype="application/nitf+xml"><nitf><body><body.content><p>{WORDS}</p><p>{WORDS}</p></body.content></body></nitf>
</{x}inlineXML></{x}contentSet></{x}newsItem>"""


def newsml(*items: str) -> bytes:
    """Return a message of NewsML-G2."""
    return f'<?xml version="1.0"?>\n<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><itemSet>{"".join(items)}</itemSet></newsMessage>'.encode()


def nitf(*, status: str = "usable", release: str = "20250314T083000Z") -> bytes:
    """Return a story in NITF."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nitf SYSTEM "http://www.nitf.org/IPTC/NITF/3.6/dtd/nitf-3-6.dtd">
<nitf xml:lang="en"><head><title>Pier</title><tobject><tobject.subject tobject.subject.type="politics" tobject.subject.matter="local government"/></tobject>
<docdata management-status="{status}"><doc-id id-string="nitf-77"/><date.issue norm="20250314T083000Z"/><date.release norm="{release}"/>
<key-list><keyword key="harbour"/></key-list></docdata><pubdata position.section="Politics" ex-ref="https://paper.example/2025/pier-closes"/></head>
<body><body.head><hedline><hl1>Pier closes for&nbsp;good</hl1></hedline><byline>By <person>Ada Berg</person></byline><abstract><p>In short.</p></abstract></body.head>
<body.content><media media-type="image"><media-reference source="https://paper.example/pier.jpg"/><media-caption>A caption</media-caption></media>
<p>{WORDS}</p><hl2>What now</hl2><p>{WORDS}</p></body.content></body></nitf>""".encode()


MARKDOWN = f"""---
title: "The pier: closed"
date: 2025-03-14T09:30:00+01:00
lastmod: 2025-03-15
categories: [Politics]
tags:
  - Harbour
author: Ada Berg
description: In short.
---
{WORDS}

{{{{< figure src="pier.jpg" caption="A caption" >}}}}

**Bold** and [another story](https://paper.example/politics/another-story-of-the-pier/). {WORDS}
"""


def zipped(**members: bytes) -> bytes:
    """Return a zip of these members (``__`` in a name is a dot)."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in members.items():
            archive.writestr(name.replace("__", "."), raw)
    return made.getvalue()


def zst(raw: bytes) -> bytes:
    """Return bytes as Zstandard."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    packed: bytes = zstd.compress(raw)
    return packed


def parquet(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as Parquet."""
    import pyarrow
    from pyarrow import parquet as writer

    made = io.BytesIO()
    writer.write_table(pyarrow.Table.from_pylist(rows), made)
    return made.getvalue()


PAGE = f"""<html lang="en"><head><title>Pier closes</title><meta property="og:type" content="article"><meta property="og:title" content="Pier closes for good">
<meta property="article:published_time" content="2025-03-14T09:30:00+01:00"></head>
<body><article><h1>Pier closes for good</h1>{f"<p>{WORDS * 3}</p>" * 3}</article></body></html>""".encode()


def warc(*captures: tuple[str, dict[str, Any]], packed: bool = True) -> bytes:
    """Return a web archive of (address, what is other than a page that was answered with 200)."""
    return b"".join(map(gzip.compress if packed else bytes, (_record(url, says) for url, says in captures)))


def _record(url: str, says: dict[str, Any]) -> bytes:
    body = says.get("body", PAGE)
    headers = [
        f"HTTP/1.1 {says.get('status', '200 OK')}",
        f"Content-Type: {says.get('type', 'text/html; charset=utf-8')}",
    ]
    if says.get("coding") == "gzip":
        body = gzip.compress(body)
        headers.append("Content-Encoding: gzip")
    if says.get("chunked"):
        pieces = [body[at : at + 100] for at in range(0, len(body), 100)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        headers.append("Transfer-Encoding: chunked")
    block = "\r\n".join(headers).encode() + b"\r\n\r\n" + body
    sort = says.get("record", "response")
    about = {
        "WARC-Type": sort, "WARC-Record-ID": "<urn:uuid:1>", "WARC-Target-URI": url, "WARC-Date": "2025-03-15T00:00:00Z",
        "Content-Type": f"application/http; msgtype={sort}", "Content-Length": str(len(block)),
    } | says.get("warc", {})  # fmt: skip
    head = "\r\n".join(["WARC/1.0", *(f"{name}: {value}" for name, value in about.items())])
    return head.encode() + b"\r\n\r\n" + block + b"\r\n\r\n"
