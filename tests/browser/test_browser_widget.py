"""The widget on a newspaper's page: what it shows, asks for and tells."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from pages import TITLES, Site, widget_page

pytestmark = pytest.mark.slow

Open = Callable[..., Any]
WIDGET = "related-stories"
LISTEN = """<script>
window.told = [];
for (const name of ["related-shown", "related-clicked"])
  document.addEventListener(name, (event) => told.push([name, event.detail]));
document.addEventListener("click", (event) => event.preventDefault());
</script>"""


def asked(service: str, path: str = "/v1/articles/talks/related") -> list[dict[str, Any]]:
    """Return the lines of an answer."""
    with urllib.request.urlopen(service + path) as response:
        results: list[dict[str, Any]] = json.load(response)["results"]
    return results


def titles(page: Any) -> list[str]:
    """Return the headlines that the widget shows, when it does."""
    page.locator(WIDGET).get_by_role("link").first.wait_for()
    found: list[str] = page.locator(WIDGET).get_by_role("link").all_text_contents()
    return found


def requests(page: Any) -> list[str]:
    """Return a list to which every address is added that the page asks for."""
    made: list[str] = []
    page.on("request", lambda request: made.append(request.url))
    return made


def test_a_page_of_another_origin_shows_the_list_of_the_json(shown: Open, service: str) -> None:
    page = shown()
    lines = asked(service)
    assert titles(page) == [line["title"] for line in lines]
    assert set(titles(page)) == set(TITLES.values())
    links = page.locator(WIDGET).get_by_role("link")
    assert [link.get_attribute("href") for link in links.all()] == [line["url"] for line in lines]
    assert page.locator(f"{WIDGET} [part=reason]").all_text_contents() == [line["reason"] for line in lines]
    assert page.locator(f"{WIDGET} time").first.get_attribute("datetime") == lines[0]["published_at"]
    assert page.get_by_role("navigation", name="Related stories").is_visible()


@pytest.mark.parametrize(
    ("attributes", "head"),
    [
        ('article-url="http://lindenpost.example/talks/?utm_source=x"', ""),
        ("", '<link rel="canonical" href="https://www.lindenpost.example/talks">'),
        ('article-id="talks"', '<link rel="canonical" href="https://www.lindenpost.example/plain">'),
    ],
)
def test_the_article_is_named_by_address_by_id_or_by_the_page(
    shown: Open, service: str, attributes: str, head: str
) -> None:
    assert titles(shown(attributes, head=head)) == [line["title"] for line in asked(service)]


def test_heading_and_number_are_the_pages_own(shown: Open) -> None:
    page = shown('article-id="talks" k="2" heading="Mehr <b>dazu</b>"')
    assert len(titles(page)) == 2
    assert page.get_by_role("heading", name="Mehr <b>dazu</b>").is_visible()
    page = shown('article-id="talks" heading=""')
    assert len(titles(page)) == 5
    assert page.locator(f"{WIDGET} h2").count() == 0
    assert page.get_by_role("navigation", name="Related stories").is_visible()


def test_it_asks_for_the_list_and_for_nothing_else_and_keeps_nothing(tab: Open, site: Site, service: str) -> None:
    page = tab()
    made = requests(page)
    address = site.put(widget_page(service))
    page.goto(address)
    titles(page)
    page.wait_for_load_state("networkidle")
    assert made == [address, f"{service}/widget.js", f"{service}/v1/articles/talks/related"]
    assert page.context.cookies() == []
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert page.evaluate("indexedDB.databases()") == []


def test_no_referrer_and_no_cookie_go_out_with_the_question(tab: Open, site: Site, service: str) -> None:
    page = tab()
    page.context.add_cookies([{"name": "reader", "value": "7", "url": service}])
    sent: list[dict[str, str]] = []
    page.on("request", lambda request: "/v1/" in request.url and sent.append(request.all_headers()))
    page.goto(site.put(widget_page(service)))
    titles(page)
    assert [(headers.get("cookie"), headers.get("referer")) for headers in sent] == [(None, None)]


def test_it_asks_only_when_the_reader_comes_near(tab: Open, site: Site, service: str) -> None:
    page = tab(viewport={"width": 800, "height": 600})
    made = requests(page)
    page.goto(site.put(widget_page(service, before="<div style='height:5000px'></div>")))
    page.wait_for_load_state("networkidle")
    assert not [url for url in made if "/v1/" in url]
    page.evaluate("scrollTo(0, 4200)")
    titles(page)
    assert [url for url in made if "/v1/" in url] == [f"{service}/v1/articles/talks/related"]


def test_shown_is_told_once_when_the_stories_are_in_view(tab: Open, site: Site, service: str) -> None:
    page = tab(viewport={"width": 800, "height": 600})
    page.goto(site.put(widget_page(service, before="<div style='height:900px'></div>", head=LISTEN)))
    titles(page)
    page.wait_for_timeout(100)
    assert page.evaluate("told") == []
    for place in (600, 0, 600):
        page.evaluate(f"scrollTo(0, {place})")
        page.wait_for_timeout(100)
    assert page.evaluate("told") == [
        ["related-shown", {"article": "talks", "ids": [line["id"] for line in asked(service)]}]
    ]


def test_a_click_by_mouse_or_keyboard_is_told_with_its_place(shown: Open, service: str) -> None:
    page = shown(head=LISTEN)
    titles(page)
    page.locator(WIDGET).get_by_role("link").nth(1).click()
    page.locator(WIDGET).get_by_role("link").nth(2).focus()
    page.keyboard.press("Enter")
    page.locator(WIDGET).get_by_role("link").nth(0).click(button="middle")
    page.locator(WIDGET).get_by_role("link").nth(0).click(button="right")
    page.locator(WIDGET).get_by_role("heading").click()
    lines = asked(service)
    assert [detail for name, detail in page.evaluate("told") if name == "related-clicked"] == [
        {"article": "talks", "id": lines[at]["id"], "position": at + 1, "url": lines[at]["url"]} for at in (1, 2, 0)
    ]


def test_what_the_server_put_inside_is_left_alone_and_still_tells(tab: Open, site: Site, service: str) -> None:
    page = tab()
    made = requests(page)
    with urllib.request.urlopen(f"{service}/v1/articles/talks/related.html") as response:
        inside = response.read().decode().strip()
    page.goto(site.put(widget_page(service, inside=inside, head=LISTEN)))
    page.wait_for_function("told.length")
    page.locator(WIDGET).get_by_role("link").nth(1).click()
    assert page.evaluate(f"document.querySelector('{WIDGET}').innerHTML").startswith('<aside class="related"')
    assert page.evaluate(f"document.querySelector('{WIDGET}').shadowRoot") is None
    assert [url for url in made if "/v1/" in url] == []
    lines = asked(service)
    assert page.evaluate("told") == [
        ["related-shown", {"article": "talks", "ids": [line["id"] for line in lines]}],
        ["related-clicked", {"article": "talks", "id": lines[1]["id"], "position": 2, "url": lines[1]["url"]}],
    ]


@pytest.mark.parametrize("inside", ["Nothing here today.", "<p>Our own list</p>"])
def test_any_content_inside_is_left_alone(shown: Open, inside: str) -> None:
    page = shown(inside=inside)
    page.wait_for_load_state("networkidle")
    assert page.evaluate(f"document.querySelector('{WIDGET}').innerHTML") == inside
    assert page.locator(WIDGET).is_visible()


def test_another_article_in_the_same_page_gets_its_own_list(shown: Open, service: str) -> None:
    page = shown('article-id="talks" k="1"')
    titles(page)
    page.evaluate(f"document.querySelector('{WIDGET}').setAttribute('article-id', 'nobody')")
    page.locator(WIDGET).wait_for(state="hidden")
    page.evaluate(f"document.querySelector('{WIDGET}').setAttribute('article-id', 'plain')")
    page.locator(WIDGET).get_by_role("link").first.wait_for()
    assert titles(page) == [line["title"] for line in asked(service, "/v1/articles/plain/related?k=1")]


def test_scripts_off_leave_the_servers_list_and_no_gap(tab: Open, site: Site, service: str) -> None:
    page = tab(java_script_enabled=False)
    page.goto(site.put(widget_page(service, inside='<aside><a href="/x">A story</a></aside>')))
    assert page.get_by_role("link", name="A story").is_visible()
    page.goto(site.put(widget_page(service)))
    assert page.locator(WIDGET).bounding_box()["height"] < 30


def test_a_strict_policy_of_the_page_is_kept(tab: Open, site: Site, service: str) -> None:
    page = tab()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    html = widget_page(service).replace("<style>", '<template class="style">').replace("</style>", "</template>")
    policy = f"default-src 'none'; img-src data:; script-src {service}; connect-src {service}; require-trusted-types-for 'script'"
    page.goto(site.put(html, Content_Security_Policy=policy))
    assert len(titles(page)) == 5
    assert (
        page.evaluate(f"getComputedStyle(document.querySelector('{WIDGET}').shadowRoot.querySelector('ol')).display")
        == "grid"
    )
    assert told == []


def test_a_site_that_is_not_named_is_shown_nothing(tab: Open, service: str) -> None:
    page = tab()
    page.route(
        "http://elsewhere.example/", lambda route: route.fulfill(body=widget_page(service), content_type="text/html")
    )
    page.goto("http://elsewhere.example/")
    page.locator(WIDGET).wait_for(state="hidden")
    assert page.locator("#after").is_visible()
