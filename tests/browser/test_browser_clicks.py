"""The widget that reports: what is shown and clicked on a newspaper's pages arrives as counts, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from pages import Site, serving, widget_page

from recommender.catalog.clicks import ClickCounts, Counted
from recommender.home import Home
from recommender.settings import Settings
from recommender.web import create_app

pytestmark = pytest.mark.slow

Open = Callable[..., Any]
WIDGET = "related-stories"


@pytest.fixture
def counter(archive: Settings) -> Iterator[tuple[Flask, str]]:
    serve = archive.serve.model_copy(update={"clicks": True})
    app = create_app(archive.model_copy(update={"serve": serve}))
    with serving(app) as origin:
        yield app, origin
    app.extensions["recommender.tally"].stop()
    app.extensions["recommender.live"].stop()
    Home(archive.home).clicks.unlink(missing_ok=True)


def test_what_is_shown_and_clicked_is_counted_and_the_request_says_nothing_of_the_reader(
    tab: Open, site: Site, counter: tuple[Flask, str], archive: Settings
) -> None:
    app, origin = counter
    page = tab()
    page.context.add_cookies([{"name": "reader", "value": "7", "url": origin}])
    sent: list[Any] = []
    page.on("request", lambda request: sent.append(request) if "/v1/clicks" in request.url else None)
    page.goto(site.put(widget_page(origin, 'article-id="talks" report')))
    with page.expect_response("**/v1/clicks") as shown:
        page.locator(WIDGET).get_by_role("link").first.wait_for()
    assert shown.value.status == 204
    page.evaluate("document.addEventListener('click', (event) => event.preventDefault())")
    with page.expect_response("**/v1/clicks"):
        page.locator(WIDGET).get_by_role("link").nth(1).click()

    told = [json.loads(request.post_data) for request in sent]
    assert [sorted(each) for each in told] == [["article", "ids"], ["article", "id", "position"]]
    for request in sent:
        headers = request.all_headers()
        assert "cookie" not in headers
        assert not headers.get("referer")
        assert headers["content-type"].startswith("text/plain")
    app.extensions["recommender.tally"].flush()
    with ClickCounts(Home(archive.home).clicks) as counts:
        found = counts.totals()
    assert found is not None
    assert found.by_position[1] == Counted(1, 0)
    assert found.by_position[2] == Counted(1, 1)


def test_without_the_attribute_nothing_is_sent_and_a_service_that_does_not_count_harms_nothing(
    tab: Open, site: Site, counter: tuple[Flask, str], service: str
) -> None:
    page = tab()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/v1/clicks" in request.url else None)
    listen = "<script>document.addEventListener('related-shown', () => { window.seen = true; });</script>"
    page.goto(site.put(widget_page(counter[1], 'article-id="talks"', head=listen)))
    page.wait_for_function("window.seen")
    assert sent == []
    page.goto(site.put(widget_page(service, 'article-id="talks" report', head=listen)))
    page.wait_for_function("window.seen")
    page.wait_for_load_state("networkidle")
    assert len(sent) == 1
    assert page.locator(WIDGET).is_visible()
