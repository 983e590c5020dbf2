"""A portal's system: paragraphs are boxes without ``<p>``, cards of other stories between them, a definition list below, one story after the other."""

from __future__ import annotations

from html import escape

from testsite.story import Story


def render(story: Story) -> bytes:
    """Return the page."""
    inline, carded, *listed = story.editors(2 if story.number % 3 == 0 else 4)
    first, second, third, *rest = story.paragraphs
    story.say(*story.paragraphs)

    def unit(kind: str, inside: str) -> str:
        return f'<div class="msg-unit" data-unit="{kind}"><div class="msg-{kind}">{inside}</div></div>'

    banner = unit("promo", '<div id="adfox_1678" class="bnr"></div><div class="bnr-note">Advertising. 18+</div>')
    card = unit(
        "insert",
        f'<div class="ins-pic"><a href="{carded.path}"><img src="/pics/{story.number}.jpg" alt="" width="120"></a></div><div class="ins-when">12 March, 09:40</div><div class="ins-name"><a href="{carded.path}">{escape(carded.title)}</a></div>',
    )
    quote = unit("text", f'<div class="cite">{escape(third)}</div>')
    units = [
        unit("text", f'<strong class="place">LINDENAU, 3 Mar — Portal.</strong> {escape(first)}'),
        unit("text", story.with_link(second, inline, at=3, n=4)),
        banner,
        card,
        quote,
        *(unit("text", escape(each)) for each in rest),
    ]
    story.told[0] = f"LINDENAU, 3 Mar — Portal. {first}"
    below = ""
    if listed:
        below = (
            '<dl class="dossier"><dt>Read also:</dt>'
            + "".join(
                f'<dd><span class="d-time">09:{10 + number}</span> <a href="{each.path}">{escape(each.title)}</a></dd>'
                for number, each in enumerate(listed)
            )
            + "</dl>"
        )
    line = "".join(
        f'<div class="ln-item"><span class="ln-time">1{number}:05</span><a class="ln-link" href="{each.path}">{escape(each.title)}</a></div>'
        for number, each in enumerate(story.automatic(7))
    )
    hot = "".join(
        f'<td class="hot"><a href="{each.path}"><img src="/pics/h.jpg" alt=""></a><br><a href="{each.path}">{escape(each.title)}</a></td>'
        for each in story.automatic(3)
    )
    following = "".join(
        f'<div class="msg-next" data-url="{each.path}"><div class="h2"><a href="{each.path}">{escape(each.title)}</a></div><div class="msg-next-lead">The council met again on Tuesday evening and put the question off for another week, as it had done twice before.</div></div>'
        for each in story.automatic(2)
    )
    themes = "".join(
        f'<a class="theme" href="{story.trap(f"/theme_{story.number}{number}/all-that-was-written/")}">{escape(tag)}</a> '
        for number, tag in enumerate(story.tags)
    )
    people = "".join(f'<meta property="article:author" content="{escape(name)}">\n' for name in story.authors)
    page = f"""<!DOCTYPE html>
<html prefix="og: http://ogp.me/ns# article: http://ogp.me/ns/article#" lang="en"><head><meta http-equiv="content-type" content="text/html; charset=utf-8">
<title>{escape(story.title)} // Portal Lindenau, {story.published:%d.%m.%Y}</title>
<meta name="description" content="{escape(story.standfirst)}"><meta name="keywords" content="{escape(", ".join(story.tags))}">
<link rel="canonical" href="{story.url}"><link rel="alternate" type="application/rss+xml" href="/export/rss2/index.xml">
<meta property="og:type" content="article"><meta property="og:site_name" content="Portal Lindenau"><meta property="og:title" content="{escape(story.title)}"><meta property="og:description" content="{escape(story.standfirst)}"><meta property="og:url" content="{story.url}">
<meta property="article:published_time" content="{story.published.isoformat()}"><meta property="article:modified_time" content="{story.modified.isoformat()}"><meta property="article:section" content="{story.section}">
{people}<script>window.dataLayer = window.dataLayer || []; var adfox = [];</script></head>
<body><div class="wrap"><div class="top"><a href="/" class="top-logo">Portal Lindenau</a><span class="top-menu"><a href="/politics/">Politics</a> <a href="/economy/">Economy</a> <a href="/world/">World</a></span></div>
<div class="cols"><div class="col-l"><div class="ln-name">Line of news</div>{line}</div>
<div class="col-c"><div class="msg" data-id="{story.number}"><div class="msg-rub"><a href="/{story.section}/">{story.section.title()}</a></div><h1 class="msg-name">{escape(story.title)}</h1>
<div class="msg-info"><span class="msg-date">{story.published:%H:%M %d.%m.%Y}</span> <span class="msg-upd">(updated: {story.modified:%H:%M %d.%m.%Y})</span> <span class="msg-views">12844</span></div>
<div class="msg-photo"><img src="/pics/{story.number}.jpg" alt="The harbour"><div class="msg-copy">© Portal / Ida Renn</div><div class="msg-sign">The harbour in March. Archive photo</div></div>
{"".join(units)}
{below}
<div class="msg-themes">{themes}</div><div class="msg-emoji"><span>0</span><span>0</span></div></div>
{following}<div class="hot-box"><div class="hot-name">Discussed now</div><table><tr>{hot}</tr></table></div></div></div>
<div class="bottom"><p>Internet portal of Lindenau. Registered in 2001. All rights reserved. Any use of materials needs an active link.</p><a href="{story.trap("/docs/rules-for-the-use-of-materials.html")}">Rules</a></div></div></body></html>"""
    return page.encode()
