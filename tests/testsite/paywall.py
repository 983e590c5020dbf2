"""A paywalled paper: BEM classes, a teaser, a wall, and rows of cards that are chosen by a machine."""

from __future__ import annotations

import json
from html import escape

from testsite.story import Story


def render(story: Story) -> bytes:
    """Return the page."""
    inline = story.editors(1)[0]
    rich = story.editors(1) if story.number % 2 else []
    teaser = story.paragraphs[:3]
    story.say(*teaser)
    schema = [
        {"@context": "https://schema.org", "@type": "NewsArticle", "@id": story.url, "url": story.url, "headline": story.title[:40] + "…" if len(story.title) > 70 else story.title, "alternativeHeadline": story.title,
         "description": story.standfirst, "datePublished": story.published.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "dateModified": story.modified.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
         "author": {"@type": "Person", "name": story.authors[0]} if len(story.authors) == 1 else [{"@type": "Person", "name": name} for name in story.authors],
         "isAccessibleForFree": "False", "hasPart": {"@type": "WebPageElement", "isAccessibleForFree": "False", "cssSelector": ".article__paywall"},
         "publisher": {"@type": "NewsMediaOrganization", "name": "The Estmark Financial"}, "articleSection": story.section, "image": {"@type": "ImageObject", "url": f"{story.base}/img/{story.number}.webp"}},
        {"@context": "https://schema.org", "@type": "ItemList", "itemListElement": [
            {"@type": "ListItem", "position": number, "item": {"@type": "NewsArticle", "headline": each.title, "url": each.url, "datePublished": "2020-01-01T00:00:00Z", "author": {"@type": "Person", "name": "Somebody Else"}}}
            for number, each in enumerate(story.others[:3], 1)]},
    ]  # fmt: skip
    if story.number % 3 == 0:
        schema.reverse()
    aside = "".join(
        f'<aside class="article__rich-link rich-link"><div class="rich-link__container"><a class="rich-link__link" href="{each.path}"><h3 class="rich-link__title">{escape(each.title)}</h3><p class="rich-link__standfirst">Our first report</p></a></div></aside>'
        for each in rich
    )
    first, second, *rest = teaser
    body = (
        f'<p class="article__paragraph">{escape(first)}</p>{aside}<div class="o-ads" data-o-ads-name="mid"></div><p class="article__paragraph">{story.with_link(second, inline, at=6, n=3)}</p>'
        + "".join(f'<p class="article__paragraph article__paragraph--faded">{escape(each)}</p>' for each in rest)
    )

    def cards(heading: str, n: int) -> str:
        made = "".join(
            f'<li class="card"><a class="card__link" href="{each.path}?utm_source=onward"><img class="card__image" src="/i.webp" alt=""><span class="card__headline">{escape(each.title)}</span></a></li>'
            for each in story.automatic(n)
        )
        return f'<section class="onward" data-component="onward"><h2 class="onward__heading">{heading}</h2><ul class="onward__list">{made}</ul></section>'

    onward = cards("Recommended for you", 4) + cards(f"More from {story.section.title()}", 3)
    page = f"""<!DOCTYPE html><html lang="en-GB" class="no-js"><head><meta charset="utf-8"><title>{escape(story.title)}</title>
<meta name="description" content="{escape(story.standfirst)}"><link rel="canonical" href="{story.url}">
<meta property="og:title" content="{escape(story.title[:50])}: all you need to know"><meta property="og:type" content="article"><meta property="og:site_name" content="The Estmark Financial"><meta property="og:url" content="{story.url}">
<meta property="article:content_tier" content="locked"><meta property="article:published_time" content="{story.published.strftime("%Y-%m-%dT%H:%M:%SZ")}">
<script type="application/ld+json">{json.dumps(schema)}</script>
<script>window.__STATE__={json.dumps({"stories": [{"title": each.title, "url": each.url} for each in story.others[:20]]})}</script></head>
<body class="article-page"><div class="o-cookie-message" data-o-component="o-cookie-message"><p>Cookies on The Estmark Financial. We use <a href="/info/cookies">cookies</a> for a number of reasons.</p><button>Accept</button></div>
<header class="o-header"><div class="o-header__row"><a href="/" title="Home">The Estmark Financial</a><a class="o-header__subscribe" href="{story.trap("/products/subscribe-and-save-today-offer")}">Subscribe</a></div><nav class="o-header__nav"><ul><li><a href="/world">World</a></li><li><a href="/companies">Companies</a></li></ul></nav></header>
<main class="article" id="site-content" role="main"><div class="topper"><a class="topper__primary-theme" href="/{story.section}">{story.section.title()}</a><h1 class="topper__headline"><span>{escape(story.title)}</span></h1><div class="topper__standfirst">{escape(story.standfirst)}</div></div>
<div class="article-info"><div class="article-info__byline">{escape(" and ".join(story.authors))} in Port Linden</div><time class="article-info__timestamp o-date" datetime="{story.published.strftime("%Y-%m-%dT%H:%M:%S.000Z")}">{story.published:%B %d %Y}</time></div>
<div class="share"><a href="https://x.com/share?url={story.url}">X</a><a href="{story.trap(story.url + "?shareType=nongift")}">Share</a></div>
<article class="article__content-body n-content-body" id="article-body">{body}</article>
<div class="article__paywall barrier"><h2>Subscribe to unlock this article</h2><p>Try unlimited access for only 1 crown for 4 weeks, then 65 crowns per month. Complete digital access to quality journalism on any device.</p><a class="barrier__button" href="{story.trap("/signup/barrier-offer-trial-four-weeks")}">Start trial</a><p>Already a subscriber? <a href="/login">Sign in</a></p></div>
</main>{onward}<div id="comments" class="o-comments"><h2>Comments</h2></div>
<footer class="o-footer"><p>© The Estmark Financial 2025. The Estmark Financial and its journalism are subject to a self-regulation regime.</p></footer></body></html>"""
    return page.encode()
