"""A browser, a service, and a site on another port whose pages are written by the tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from newsroom import publish, settings_for, store
from pages import ARCHIVE, Site, serving, widget_page

from recommender.readers import article_from_record
from recommender.settings import Settings
from recommender.web import create_app

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = ["--no-sandbox", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium, Playwright's own or the system's; without either, whoever asks for it is skipped."""
    sync = pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install -e '.[browser]'")
    with sync.sync_playwright() as started:
        own = started.chromium.executable_path
        program = own if Path(own).exists() else next(filter(None, map(shutil.which, _PROGRAMS)), None)
        if program is None:
            pytest.skip("needs Chromium: playwright install chromium, or the system's package")
        opened = started.chromium.launch(executable_path=program, args=_ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A newspaper's own web server."""
    made = Site()
    with serving(made) as origin:
        made.origin = origin
        yield made


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Settings:
    """A published home with hostile, long and foreign headlines, whose lists the site's pages may read."""
    made = settings_for(tmp_path_factory.mktemp("browsed") / "home")
    store(made, [article_from_record(record) for record in ARCHIVE])
    publish(made)
    serve = made.serve.model_copy(update={"cors_origins": (site.origin,)})
    ranking = made.ranking.model_copy(update={"same_language": False})
    return made.model_copy(update={"serve": serve, "ranking": ranking})


@pytest.fixture(scope="session")
def service(archive: Settings) -> Iterator[str]:
    """The address of a running service."""
    with serving(create_app(archive)) as origin:
        yield origin


@pytest.fixture
def errors() -> list[str]:
    """What went wrong in the page's scripts; a test that looks at nothing else still fails on it."""
    return []


@pytest.fixture
def tab(browser: Any, errors: list[str]) -> Iterator[Callable[..., Any]]:
    """Open tabs, each in a browser as new as on its first day; options are those of Playwright's ``new_context``."""
    contexts: list[Any] = []

    def new(**options: Any) -> Any:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield new
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def shown(tab: Callable[..., Any], site: Site, service: str) -> Callable[..., Any]:
    """Return a tab in which a page of the site with a widget is open; ``attributes`` are the element's, ``more`` is as in ``widget_page``."""

    def open_page(attributes: str = 'article-id="talks"', *, context: dict[str, Any] | None = None, **more: Any) -> Any:
        page = tab(**(context or {}))
        page.goto(site.put(widget_page(service, attributes, **more)))
        return page

    return open_page
