"""The demo newsroom in a browser: its search while one types, with and without scripts, on a phone and a desk, and what axe says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from pages import TITLES, axe_violations

pytestmark = pytest.mark.slow

Open = Callable[..., Any]
PATHS = ("/", "/?id=talks", "/?section=business", "/?q=ferry+talks", "/embed?id=talks", "/?id=nobody")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
FOUND = ".found li"


@pytest.fixture
def front(tab: Open, service: str) -> Any:
    """The front page at a desk."""
    page = tab(viewport=DESK)
    page.goto(service)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_and_nothing_is_cut_off(tab: Open, service: str, path: str, size: Any, scheme: str) -> None:
    page = tab(viewport=size, color_scheme=scheme)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.goto(service + path)
    if "/embed" in path:
        page.locator("related-stories").nth(1).get_by_role("link").first.wait_for()
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [line for line in told if "404" not in line] == []
    assert page.evaluate("window.hacked") is None


def test_stories_come_while_one_types(front: Any) -> None:
    front.get_by_label("Search the archive").press_sequentially("ferry talks", delay=10)
    front.locator(FOUND).first.wait_for()
    titles = front.locator(f"{FOUND} a").all_text_contents()
    assert len(titles) == len(set(titles)) > 2
    assert set(titles) <= {*TITLES.values(), "Harbour talks begin"}
    assert front.get_by_role("status").text_content() == f"{len(titles)} stories found"
    assert axe_violations(front) == []
    assert front.evaluate("window.hacked") is None
    front.locator(f"{FOUND} a").first.click()
    front.get_by_role("heading", level=1, name=titles[0]).wait_for()


def test_the_keyboard_goes_through_what_was_found_and_back(front: Any) -> None:
    box = front.get_by_label("Search the archive")
    box.fill("ferry talks")
    front.locator(FOUND).first.wait_for()
    focused = "document.activeElement.textContent"
    titles = front.locator(f"{FOUND} a").all_text_contents()
    box.press("ArrowDown")
    assert front.evaluate(focused) == titles[0]
    front.keyboard.press("ArrowDown")
    assert front.evaluate(focused) == titles[1]
    for _ in range(2):
        front.keyboard.press("ArrowUp")
    assert front.evaluate("document.activeElement.id") == "q"
    front.keyboard.press("ArrowUp")
    assert front.evaluate(focused) == titles[-1]
    front.keyboard.press("Escape")
    assert front.evaluate("document.activeElement.id") == "q"
    assert not front.locator(".found").is_visible()
    assert box.input_value() == "ferry talks"


def test_what_was_found_goes_when_the_reader_goes_on(front: Any) -> None:
    box = front.get_by_label("Search the archive")
    for leave in (lambda: box.fill("fe"), lambda: front.locator("h1, h2").last.click(), lambda: box.fill("")):
        box.fill("ferry talks")
        front.locator(FOUND).first.wait_for()
        leave()
        front.locator(".found").wait_for(state="hidden")


def test_only_the_last_words_are_answered(front: Any) -> None:
    held: list[Any] = []
    front.route(
        "**/v1/search*", lambda route: held.append(route) if "q=slow" in route.request.url else route.continue_()
    )
    box = front.get_by_label("Search the archive")
    box.fill("slow words")
    while not held:
        front.wait_for_timeout(20)
    box.fill("ferry talks")
    front.locator(FOUND).first.wait_for()
    titles = front.locator(f"{FOUND} a").all_text_contents()
    front.wait_for_timeout(100)
    assert front.locator(f"{FOUND} a").all_text_contents() == titles


@pytest.mark.parametrize(
    "answer", [{"status": 503}, {"status": 200, "body": "<html>"}, {"status": 200, "body": "{}"}, None]
)
def test_without_an_answer_the_form_still_works(front: Any, answer: Any) -> None:
    front.route("**/v1/search*", lambda route: route.fulfill(**answer) if answer else route.abort())
    box = front.get_by_label("Search the archive")
    with front.expect_request("**/v1/search*"):
        box.fill("ferry talks")
    front.wait_for_timeout(200)
    assert not front.locator(".found").is_visible()
    box.press("Enter")
    front.get_by_role("heading", level=1, name="ferry talks").wait_for()


def test_hostile_results_are_text(front: Any) -> None:
    words = '<img src=x onerror="window.hacked=1"></script><script>window.hacked=1</script>'
    line = {"id": words, "title": words, "section": words, "reason": words, "language": words, "published_at": words}
    front.route("**/v1/search*", lambda route: route.fulfill(json={"results": [line, line]}))
    front.get_by_label("Search the archive").fill("ferry talks")
    front.locator(FOUND).first.wait_for()
    link = front.locator(f"{FOUND} a").first
    assert link.text_content() == words
    assert link.get_attribute("href").endswith("?id=" + quote(words, safe="").replace("%20", "+"))
    assert front.locator(".found :is(img, script)").count() == 0
    assert front.evaluate("window.hacked") is None


def test_without_scripts_everything_is_there(tab: Open, service: str) -> None:
    page = tab(java_script_enabled=False)
    page.goto(service)
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="politics").click()
    page.get_by_role("link", name="Harbour talks begin").click()
    sidebar = page.get_by_role("complementary", name="Read more")
    assert sidebar.get_by_role("listitem").count() == 5
    page.get_by_label("Search the archive").fill("ferry talks")
    page.get_by_role("button", name="Search").click()
    assert page.get_by_role("heading", level=1, name="ferry talks").is_visible()
    assert page.locator(".result").count() > 2


def test_the_newsroom_keeps_nothing_and_asks_nobody_else(tab: Open, service: str) -> None:
    page = tab()
    made: list[str] = []
    page.on("request", lambda request: made.append(request.url))
    for path in PATHS:
        page.goto(service + path)
    page.goto(service)
    page.get_by_label("Search the archive").fill("ferry talks")
    page.locator(FOUND).first.wait_for()
    assert [url for url in made if not url.startswith((service, "data:"))] == []
    assert page.context.cookies() == []
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
