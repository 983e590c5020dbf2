"""The page that tells the contract: all of it, from here alone, and nothing on it that is not escaped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from newsroom import publish, settings_for, store

from recommender.article import Article
from recommender.settings import Settings
from recommender.web import create_app
from recommender.web.docs import breakable, coded

HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture(scope="module")
def client(shared: Settings) -> FlaskClient:
    return create_app(shared).test_client()


def test_every_route_of_the_document_is_on_the_page(client: FlaskClient) -> None:
    html = client.get("/docs").text
    doc = client.get("/openapi.json").json
    assert doc is not None
    for path, methods in doc["paths"].items():
        for method, operation in methods.items():
            (section,) = re.findall(rf'<section id="{operation["operationId"]}".*?</section>', html, re.DOTALL)
            asks = f'data-method="{method}" data-path="{path}"' in section
            assert asks == (method == "get" or ("requestBody" in operation and "security" not in operation))
            for parameter in operation["parameters"]:
                assert (f'name="{parameter["name"]}"' in section) == (asks and parameter["in"] != "header")
            assert all(f"<h3>{status}</h3>" in section for status in operation["responses"])
    assert all(f'id="schema-{name}"' in html for name in doc["components"]["schemas"])
    for link in re.findall(r'href="#([^"]+)"', html):
        assert f'id="{link}"' in html, link


def test_the_page_is_served_from_here_alone_and_runs_nothing_inline(client: FlaskClient) -> None:
    response = client.get("/docs")
    csp = dict(each.split(" ", 1) for each in response.headers["Content-Security-Policy"].split("; "))
    assert csp["default-src"] == "'none'"
    assert {csp[each] for each in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert not re.search(r"<script(?! src=\"/static/docs\.js\" defer>)| on\w+=| style=|<style", response.text)
    for link in re.findall(r'(?:src|href)="([^"#]+)"', response.text):
        assert link.startswith("/")
        with client.get(link) as found:
            assert found.status_code == 200, link
    for name in ("docs.css", "docs.js"):
        text = Path(__file__).parent.parent.joinpath("recommender/web/static", name).read_text(encoding="utf-8")
        assert "//" not in re.sub(r"^\s*// .*", "", text, flags=re.MULTILINE)
        assert "innerHTML" not in text


def test_an_id_to_try_is_the_archives_own_and_escaped(settings: Settings) -> None:
    store(settings, [Article(HOSTILE, "A ferry")])
    publish(settings)
    html = create_app(settings).test_client().get("/docs").text
    assert "<script>alert" not in html
    assert 'value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in html


def test_the_page_is_there_before_there_is_an_index(settings: Settings) -> None:
    assert create_app(settings_for(settings.home)).test_client().get("/docs").status_code == 200


def test_what_is_marked_as_code_is_escaped_first() -> None:
    assert coded("a `<b>` & <i>") == "a <code>&lt;b&gt;</code> &amp; &lt;i&gt;"
    assert breakable("/v1/<x>") == "/<wbr>v1/<wbr>&lt;x&gt;"
