"""The desk in a browser: by keyboard, without scripts, on a phone, light and dark, with hostile headlines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from newsroom import publish, settings_for, store
from pages import ARCHIVE, TITLES, axe_violations, serving

from recommender.desk import Desk
from recommender.home import Home
from recommender.keys import add_key
from recommender.readers import article_from_record
from recommender.settings import Settings
from recommender.web import create_app

pytestmark = pytest.mark.slow

Open = Callable[..., Any]
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
PATHS = ("/desk", "/desk/story?id=talks", "/desk/rule?kind=pin&under=talks&article=plain&try=1", "/desk/rule?kind=boost",
         "/desk/rules", "/desk/log", "/desk/stubs", "/desk/orphans", "/desk/hubs", "/desk/snapshots",
         "/desk?q=ferry+talks", "/desk/evaluation", "/desk/story?id=nobody")  # fmt: skip


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = settings_for(tmp_path_factory.mktemp("desk") / "home")
    store(made, [article_from_record(record) for record in ARCHIVE])
    publish(made)
    return made


@pytest.fixture(scope="module")
def key(newsroom: Settings) -> str:
    return add_key(Home(newsroom.home).keys, "anna", "desk", now=datetime(2026, 11, 26, tzinfo=UTC))


@pytest.fixture(scope="module")
def office(newsroom: Settings) -> Iterator[str]:
    """The address of a service that tests may change."""
    with serving(create_app(newsroom)) as origin:
        yield origin


@pytest.fixture
def desk(tab: Open, office: str, key: str) -> Open:
    """Return a tab in which an editor has logged in; options are those of a context."""

    def entered(**options: Any) -> Any:
        page = tab(**options)
        page.goto(f"{office}/desk")
        page.get_by_label("Key").fill(key)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("navigation", name="The desk").wait_for()
        return page

    return entered


def test_an_editor_pins_and_takes_back_by_keyboard_alone(desk: Open, newsroom: Settings) -> None:
    page = desk(java_script_enabled=False)
    page.get_by_label("Find a story").focus()
    page.keyboard.type("Harbour talks")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Harbour talks begin").first.press("Enter")
    page.get_by_role("heading", level=1, name="Harbour talks begin").wait_for()
    page.get_by_label("Pin another story").focus()
    page.keyboard.type("plain")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=f"Pin “{TITLES['plain']}”").press("Enter")
    assert page.get_by_role("heading", name="Then").is_visible()
    page.get_by_label("Why").fill("our dossier")
    page.get_by_role("button", name="Show the lists before and after").press("Enter")
    page.get_by_role("button", name="Apply").press("Enter")
    page.get_by_role("status").wait_for()
    first = page.get_by_role("region", name="Its list").get_by_role("listitem").first
    assert "Pinned by the desk: our dossier" in (first.text_content() or "")
    (act, *_) = Desk(Home(newsroom.home)).log()
    assert (act.who, act.wish.article, act.wish.under) == ("anna", "plain", "talks")
    page.get_by_role("status").get_by_role("link", name="Undo").press("Enter")
    page.get_by_role("button", name="Take it back").press("Enter")
    page.get_by_role("status").wait_for()
    assert Desk(Home(newsroom.home)).in_force() == []


def test_the_first_tab_skips_to_the_content_and_the_order_goes_on_from_there(desk: Open) -> None:
    page = desk()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_stands_out_of_a_phone(desk: Open, office: str, scheme: str) -> None:
    page = desk(color_scheme=scheme, **PHONE)
    for path in PATHS if scheme == "light" else PATHS[:5]:
        page.goto(office + path)
        for each in page.locator("details").all()[:3]:
            each.evaluate("one => one.open = true")
        assert axe_violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_the_form_that_takes_a_key_is_sound_also_with_a_wrong_one(tab: Open, office: str) -> None:
    page = tab()
    page.goto(f"{office}/desk/log")
    assert axe_violations(page) == []
    page.get_by_label("Key").fill("wrong")
    page.keyboard.press("Enter")
    assert "no key of the desk" in (page.get_by_role("alert").text_content() or "")
    assert axe_violations(page) == []
    assert page.evaluate("document.activeElement.id") == "key"


def test_hostile_headlines_are_text_and_do_nothing(desk: Open, office: str) -> None:
    page = desk()
    for path in ("/desk/story?id=talks", "/desk/story?id=img", "/desk/stubs", "/desk/orphans", "/desk?q=ferry",
                 "/desk/rule?kind=pin&under=img&article=script&try=1"):  # fmt: skip
        page.goto(office + path)
        assert page.evaluate("window.hacked") is None, path
        assert page.locator("main :is(script, img)").count() == 0, path
    page.goto(f"{office}/desk/story?id=img")
    assert page.get_by_role("heading", level=1).text_content() == TITLES["img"]


def test_the_desk_asks_nobody_else_and_readers_have_no_cookie(desk: Open, tab: Open, office: str) -> None:
    page = desk()
    made: list[str] = []
    page.on("request", lambda request: made.append(request.url))
    for path in PATHS:
        page.goto(office + path)
    assert [url for url in made if not url.startswith((office, "data:"))] == []
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["path"], cookie["httpOnly"], cookie["sameSite"]) == ("desk", "/desk", True, "Strict")
    reader = tab()
    reader.goto(f"{office}/?id=talks")
    assert reader.context.cookies() == []


def test_another_site_can_neither_frame_the_desk_nor_send_its_forms(desk: Open, office: str, site: Any) -> None:
    page = desk()
    form = (
        f'<!doctype html><iframe src="{office}/desk"></iframe><form id="f" method="post" action="{office}/desk/rule">'
        '<input name="kind" value="block"><input name="article" value="talks"></form>'
    )
    page.goto(site.put(form))
    assert all("The desk" not in frame.content() for frame in page.frames[1:])
    page.evaluate("document.getElementById('f').submit()")
    page.wait_for_url(re.compile("/desk/"))
    page.goto(f"{office}/v1/articles/long/related")
    assert "talks" in page.content()
