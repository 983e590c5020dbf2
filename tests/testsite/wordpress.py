"""WordPress with a Yoast-like graph, Jetpack's and YARPP's lists, block markup, a classic sidebar and comments."""

from __future__ import annotations

import json
from html import escape

from testsite.story import Story


def graph(story: Story) -> str:
    """Return the graph that an SEO plugin writes: the article by reference to its page, its author, its picture."""
    page = story.url
    people = [
        {
            "@type": "Person",
            "@id": f"{story.base}/#/schema/person/{number}",
            "name": name,
            "url": f"{story.base}/author/{number}/",
        }
        for number, name in enumerate(story.authors)
    ]
    nodes = [
        {
            "@type": ["Article", "NewsArticle"] if story.number % 2 else "NewsArticle", "@id": f"{page}#article", "isPartOf": {"@id": page},
            "author": [{"@id": each["@id"], "name": each["name"]} for each in people] if story.number % 2 else [{"@id": each["@id"]} for each in people],
            "headline": escape(story.title).replace("'", "&#8217;") if story.number % 3 == 0 else story.title, "datePublished": story.published.isoformat(),
            "dateModified": story.modified.isoformat(), "mainEntityOfPage": {"@id": page}, "wordCount": len(" ".join(story.paragraphs).split()),
            "publisher": {"@id": f"{story.base}/#organization"}, "image": {"@id": f"{page}#primaryimage"}, "keywords": story.tags,
            "articleSection": [story.section], "inLanguage": "en-GB",
        },
        {"@type": "WebPage", "@id": page, "url": page, "name": f"{story.title} - The Linden Post", "isPartOf": {"@id": f"{story.base}/#website"},
         "datePublished": story.published.isoformat(), "breadcrumb": {"@id": f"{page}#breadcrumb"}, "inLanguage": "en-GB"},
        {"@type": "ImageObject", "@id": f"{page}#primaryimage", "url": f"{story.base}/wp-content/uploads/{story.number}.jpg", "width": 1200},
        {"@type": "BreadcrumbList", "@id": f"{page}#breadcrumb", "itemListElement": [
            {"@type": "ListItem", "position": 1, "name": "Home", "item": f"{story.base}/"},
            {"@type": "ListItem", "position": 2, "name": story.section, "item": f"{story.base}/category/{story.section}/"},
            {"@type": "ListItem", "position": 3, "name": story.title}]},
        {"@type": "WebSite", "@id": f"{story.base}/#website", "url": f"{story.base}/", "name": "The Linden Post"},
        {"@type": "Organization", "@id": f"{story.base}/#organization", "name": "The Linden Post"}, *people,
    ]  # fmt: skip
    return json.dumps({"@context": "https://schema.org", "@graph": nodes}, ensure_ascii=story.number % 2 == 0)


