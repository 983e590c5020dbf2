"""Ghost with its default themes: cards in the body, bookmarks made by hand, and a "Read more" below that no hand made."""

from __future__ import annotations

import json
from html import escape

from testsite.story import Story


def render(story: Story) -> bytes:
    """Return the page."""
    inline, bookmark = story.editors(1)[0], story.editors(1)[0]
    listed = story.editors(2) if story.number % 2 else []
    heading = "What happens next"
    first, second, third, *rest = story.paragraphs
    story.say(first, second, third, heading, *rest)
    schema = {
        "@context": "https://schema.org", "@type": "Article", "publisher": {"@type": "Organization", "name": "Tarn Valley Dispatch", "url": f"{story.base}/"},
        "author": {"@type": "Person", "name": story.authors[0], "url": f"{story.base}/author/someone/", "sameAs": []},
        **({"contributor": [{"@type": "Person", "name": name} for name in story.authors[1:]]} if len(story.authors) > 1 else {}),
        "headline": story.title, "url": story.url, "datePublished": story.published.isoformat().replace("+00:00", ".000Z"),
        "dateModified": story.modified.isoformat().replace("+00:00", ".000Z"), "image": {"@type": "ImageObject", "url": f"{story.base}/content/images/{story.number}.jpg", "width": 2000},
        "keywords": ", ".join(story.tags), "description": story.standfirst, "mainEntityOfPage": story.url,
    }  # fmt: skip
    if len(story.authors) > 1:
        schema["author"] = [{"@type": "Person", "name": name} for name in story.authors]
    card = (
        f'<figure class="kg-card kg-bookmark-card"><a class="kg-bookmark-container" href="{bookmark.url}"><div class="kg-bookmark-content"><div class="kg-bookmark-title">{escape(bookmark.title)}</div>'
        '<div class="kg-bookmark-description">What we wrote when it began.</div><div class="kg-bookmark-metadata"><img class="kg-bookmark-icon" src="/favicon.png" alt=""><span class="kg-bookmark-author">Tarn Valley Dispatch</span></div></div>'
        '<div class="kg-bookmark-thumbnail"><img src="/content/images/t.jpg" alt=""></div></a></figure>'
    )
    tail = ""
    if listed:
        head = '<h3 id="see-also">See also</h3>' if story.number % 4 == 1 else "<p><strong>Read more:</strong></p>"
        tail = "<hr>" + head + "<ul>" + "".join(f"<li>{each.a()}</li>" for each in listed) + "</ul>"
    body = (
        f"<p>{escape(first)}</p><p>{story.with_link(second, inline, at=3, n=6)}</p>"
        f'<figure class="kg-card kg-image-card kg-card-hascaption"><img src="/content/images/{story.number}.jpg" class="kg-image" alt=""><figcaption><span style="white-space: pre-wrap;">The harbour in March. Credit: Ida Renn</span></figcaption></figure>'
        f'<p>{escape(third)}</p>{card}<h2 id="next">{heading}</h2>'
        + "".join(f"<p>{escape(each)}</p>" for each in rest)
        + f'<div class="kg-card kg-signup-card kg-width-wide"><h2 class="kg-signup-card-heading">Get the Dispatch by mail</h2><p class="kg-signup-card-subheading">Three stories, every morning.</p><form class="kg-signup-card-form"><button>Subscribe</button></form><p><a href="{story.trap("/newsletters/the-dispatch-by-mail")}">What you will get</a></p></div>{tail}'
    )
    cards = "".join(
        f'<article class="gh-card post"><a class="gh-card-link" href="{each.path}"><figure class="gh-card-image"><img src="/i.jpg" alt=""></figure><div class="gh-card-wrapper"><h3 class="gh-card-title is-title">{escape(each.title)}</h3><p class="gh-card-excerpt is-body">A few words that begin the story and make one want to go on</p><footer class="gh-card-meta"><span class="gh-card-author">By Ida Renn</span><time class="gh-card-date" datetime="2025-11-02">02 Nov 2025</time></footer></div></a></article>'
        for each in story.automatic(4)
    )
    popular = "".join(
        f'<li class="gh-featured"><a href="{each.url}">{escape(each.title)}</a></li>' for each in story.automatic(3)
    )
    page = f"""<!DOCTYPE html>
<html lang="en"><head>
<title>{escape(story.title)}</title><meta charset="utf-8" /><meta name="viewport" content="width=device-width, initial-scale=1.0" />
<link rel="preload" as="script" href="/assets/built/source.js?v=1" />
<style>:root {{ --background-color: #ffffff }}</style>
<meta name="description" content="{escape(story.standfirst)}"><link rel="icon" href="/favicon.png">
<link rel="canonical" href="{story.url}"><meta name="referrer" content="no-referrer-when-downgrade">
<meta property="og:site_name" content="Tarn Valley Dispatch"><meta property="og:type" content="article"><meta property="og:title" content="{escape(story.title)}">
<meta property="og:url" content="{story.url}"><meta property="article:published_time" content="{story.published.isoformat()}">
{"".join(f'<meta property="article:tag" content="{escape(tag)}">' for tag in story.tags)}
<meta name="twitter:label1" content="Written by"><meta name="twitter:data1" content="{escape(story.authors[0])}"><meta name="twitter:label2" content="Filed under">
<script type="application/ld+json">
{json.dumps(schema, indent=4)}
</script><meta name="generator" content="Ghost 6.0">
<script defer src="/public/cards.min.js"></script></head>
<body class="post-template tag-{story.section} has-sans-title has-sans-body"><div class="gh-viewport">
<header id="gh-navigation" class="gh-navigation is-left-logo gh-outer"><div class="gh-navigation-brand"><a class="gh-navigation-logo is-title" href="{story.base}">Tarn Valley Dispatch</a></div><nav class="gh-navigation-menu"><ul class="nav"><li class="nav-home"><a href="{story.base}/">Home</a></li><li><a href="{story.trap("/tag/valley-and-villages/")}">Valley</a></li></ul></nav><div class="gh-navigation-actions"><a class="gh-button" href="#/portal/signup">Subscribe</a></div></header>
<main class="gh-main"><article class="gh-article post tag-{story.section}">
<header class="gh-article-header gh-canvas"><a class="gh-article-tag" href="{story.base}/tag/{story.section}/">{story.section.title()}</a><h1 class="gh-article-title is-title">{escape(story.title)}</h1><p class="gh-article-excerpt is-body">{escape(story.standfirst)}</p>
<div class="gh-article-meta"><h4 class="gh-article-author-name"><a href="{story.trap("/author/someone/")}">{escape(", ".join(story.authors))}</a></h4><time class="gh-article-meta-date" datetime="{story.published:%Y-%m-%d}">{story.published:%d %b %Y}</time> <span>— 4 min read</span></div></header>
<section class="gh-content gh-canvas is-body">{body}</section></article>
<div class="gh-comments gh-canvas" id="comments"><h3>Member discussion</h3><p>Sign in to join the conversation</p></div>
<section class="gh-container is-grid gh-outer"><div class="gh-container-inner gh-inner"><h2 class="gh-container-title">Read more</h2><div class="gh-feed">{cards}</div></div></section>
<aside class="gh-sidebar"><h4 class="gh-sidebar-title">Featured</h4><ul>{popular}</ul></aside></main>
<footer class="gh-footer gh-outer"><div class="gh-footer-copyright">Tarn Valley Dispatch © 2025</div><div>Powered by <a href="https://ghost.org/">Ghost</a></div></footer></div>
<script src="/assets/built/source.js"></script></body></html>"""
    return page.encode()
