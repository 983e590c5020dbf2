"""The widget when everything goes wrong: hostile answers, no answer, slow ones. It shows text or nothing, and the page goes on."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from pages import PIXEL, Site, widget_page

pytestmark = pytest.mark.slow

Open = Callable[..., Any]
WIDGET = "related-stories"
HOSTILE = (
    "<img src=x onerror=\"window.hacked='img'\">",
    "</script><script>window.hacked='script'</script>",
    "<svg onload=\"window.hacked='svg'\"><style>*{display:none}</style>",
    "\u202eevil reversed, never closed",
    "\u2066\u2067isolates, never closed",
    "W" * 3000,
    "a\u0300" * 2000,
    '" onfocus="window.hacked=1" autofocus x="',
    "${7*7}{{7*7}}",
)
URL = "https://www.lindenpost.example/story"


def line(title: Any = "A story", **changed: Any) -> dict[str, Any]:
    """Return one line of an answer."""
    return {
        "id": "a",
        "title": title,
        "url": URL,
        "reason": "Because",
        "published_at": "2025-03-10T09:00:00Z",
        "language": "en",
    } | changed


def answering(page: Any, body: Any, **more: Any) -> None:
    """Let the service answer ``body``, JSON unless it is a string."""
    raw = body if isinstance(body, str) else json.dumps(body)
    headers = {"Access-Control-Allow-Origin": "*"}
    page.route(
        "**/v1/**", lambda route: route.fulfill(body=raw, headers=headers, content_type="application/json", **more)
    )


@pytest.fixture
def opened(tab: Open, site: Site, service: str) -> Open:
    """Return a tab with a widget whose service answers what is given."""

    def open_page(body: Any, attributes: str = 'article-id="talks"', **more: Any) -> Any:
        page = tab(viewport={"width": 800, "height": 600})
        answering(page, body, **more)
        page.goto(site.put(widget_page(service, attributes, head='<link rel="canonical" href="https://a.example/x">')))
        return page

    return open_page


def assert_nothing_is_shown(page: Any) -> None:
    """Hold the page to one without the widget."""
    page.locator(WIDGET).wait_for(state="hidden")
    page.wait_for_function(f"document.querySelector('{WIDGET}').hidden")
    assert page.locator("#after").is_visible()
    assert page.locator(WIDGET).bounding_box() is None


@pytest.mark.parametrize("layout", ["list", "cards"])
def test_hostile_words_are_text_and_stay_in_their_place(opened: Open, layout: str) -> None:
    lines = [line(words, reason=words, language=words, id=words, published_at=words) for words in HOSTILE]
    page = opened({"results": lines}, f'article-id="talks" layout="{layout}"')
    links = page.locator(WIDGET).get_by_role("link")
    links.first.wait_for()
    assert links.all_text_contents() == list(HOSTILE)
    assert page.locator(f"{WIDGET} :is(script, style, svg, time)").count() == 0
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    reason = page.locator(f"{WIDGET} [part=reason] bdi").first
    assert reason.evaluate("(element) => getComputedStyle(element).unicodeBidi") == "isolate"
    for text in (links.nth(3), links.nth(4)):
        assert text.evaluate("(element) => getComputedStyle(element).unicodeBidi") == "isolate"


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        7,
        "javascript:window.hacked=1",
        "data:text/html,<script>1</script>",
        "/relative",
        "//a.example",
        "ftp://a.example",
        {},
        [7],
    ],
)
def test_a_story_that_leads_nowhere_on_the_web_is_left_out(opened: Open, url: Any) -> None:
    page = opened({"results": [line("bad", url=url), line("good"), line("", url=URL), None, 7, "x"]})
    page.locator(WIDGET).get_by_role("link").first.wait_for()
    assert page.locator(WIDGET).get_by_role("link").all_text_contents() == ["good"]


@pytest.mark.parametrize("image", ["javascript:alert(1)", "data:image/svg+xml,<svg/>", "/x.png", "nothing", 7, None])
def test_only_pictures_from_the_web_are_loaded(opened: Open, image: Any) -> None:
    page = opened({"results": [line("one", image_url=image)]}, 'article-id="talks" layout="cards"')
    page.locator(WIDGET).get_by_role("link").first.wait_for()
    assert page.locator(f"{WIDGET} img").count() == 0


def test_a_picture_that_does_not_come_leaves_its_frame_empty(opened: Open, site: Site) -> None:
    good, bad = site.put(PIXEL, "image/svg+xml"), f"{site.origin}/none.png"
    lines = [line(str(at), image_url=image) for at, image in enumerate((good, bad, None))]
    page = opened({"results": lines}, 'article-id="talks" layout="cards"')
    frames = page.locator(f"{WIDGET} [part=picture]")
    frames.first.wait_for()
    page.wait_for_function(f"document.querySelector('{WIDGET}').shadowRoot.querySelectorAll('img').length === 1")
    assert len({round(frame.bounding_box()["height"]) for frame in frames.all()}) == 1


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "null",
        "7",
        "[]",
        "{}",
        '{"results": null}',
        '{"results": {}}',
        '{"results": []}',
        '{"results": ["x"]}',
        '{"results": "x"',
    ],
)
def test_an_answer_that_is_none_shows_nothing(opened: Open, body: str) -> None:
    assert_nothing_is_shown(opened(body))


@pytest.mark.parametrize("status", [301, 400, 403, 404, 429, 500, 503])
def test_a_refusal_shows_nothing(opened: Open, status: int) -> None:
    assert_nothing_is_shown(opened({"results": [line()]}, status=status))


@pytest.mark.parametrize(
    "attributes",
    ['article-id="nobody"', 'article-url="not an address"', 'article-id="talks" k="many"', 'article-id=".."'],
)
def test_a_question_that_the_service_refuses_shows_nothing(shown: Open, attributes: str) -> None:
    assert_nothing_is_shown(shown(attributes))


def test_a_page_that_does_not_say_its_address_asks_nothing(shown: Open) -> None:
    assert_nothing_is_shown(shown(""))


@pytest.mark.parametrize("src", ["javascript:alert(1)", "http://", "data:,x", "about:blank", "http://127.0.0.1:1/"])
def test_an_address_of_no_service_shows_nothing(shown: Open, src: str) -> None:
    assert_nothing_is_shown(shown(f'article-id="talks" src="{src}"'))


def test_a_service_that_is_down_shows_nothing(shown: Open, tab: Open, site: Site) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}"
    assert_nothing_is_shown(shown(f'article-id="talks" src="{nobody}"'))
    page = tab()
    page.goto(site.put(widget_page(nobody)))  # not even the widget comes
    assert page.locator("#after").is_visible()
    assert page.locator(WIDGET).bounding_box()["height"] < 30


def test_a_service_that_is_too_slow_is_given_up(tab: Open, site: Site, service: str) -> None:
    page = tab()
    page.clock.install()
    held: list[Any] = []
    page.route("**/v1/**", lambda route: held.append(route))
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.goto(site.put(widget_page(service)))
    while not held:
        page.wait_for_timeout(20)
    page.clock.fast_forward(7_000)
    assert not page.evaluate(f"document.querySelector('{WIDGET}').hidden")
    page.clock.fast_forward(2_000)
    assert_nothing_is_shown(page)
    assert failed == [f"{service}/v1/articles/talks/related"]


def test_an_element_that_is_taken_away_while_it_asks_does_no_harm(tab: Open, site: Site, service: str) -> None:
    page = tab()
    held: list[Any] = []
    page.route("**/v1/**", lambda route: held.append(route))
    page.goto(site.put(widget_page(service)))
    while not held:
        page.wait_for_timeout(20)
    page.evaluate(f"document.querySelector('{WIDGET}').remove()")
    page.wait_for_timeout(100)
    assert page.locator("#after").is_visible()


def test_the_module_loaded_twice_is_one_element(shown: Open, service: str, site: Site) -> None:
    page = shown(head=f'<script type="module" src="{service}/widget.js?again"></script>')
    page.locator(WIDGET).get_by_role("link").first.wait_for()
    assert page.locator(f"{WIDGET} nav").count() == 1
