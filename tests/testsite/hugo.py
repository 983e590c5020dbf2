"""Hugo with a plain theme: BlogPosting, prev and next, a "Related" list that the generator makes, links in Markdown's way."""

from __future__ import annotations

import json
from html import escape

from testsite.story import Story


def render(story: Story) -> bytes:
    """Return the page."""
    inline, other = story.editors(2)
    listed = story.editors(2) if story.number % 2 == 0 else []
    first, second, *rest = story.paragraphs
    points = ["The vote is open until Friday.", "The count is public."]
    story.say(first, *points, second, *rest)
    schema = [
        {"@context": "https://schema.org", "@type": "BreadcrumbList", "itemListElement": [
            {"@type": "ListItem", "position": 1, "name": "Posts", "item": f"{story.base}/posts/"}, {"@type": "ListItem", "position": 2, "name": story.title, "item": story.url}]},
        {"@context": "https://schema.org", "@type": "BlogPosting", "headline": story.title, "name": story.title, "description": story.standfirst,
         "keywords": story.tags, "articleBody": " ".join(story.paragraphs)[:300], "wordCount": "400", "inLanguage": "en", "datePublished": story.published.isoformat(),
         "dateModified": story.modified.isoformat(), "author": [{"@type": "Person", "name": name} for name in story.authors] if len(story.authors) > 1 else {"@type": "Person", "name": story.authors[0]},
         "mainEntityOfPage": {"@type": "WebPage", "@id": story.url}, "publisher": {"@type": "Organization", "name": "Saltmarket Notes"}},
    ]  # fmt: skip
    scripts = "".join(
        f'<script type="application/ld+json">\n{json.dumps(each, indent=2)}\n</script>\n' for each in schema
    )
    if story.number % 4 == 0:  # a theme that leaves a comma behind
        scripts = scripts.replace('"wordCount": "400",', '"wordCount": "400",,'[:-1] + "\n  ").replace(
            '"name": "Saltmarket Notes"\n', '"name": "Saltmarket Notes",\n'
        )
    see = (
        f"<p>Read more: {other.a()}</p>"
        if story.number % 2
        else f"<blockquote><p>Also read: {other.a()}</p></blockquote>"
    )
    tail = (
        '<h2 id="further-reading">Further reading<a hidden class="anchor" aria-hidden="true" href="#further-reading">#</a></h2><ul>'
        + "".join(f"<li>{each.a()}</li>" for each in listed)
        + "</ul>"
        if listed
        else ""
    )
    body = (
        f"<p>{escape(first)}</p><ul><li>{points[0]}</li><li>{points[1]}</li></ul><p>{story.with_link(second, inline, at=2, n=4)}</p>"
        + "".join(f"<p>{escape(each)}</p>" + (see if number == 0 else "") for number, each in enumerate(rest))
        + tail
    )
    related = "".join(f'<li><a href="{each.path}">{escape(each.title)}</a></li>' for each in story.automatic(4))
    previous, following = story.automatic(2)
    latest = "".join(
        f'<li class="post-item"><a href="{each.url}">{escape(each.title)}</a></li>' for each in story.automatic(3)
    )
    page = f"""<!DOCTYPE html>
<html lang="en" dir="auto"><head><meta charset="utf-8"><meta http-equiv="X-UA-Compatible" content="IE=edge">
<meta name="robots" content="index, follow"><title>{escape(story.title)} | Saltmarket Notes</title>
<meta name="keywords" content="{escape(", ".join(story.tags))}"><meta name="description" content="{escape(story.standfirst)}"><meta name="author" content="{escape(", ".join(story.authors))}">
<link rel="canonical" href="{story.url}"><link crossorigin="anonymous" href="/assets/css/stylesheet.css" rel="preload stylesheet" as="style">
<meta property="og:url" content="{story.url}"><meta property="og:site_name" content="Saltmarket Notes"><meta property="og:title" content="{escape(story.title)}"><meta property="og:locale" content="en-us"><meta property="og:type" content="article">
<meta property="article:section" content="posts"><meta property="article:published_time" content="{story.published.isoformat()}"><meta property="article:modified_time" content="{story.modified.isoformat()}">
{scripts}</head><body id="top">
<header class="header"><nav class="nav"><div class="logo"><a href="/" title="Saltmarket Notes">Saltmarket Notes</a></div><ul id="menu"><li><a href="/archives/"><span>Archive</span></a></li><li><a href="/tags/"><span>Tags</span></a></li></ul></nav></header>
<main class="main"><article class="post-single">
<header class="post-header"><div class="breadcrumbs"><a href="/">Home</a>&nbsp;»&nbsp;<a href="/posts/">Posts</a></div><h1 class="post-title entry-hint-parent">{escape(story.title)}</h1><div class="post-description">{escape(story.standfirst)}</div>
<div class="post-meta"><span title="{story.published}">{story.published:%B %d, %Y}</span>&nbsp;·&nbsp;3 min&nbsp;·&nbsp;{escape(", ".join(story.authors))}</div></header>
<div class="toc"><details><summary><span class="details">Table of Contents</span></summary><ul><li><a href="#further-reading">Further reading</a></li></ul></details></div>
<div class="post-content">{body}</div>
<footer class="post-footer"><ul class="post-tags">{"".join(f'<li><a href="{story.trap("/tags/all-about-" + tag.lower().replace(" ", "-") + "/")}">{escape(tag)}</a></li>' for tag in story.tags)}</ul>
<nav class="paginav"><a class="prev" href="{previous.url}"><span class="title">« Prev</span><br><span>{escape(previous.title)}</span></a><a class="next" href="{following.url}"><span class="title">Next »</span><br><span>{escape(following.title)}</span></a></nav>
<div class="share-buttons"><a rel="noopener" href="https://x.com/intent/tweet/?text={story.slug}&url={story.url}">share</a></div></footer>
<div class="bg-light-gray pa3 nested-list-reset nested-copy-line-height nested-links"><p class="f5 b mb3">Related</p><ul class="pa0 list">{related}</ul></div>
</article><section class="latest-posts"><h3>Recent posts</h3><ul>{latest}</ul></section></main>
<footer class="footer"><span>© 2025 <a href="/">Saltmarket Notes</a></span> <span>Powered by <a href="https://gohugo.io/">Hugo</a></span></footer><script>let menu=document.getElementById('menu')</script></body></html>"""
    return page.encode()
