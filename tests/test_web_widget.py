"""How the widget's file is served, and which sites' pages may read lists by script. What it does is seen in a browser: test_browser_*.py."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from recommender.settings import Settings
from recommender.web import create_app

SITE = "https://www.lindenpost.example"
READ = (
    "/v1/articles/ferry-strike/related",
    "/v1/articles/ferry-strike/related.html",
    "/v1/related?url=https://www.lindenpost.example/business/ferry-vote",
    "/v1/search?q=ferry",
    "/v1/articles/nobody/related",
    "/v1/articles/nobody/related.html",
    "/v1/related?url=none",
)


def client_for(settings: Settings, *origins: str) -> FlaskClient:
    serve = settings.serve.model_copy(update={"cors_origins": origins})
    return create_app(settings.model_copy(update={"serve": serve})).test_client()


@pytest.fixture(scope="module")
def client(shared: Settings) -> FlaskClient:
    return client_for(shared, SITE, "http://localhost:3000")


def test_the_widget_is_one_small_module_that_any_site_may_load_and_keep(shared: Settings) -> None:
    response = client_for(shared).get("/widget.js", headers={"Origin": "https://elsewhere.example"})
    assert (response.status_code, response.content_type) == (200, "text/javascript; charset=utf-8")
    assert response.headers["Cache-Control"] == "public, max-age=86400, stale-while-revalidate=604800"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert len(response.data) < 8_000


def test_the_widget_is_asked_for_again_by_its_etag(shared: Settings) -> None:
    client = client_for(shared)
    etag = client.get("/widget.js").headers["ETag"]
    again = client.get("/widget.js", headers={"If-None-Match": etag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    assert client.get("/widget.js", headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_widget_imports_nothing_and_makes_no_markup_of_text(shared: Settings) -> None:
    source = client_for(shared).get("/widget.js").text
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(", source)
    assert not re.search(r"cookie|localStorage|sessionStorage|indexedDB|sendBeacon|XMLHttpRequest", source)
    assert not re.search(r"^\s*import\b|import\(", source, re.MULTILINE)
    assert re.findall(r"https?://\S+", source) == []


@pytest.mark.parametrize("path", READ)
def test_pages_of_a_named_site_may_read_lists_and_refusals(client: FlaskClient, path: str) -> None:
    for origin in (SITE, "http://localhost:3000"):
        response = client.get(path, headers={"Origin": origin})
        assert response.headers["Access-Control-Allow-Origin"] == origin
        assert "Origin" in response.vary
        assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize("path", READ)
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://www.lindenpost.example", f"{SITE}:8443", f"{SITE}.evil.example", "null", "*"],
)
def test_pages_of_another_site_may_not(client: FlaskClient, path: str, origin: str) -> None:
    response = client.get(path, headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Origin" in response.vary  # or a cache would hand one site's answer to another


def test_by_default_no_site_may_and_a_star_means_any(shared: Settings) -> None:
    for path in READ:
        response = client_for(shared).get(path, headers={"Origin": SITE})
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Origin" not in response.vary
        response = client_for(shared, "*").get(path, headers={"Origin": SITE})
        assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/related"),
        ("PUT", "/v1/articles/new"),
        ("DELETE", "/v1/articles/ferry-vote"),
        ("GET", "/v1/articles/ferry-vote"),
        ("POST", "/v1/articles"),
    ],
)
@pytest.mark.parametrize("origins", [(SITE,), ("*",)])
def test_nothing_can_be_sent_or_written_from_another_site(
    shared: Settings, method: str, path: str, origins: tuple[str, ...]
) -> None:
    client = client_for(shared, *origins)
    asked = {"Origin": SITE, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"}
    for response in (client.open(path, method=method, headers={"Origin": SITE}), client.options(path, headers=asked)):
        assert not [name for name in response.headers.keys() if name.startswith("Access-Control-")]  # noqa: SIM118