def render(story: Story) -> bytes:
    """Return the page."""
    inline, announced = story.editors(1)[0], story.editors(1)[0]
    listed = story.editors(2) if story.number % 2 else []
    embed = story.editors(1) if story.number % 3 == 0 else []
    story.say(*story.paragraphs)
    first, *rest = story.paragraphs
    body = [
        f"<p>{escape(first)}</p>",
        '<div class="ad-slot ad-slot--inline" id="div-gpt-ad-1"><p>Advertisement</p></div>',
    ]
    for number, paragraph in enumerate(rest):
        body.append(f"<p>{story.with_link(paragraph, inline) if number == 0 else escape(paragraph)}</p>")
        if number == 1:
            how = f"<p><strong>Read also:</strong> {announced.a()}</p>"
            body.append(
                how
                if story.number % 2
                else f'<p class="has-text-align-left"><em>See also: {announced.a(target="_blank")}</em></p>'
            )
            body.append(
                '<div class="wp-block-group newsletter-signup"><h4>Morning briefing</h4><p>Sign up for our newsletter and get the day in five minutes.</p>'
                f'<form action="/subscribe"><input type="email"><button>Sign up</button></form><a href="{story.trap("/newsletters/morning-briefing-daily-email")}">All newsletters</a></div>'
            )
        if number == 2 and embed:
            body.append(
                f'<figure class="wp-block-embed is-type-wp-embed is-provider-the-linden-post"><div class="wp-block-embed__wrapper"><blockquote class="wp-embedded-content">{embed[0].a()}</blockquote>'
                f'<iframe class="wp-embedded-content" sandbox="allow-scripts" src="{embed[0].url}embed/"></iframe></div></figure>'
            )
    figure = f'<figure class="wp-block-image size-large"><img src="/wp-content/uploads/{story.number}.jpg" alt="A street"/><figcaption class="wp-element-caption">A street in Port Linden. Photo: Kit Sorrel</figcaption></figure>'
    body.insert(2, figure)
    if listed:
        head = (
            '<h3 class="wp-block-heading">Read more</h3>'
            if story.number % 4 == 1
            else "<p><strong>More on this story:</strong></p>"
        )
        body.append(head + '<ul class="wp-block-list">' + "".join(f"<li>{each.a()}</li>" for each in listed) + "</ul>")
    jetpack = "".join(
        f'<div class="jp-relatedposts-post"><a class="jp-relatedposts-post-a" href="{each.url}">{escape(each.title)}</a></div>'
        for each in story.automatic(3)
    )
    body.append(
        '<div class="sharedaddy sd-sharing-enabled"><h3 class="sd-title">Share this:</h3><ul><li class="share-facebook"><a rel="nofollow" href="'
        f'{story.trap(story.url + "?share=facebook")}">Facebook</a></li></ul></div>'
        f'<div id="jp-relatedposts" class="jp-relatedposts"><h3 class="jp-relatedposts-headline"><em>Related</em></h3><div class="jp-relatedposts-items">{jetpack}</div></div>'
    )
    if story.number % 2 == 0:
        yarpp = "".join(
            f'<li><a href="{each.url}" rel="bookmark">{escape(each.title)}</a></li>' for each in story.automatic(2)
        )
        body.append(
            f"<div class='yarpp yarpp-related yarpp-related-website'><h3>Related posts:</h3><ol>{yarpp}</ol></div>"
        )
    popular, recent, around = story.automatic(4), story.automatic(3), story.automatic(2)
    sections = "".join(
        f'<li class="menu-item menu-item-type-taxonomy"><a href="{story.base}/category/{name}/">{name.title()}</a></li>'
        for name in ("world", "politics", "business", "science", "sport")
    )
    tags = "".join(
        f'<a href="{story.trap("/tag/" + tag.lower().replace(" ", "-") + "-news-and-views/")}" rel="tag">{escape(tag)}</a> '
        for tag in story.tags
    )
    by = ", ".join(
        f'<a class="url fn n" href="{story.trap(f"/author/{number}/")}">{escape(name)}</a>'
        for number, name in enumerate(story.authors)
    )
    when = f'<time class="entry-date published" datetime="{story.published.isoformat()}">{story.published:%d %B %Y}</time><time class="updated" datetime="{story.modified.isoformat()}">{story.modified:%d %B %Y}</time>'
    page = f"""<!DOCTYPE html>
<html lang="en-GB" prefix="og: https://ogp.me/ns#">
<head>
<meta charset="UTF-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(story.title)} - The Linden Post</title>
<meta name="description" content="{escape(story.standfirst)}" />
<link rel="canonical" href="{story.url}" />
<meta property="og:locale" content="en_GB" /><meta property="og:type" content="article" />
<meta property="og:title" content="{escape(story.title)} - The Linden Post" /><meta property="og:description" content="{escape(story.standfirst)}" />
<meta property="og:url" content="{story.url}" /><meta property="og:site_name" content="The Linden Post" />
<meta property="article:published_time" content="{story.published.isoformat()}" /><meta property="article:modified_time" content="{story.modified.isoformat()}" />
<meta property="og:image" content="{story.base}/wp-content/uploads/{story.number}.jpg" />
<meta name="author" content="{escape(story.authors[0])}" />
<script type="application/ld+json" class="yoast-schema-graph">{graph(story)}</script>
<link rel="alternate" type="application/rss+xml" href="{story.base}/feed/" /><link rel="shortlink" href="{story.base}/?p={story.number}" />
<style id="wp-block-library-css">.wp-block-image img{{max-width:100%}} .related{{display:grid}}</style>
<script>window.dataLayer=window.dataLayer||[];for(var i=0;i<3;i++){{dataLayer.push({{n:i}})}}</script>
</head>
<body class="wp-singular post-template-default single single-post postid-{story.number} single-format-standard wp-theme-lindenpost has-sidebar">
<a class="skip-link screen-reader-text" href="#content">Skip to content</a>
<div id="cookie-notice" role="dialog" class="cookie-notice-hidden"><p>We use cookies to ensure that we give you the best experience on our website.</p><a href="{story.trap("/privacy-policy/")}">Privacy policy</a></div>
<header id="masthead" class="site-header"><p class="site-title"><a href="{story.base}/" rel="home">The Linden Post</a></p><nav class="main-navigation"><ul id="primary-menu" class="menu">{sections}</ul></nav></header>
<div id="content" class="site-content"><div id="primary" class="content-area"><main id="main" class="site-main">
<article id="post-{story.number}" class="post-{story.number} post type-post status-publish format-standard hentry category-{story.section}">
<header class="entry-header"><span class="cat-links"><a href="{story.base}/category/{story.section}/" rel="category tag">{story.section.title()}</a></span>
<h1 class="entry-title">{escape(story.title)}</h1><div class="entry-meta"><span class="posted-on">{when}</span> <span class="byline">by <span class="author vcard">{by}</span></span></div></header>
<div class="entry-content">
{chr(10).join(body)}
</div>
<footer class="entry-footer"><span class="tags-links">Tagged {tags}</span></footer>
</article>
<nav class="navigation post-navigation" aria-label="Posts"><div class="nav-links"><div class="nav-previous"><a href="{around[0].url}" rel="prev">{escape(around[0].title)}</a></div><div class="nav-next"><a href="{around[1].url}" rel="next">{escape(around[1].title)}</a></div></div></nav>
<div id="comments" class="comments-area"><h2 class="comments-title">2 thoughts on this</h2><ol class="comment-list"><li class="comment"><div class="comment-content"><p>I live on that street and nobody asked us anything before the works began, which says all about this council.</p></div><a rel="nofollow" class="comment-reply-link" href="{story.url}?replytocom=1#respond">Reply</a></li></ol>
<div id="respond" class="comment-respond"><h3>Leave a Reply</h3><form><textarea></textarea></form></div></div>
</main></div>
<aside id="secondary" class="widget-area"><section class="widget widget_recent_entries"><h2 class="widget-title">Latest news</h2><ul>{"".join(f"<li>{each.a()}</li>" for each in recent)}</ul></section>
<section class="widget popular-posts"><h2 class="widget-title">Most read</h2><ol>{"".join(f"<li>{each.a()}</li>" for each in popular)}</ol></section>
<section class="widget widget_text"><a rel="sponsored" href="{story.trap("/partner-content/five-ways-to-save-on-heating")}">Five ways to save on heating this winter</a></section></aside>
</div>
<footer id="colophon" class="site-footer"><p>© 2025 The Linden Post. All rights reserved.</p><ul><li><a href="{story.base}/about/">About us</a></li><li><a href="{story.base}/contact/">Contact</a></li></ul></footer>
<script src="/wp-includes/js/wp-embed.min.js"></script></body></html>"""
    return page.encode()
