"""A Ukrainian site: microdata instead of JSON-LD, "Читайте також" between paragraphs, windows-1251 on every third page."""

from __future__ import annotations

from html import escape

from testsite.story import Story


def render(story: Story) -> bytes:
    """Return the page."""
    inline, other = story.editors(2)
    listed = story.editors(2) if story.number % 2 else []
    first, second, *rest = story.paragraphs
    story.say(*story.paragraphs)
    charset = "utf-8" if story.number % 3 else "windows-1251"
    announced = (
        f"<p><strong>Читайте також: {other.a()}</strong></p>"
        if story.number % 2
        else f'<div class="article-also"><span>Читайте також</span><br>{other.a(target="_blank")}</div>'
    )
    body = (
        f'<p>{escape(first)}</p><div class="article_banner"><span>Реклама</span></div><p>{story.with_link(second, inline, at=2, n=5)}</p>{announced}'
        + "".join(f"<p>{escape(each)}</p>" for each in rest)
        + '<p><em>Підписуйтеся на наш <a href="https://t.me/lipa">телеграм-канал</a></em></p>'
        + (
            "<h4>Матеріали за темою:</h4><ul>" + "".join(f"<li>{each.a()}</li>" for each in listed) + "</ul>"
            if listed
            else ""
        )
    )
    feed = "".join(
        f'<div class="article_news_list"><div class="article_time">1{number}:20</div><div class="article_header"><a href="{each.path}">{escape(each.title)}</a></div></div>'
        for number, each in enumerate(story.automatic(6))
    )
    popular = "".join(f'<li><a href="{each.path}">{escape(each.title)}</a></li>' for each in story.automatic(3))
    people = "".join(
        f'<span itemprop="author" itemscope itemtype="https://schema.org/Person"><a href="{story.trap(f"/avtory/storinka-avtora-nomer-{number}/")}" rel="author"><span itemprop="name">{escape(name)}</span></a></span>'
        for number, name in enumerate(story.authors)
    )
    page = f"""<!DOCTYPE html><html lang="uk"><head><meta http-equiv="Content-Type" content="text/html; charset={charset}"><title>{escape(story.title)} | Липова газета</title>
<meta name="description" content="{escape(story.standfirst)}"><link rel="canonical" href="{story.url}">
<meta property="og:title" content="{escape(story.title)}"><meta property="og:type" content="article"><meta property="og:url" content="{story.url}"><meta property="og:site_name" content="Липова газета"><meta property="og:locale" content="uk_UA"><meta property="og:image" content="{story.base}/images/{story.number}.jpg">
</head><body><div class="layout"><header class="header"><div class="header_logo"><a href="/">Липова газета</a></div><div class="header_menu"><a href="/novyny/">Новини</a><a href="/pubrik/">Публікації</a><a href="/rubrics/ekonomika/">Економіка</a></div></header>
<div class="layout_content" itemscope itemtype="https://schema.org/NewsArticle"><meta itemprop="mainEntityOfPage" content="{story.url}"><meta itemprop="dateModified" content="{story.modified.isoformat()}">
<div class="post"><header class="post_header"><h1 class="post_title" itemprop="headline">{escape(story.title)}</h1><div class="post_time"><span class="post_author">{people}</span> — <time itemprop="datePublished" content="{story.published.isoformat()}">{story.published:%d.%m.%Y}, {story.published:%H:%M}</time></div></header>
<div class="post_photo"><img itemprop="image" src="/images/{story.number}.jpg" alt=""><div class="post_photo_author">Фото: Ірина Сад</div></div>
<div class="post_text" itemprop="articleBody">{body}</div>
<div class="post_tags"><span>Теми:</span>{"".join(f'<span class="post_tags_item"><a href="{story.trap(f"/tags/tema-nomer-{number}-i-vse-pro-nei/")}">{escape(tag)}</a></span>' for number, tag in enumerate(story.tags))}</div>
<div class="post_social"><a href="https://www.facebook.com/sharer/sharer.php?u={story.url}">Facebook</a></div></div>
<section class="section_popular"><h3>Найпопулярніше</h3><ul>{popular}</ul></section></div>
<div class="layout_sidebar"><div class="section_header">Останні новини</div>{feed}</div>
<footer class="footer"><p>© 2000-2025 «Липова газета». Усі права захищено.</p></footer></div></body></html>"""
    return page.encode(charset, "xmlcharrefreplace")
