"""The demo newsroom: what stands on its pages, what they lead to, and what they may load."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from newsroom import STUB_TITLE, publish, store

from recommender.article import Article
from recommender.readers import article_from_record
from recommender.recommend import Recommender
from recommender.settings import Settings
from recommender.web import create_app, edition

PAGES = ("/", "/?id=ferry-strike", "/?section=business", "/?q=ferry", "/embed", "/?id=nobody", "/?section=nowhere")
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


@pytest.fixture(scope="module")
def client(wide: Settings) -> FlaskClient:
    return create_app(wide).test_client()


@pytest.fixture
def newsroom(settings: Settings) -> Callable[..., Settings]:
    """Return settings of a home that holds the stories that it is given."""

    def made(*articles: Article) -> Settings:
        store(settings, articles)
        publish(settings)
        return settings

    return made


def headlines(html: str) -> list[str]:
    """Return the headlines of a page, in their order."""
    found = re.findall(r"<h[1-4][^>]*>\s*(?:<a [^>]*>)?(?:<bdi[^>]*>)?([^<]+)", html)
    return [unescape(text).strip() for text in found]


def links(html: str) -> list[str]:
    """Return the addresses of a page's links within the newsroom."""
    return [unescape(link) for link in re.findall(r'<a [^>]*href="(/[^"]*)"', html)]


def test_the_front_page_leads_with_the_youngest_story_that_editors_linked_from(client: FlaskClient) -> None:
    response = client.get("/")
    assert (response.status_code, response.mimetype) == (200, "text/html")
    told = headlines(response.text)
    assert told[:3] == ["Front page", "Ferries stay in port as strike begins", "Read more"]
    assert "Linked by this story&#39;s editor" in response.text
    assert STUB_TITLE in response.text  # under the lead, as a line that leads nowhere yet
    assert "25 March 2025" in response.text
    assert {"Latest", "business", "politics", "Linden Rovers reach the cup final after penalties"} <= set(told)
    assert told.count("Ferries stay in port as strike begins") == 1


def test_a_front_page_shows_near_copies_once_and_says_what_is_no_news(client: FlaskClient) -> None:
    html = client.get("/").text
    assert "Storm keeps the ferries in the harbour" in html
    assert "Storm stops ferries at Port Linden" not in html
    assert '<bdi class="badge kind">opinion</bdi>' in html


def test_sections_stand_by_size_and_lead_to_their_stories(client: FlaskClient) -> None:
    html = client.get("/").text
    nav = html.split('aria-label="Sections"')[1].split("</nav>")[0]
    assert links(nav) == [f"/?section={name}" for name in ("business", "opinion", "politics", "sport")]
    page = client.get("/?section=business").text
    assert headlines(page) == [
        "business",
        "Storm keeps the ferries in the harbour",
        "Ferry strike ends with a deal on night crews",
        "Streik: Ferries stay in port, Hafen ohne Schiffe",
        "Ferries stay in port as strike begins",
        "Ferry crews vote to strike over night shifts",
    ]
    assert 'aria-current="page"' in page
    assert 'lang="de"' in page


def test_a_section_that_is_not_there_is_404(client: FlaskClient) -> None:
    response = client.get("/", query_string={"section": HOSTILE})
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "No section of this archive is called" in response.text
    assert "<script>" not in response.text


def test_an_article_has_its_text_its_list_and_more_of_its_section(client: FlaskClient) -> None:
    html = client.get("/?id=ferry-strike").text
    assert "No ferry left the harbour on Friday" in html
    assert STUB_TITLE in html
    assert "/?section=business" in links(html)
    more = html.split('id="more-title"')[1]
    assert "Ferry strike ends with a deal on night crews" in more
    assert "Ferries stay in port as strike begins" not in more.split("</section>")[0]


