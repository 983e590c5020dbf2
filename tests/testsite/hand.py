"""A page that somebody wrote by hand in 2003 and never changed: tables, fonts, line breaks, ISO-8859-1, no metadata worth the name."""

from __future__ import annotations

from html import escape

from testsite.story import Story


def render(story: Story) -> bytes:
    """Return the page."""
    inline, other = story.editors(2)
    listed = story.editors(2) if story.number % 2 == 0 else []
    first, *rest = story.paragraphs
    story.say(*story.paragraphs)
    lines = [
        escape(first),
        story.with_link(rest[0], inline, at=5, n=4),
        f"Lesen Sie auch: {other.a()}",
        *map(escape, rest[1:]),
    ]
    body = "<br><br>\n".join(lines) if story.number % 3 else "".join(f"<P ALIGN=justify>{line}\n" for line in lines)
    tail = "<p><b>Mehr zum Thema:</b><ul>" + "".join(f"<li>{each.a()}" for each in listed) + "</ul>" if listed else ""
    side = "".join(
        f'<tr><td><font size=1>&raquo; <a href="{each.path}">{escape(each.title)}</a></font></td></tr>'
        for each in story.automatic(6)
    )
    page = f"""<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN">
<HTML LANG="de"><HEAD><TITLE>Brennauer Bote - {escape(story.title)}</TITLE>
<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=iso-8859-1">
<META NAME="author" CONTENT="{escape(", ".join(story.authors))}"><META NAME="DC.Date.Issued" CONTENT="{story.published.isoformat()}"><META NAME="DC.Title" CONTENT="{escape(story.title)}">
<META NAME="keywords" CONTENT="{escape(", ".join(story.tags))}"><META NAME="description" CONTENT="{escape(story.standfirst)}">
<LINK REL="canonical" HREF="{story.path}">
<STYLE>td {{ font-family: Verdana }}</STYLE></HEAD>
<BODY BGCOLOR="#ffffff" LINK="#003366"><A NAME="top"></A>
<TABLE WIDTH=980 CELLPADDING=4><TR><TD COLSPAN=3 BGCOLOR="#003366"><FONT COLOR=white SIZE=5>Brennauer Bote</FONT> <a href="/">Start</a> | <a href="/politik/">Politik</a> | <a href="/wirtschaft/">Wirtschaft</a> | <a href="{story.trap("/kontakt/impressum-und-datenschutz.html")}">Impressum</a></TD></TR>
<TR VALIGN=top><TD WIDTH=160><table><tr><td><b>Meistgelesen</b></td></tr>{side}</table></TD>
<TD WIDTH=600><H1>{escape(story.title)}</H1><p><i>{escape(story.standfirst)}</i></p><p><font size=2>Von {escape(" und ".join(story.authors))}, {story.published:%d.%m.%Y}</font></p>
<div id="text">{body}</div>
{tail}
<p><font size=1><a href="#top">nach oben</a> | <a href="{story.trap("/druck/" + story.slug + "-druckversion.html")}" rel="nofollow">Druckversion</a> | <a href="mailto:redaktion@bote.example">Leserbrief</a></font></p></TD>
<TD WIDTH=160><center><font size=1>Anzeige</font><br><a href="http://ads.example/click?id=4"><img src="/ads/4.gif" width=120 height=600></a></center></TD></TR>
<TR><TD COLSPAN=3 ALIGN=center><FONT SIZE=1>&copy; 2003-2025 Brennauer Bote. Alle Rechte vorbehalten.</FONT></TD></TR></TABLE></BODY></HTML>"""
    return page.encode("cp1252", "xmlcharrefreplace")
