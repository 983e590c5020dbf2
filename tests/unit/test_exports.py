"""Exports of content systems, each record by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from exported import (
    LEXICAL,
    MARKDOWN,
    MOBILEDOC,
    PICTURE,
    THUMBNAIL,
    WORDS,
    ghost,
    lexical,
    news_item,
    newsml,
    nitf,
    parquet,
    warc,
    wxr,
    wxr_item,
)

from recommender.article import Article, ReadMore
from recommender.errors import RecordError, SourceError
from recommender.readers import About, Entry, LeftOut, find, read, read_bytes

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MORNING = datetime(2025, 3, 14, 8, 30, tzinfo=UTC)
SITE = About("https://paper.example", NOW)


@pytest.fixture
def entries(tmp_path: Path) -> Any:
    def entries(name: str, raw: bytes | str, about: About = SITE, form: str | None = None) -> list[Entry]:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
        return list(read(file, form, about))

    return entries


def _articles(found: list[Entry]) -> list[Article]:
    return [each.article for each in found if each.article]


def _reasons(found: list[Entry]) -> list[tuple[int | None, str]]:
    return [(each.line, each.reason) for each in found if each.reason]


def _left_out(found: list[Entry]) -> list[LeftOut]:
    return [each.left_out for each in found if each.left_out]


def test_a_post_of_wordpress_has_every_field(entries: Any) -> None:
    (post,) = _articles(entries("a.xml", wxr(wxr_item(1, rest=THUMBNAIL), PICTURE)))

    assert post == Article(
        id="https://paper.example/2025/03/story-1",
        title="Story number 1 of the harbour",
        description="What the council did, part 1.",
        text=(WORDS * 3).strip(),
        url="https://paper.example/2025/03/story-1",
        image_url="https://paper.example/pier.jpg",
        published_at=MORNING,
        modified_at=datetime(2025, 3, 15, 10, tzinfo=UTC),
        language="en-us",
        section="Politics",
        tags=("Harbour",),
        authors=("Ada Berg",),
    )


def test_what_wordpress_does_not_show_is_left_out_with_the_ids_it_may_have_had(entries: Any) -> None:
    raw = wxr(
        wxr_item(1),
        wxr_item(2, link="https://paper.example/?p=2", status="draft"),
        wxr_item(3, link="https://paper.example/?p=3", status="trash", slug="story-3__trashed"),
        wxr_item(4, status="private", date="0000-00-00 00:00:00"),
        wxr_item(5, password="x"),
        wxr_item(6, type="page"),
    )
    assert _left_out(entries("a.xml", raw)) == [
        LeftOut("draft", ("https://paper.example/?p=2", "https://paper.example/2025/03/story-2"), guessed=True),
        LeftOut("trash", ("https://paper.example/?p=3", "https://paper.example/2025/03/story-3"), guessed=True),
        LeftOut("private", ("https://paper.example/2025/03/story-4",), guessed=True),
        LeftOut("with a password", ("https://paper.example/2025/03/story-5",), guessed=True),
        LeftOut("of type page", (), guessed=True),
    ]


def test_a_broken_item_costs_itself_and_is_named_by_its_line(entries: Any) -> None:
    good, lines = wxr_item(1), wxr_item(1).count("\n")
    raw = wxr(good, "<item><title>x</titel></item>\n", "<item><title>&nbsp;</title>", wxr_item(2)).replace(
        b"Story number 2", b"Story\x08 number \xff2"
    )
    found = entries("a.xml", raw + wxr_item(3).encode())

    assert [each.title for each in _articles(found)] == [
        "Story number 1 of the harbour",
        "Story number 3 of the harbour",
    ]
    (first, _), second = _reasons(found)[0], _reasons(found)[1][1]
    assert first == 6 + lines
    assert "broken XML" in second


def test_classic_posts_have_paragraphs_and_no_shortcodes(entries: Any) -> None:
    content = 'One [sic] of [the council].\n\n[caption id="a"]<img src="x.jpg"> A caption[/caption]Two\nlines.\n\n[gallery ids="1,2"]\n\n[box]Three[/box]'
    (post,) = _articles(entries("a.xml", wxr(wxr_item(1, content=content))))

    assert post.text.split("\n") == ["One [sic] of [the council].", "Two", "lines.", "Three"]


def test_an_items_own_tags_within_cdata_do_not_end_it(entries: Any) -> None:
    (post,) = _articles(entries("a.xml", wxr(wxr_item(1, content=f"<p>{WORDS} &lt;</p><!-- </item> --><item>"))))

    assert post.text.startswith(WORDS.strip())


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'<!DOCTYPE rss [<!ENTITY a "b">]><rss xmlns:wp="http://wordpress.org/export/1.2/"><item>&a;</item></rss>', "declares entities"),
        (b'<!DOCTYPE nitf [<!ENTITY a SYSTEM "file:///etc/passwd">]><nitf>&a;</nitf>', "declares a document type"),
        (b"<nitf>" * 200 + b"</nitf>" * 200, "nested over 100 deep"),
        (b"<nitf " + b" ".join(b'a%d="1"' % n for n in range(300)) + b"/>", "has 300 attributes"),
        (b"<nitf><head>", "broken XML"),
        ('<rss xmlns:wp="http://wordpress.org/export/1.2/"/>'.encode("utf-16"), "UTF-16"),
        (b"<opml/>", "its first element is <opml>"),
        (b'<newsMessage xmlns="x"/>', "holds no news item"),
    ],
)  # fmt: skip
def test_xml_that_no_export_needs_is_refused(entries: Any, raw: bytes, reason: str) -> None:
    ((_, told),) = _reasons(entries("a.xml", raw))

    assert reason in told


def test_a_post_of_ghost_has_every_field(entries: Any) -> None:
    (post,) = _articles(entries("g.json", ghost({})))

    assert (post.id, post.url) == ("https://paper.example/ghost-story-1",) * 2
    assert (post.section, post.tags, post.authors, post.description) == (
        "Politics",
        ("Harbour",),
        ("Ada Berg",),
        "In short.",
    )
    assert (post.image_url, post.published_at) == ("https://paper.example/content/images/pier.jpg", MORNING)
    assert post.text == (WORDS * 2).strip()


def test_ghost_without_a_site_goes_by_its_own_ids_and_tells_what_it_leaves_out(entries: Any) -> None:
    posts = [
        {},
        {"status": "draft"},
        {"type": "page"},
        {"html": None, "lexical": "{}"},
        {"html": None, "plaintext": "Plain.\nText."},
    ]
    found = entries("g.json", ghost(*posts), About())

    assert [each.id for each in _articles(found)] == ["uuid-1", "uuid-5"]
    assert _articles(found)[1].text == "Plain.\nText."
    assert _left_out(found) == [LeftOut("draft", ("uuid-2",)), LeftOut("of type page")]
    assert [line for line, _ in _reasons(found)] == [4]


def test_a_post_of_which_only_the_editors_own_form_is_there_has_its_text_and_links(entries: Any) -> None:
    posts = [{"html": None, "lexical": LEXICAL}, {"html": " ", "mobiledoc": MOBILEDOC}]
    new, old = _articles(entries("g.json", ghost(*posts)))

    assert new.text.split("\n") == [
        "The pier opened in spring & closed <b>again</b>.", "What happens next", "One line", "and another.", "A point", "One more",
        "By hand.", "First.", "Second.", "Take care.", "Who?", "Nobody.", "Not a link at all.",
    ]  # fmt: skip
    assert old.text.split("\n") == [
        "The pier opened in spring & closed <b>again</b>.", "One line", "and another @ada", "A point", "One more", "First.", "Second.", "never closed",
    ]  # fmt: skip
    for post in (new, old):
        assert [(link.title, link.url) for link in post.read_more] == [
            ("Why the pier closed", "https://paper.example/why-the-pier-closed"),
            ("pier opens in spring", "https://paper.example/pier-opens-in-spring"),
        ]


def _nested(depth: int) -> str:
    return '{"root": {"children": [' + '{"type": "list", "children": [' * depth + "]}" * depth + "]}}"


@pytest.mark.parametrize(
    ("field", "stored", "reason"),
    [
        ("lexical", "{", "lexical: is not JSON"),
        ("lexical", "[]", "lexical: is no JSON object"),
        ("lexical", '{"root": 7}', "lexical: has no root"),
        ("lexical", _nested(101), "lexical: is nested over 100 deep"),
        ("lexical", _nested(100_000), "lexical: is nested too deep"),
        ("lexical", lexical(*[{}] * 50_001), "lexical: has over 50,000 nodes"),
        ("mobiledoc", '{"version": "0.3.1"}', "mobiledoc: has no sections"),
        ("mobiledoc", json.dumps({"sections": [[1, "p", [[0, [0] * 50_001, 0, "x"]]]]}), "mobiledoc: has over 50,000 markers"),
    ],
    ids=["cut", "list", "no root", "deep", "very deep", "many", "no sections", "many markers"],
)  # fmt: skip
def test_an_editors_form_that_is_broken_or_endless_is_refused_unless_the_plain_text_is_there(
    entries: Any, field: str, stored: str, reason: str
) -> None:
    found = entries(
        "g.json", ghost({"html": None, field: stored}, {"html": None, field: stored, "plaintext": "Plain."})
    )

    ((line, told),) = _reasons(found)
    assert (line, told.startswith(reason)) == (1, True), told
    assert [each.text for each in _articles(found)] == ["Plain."]


@pytest.mark.parametrize("prefix", ["", "nar"])
def test_a_news_item_has_every_field(entries: Any, prefix: str) -> None:
    (item,) = _articles(entries("n.xml", newsml(news_item(7, prefix=prefix))))

    assert item == Article(
        id="urn:newsml:agency.example:2025:7",
        title="Wire story 7",
        description="The pier in short.",
        text=f"{WORDS.strip()}\n{WORDS.strip()}",
        published_at=datetime(2025, 3, 14, 8, tzinfo=UTC),
        modified_at=datetime(2025, 3, 14, 9, tzinfo=UTC),
        language="en",
        section="Politics",
        tags=("politics",),
        authors=("Ada Berg",),
        read_more=(ReadMore("An older story of the pier", "https://agency.example/older"),),
    )


def test_news_items_that_are_not_to_be_shown_are_left_out_with_their_ids(entries: Any) -> None:
    raw = newsml(
        news_item(1, status="canceled"),
        news_item(2, status="withheld"),
        news_item(3, embargo="<embargoed/>"),
        news_item(4, embargo="<embargoed>2026-05-01T00:00:00Z</embargoed>"),
        news_item(5, embargo="<embargoed>2025-05-01T00:00:00Z</embargoed>"),
        news_item(6, status="new"),
        news_item(7).replace("ninat:text", "ninat:picture"),
    )
    found = entries("n.xml", raw)

    urn = "urn:newsml:agency.example:2025:"
    assert _left_out(found) == [
        LeftOut("canceled", (urn + "1",)),
        LeftOut("withheld", (urn + "2",)),
        LeftOut("under embargo", (urn + "3",)),
        LeftOut("under embargo", (urn + "4",)),
        LeftOut("of class picture"),
    ]
    assert [each.id for each in _articles(found)] == [urn + "5"]
    assert [reason for _, reason in _reasons(found)] == [
        "pubStatus: 'new' is not known; it is usable, withheld or canceled"
    ]
    assert len(_left_out(entries("n.xml", raw, About()))) == 6  # nobody says what time it is: every embargo is in force


def test_a_story_in_nitf_has_every_field_and_htmls_entities(entries: Any) -> None:
    (story,) = _articles(entries("n.xml", nitf()))

    assert (story.id, story.url) == ("nitf-77", "https://paper.example/2025/pier-closes")
    assert (story.title, story.description) == ("Pier closes for good", "In short.")
    assert story.text == f"{WORDS.strip()}\nWhat now\n{WORDS.strip()}"
    assert (story.tags, story.authors, story.section) == (("local government", "harbour"), ("Ada Berg",), "Politics")
    assert (story.published_at, story.image_url, story.language) == (MORNING, "https://paper.example/pier.jpg", "en")


@pytest.mark.parametrize(
    ("says", "status"),
    [
        ({"status": "canceled"}, "canceled"),
        ({"status": "withheld"}, "withheld"),
        ({"status": "embargoed", "release": "20260301T000000Z"}, "under embargo"),
        ({"status": "embargoed", "release": ""}, "under embargo"),
    ],
)
def test_a_story_in_nitf_that_is_not_to_be_shown_is_left_out(entries: Any, says: dict[str, str], status: str) -> None:
    assert _left_out(entries("n.xml", nitf(**says))) == [LeftOut(status, ("nitf-77",))]


def test_markdown_has_every_field_and_its_links(entries: Any) -> None:
    (story,) = _articles(entries("content/politics/pier.md", MARKDOWN))

    assert (story.id, story.url) == ("https://paper.example/politics/pier",) * 2
    assert (story.title, story.section, story.tags, story.authors) == (
        "The pier: closed",
        "Politics",
        ("Harbour",),
        ("Ada Berg",),
    )
    assert (story.published_at, story.modified_at) == (MORNING, datetime(2025, 3, 15, tzinfo=UTC))
    assert story.text == f"{WORDS.strip()}\nBold and another story. {WORDS.strip()}"
    assert [link.url for link in story.read_more] == ["https://paper.example/politics/another-story-of-the-pier"]


@pytest.mark.parametrize(
    ("settings", "name", "front", "url"),
    [
        (("hugo.toml", 'baseURL = "https://hugo.example/"'), "content/posts/pier/index.md", "", "https://hugo.example/posts/pier"),
        (("hugo.toml", 'baseURL = "https://hugo.example/"\n[permalinks]\nposts = "/:year/:slug/"'), "content/posts/p.md", "slug: x\n", "https://hugo.example/2025/x"),
        (("hugo.toml", 'baseURL = "https://hugo.example/"\n[permalinks]\nposts = "/:yearday/"'), "content/posts/p.md", "", None),
        (("_config.yml", "url: https://j.example\nbaseurl: /b"), "_posts/2024-02-01-a-story.md", "categories: News\n", "https://j.example/b/news/2024/02/01/a-story.html"),
        (("_config.yml", "url: https://j.example\npermalink: pretty"), "_posts/2024-02-01-a-story.md", "", "https://j.example/2024/02/01/a-story"),
        (("_config.yml", "url: https://j.example"), "_posts/2024-02-01-a.md", "permalink: /own/\n", "https://j.example/own"),
        (("other.txt", ""), "p.md", "url: https://own.example/a\n", "https://own.example/a"),
        (("other.txt", ""), "content/a/p.uk.md", "", None),
    ],
)  # fmt: skip
def test_where_hugo_and_jekyll_put_a_page(
    entries: Any, tmp_path: Path, settings: tuple[str, str], name: str, front: str, url: str | None
) -> None:
    (tmp_path / settings[0]).write_text(settings[1])
    (story,) = _articles(entries(name, f"---\ntitle: T\ndate: 2025-03-14\n{front}---\nText.", About(now=NOW)))

    assert story.url == url


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("---\ntitle: T\ndraft: true\n---\n", "draft"),
        ('+++\ntitle = "T"\ndraft = true\n+++\n', "draft"),
        ('{"title": "T", "draft": true}\n', "draft"),
        ("---\ntitle: T\npublished: false\n---\n", "draft"),
        ("---\ntitle: T\ndate: 2027-01-01\n---\n", "not out yet"),
        ("---\ntitle: T\nexpiryDate: 2025-01-01\n---\n", "expired"),
    ],
)
def test_markdown_that_is_not_shown_is_left_out_with_its_id(entries: Any, text: str, status: str) -> None:
    assert _left_out(entries("content/a/p.md", text)) == [LeftOut(status, ("https://paper.example/a/p",))]


def test_markdown_without_front_matter_is_no_story(entries: Any) -> None:
    assert _left_out(entries("README.md", "# Hello")) == [LeftOut("without front matter")]


@pytest.mark.parametrize(
    ("front", "reason"),
    [
        ("a: &a [x]\nb: [*a, *a]", "aliases are not read"),
        ("title: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("title: " + "[" * 30_000, "nested too deep"),
        ("title: 'x", "is no YAML"),
        ("- a", "no list of names and values"),
    ],
)
def test_front_matter_that_is_more_than_names_and_values_is_refused(entries: Any, front: str, reason: str) -> None:
    ((_, told),) = _reasons(entries("p.md", f"---\n{front}\n---\n"))

    assert reason in told


def test_parquet_is_read_like_the_record(entries: Any) -> None:
    rows = [
        {
            "title": "A",
            "text": "Text.",
            "published_at": MORNING,
            "tags": ["a", "b"],
            "read_more": [{"title": "x", "url": None}],
            "other": 1,
        },
        {"title": None},
    ]
    found = entries("p.parquet", parquet(rows))

    (story,) = _articles(found)
    assert (story.published_at, story.tags, story.read_more) == (MORNING, ("a", "b"), (ReadMore("x", None),))
    assert _reasons(found) == [(2, "title: is missing or empty; every article needs a headline")]


def test_parquet_of_pandas_keeps_nanoseconds_and_loses_none_of_the_file(entries: Any, tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet as writer

    table = pyarrow.table(
        {"title": ["A"], "published_at": pyarrow.array([1_741_941_000_000_000_001], pyarrow.timestamp("ns", "UTC"))}
    )
    writer.write_table(table, tmp_path / "p.parquet")

    assert [each.published_at for each in _articles(list(read(tmp_path / "p.parquet")))] == [MORNING]


@pytest.mark.parametrize(
    ("raw", "reason"), [(b"PAR1xxxx", "cannot be read"), (parquet([{"head": "A"}]), "has no column 'title'")]
)
def test_what_is_no_parquet_of_articles_is_refused(entries: Any, raw: bytes, reason: str) -> None:
    ((_, told),) = _reasons(entries("p.parquet", raw))

    assert reason in told


STORY = "https://paper.example/2025/03/pier-closes"


@pytest.mark.parametrize(
    "says",
    [
        {},
        {"chunked": True},
        {"coding": "gzip"},
        {"chunked": True, "coding": "gzip"},
        {"type": "text/html;charset=UTF-8"},
    ],
)
@pytest.mark.parametrize("name", ["w.warc", "w.warc.gz"])
def test_a_page_of_a_web_archive_is_read_however_it_was_sent(entries: Any, name: str, says: dict[str, Any]) -> None:
    (story,) = _articles(entries(name, warc((STORY, says), packed=name.endswith("gz"))))

    assert (story.id, story.title, story.published_at) == (STORY, "Pier closes for good", MORNING)


def test_what_is_no_page_of_a_web_archive_is_left_out_and_what_was_cut_is_named(entries: Any) -> None:
    raw = warc(
        (STORY, {}),
        (STORY, {}),
        (STORY, {"record": "request"}),
        ("https://paper.example/a.jpg", {"type": "image/jpeg"}),
        ("https://paper.example/gone", {"status": "404 Not Found"}),
        ("https://paper.example/2025/cut", {"warc": {"WARC-Truncated": "length"}}),
    )
    found = entries("w.warc.gz", raw)

    assert [each.status for each in _left_out(found)] == [
        "captured again",
        "of type request",
        "other than pages",
        "status 404",
    ]
    assert _reasons(found) == [(6, "https://paper.example/2025/cut: was cut when it was archived (length)")]


def test_a_web_archive_that_was_cut_gives_what_stands_before(entries: Any) -> None:
    whole = warc((STORY, {}), (f"{STORY}-2", {"body": b"<p>" * 100}), packed=False)
    found = entries("w.warc", whole[:-400])

    assert [each.id for each in _articles(found)] == [STORY]
    assert len(_reasons(found)) == 1
    packed = warc((STORY, {}), (f"{STORY}-2", {}))
    assert len(_reasons(entries("w.warc.gz", packed[:-200]))) == 1


@pytest.mark.parametrize(
    ("name", "module", "hint"),
    [
        ("a.md", "markdown_it", "pip install 'newsroom-recommender[markdown]'"),
        ("a.parquet", "pyarrow", "pip install 'newsroom-recommender[parquet]'"),
        ("a.warc", "warcio.archiveiterator", "pip install 'newsroom-recommender[warc]'"),
        ("a.csv.zst", "backports.zstd", "pip install 'newsroom-recommender[zst]'"),
    ],
)
def test_a_missing_extra_is_told_with_its_command(
    monkeypatch: pytest.MonkeyPatch, entries: Any, name: str, module: str, hint: str
) -> None:
    from recommender.readers.exports import markdown

    markdown._renderer.cache_clear()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SourceError, match=rf"{name}.*needs .*{hint.replace('[', '.').replace(']', '.')}"):
        entries(name, '+++\ntitle = "T"\n+++\nText.')
    markdown._renderer.cache_clear()


@pytest.mark.parametrize(
    ("raw", "title"),
    [(wxr(wxr_item(1)), "Story number 1 of the harbour"), (nitf(), "Pier closes for good"), (ghost({}), "Ghost story 1"), (newsml(news_item(1)), "Wire story 1")],
)  # fmt: skip
def test_what_an_export_is_is_told_by_looking(raw: bytes, title: str) -> None:
    assert [each.title for each in read_bytes(raw)] == [title]


def test_what_holds_nothing_that_is_shown_says_so() -> None:
    with pytest.raises(RecordError, match=r"^input: holds nothing that is shown \(draft\)$"):
        read_bytes(ghost({"status": "draft"}))


@pytest.mark.parametrize(
    ("form", "raw"),
    [("wordpress", wxr(wxr_item(1))), ("ghost", ghost({})), ("newsml", newsml(news_item(1))), ("nitf", nitf())],
    ids=["wordpress", "ghost", "newsml", "nitf"],
)
def test_a_format_may_be_named_whatever_the_files_name_is(entries: Any, form: str, raw: bytes) -> None:
    assert len(_articles(entries("export.bin", raw, SITE, form))) == 1


def test_a_folder_holds_files_of_every_known_name(tmp_path: Path) -> None:
    for name in (
        "a.xml",
        "b.md",
        "c.parquet",
        "d.warc.gz",
        "e.jsonl.gz",
        "f.csv.zst",
        "g.zip",
        "h.tar.gz",
        "i.gz.gz",
        "j.png",
        "k.zip.gz",
    ):
        (tmp_path / name).write_bytes(b"")
    found = find(tmp_path)

    assert [path.name for path in found.paths] == [
        "a.xml",
        "b.md",
        "c.parquet",
        "d.warc.gz",
        "e.jsonl.gz",
        "f.csv.zst",
        "g.zip",
    ]
    assert found.n_skipped == 4


# ru_maxrss would be that of the process that started this one.
MEMORY = """
import re, sys
from pathlib import Path
from recommender.readers import read
found = list(read(Path(sys.argv[1])))
most = re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())
print(len([each for each in found if each.reason]), most[1])
"""


def test_a_kilobyte_of_parquet_does_not_become_gigabytes(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet as writer

    long = pyarrow.DictionaryArray.from_arrays(
        pyarrow.array([0] * 100, pyarrow.int32()), pyarrow.array(["x" * 20_000_000])
    )
    writer.write_table(pyarrow.table({"title": long}), tmp_path / "bomb.parquet", compression="zstd")
    assert (tmp_path / "bomb.parquet").stat().st_size < 10_000

    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / "bomb.parquet")], capture_output=True, text=True, check=True
    )
    n_refused, n_kib = map(int, done.stdout.split())
    assert n_refused == 100
    assert n_kib < 500_000
