from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.answer import Answer, Recommendation
from recommender.fragment import fragment

HOSTILE = '"><script>alert(1)</script><a href="javascript:alert(2)" onmouseover=\'x\'>&amp;'


def story(**changed: Any) -> Recommendation:
    fields: dict[str, Any] = {
        "rank": 1,
        "id": "ferry-vote",
        "title": "Ferry crews vote",
        "url": "https://lindenpost.example/ferry-vote",
        "score": 1.25,
        "source": "link",
        "reason": "Linked by this story's editor",
        "published_at": "2025-03-10T09:00:00+00:00",
        "section": "business",
        "language": "en",
        "stub": False,
    }
    return Recommendation(**fields | changed)


def answer(*stories: Recommendation, **changed: Any) -> Answer:
    return Answer({"id": "ferry-strike"}, stories, "s00000001", **changed)


class Seen(HTMLParser):
    """The elements of a fragment with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((name, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_a_list_is_an_ordered_list_with_reason_and_date_as_text() -> None:
    made = fragment(answer(story(), story(rank=2, id="b", title="Zwei", language="de", source="similar", url=None)))

    assert made == (
        '<aside class="related" aria-label="Related stories">\n'
        '<h2 class="related-heading">Related stories</h2>\n<ol>\n'
        '<li class="related-story related-link" data-id="ferry-vote">'
        '<a href="https://lindenpost.example/ferry-vote" lang="en" hreflang="en" dir="auto">Ferry crews vote</a>'
        '<p class="related-reason"><bdi lang="en">Linked by this story&#x27;s editor</bdi></p>'
        '<time datetime="2025-03-10T09:00:00+00:00">2025-03-10</time></li>\n'
        '<li class="related-story related-similar" data-id="b"><span lang="de" dir="auto">Zwei</span>'
        '<p class="related-reason"><bdi lang="en">Linked by this story&#x27;s editor</bdi></p>'
        '<time datetime="2025-03-10T09:00:00+00:00">2025-03-10</time></li>\n'
        "</ol>\n</aside>\n"
    )


def test_an_empty_list_is_hidden_and_says_nothing() -> None:
    assert fragment(answer(empty_reason="nothing is close enough")) == '<aside class="related" hidden=""></aside>\n'


def test_a_heading_is_the_pages_own_or_heard_only() -> None:
    assert '<h2 class="related-heading">Mehr &lt;dazu&gt;</h2>' in fragment(answer(story()), heading="Mehr <dazu>")
    silent = fragment(answer(story()), heading="")
    assert silent.startswith('<aside class="related" aria-label="Related stories">\n<ol>\n')


def test_a_story_without_a_date_or_a_language_has_neither_in_the_markup() -> None:
    seen = Seen(fragment(answer(story(published_at=None, language=None))))

    assert [name for name, _ in seen.elements] == ["aside", "h2", "ol", "li", "a", "p", "bdi"]
    assert "lang" not in dict(seen.elements)["a"]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " javascript:alert(1)",
        "JavaScript:alert(1)//https://a.example/",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "//evil.example/",
        "/relative",
        "https:",
        "https:///path",
        "https://a.example/ b",
        "https://a.example/\njavascript:alert(1)",
        "",
    ],
)
def test_only_an_absolute_web_address_becomes_a_link(url: str) -> None:
    seen = Seen(fragment(answer(story(url=url))))

    assert "a" not in dict(seen.elements)
    assert "Ferry crews vote" in seen.text


@given(*(st.text() | st.just(HOSTILE) for _ in range(5)))
def test_nothing_that_an_article_says_becomes_markup(id: str, title: str, url: str, language: str, reason: str) -> None:
    given_url = f"https://a{url}"
    made = fragment(answer(story(id=id, title=title, url=given_url, language=language, reason=reason)), heading=title)

    seen = Seen(made)
    above = ["h2"] if title else []
    assert [name for name, _ in seen.elements] in (
        ["aside", *above, "ol", "li", "a", "p", "bdi", "time"],
        ["aside", *above, "ol", "li", "span", "p", "bdi", "time"],
    )
    allowed = {"class", "aria-label", "data-id", "href", "lang", "hreflang", "dir", "datetime"}
    assert {name for _, attributes in seen.elements for name in attributes} <= allowed
    made.encode("utf-8")
