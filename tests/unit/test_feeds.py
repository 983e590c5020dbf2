"""Feeds and sitemaps as files: what is read of good ones, what of bad ones, and that nothing in them keeps anybody busy."""

from __future__ import annotations

import contextlib
import gzip
import io
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender import readers
from recommender.errors import RecordError, SourceError
from recommender.readers.sitemap import instant_of
from recommender.readers.xml import root_name, unzipped, xml_text

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>Лінден Пост</title><language>uk</language>
<item><title>Пором &amp;amp; екіпаж &lt;b&gt;страйкують&lt;/b&gt;</title><link>/news/1</link><guid isPermaLink="false">1</guid>
<description>Коротко &lt;i&gt;про&lt;/i&gt; це</description>
<content:encoded><![CDATA[<p>Перший <b>абзац</b>.<script>alert(1)</script></p><p>Другий.</p><p>Читайте також: <a href="/news/0">Голосування</a></p>]]></content:encoded>
<pubDate>Tue, 10 Mar 2026 09:00:00 +0200</pubDate><dc:creator>Анна Берг</dc:creator><category>море</category>
<enclosure url="/i.jpg" type="image/jpeg" length="1"/></item>
<item><description>nothing to go by</description></item>
<item><title>Twice</title><link>/news/1</link></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>Post</title>
<entry><id>tag:post.example,2026:1</id><title type="html">Streik &amp;amp; &lt;em&gt;Hafen&lt;/em&gt;</title>
<link rel="alternate" href="https://post.example/1"/><link rel="edit" href="https://post.example/edit"/>
<published>2026-03-10T09:00:00+01:00</published><updated>2026-03-11T10:00:00Z</updated>
<author><name>Anna Berg</name></author><category term="hafen"/><summary>Kurz</summary>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Erster Absatz.</p><p>Zweiter.</p></div></content></entry></feed>"""
JSON = """{"version": "https://jsonfeed.org/version/1.1", "title": "Post", "language": "en", "authors": [{"name": "Desk"}],
"items": [{"id": "1", "url": "https://post.example/1", "title": "Crews & company", "content_html": "<p>One.</p><p>Two.</p>",
"summary": "In <short>", "date_published": "2026-03-10T09:00:00+01:00", "date_modified": "nonsense", "tags": ["sea", 7], "image": "https://post.example/i.jpg"},
{"id": 2, "title": "A <b>plain</b> one", "content_text": "First.\\nSecond & last."}, "junk", {"content_html": "neither"}]}"""


def test_rss_is_read_with_its_whole_text_and_the_editors_links() -> None:
    feed = readers.parse_feed(RSS.encode(), url="https://post.example/feed")
    (entry,) = feed.entries
    article = readers.article_from_entry(entry)
    assert (article.id, article.title) == ("https://post.example/news/1", "Пором & екіпаж страйкують")
    assert article.text == "Перший абзац.\nДругий."
    assert [(link.title, link.url) for link in article.read_more] == [("Голосування", "https://post.example/news/0")]
    assert (article.description, article.language, article.tags) == ("Коротко про це", "uk", ("море",))
    assert (article.authors, article.image_url) == (("Анна Берг",), "https://post.example/i.jpg")
    assert article.published_at == datetime(2026, 3, 10, 7, tzinfo=UTC)
    assert [number for number, _ in feed.refused] == [2, 3]


def test_atom_and_json_feeds_are_read_the_same() -> None:
    (entry,) = readers.parse_feed(ATOM.encode()).entries
    article = readers.article_from_entry(entry)
    assert (article.id, article.title, article.text) == (
        "https://post.example/1",
        "Streik & Hafen",
        "Erster Absatz.\nZweiter.",
    )
    assert (article.language, article.authors, article.description) == ("de", ("Anna Berg",), "Kurz")
    assert article.modified_at == datetime(2026, 3, 11, 10, tzinfo=UTC)
    feed = readers.parse_json_feed(JSON.encode())
    one, two = (readers.article_from_entry(entry) for entry in feed.entries)
    assert (one.title, one.text, one.description) == ("Crews & company", "One.\nTwo.", "In <short>")
    assert (one.authors, one.tags, one.language) == (("Desk",), ("sea", "7"), "en")
    assert (two.id, two.title, two.text) == ("2", "A <b>plain</b> one", "First.\nSecond & last.")
    assert [number for number, _ in feed.refused] == [3, 4]


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        (RSS.replace("utf-8", "windows-1251").encode("cp1251"), "Лінден Пост"),
        (b"\xef\xbb\xbf" + RSS.encode(), "Лінден Пост"),
        (b"\xff\xfe" + RSS.replace("utf-8", "utf-16").encode("utf-16-le"), "Лінден Пост"),
        (gzip.compress(RSS.encode()), "Лінден Пост"),
        (RSS.replace("utf-8", "no-such").encode(), "Лінден Пост"),
        (("\n <!-- a --> " + RSS.partition("?>")[2]).encode(), "Лінден Пост"),
    ],
)
def test_a_feed_is_read_in_whatever_characters_it_comes(raw: bytes, title: str) -> None:
    assert readers.parse_feed(raw).title == title


def test_a_broken_feed_is_read_up_to_where_it_breaks() -> None:
    broken = RSS.replace("</channel></rss>", "<item><title>Last & <link>https://post.example/2</link></item>")
    feed = readers.parse_feed(broken.encode(), url="https://post.example/feed")
    assert "is broken XML" in str(feed.problem)
    assert feed.entries[0].title.startswith("Пором")


def test_a_reference_to_no_character_costs_that_character() -> None:
    for bad in ("&#x110000;", "&#xD800;", "&#999999999;"):
        text = RSS.replace("Коротко", f"Коротко {bad} &#8212;")
        for raw in (text, text.replace("</rss>", "")):
            feed = readers.parse_feed(raw.encode(), url="https://post.example/feed")
            assert readers.article_from_entry(feed.entries[0]).description == "Коротко \ufffd — про це"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "is no RSS or Atom feed"),
        (b"<html><body>moved</body></html>", "is no RSS or Atom feed"),
        (b'<!DOCTYPE rss [<!ENTITY a "b">]><rss>&a;</rss>', "declares entities"),
        (b'<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss>&a;</rss>', "declares entities"),
        (
            b'<!DOCTYPE r SYSTEM "http://127.0.0.1/x.dtd" [<!ENTITY % a SYSTEM "file:///x"> %a;]><rss/>',
            "declares entities",
        ),
        (b"<rss " + b" ".join(b"a%d='1'" % n for n in range(20_000)) + b"></rss>", "20,000 attributes"),
        (b"<rss>" + b"<a>" * 5_000, "nested over 500 deep"),
        (gzip.compress(bytes(20_000_000)), "holds over"),
        (gzip.compress(RSS.encode())[:-20], "was cut"),
        (b"\x1f\x8b" + b"x" * 100, "damaged gzip"),
        (b"<rss>" + b" " * 9_000_000, "at most"),
    ],
)
def test_a_feed_that_is_none_or_an_attack_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(SourceError, match=why):
        readers.parse_feed(raw)


def test_a_document_type_without_entities_is_no_attack() -> None:
    doctype = (
        '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd">'
    )
    raw = RSS.replace("?>\n", f"?>\n{doctype}\n", 1).encode()
    try:
        assert readers.parse_feed(raw).title == "Лінден Пост"
    except SourceError as error:
        pytest.fail(str(error))


def test_no_parser_opens_a_file_or_a_socket() -> None:
    with (
        mock.patch("socket.socket", side_effect=AssertionError),
        mock.patch("builtins.open", side_effect=AssertionError),
    ):
        for raw in (
            b"/etc/passwd",
            b"http://127.0.0.1/feed",
            b'<rss><channel><item><link href="file:///etc/passwd"/></item></channel></rss>',
        ):
            try:
                readers.parse_feed(raw)
            except SourceError:
                continue


@pytest.mark.parametrize(
    "text",
    ["{}", "[]", '{"version": "https://jsonfeed.org/version/1", "items": {}}', "nonsense", "{" * 100_000, ""],
)
def test_json_that_is_no_feed_is_refused(text: str) -> None:
    with pytest.raises(SourceError):
        readers.parse_json_feed(text.encode())


@pytest.mark.parametrize(
    ("ending", "whole"),
    [
        ("the end.", True),
        ("and so on […]", False),
        ("and so on …", False),
        ("and so on...", False),
        ("Read more &#8230;", False),
    ],
)
def test_a_text_that_breaks_off_is_no_whole_story(ending: str, whole: bool) -> None:
    content = f"<p>{'word ' * 200}</p><p>{ending}</p>"
    entry = readers.FeedEntry(1, "https://post.example/1", title="A story", content=content)
    assert readers.is_whole(readers.body_of(entry)) is whole
    assert not readers.is_whole(readers.body_of(readers.FeedEntry(1, summary="<p>In short.</p>")))


def test_feeds_in_files_are_ingested_and_bad_entries_named(tmp_path: Path) -> None:
    for name in ("a.xml", "a.rss", "a.atom"):
        path = tmp_path / name
        path.write_text(RSS.replace("/news/1", "https://post.example/news/1"), encoding="utf-8")
        entries = list(readers.read(path))
        assert [(entry.line, bool(entry.article)) for entry in entries] == [(1, True), (2, False), (3, False)]
    (tmp_path / "b.xml").write_text("<rss><channel></channel></rss>", encoding="utf-8")
    (tmp_path / "c.xml").write_text("<other/>", encoding="utf-8")
    assert [entry.reason for entry in readers.read(tmp_path / "b.xml")] == ["the feed has no entry"]
    assert [entry.reason for entry in readers.read(tmp_path / "c.xml")] == [
        "its first element is <other>: it is none of a feed, a WordPress export, NewsML-G2, NITF or a page"
    ]


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-03", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-10", datetime(2026, 3, 10, tzinfo=UTC)),
        ("2026-03-10T09:00+01:00", datetime(2026, 3, 10, 8, tzinfo=UTC)),
        (" 2026-03-10t09:00:00.5z ", datetime(2026, 3, 10, 9, 0, 0, 500_000, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
        ("", None),
    ],
)
def test_dates_of_sitemaps_are_read_as_the_protocol_has_them(value: str, instant: datetime | None) -> None:
    assert instant_of(value) == instant


def test_pictures_of_a_sitemap_are_no_pages() -> None:
    raw = (
        b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:i="http://www.google.com/schemas/sitemap-image/1.1">'
        b"<url><i:image><i:loc>https://post.example/i.jpg</i:loc></i:image><loc> https://post.example/1 </loc></url></urlset>"
    )
    assert [listed.url for listed in readers.parse_sitemap(raw).listed] == ["https://post.example/1"]


_PIECES = st.sampled_from(
    [
        *(
            "<rss>",
            "</rss>",
            "<channel>",
            "<item>",
            "</item>",
            "<title>",
            "</title>",
            "<link>",
            "http://a.example/b",
            "&amp;",
            "&",
            "<",
        ),
        *(
            ">",
            "<![CDATA[",
            "]]>",
            "<?xml version='1.0'?>",
            "<!--",
            "-->",
            "<urlset>",
            "<url>",
            "<loc>",
            "</loc>",
            "<sitemapindex>",
        ),
        *(
            "<feed xmlns='http://www.w3.org/2005/Atom'>",
            "<entry>",
            "<content type='xhtml'>",
            "<div>",
            "\x00",
            "\ud83d",
            "ї",
            "é",
            "%",
            "  ",
        ),
        *(
            "<pubDate>",
            "Tue, 99 Foo 20260",
            "<!DOCTYPE rss [",
            "<!ENTITY a 'b'>",
            "]>",
            "&a;",
            '{"version":',
            '"items": [',
            "{}",
            "]",
            "\n",
        ),
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_PIECES, max_size=60).map("".join) | st.text(max_size=300), st.sampled_from(["utf-8", "utf-16", "cp1251"])
)
def test_whatever_a_feed_or_sitemap_holds_is_read_or_refused(text: str, charset: str) -> None:
    raw = text.encode(charset, "replace")
    for parse in (readers.parse_feed, readers.parse_json_feed, readers.parse_sitemap):
        with contextlib.suppress(SourceError):
            for entry in getattr(parse(raw), "entries", ()):
                with contextlib.suppress(RecordError):
                    assert readers.article_from_entry(entry).title
    for found in readers.READERS[".xml"](io.BytesIO(raw), "a.xml"):
        assert (found.article is None) == bool(found.reason)


@given(st.binary(max_size=500))
def test_characters_and_gzip_are_read_whatever_they_are(raw: bytes) -> None:
    assert isinstance(xml_text(raw, "utf-7"), str)
    assert isinstance(root_name(xml_text(raw)), str)
    with contextlib.suppress(SourceError):
        assert unzipped(raw, 1000) == raw or raw.startswith(b"\x1f\x8b")


ONE_LINE = JSON.replace("\n", " ").replace("\\n", " ")


@pytest.mark.parametrize("name", ["feed.json", "feed.json.gz", "feed.rss"])
@pytest.mark.parametrize("text", [JSON, ONE_LINE, "\ufeff " + JSON, JSON.replace("version/1.1", "version/1")])
def test_a_json_feed_in_a_file_is_known_by_its_version(tmp_path: Path, name: str, text: str) -> None:
    raw = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    entries = list(readers.read(tmp_path / name))
    assert [(entry.line, entry.article and entry.article.title) for entry in entries] == [
        (1, "Crews & company"),
        (2, "A <b>plain</b> one"),
        (3, None),
        (4, None),
    ]


def test_a_json_feed_is_told_by_looking_and_relative_addresses_are_those_of_its_site(tmp_path: Path) -> None:
    text = ONE_LINE.replace('"https://post.example/1"', '"/1"').replace(', "junk", {"content_html": "neither"}', "")
    text = text.replace('"title": "Post"', '"title": "Post", "home_page_url": "https://post.example/", "feed_url": 7')
    assert [article.url for article in readers.read_bytes(text.encode())] == ["https://post.example/1", None]
    with pytest.raises(RecordError, match="the feed has no entry"):
        readers.read_bytes(b'{"version": "https://jsonfeed.org/version/1", "title": "Post", "items": []}')
    assert readers.read_bytes(b'{"version": "https://else.example/1", "title": "A story"}')[0].title == "A story"


PAGE = b"""<!doctype html><html><head><title>Post</title><base href="/en/">
<link rel="alternate" type="application/rss+xml" title="Post &raquo; Comments Feed" href="comments/feed/">
<link rel="alternate" type="application/rss+xml" href="javascript:alert(1)"><link rel="alternate" type="application/rss+xml" href="//[">
<link rel="alternate" type="application/atom+xml" href="http://post.example/plain.xml"><link rel="alternate" hreflang="uk" href="/uk/">
<link rel="Alternate home" type="Application/RSS+XML; charset=utf-8" title="Post" href="feed/?a=1&amp;b=2">
<link rel="stylesheet alternate" type="text/css" href="/x.css"><link rel=alternate type=application/feed+json href=/feed.json>
<link rel="alternate" type="application/rss+xml" href="feed/?a=1&amp;b=2"></head><body>x</body></html>"""


def test_the_feeds_that_a_page_announces_are_found_and_nothing_that_leads_astray() -> None:
    found = readers.feeds_of_page(PAGE, url="https://post.example/")
    assert [(each.url, each.title) for each in found] == [
        ("https://post.example/en/feed/?a=1&b=2", "Post"),
        ("https://post.example/feed.json", ""),
    ]
    many = b"".join(b'<link rel=alternate type=application/rss+xml href="/%d">' % number for number in range(5_000))
    assert len(readers.feeds_of_page(many, url="http://post.example/")) == 20
    assert readers.feeds_of_page(b"<p>x", url="https://post.example/") == []