@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_a_page_leads_somewhere(client: FlaskClient, path: str) -> None:
    found = links(client.get(path).text)
    assert found
    assert [link for link in found if client.get(link).status_code != 200] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_its_own_files_only_and_runs_no_inline_script_or_style(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    html = response.text
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html, re.IGNORECASE)
    loaded = re.findall(r'<link rel="stylesheet" href="([^"]+)"|<script [^>]*src="([^"]+)"', html)
    files = ["".join(pair) for pair in loaded]
    assert len(files) >= 3
    for file in files:
        assert not urlsplit(file).netloc
        with client.get(file) as answer:
            assert (answer.status_code, answer.mimetype) in [(200, "text/css"), (200, "text/javascript")]


def test_the_embed_page_shows_the_element_and_lets_pictures_come(client: FlaskClient) -> None:
    html = client.get("/embed?id=ferry-vote").text
    assert '<script type="module" src="/widget.js"></script>' in html
    assert '<related-stories article-id="ferry-vote" k="4"' in html
    assert "&lt;script type=&#34;module&#34;" in html or '&lt;script type="module"' in html
    assert client.get("/embed?id=nobody").status_code == 404
    assert "img-src 'self' data: http: https:" in client.get("/embed").headers["Content-Security-Policy"]
    assert "img-src 'self' data:;" in client.get("/").headers["Content-Security-Policy"]


def test_hostile_words_are_text_on_every_page(newsroom: Callable[..., Settings]) -> None:
    fields = {"description": HOSTILE, "section": HOSTILE, "authors": [HOSTILE], "text": HOSTILE, "kind": "opinion"}
    articles = [article_from_record({"id": f"{HOSTILE}{n}", "title": f"{HOSTILE} {n}", **fields}) for n in range(4)]
    client = create_app(newsroom(*articles)).test_client()
    for path in ("/", "/embed", "/?q=script"):
        assert client.get(path).status_code == 200
    asked = [{}, {"id": f"{HOSTILE}1"}, {"section": HOSTILE}, {"q": HOSTILE}]
    pages = [client.get("/", query_string=query).text for query in asked]
    pages.append(client.get("/embed", query_string={"id": f"{HOSTILE}1"}).text)
    for html in pages:
        assert "alert(1)" in html
        assert not re.search(r"<script>|<img", html)


@pytest.mark.parametrize("n_stories", [1, 2, 3, 5])
def test_a_small_archive_without_sections_or_dates_has_a_front_page(
    newsroom: Callable[..., Settings], n_stories: int
) -> None:
    made = newsroom(*(Article(f"a{n}", f"A story of its own, number {n}", language="en") for n in range(n_stories)))
    response = create_app(made).test_client().get("/")
    assert response.status_code == 200
    for number in range(n_stories):
        assert f"A story of its own, number {number}" in response.text


def test_a_front_page_of_headlines_alone_is_an_empty_one(newsroom: Callable[..., Settings]) -> None:
    made = newsroom(article_from_record({"id": "a", "title": "Ferry crews vote", "read_more": [STUB_TITLE]}))
    archive = Recommender.open(made).snapshot
    front = edition.front(archive)
    assert front is not None
    assert (front.lead.id, front.second, front.latest) == ("a", [], [])
    assert edition.of_section(archive, "sport", 5) == []
    assert edition.section_names(archive) == []


def test_what_leads_is_not_told_again_and_the_second_are_of_other_sections(wide: Settings) -> None:
    front = edition.front(Recommender.open(wide).snapshot)
    assert front is not None
    assert front.lead.id == "ferry-strike"
    assert [row.section for row in front.second] == ["sport", "opinion"]
    above = {front.lead.id, *(row.id for row in front.second)}
    below = [row.id for _, rows in front.sections for row in rows]
    assert not above & {*below, *(row.id for row in front.latest)}
    assert len(below) == len(set(below))


def test_a_withdrawn_story_leaves_the_front_page_at_once(newsroom: Callable[..., Settings]) -> None:
    made = newsroom(
        Article("a", "Ferry crews vote", section="business"), Article("b", "The cup final", section="sport")
    )
    app = create_app(made)
    client = app.test_client()
    assert "The cup final" in client.get("/").text
    app.extensions["recommender.live"].get().withdraw(["b"])
    html = client.get("/").text
    assert "The cup final" not in html
    assert "sport" not in html
