"""A list as a piece of HTML that a page can take in as it stands. Pure: an answer in, markup out.

Whatever an article says of itself is escaped, and only an absolute http(s) address becomes a link.
"""

from __future__ import annotations

import re

from recommender.answer import Answer, Recommendation
from recommender.markup import Html, joined, tag

_LINKABLE = re.compile(r"https?://[^/?#\s]\S*", re.IGNORECASE)
_LABEL = "Related stories"


def fragment(answer: Answer, *, label: str = _LABEL) -> str:
    """Return a list as HTML: an ``<aside>`` around an ordered list, each story with its reason and date as text.

    An empty list is an ``<aside hidden>`` with nothing in it, so that no heading stands above nothing. There are no scores
    in it, no styles and no scripts. It ends with a newline.

    Args:
        answer: the list.
        label: what a screen reader calls it.
    """
    if not answer.results:
        return f"{tag('aside', class_='related', hidden='')}\n"
    stories = joined(*map(_story, answer.results), between="\n")
    listed = joined("", tag("ol", "\n", stories, "\n"), "", between="\n")
    return f"{tag('aside', listed, class_='related', aria_label=label)}\n"


def _story(story: Recommendation) -> Html:
    return tag(
        "li",
        _title(story),
        tag("p", story.reason, class_="related-reason"),
        *([tag("time", story.published_at[:10], datetime=story.published_at)] if story.published_at else ()),
        class_=f"related-story related-{story.source}",
        data_id=story.id,
    )


def _title(story: Recommendation) -> Html:
    if story.url and _LINKABLE.fullmatch(story.url):
        return tag("a", story.title, href=story.url, lang=story.language, hreflang=story.language, dir="auto")
    return tag("span", story.title, lang=story.language, dir="auto")
