"""Pages of the site that are no stories: each must be refused."""

from __future__ import annotations

import json
from html import escape

from testsite.story import Page, Story, Truth


def pages(stories: list[Story]) -> list[Page]:
    """Return a front page, sections, a tag, an author, a search, error pages, a page about the site, a gallery of links, an empty one."""
    cards = "".join(
        f'<article class="post"><h2 class="entry-title"><a href="{each.url}">{escape(each.title)}</a></h2><time datetime="{each.published.isoformat()}"></time><div class="entry-summary"><p>{escape(each.standfirst)}</p></div></article>'
        for each in stories[:20]
    )
    links = "".join(f'<li><a href="{each.url}">{escape(each.title)}</a></li>' for each in stories)
    listed = {"@context": "https://schema.org", "@graph": [{"@type": "CollectionPage", "name": "Politics", "url": stories[0].base + "/category/politics/"}, {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": {"@type": "NewsArticle", "headline": each.title, "url": each.url}} for each in stories[:5]]}]}  # fmt: skip
    made = {
        "/": _page("The Linden Post", f"<h1>The Linden Post</h1>{cards}", head='<meta property="og:type" content="website">'),
        "/category/politics/": _page("Politics - The Linden Post", f"<h1>Politics</h1>{cards}", body_class="archive category category-politics", head=f'<script type="application/ld+json">{json.dumps(listed)}</script>'),
        "/tag/valley/": _page("Valley - Tarn Valley Dispatch", f"<h1>Valley</h1>{cards}", body_class="tag-template tag-valley", head='<meta property="og:type" content="website">'),
        "/author/ida-renn/": _page("Ida Renn", f"<h1>Ida Renn</h1><p>Ida Renn has written about the valley since 2011.</p>{cards}", head='<script type="application/ld+json">{"@context": "https://schema.org", "@type": "ProfilePage", "mainEntity": {"@type": "Person", "name": "Ida Renn"}}</script>'),
        "/?s=ferry": _page("Search results for ferry", f"<h1>Search results for ferry</h1>{cards}", body_class="search search-results"),
        "/2025/05/gone/": _page("Page not found - The Linden Post", "<h1>Oops! That page can’t be found.</h1><p>It looks like nothing was found at this location. Maybe try one of the links below or a search?</p>", body_class="error404"),
        "/novyny/nema-takoi": _page("Сторінку не знайдено | Липова газета", f"<h1>Сторінку не знайдено</h1><p>Спробуйте почати з головної або подивіться останні новини.</p><ul>{links}</ul>", language="uk"),
        "/archiv/": _page("Archiv", f"<h1>Archiv 2025</h1><ul>{links}</ul>", language="de"),
        "/about/": _page("About us", '<h1>About us</h1><p>The Linden Post is a newspaper.</p>', head='<script type="application/ld+json">{"@context": "https://schema.org", "@type": "AboutPage", "name": "About us"}</script>'),
        "/empty": b"<!doctype html><html><head></head><body></body></html>",
    }  # fmt: skip
    return [Page(path, html, Truth("others", refused=True)) for path, html in made.items()]


def _page(title: str, main: str, *, body_class: str = "page", head: str = "", language: str = "en") -> bytes:
    return (
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>{head}</head><body class="{body_class}">'
        f'<header><nav><a href="/">Home</a></nav></header><main>{main}</main><footer><p>© 2025</p></footer></body></html>'
    ).encode()
