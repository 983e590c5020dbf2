"""How the widget is seen, heard and used: colours, direction, keyboard, stillness, axe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pages import PIXEL, Site, axe_violations, widget_page

pytestmark = pytest.mark.slow

Open = Callable[..., Any]
WIDGET = "related-stories"
IN_WIDGET = f"document.querySelector('{WIDGET}').shadowRoot.querySelector"
SHIFTS = """<script>
window.shifts = [];
new PerformanceObserver((list) => shifts.push(...list.getEntries().map(({ value }) => value)))
  .observe({ type: "layout-shift", buffered: true });
</script>"""


def ready(page: Any) -> Any:
    """Return the tab when its widget shows stories."""
    page.locator(WIDGET).get_by_role("link").first.wait_for()
    return page


def style(page: Any, selector: str, name: str) -> str:
    """Return a computed property of an element of the widget."""
    found: str = page.evaluate(f"getComputedStyle({IN_WIDGET}('{selector}'))['{name}']")
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("layout", ["list", "cards"])
@pytest.mark.parametrize("root", ['lang="en"', 'lang="ar" dir="rtl"'])
def test_axe_finds_nothing(shown: Open, scheme: str, layout: str, root: str) -> None:
    page = ready(shown(f'article-id="talks" layout="{layout}"', context={"color_scheme": scheme}, root=root))
    assert axe_violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_a_server_puts_inside(shown: Open, service: str, tab: Open, scheme: str) -> None:
    source = tab()
    source.goto(f"{service}/v1/articles/talks/related.html")
    inside = source.content().split("<body>")[1].split("</body>")[0].strip()
    page = shown(inside=inside, context={"color_scheme": scheme})
    page.locator(WIDGET).get_by_role("link").first.wait_for()
    assert axe_violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_has_the_colours_and_the_font_of_the_page(shown: Open, scheme: str) -> None:
    page = ready(shown(context={"color_scheme": scheme}))
    body = page.evaluate("[getComputedStyle(document.body).color, getComputedStyle(document.body).fontFamily]")
    assert [style(page, "a", "color"), style(page, "a", "fontFamily")] == body
    assert body[0] == ("rgb(0, 0, 0)" if scheme == "light" else "rgb(255, 255, 255)")


def test_a_site_gives_it_another_look_by_properties_and_parts(shown: Open) -> None:
    css = (
        "<style>related-stories{--related-link:rgb(1, 2, 3);--related-gap:7px}"
        "related-stories::part(reason){display:none}related-stories::part(heading){font-size:40px}</style>"
    )
    page = ready(shown(head=css))
    assert style(page, "a", "color") == "rgb(1, 2, 3)"
    assert style(page, "ol", "rowGap") == "7px"
    assert style(page, "h2", "fontSize") == "40px"
    assert not page.locator(f"{WIDGET} [part=reason]").first.is_visible()


def test_the_styles_of_the_page_and_of_the_widget_do_not_meet(shown: Open) -> None:
    page = ready(shown(head="<style>li{color:red;list-style:square}</style>", after="<ol><li>One</li></ol>"))
    assert style(page, "li", "listStyleType") == "none"
    assert style(page, "li", "color") == "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.querySelector('body ol')).display") == "block"


@pytest.mark.parametrize("layout", ["list", "cards"])
def test_it_runs_from_right_to_left_where_the_page_does(shown: Open, layout: str) -> None:
    page = ready(
        shown(
            f'article-id="talks" layout="{layout}"',
            root='lang="ar" dir="rtl"',
            context={"viewport": {"width": 800, "height": 600}},
        )
    )
    box = page.locator(WIDGET).bounding_box()
    heading = page.evaluate(f"(({{left, right}}) => ({{left, right}}))({IN_WIDGET}('li').getBoundingClientRect())")
    assert round(heading["right"]) == round(box["x"] + box["width"])
    assert style(page, "p", "direction") == "rtl"  # an English reason stands where the page's own lines do
    arabic = page.locator(WIDGET).get_by_role("link").filter(has_text="محادثات")
    assert arabic.get_attribute("lang") == "ar"
    assert arabic.evaluate("(link) => getComputedStyle(link).direction") == "rtl"
    english = page.locator(WIDGET).get_by_role("link").filter(has_text="Monday")
    assert english.evaluate("(link) => getComputedStyle(link).direction") == "ltr"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [320, 1280])
def test_it_fits_into_any_width(shown: Open, width: int) -> None:
    for layout in ("list", "cards"):
        page = ready(
            shown(f'article-id="talks" layout="{layout}"', context={"viewport": {"width": width, "height": 800}})
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_keyboard_reaches_every_story_in_order_and_shows_where_it_is(shown: Open) -> None:
    page = ready(shown(before="<a href='#before'>before</a>", after="<a href='#after'>after</a>"))
    page.get_by_role("link", name="before").focus()
    reached = []
    for _ in range(page.locator(WIDGET).get_by_role("link").count()):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(f"document.querySelector('{WIDGET}').shadowRoot.activeElement.textContent"))
        width = page.evaluate(
            f"getComputedStyle(document.querySelector('{WIDGET}').shadowRoot.activeElement).outlineWidth"
        )
        assert width == "3px"
    assert reached == page.locator(WIDGET).get_by_role("link").all_text_contents()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "after"


def test_a_screen_reader_hears_a_named_landmark_a_heading_and_a_list(shown: Open) -> None:
    page = ready(shown('article-id="talks" k="1" heading="Read on"'))
    told = page.locator(WIDGET).aria_snapshot()
    assert [line.strip() for line in told.splitlines()][:5] == [
        '- navigation "Read on":',
        '- heading "Read on" [level=2]',
        "- list:",
        "- listitem:",
        told.splitlines()[4].strip(),
    ]
    assert told.splitlines()[4].strip().startswith("- link ")


@pytest.mark.parametrize(("wish", "seconds"), [("reduce", "0s"), ("no-preference", "0.15s")])
def test_nothing_moves_for_who_wants_stillness(shown: Open, wish: str, seconds: str) -> None:
    page = ready(shown(context={"reduced_motion": wish}))
    assert style(page, "a", "transitionDuration") == seconds
    assert style(page, "a", "animationName") == "none"


@pytest.mark.parametrize(
    ("place", "head"),
    [
        ("<div style='height:900px'></div>", ""),
        ("", "<style>related-stories:not([hidden]){display:block;min-block-size:60rem}</style>"),
    ],
    ids=["below the first view", "with its place kept"],
)
def test_nothing_on_the_page_moves_when_the_stories_and_their_pictures_come(
    tab: Open, site: Site, service: str, place: str, head: str
) -> None:
    page = tab(viewport={"width": 800, "height": 700})
    image = site.put(PIXEL, "image/svg+xml")
    lines = [
        {"id": str(at), "title": f"Story {at}", "url": image, "image_url": f"{image}?{at}", "reason": "Because"}
        for at in range(4)
    ]
    headers = {"Access-Control-Allow-Origin": "*"}
    page.route("**/v1/**", lambda route: route.fulfill(json={"results": lines}, headers=headers))
    html = widget_page(service, 'article-id="talks" layout="cards"', before=place, head=SHIFTS + head)
    page.goto(site.put(html))
    ready(page)
    page.evaluate(f"document.querySelector('{WIDGET}').scrollIntoView()")
    page.wait_for_function(
        f"[...document.querySelector('{WIDGET}').shadowRoot.querySelectorAll('img')].every((image) => image.complete)"
    )
    page.wait_for_timeout(200)
    assert page.locator(f"{WIDGET} img").count() == 4
    assert page.evaluate("shifts") == []
