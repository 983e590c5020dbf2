"""The test site is read, and what was read is held to the truth: the targets that README promises."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from testsite import TEMPLATES, Page, hashed, pages

from recommender.errors import RecordError
from recommender.readers import article_from_page

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))
from measure_pages import BASE, Figures, measure

SITE = pages(BASE)


@pytest.fixture(scope="module")
def figures() -> dict[str, Figures]:
    return {name: measure([page for page in SITE if page.truth.template == name]) for name in [*TEMPLATES, "others"]}


def test_the_site_has_eighty_stories_in_ten_templates_and_links_and_traps_in_each() -> None:
    stories = [page for page in SITE if not page.truth.refused]

    assert len(stories) == 80
    assert len(TEMPLATES) == 10
    assert all(len(page.truth.read_more) >= 1 and len(page.truth.traps) >= 5 for page in stories)
    assert len({page.path for page in SITE}) == len(SITE)


def test_the_site_is_the_same_each_time() -> None:
    assert pages(BASE) == SITE


@pytest.mark.parametrize("template", TEMPLATES)
def test_title_date_author_and_address_of_every_page_are_right(figures: dict[str, Figures], template: str) -> None:
    found = figures[template]

    for field in ("title", "date", "author", "url", "section", "kind", "language"):
        assert found.right[field] == found.n_pages == 8, found.wrong


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_body_is_the_story_and_nothing_else(figures: dict[str, Figures], template: str) -> None:
    assert min(figures[template].f1) >= 0.95, figures[template].wrong


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_editors_links_are_found_and_no_trap_is_taken(figures: dict[str, Figures], template: str) -> None:
    found = figures[template]

    assert found.precision >= 0.95, found.wrong
    assert found.recall >= 0.90, found.wrong
    assert found.n_trapped == 0, found.wrong


@pytest.mark.parametrize("page", [page for page in SITE if page.truth.refused], ids=lambda page: page.path)
def test_a_page_that_is_no_story_is_refused_with_a_reason(page: Page) -> None:
    with pytest.raises(
        RecordError,
        match=r"front page|list of stories|error page|mostly links|words of text|page about the site|names no headline",
    ):
        article_from_page(page.html, url=BASE + page.path)


def test_names_of_classes_that_say_nothing_cost_no_field_no_link_and_hardly_a_word() -> None:
    found = measure([hashed(page) for page in SITE if not page.truth.refused])

    assert all(found.right[field] == found.n_pages for field in ("title", "date", "author", "url")), found.wrong
    assert sum(found.f1) / len(found.f1) >= 0.95, found.wrong
    assert found.precision >= 0.95, found.wrong
    assert found.recall >= 0.90, found.wrong
    assert found.n_trapped == 0, found.wrong
