"""A live blog: a summary, posts with their own times and headings, key events beside them."""

from __future__ import annotations

import json
from datetime import timedelta
from html import escape

from testsite.story import Story


def render(story: Story) -> bytes:
    """Return the page."""
    inline, other, third = story.editors(3)
    first, *updates = story.paragraphs
    heads = [" ".join(each.split()[:6]).rstrip(".,;:") for each in updates]
    times = [story.published + timedelta(minutes=12 * number) for number in range(len(updates))]
    story.say(first, *(line for head, each in zip(heads, updates, strict=True) for line in (head, each)))
    schema = {
        "@context": "https://schema.org", "@type": "LiveBlogPosting", "@id": story.url + "#liveblog", "url": story.url, "headline": story.title, "description": story.standfirst,
        "coverageStartTime": story.published.isoformat(), "coverageEndTime": story.modified.isoformat(), "datePublished": story.published.isoformat(), "dateModified": story.modified.isoformat(),
        "author": [{"@type": "Person", "name": name, "url": f"{story.base}/profile/{number}"} for number, name in enumerate(story.authors)], "publisher": {"@type": "Organization", "name": "Channel Linden"},
        "liveBlogUpdate": [{"@type": "BlogPosting", "headline": head, "datePublished": when.isoformat(), "articleBody": each, "author": {"@type": "Person", "name": "Live desk"}, "url": f"{story.url}#post-{number}"} for number, (head, when, each) in enumerate(zip(heads, times, updates, strict=True))],
    }  # fmt: skip
    posts = []
    for number, (head, when, each) in enumerate(zip(heads, times, updates, strict=True)):
        text = f"<p>{story.with_link(each, inline, at=3, n=4) if number == 0 else escape(each)}</p>"
        if number == 1:
            text += f"<p>See also: {other.a()}</p>"
        if number == 2:
            text += f'<div class="live-post__related related-inline">{third.a(class_="related-inline__link")}</div>'
        posts.append(
            f'<article class="live-post" id="post-{number}"><header class="live-post__header"><time datetime="{when.isoformat()}" class="live-post__time">{when:%H:%M}</time><h2 class="live-post__title">{escape(head)}</h2></header>'
            f'<div class="live-post__body">{text}</div><div class="live-post__share social-share"><a href="{story.trap(f"{story.url}?post={number}&share=link-to-this-update")}">Share this update</a></div></article>'
        )
    posts.insert(2, '<div class="ad-container" aria-hidden="true"><span>Advertisement</span></div>')
    key_events = "".join(
        f'<li><a href="#post-{number}"><time>{when:%H:%M}</time> {escape(head)}</a></li>'
        for number, (head, when) in enumerate(zip(heads, times, strict=True))
    )
    popular = "".join(
        f'<li class="most-viewed__item"><a href="{each.url}"><h3>{escape(each.title)}</h3></a></li>'
        for each in story.automatic(5)
    )
    latest = "".join(f'<li><a href="{each.path}">{escape(each.title)}</a></li>' for each in story.automatic(4))
    page = f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(story.title)} – live | Channel Linden</title>
<link rel="canonical" href="{story.url}"><meta property="og:title" content="{escape(story.title)} – live"><meta property="og:type" content="article"><meta property="og:site_name" content="Channel Linden"><meta property="og:description" content="{escape(story.standfirst)}">
<meta property="article:section" content="{story.section}"><meta property="article:opinion" content="false">
<script id="ld" type="application/ld+json">//<![CDATA[
{json.dumps(schema, ensure_ascii=False)}
//]]></script></head><body class="live-page"><div id="onetrust-consent-sdk" class="consent"><p>Your privacy, your choice</p></div>
<header class="masthead"><a class="masthead__logo" href="{story.base}/">Channel Linden</a><nav><a href="/live">Live</a><a href="/video">Video</a><a href="/weather">Weather</a></nav></header>
<main><div class="live-header"><span class="live-badge">Live</span><h1>{escape(story.title)}</h1><p class="live-header__standfirst">{escape(story.standfirst)}</p><div class="live-header__meta"><address class="byline">{escape(", ".join(story.authors))}</address><time class="updated" datetime="{story.modified.isoformat()}">Last updated {story.modified:%H:%M}</time></div></div>
<div class="live-layout"><aside class="key-events"><h2>Key events</h2><ol>{key_events}</ol></aside>
<div class="live-feed" aria-live="polite"><div class="live-summary"><p>{escape(first)}</p></div>{"".join(posts)}<div class="live-feed__pager pagination"><a href="{story.trap("/live/older-updates-of-this-live-blog?page=2")}" rel="next">Older posts</a></div></div></div></main>
<section class="most-viewed"><h2>Most viewed</h2><ol>{popular}</ol></section><section class="block"><h2>Latest stories</h2><ul>{latest}</ul></section>
<footer><p>© 2025 Channel Linden</p><a href="/terms">Terms</a></footer></body></html>"""
    return page.encode()
