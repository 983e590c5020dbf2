"""A site made of components in the browser's language: hashed classes, each paragraph in a box of its own, the page's state once more as JSON."""

from __future__ import annotations

import json
from html import escape

from testsite.story import Story


def render(story: Story) -> bytes:
    """Return the page."""
    inline, promoted, *listed = story.editors(4 if story.number % 2 else 2)
    first, second, third, *rest = story.paragraphs
    heading = "How it came to this"
    story.say(first, second, third, heading, *rest)
    schema = [
        {
            "@context": "http://schema.org", "@type": "ReportageNewsArticle", "url": story.url, "headline": story.title, "description": story.standfirst,
            "datePublished": story.published.isoformat(), "dateModified": story.modified.isoformat(), "articleSection": story.section, "inLanguage": "en-GB",
            "author": [{"@type": "Person", "name": name} for name in story.authors], "publisher": {"@type": "NewsMediaOrganization", "name": "Quayside News"},
            "image": {"@type": "ImageObject", "url": f"{story.base}/ace/standard/{story.number}.jpg"},
        },
        {"@context": "http://schema.org", "@type": "BreadcrumbList", "itemListElement": [{"@type": "ListItem", "position": 1, "name": "News", "item": f"{story.base}/news"}]},
    ]  # fmt: skip
    state = {
        "props": {"pageProps": {"page": {story.path: {"contents": [{"type": "text", "model": {"blocks": [{"text": each}]}} for each in story.paragraphs]}}}},
        "page": "/news/articles/[id]",
    }  # fmt: skip
    parts = [
        f'<p class="sc-9a00e533-0 eZyhnA"><b class="sc-d2b2ae5d-0 hnBzlY">{escape(first)}</b></p>',
        f'<p class="sc-9a00e533-0 eZyhnA">{story.with_link(second, inline, at=2, n=5)}</p>',
        f'<p class="sc-9a00e533-0 eZyhnA">{escape(third)}</p>',
    ]
    text = [f'<div data-component="text-block" class="sc-3b6b161a-0 dEGcKf">{each}</div>' for each in parts]
    text.insert(
        2,
        '<div data-component="ad-slot" class="sc-7b5b1b93-0 fTqWsP"><div id="dotcom-mid_1" class="sc-7b5b1b93-1"><span>Advertisement</span></div></div>',
    )
    text.append(
        '<div data-component="promo-block" class="sc-3b6b161a-0 kPwzBd"><div class="sc-93223220-0 sc-b38350e4-0 cmkdDu">'
        f'<a href="{promoted.path}" data-testid="internal-link" class="sc-8a623a54-0 hMvGwj"><div class="sc-4befc967-0"><img src="/ace/{story.number}.webp" alt="A view of the harbour"></div>'
        f'<div class="sc-8ea7699c-0"><h3 class="sc-8ea7699c-3 dhclWg">{escape(promoted.title)}</h3></div></a></div></div>'
    )
    text.append(
        f'<div data-component="subheadline-block" class="sc-3b6b161a-0 dEGcKf"><h2 class="sc-f98b1ad2-0 dfvxux">{heading}</h2></div>'
    )
    text += [
        f'<div data-component="text-block" class="sc-3b6b161a-0 dEGcKf"><p class="sc-9a00e533-0 eZyhnA">{escape(each)}</p></div>'
        for each in rest
    ]
    if listed:
        items = "".join(
            f'<li class="sc-734a601c-3 iXyzAb"><a href="{each.path}" class="sc-c9299ecf-0 bZUiKB">{escape(each.title)}</a></li>'
            for each in listed
        )
        text.append(
            f'<div data-component="links-block" class="sc-3b6b161a-0 jWyZfQ"><div class="sc-734a601c-0 gYhTnB"><p class="sc-734a601c-1"><b>More on this story</b></p><ul role="list" class="sc-734a601c-2">{items}</ul></div></div>'
        )
    cards = "".join(
        f'<div data-testid="anchor-inner-wrapper" class="sc-93223220-0 bOZIBp"><a href="{each.path}" class="sc-8a623a54-0"><div class="sc-8ea7699c-1 hxRodh"><h2 data-testid="card-headline" class="sc-9d830f2a-3">{escape(each.title)}</h2><p class="sc-cdecfb63-0">It began on the quay and nobody knows yet where it will end, people who were there say.</p><span data-testid="card-metadata-lastupdated">4 hrs ago</span></div></a></div>'
        for each in story.automatic(5)
    )
    read = "".join(
        f'<li class="sc-f8f0dfae-0"><a href="{each.path}"><span class="sc-1ef6e8c6-0">{number}</span><span>{escape(each.title)}</span></a></li>'
        for number, each in enumerate(story.automatic(4), 1)
    )
    top = "".join(
        f'<div class="sc-b38350e4-2"><a href="{each.url}"><h3 class="sc-8ea7699c-3">{escape(each.title)}</h3></a></div>'
        for each in story.automatic(3)
    )
    topics = "".join(
        f'<li class="sc-f8f0dfae-2"><a href="{story.trap(f"/news/topics/c{story.number:03}x{number}kq4t")}" class="sc-c9299ecf-0">{escape(tag)}</a></li>'
        for number, tag in enumerate(story.tags)
    )
    page = f"""<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8"/><meta name="viewport" content="width=device-width"/><title>{escape(story.title)} - Quayside News</title>
<meta property="og:title" content="{escape(story.title)}"/><meta name="description" content="{escape(story.standfirst)}"/><meta property="og:description" content="{escape(story.standfirst)}"/><meta property="og:type" content="article"/><meta property="og:site_name" content="Quayside News"/>
<link rel="canonical" href="{story.url}"/><script type="application/ld+json">{json.dumps(schema)}</script><style data-styled="" data-styled-version="5.3.11">.eZyhnA{{font-size:1rem;line-height:1.5}}</style></head>
<body><div id="__next"><div class="sc-71fc92bb-0 hAGQZE"><header class="sc-e2ee1969-0"><a href="/" aria-label="Quayside News">Quayside</a><nav aria-label="Sections"><ul><li><a href="/news">News</a></li><li><a href="/sport">Sport</a></li><li><a href="/business">Business</a></li></ul></nav></header>
<main id="main-content"><article class="sc-5da5a3e3-0 eXBWRG"><div data-component="headline-block" class="sc-3b6b161a-0 kRkqpF"><h1 class="sc-f98b1ad2-0 dfvxux">{escape(story.title)}</h1></div>
<div data-component="byline-block" class="sc-3b6b161a-0 jxzHFt"><div class="sc-801dd632-0"><div><span><time datetime="{story.published.isoformat()}" class="sc-801dd632-2">14 hours ago</time></span></div><div data-testid="byline-new"><div class="sc-801dd632-7"><span class="sc-801dd632-8">{escape(" and ".join(story.authors))}</span><span class="sc-801dd632-9">Harbour correspondent</span></div><div><button aria-label="Share" class="sc-6f8d7f4b-0">Share</button><button aria-label="Save" class="sc-6f8d7f4b-0">Save</button></div></div></div></div>
<div data-component="image-block" class="sc-3b6b161a-0 hLYAvj"><figure class="sc-a34861b-0"><div><span class="sc-a34861b-2">Getty Photos</span><img src="/ace/standard/{story.number}.jpg" alt="The harbour"/></div><figcaption class="sc-8353772e-0">The harbour on Monday</figcaption></figure></div>
{"".join(text)}
<div data-component="tags" class="sc-f8f0dfae-1"><ul>{topics}</ul></div></article>
<div data-component="recirculation" class="sc-e70150c3-0"><div class="sc-dc4c7d4-0"><h2 class="sc-dc4c7d4-1">More from Quayside</h2><div class="sc-e70150c3-1">{cards}</div></div></div></main>
<aside aria-label="Rail"><section class="sc-b38350e4-1"><h2>Top stories</h2>{top}</section><section data-component="most-read"><h2>Most read</h2><ol>{read}</ol></section></aside>
<footer class="sc-e2ee1969-4"><p>Copyright © 2025 Quayside News. We are not responsible for what stands on other sites.</p><a href="{story.trap("/help/how-we-link-to-other-sites")}">Read about our approach to external linking.</a></footer></div></div>
<script id="__NEXT_DATA__" type="application/json">{json.dumps(state)}</script></body></html>"""
    return page.encode()
