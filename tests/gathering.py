"""What the tests of feeds and sitemaps share: stories as pages and entries, and hands that gather them into a home."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from html import escape
from pathlib import Path
from random import Random
from typing import Any

from website import Website

from recommender.catalog import Catalog
from recommender.fetch import Fetcher
from recommender.gather import Gatherer, GatherReport, Kind, Wanted
from recommender.home import Home
from recommender.ingest import Intake
from recommender.settings import FetchSettings

HOUR = 3600
BODY = (
    "The ferry crews of Port Linden voted on Monday for a strike over night shifts, their union said in the evening.\n"
    "They ask for a second sailor on every crossing after ten, as the harbour company had promised them a year ago.\n"
    "The company says that it cannot find enough sailors, and that no law asks for a second one on so short a way."
)


class Hasty(threading.Event):
    """Time that passes as soon as somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        if timeout:
            self.waits.append(timeout)
            self.now += timeout
        return self.is_set()


def story_html(title: str, text: str = BODY, published_at: str = "2026-03-10T09:00:00+00:00") -> str:
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in text.split("\n"))
    return (
        f"<!doctype html><html lang=en><head><title>{escape(title)}</title><meta property=og:type content=article>"
        f'<meta property="article:published_time" content="{published_at}"></head>'
        f"<body><article><h1>{escape(title)}</h1>{paragraphs}</article></body></html>"
    )


def put_story(site: Website, number: int, edition: int = 1, **more: Any) -> str:
    """Make the page of a story, and return its address."""
    path = f"/news/story-number-{number}"
    html = story_html(f"Ferry story number {number}", f"{BODY}\nThis is edition {edition} of story {number}.")
    return site.put(path, html, etag=f'"{number}-{edition}"', **more)


def sitemap(urls: Iterable[str | tuple[str, str]]) -> str:
    lines = []
    for each in urls:
        url, lastmod = each if isinstance(each, tuple) else (each, "")
        lines.append(f"<url><loc>{escape(url)}</loc>{f'<lastmod>{lastmod}</lastmod>' if lastmod else ''}</url>")
    return f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{"".join(lines)}</urlset>'


def sitemap_index(urls: Iterable[str]) -> str:
    lines = "".join(f"<sitemap><loc>{escape(url)}</loc></sitemap>" for url in urls)
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{lines}</sitemapindex>'


def rss(items: Iterable[str]) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">'
        f"<channel><title>Linden Post</title><language>en</language>{''.join(items)}</channel></rss>"
    )


def item(url: str, title: str, content: str = "", day: int = 10) -> str:
    whole = f"<content:encoded><![CDATA[{content}]]></content:encoded>" if content else ""
    return (
        f"<item><title>{escape(title)}</title><link>{escape(url)}</link><description>In short</description>{whole}"
        f"<pubDate>{day:02d} Mar 2026 09:00:00 +0000</pubDate></item>"
    )


def whole_text(of: str) -> str:
    return "".join(f"<p>{of} {escape(line)}</p>" for line in BODY.split("\n") * 3)


class Newsroom:
    """Gathers from sites into one home, at a time that the test sets."""

    def __init__(self, folder: Path, **bounds: Any) -> None:
        self.home = Home(folder)
        self.now = 1_800_000_000
        self.settings = FetchSettings(allow_private=True, delay_seconds=0, **bounds)
        self.intake = Intake(self.home, fuzzy_threshold=90)

    def gather(self, url: str, kind: Kind | None = None, **wanted: Any) -> GatherReport:
        report = GatherReport()
        hasty = Hasty()
        with Fetcher(self.settings, stop=hasty, clock=lambda: hasty.now, chance=Random(1)) as fetcher:
            self.gatherer(fetcher).gather(url, report, Wanted(**wanted), kind)
        return report

    def gatherer(self, fetcher: Fetcher) -> Gatherer:
        return Gatherer(self.home, fetcher, self.intake, self.settings, clock=lambda: self.now)

    def titles(self) -> list[str]:
        if not self.home.catalog.exists():
            return []
        with Catalog(self.home.catalog) as catalog:
            return sorted(article.title for article in catalog.articles())
