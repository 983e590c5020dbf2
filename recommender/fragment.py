"""A list as a piece of HTML that a page can take in as it stands. Pure: an answer in, markup out.

Whatever an article says of itself is escaped, and only an absolute http(s) address becomes a link.
"""

from __future__ import annotations

import re

from recommender.answer import Answer, Recommendation
from recommender.markup import Html, joined, tag

HEADING = "Related stories"

_LINKABLE = re.compile(r"https?://[^/?#\s]\S*", re.IGNORECASE)


def fragment(answer: Answer, *, heading: str = HEADING) -> str:
    """Return a list as HTML: an ``<aside>`` with a heading and an ordered list, each story with its reason and date as text.

    An empty list is an ``<aside hidden>`` with nothing in it, so that no heading stands above nothing. There are no scores
    in it, no styles, no scripts and no ids, so that a page may take in several. It ends with a newline.

    Args:
        answer: the list.
        heading: stands above it, and names it for a screen reader; "" for none to be seen.
    """
    if not answer.results:
        return f"{tag('aside', class_='related', hidden='')}\n"
    above = (tag("h2", heading, class_="related-heading"),) if heading else ()
    listed = tag("ol", "\n", joined(*map(_story, answer.results), between="\n"), "\n")
    inside = joined("", *above, listed, "", between="\n")
    return f"{tag('aside', inside, class_='related', aria_label=heading or HEADING)}\n"


def _story(story: Recommendation) -> Html:
    return tag(
        "li",
        _title(story),
        tag("p", tag("bdi", story.reason, lang="en"), class_="related-reason"),
        *([tag("time", story.published_at[:10], datetime=story.published_at)] if story.published_at else ()),
        class_=f"related-story related-{story.source}",
        data_id=story.id,
    )


def _title(story: Recommendation) -> Html:
    if story.url and _LINKABLE.fullmatch(story.url):
        return tag("a", story.title, href=story.url, lang=story.language, hreflang=story.language, dir="auto")
    return tag("span", story.title, lang=story.language, dir="auto")
