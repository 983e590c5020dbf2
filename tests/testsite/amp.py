"""An AMP page: custom elements, one JSON-LD object, the canonical address elsewhere, a list of related stories by component."""

from __future__ import annotations

import json
from html import escape

from testsite.story import Story


def render(story: Story) -> bytes:
    """Return the page."""
    inline, other = story.editors(2)
    boxed = story.editors(2) if story.number % 2 else []
    first, second, *rest = story.paragraphs
    story.say(*story.paragraphs)
    schema = {
        "@context": "http://schema.org", "@type": "NewsArticle" if story.number % 3 else "ReportageNewsArticle", "mainEntityOfPage": story.url, "headline": story.title,
        "datePublished": story.published.strftime("%Y-%m-%dT%H:%M:%SZ"), "dateModified": story.modified.strftime("%Y-%m-%dT%H:%M:%SZ"), "description": story.standfirst,
        "author": [{"@type": "Person", "name": name} for name in story.authors], "publisher": {"@type": "Organization", "name": "Quay Street Wire", "logo": {"@type": "ImageObject", "url": f"{story.base}/logo.png"}},
        "image": [f"{story.base}/images/{story.number}-16x9.jpg", f"{story.base}/images/{story.number}-1x1.jpg"], "articleSection": story.section, "isAccessibleForFree": True,
    }  # fmt: skip
    box = ""
    if boxed:
        box = (
            '<aside class="inline-related"><h4>More on this</h4><ul>'
            + "".join(
                f'<li><a href="{each.url}/amp?ref=inline">{escape(each.title)}</a></li>'
                if False
                else f"<li>{each.a()}</li>"
                for each in boxed
            )
            + "</ul></aside>"
        )
    body = (
        f'<p>{escape(first)}</p><amp-ad width=300 height=250 type="doubleclick" data-slot="/1/news"><div placeholder>Advertisement</div></amp-ad><p>{story.with_link(second, inline, at=1, n=5)}</p>'
        f'<p class="readmore-line"><b>READ MORE: {other.a()}</b></p>'
        + "".join(f"<p>{escape(each)}</p>" + (box if number == 0 else "") for number, each in enumerate(rest))
        + '<p class="amp-wp-unknown-size">Follow us on Mastodon for more.</p>'
    )
    related = "".join(
        f'<li><a href="{each.url}"><amp-img src="/i.jpg" width=80 height=60></amp-img><span>{escape(each.title)}</span></a></li>'
        for each in story.automatic(5)
    )
    trending = "".join(f'<div class="item">{each.a()}</div>' for each in story.automatic(3))
    page = f"""<!doctype html>
<html amp lang="en"><head><meta charset="utf-8"><script async src="https://cdn.ampproject.org/v0.js"></script>
<title>{escape(story.title)} • Quay Street Wire</title><link rel="canonical" href="{story.url}"><meta name="viewport" content="width=device-width">
<script type="application/ld+json">{json.dumps(schema, ensure_ascii=False)}</script>
<style amp-custom>.amp-wp-article{{max-width:840px}}</style></head>
<body class=""><header id="top" class="amp-wp-header"><div><a href="{story.base}/"><span class="amp-site-title">Quay Street Wire</span></a></div></header>
<amp-sidebar id="menu" layout="nodisplay"><ul><li><a href="/world/amp">World</a></li><li><a href="{story.trap("/business/markets-and-money-desk")}">Markets</a></li></ul></amp-sidebar>
<amp-consent id="consent" layout="nodisplay"><div>We and our partners store information. <a href="/privacy">Privacy</a></div></amp-consent>
<article class="amp-wp-article"><header class="amp-wp-article-header"><h1 class="amp-wp-title">{escape(story.title)}</h1>
<div class="amp-wp-meta amp-wp-byline"><span class="amp-wp-author author vcard">{escape(" and ".join(story.authors))}</span></div><div class="amp-wp-meta amp-wp-posted-on"><time datetime="{story.published.isoformat()}">2 days ago</time></div></header>
<figure class="amp-wp-article-featured-image"><amp-img src="/images/{story.number}.jpg" width=1200 height=675 layout="responsive"></amp-img><figcaption class="wp-caption-text">Picture: Kit Sorrel</figcaption></figure>
<div class="amp-wp-article-content">{body}</div>
<div class="amp-related-content"><h3>You may also like</h3><ul>{related}</ul></div>
<footer class="amp-wp-article-footer"><div class="amp-wp-meta amp-wp-comments-link"><a href="{story.trap(story.url + "#comments-and-replies-here")}">Leave a Comment</a></div></footer></article>
<section class="trending-now"><h3>Trending</h3>{trending}</section>
<footer class="amp-wp-footer"><div><p>© Quay Street Wire</p><a href="#top" class="back-to-top">Back to top</a></div></footer></body></html>"""
    return page.encode()
