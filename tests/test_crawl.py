"""Sitemaps: what is fetched, what is not fetched again, what goes on after an end, and what is withdrawn."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import pytest
import testsite
from faults.forked import Child
from gathering import HOUR, Newsroom, put_story, sitemap, sitemap_index, story_html
from website import Page, Website, website

from recommender.article import Article
from recommender.catalog import Catalog, Outcome
from recommender.gather import GatherReport, Globs, Kind, Pruning
from recommender.readers import article_from_record
from recommender.text import canonical_url, title_key


@pytest.fixture
def site() -> Iterator[Website]:
    with website() as made:
        yield made


@pytest.fixture
def newsroom(tmp_path: Path) -> Newsroom:
    return Newsroom(tmp_path / "home")


def _listed(site: Website, numbers: Any, lastmod: str = "2026-03-01") -> str:
    urls = [(put_story(site, number), lastmod) for number in numbers]
    return site.put("/sitemap.xml", sitemap(urls), "application/xml")


def _counts(report: GatherReport) -> tuple[int, int, int, int]:
    new, changed, unchanged = (report.outcomes[outcome] for outcome in Outcome)
    return new, changed, unchanged, report.n_refused


def test_the_test_site_is_crawled_from_its_root(site: Website, newsroom: Newsroom) -> None:
    pages = testsite.pages(site.url)
    for page in pages:
        site.put(page.path, page.html)
    site.put("/map.xml", sitemap([(site.url + page.path, "2026-01-02") for page in pages]), "application/xml")
    site.put("/robots.txt", f"User-agent: *\nSitemap: {site.url}/map.xml\n", "text/plain")

    report = newsroom.gather(f"{site.url}/")

    stories = [page.truth for page in pages if not page.truth.refused]
    assert len(stories) >= 60
    assert _counts(report) == (len(stories), 0, 0, len(pages) - len(stories))
    with Catalog(newsroom.home.catalog) as catalog:
        found = {article.url: title_key(article.title) for article in catalog.articles()}
    assert found == {canonical_url(truth.url): title_key(truth.title) for truth in stories}


def test_what_has_the_same_lastmod_is_not_fetched_again_and_what_changed_is(site: Website, newsroom: Newsroom) -> None:
    url = _listed(site, range(6))
    assert _counts(newsroom.gather(url)) == (6, 0, 0, 0)
    site.asked.clear()
    assert _counts(newsroom.gather(url)) == (0, 0, 0, 0)
    assert site.paths() == ["/sitemap.xml"]
    changed = [
        (put_story(site, number, 1 + (number == 3)), f"2026-03-0{1 + (number in (3, 4))}") for number in range(6)
    ]
    site.put("/sitemap.xml", sitemap(changed), "application/xml")
    report = newsroom.gather(url)
    assert _counts(report) == (0, 1, 0, 0)
    assert (report.n_fetched, report.n_same) == (2, 1)  # the other one said 304


def test_pages_without_lastmod_are_asked_whether_they_changed(site: Website, newsroom: Newsroom) -> None:
    url = _listed(site, range(4), lastmod="")
    newsroom.gather(url)
    put_story(site, 2, edition=2)
    report = newsroom.gather(url)
    assert _counts(report) == (0, 1, 0, 0)
    assert (report.n_fetched, report.n_same) == (4, 3)


def test_indexes_gzip_text_and_news_sitemaps_are_read_and_a_broken_one_costs_itself(
    site: Website, newsroom: Newsroom
) -> None:
    put_story(site, 1), put_story(site, 2), put_story(site, 3)
    undated = site.put("/news/undated-story", story_html("A story that does not say when", published_at=""))
    news = (
        f'<url><loc>{undated}</loc><n:news xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">'
        "<n:publication><n:name>Post</n:name><n:language>en</n:language></n:publication>"
        "<n:publication_date>2026-03-09T08:00:00+01:00</n:publication_date><n:title>x</n:title></n:news></url>"
    )
    parts = [
        site.put("/1.xml.gz", gzip.compress(sitemap([f"{site.url}/news/story-number-1"]).encode()), "application/gzip"),
        site.put("/2.txt", f"\ufeff{site.url}/news/story-number-2\n\n", "text/plain"),
        site.put(
            "/3.xml", sitemap([f"{site.url}/news/story-number-3"]).replace("</urlset>", "<url><loc>cut"), "text/html"
        ),
        site.put("/4.xml", f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{news}</urlset>', "text/xml"),
        site.put("/5.xml", '<!DOCTYPE u [<!ENTITY a "b">]><urlset><url><loc>&a;</loc></url></urlset>', "text/xml"),
        site.put("/6.xml", "nothing of the sort", "text/xml"),
        f"{site.url}/7.xml",
        "https://elsewhere.example/sitemap.xml",
    ]
    index = site.put("/index.xml", sitemap_index(parts), "text/xml")

    report = newsroom.gather(index)

    assert newsroom.titles() == ["A story that does not say when", *(f"Ferry story number {n}" for n in (1, 2, 3))]
    reasons = {refusal.source.rpartition("/")[2]: refusal.reason for refusal in report.refused}
    assert set(reasons) == {"3.xml", "5.xml", "6.xml", "7.xml", "sitemap.xml"}
    assert "is broken XML (line 1)" in reasons["3.xml"]
    assert "declares entities" in reasons["5.xml"]
    assert "answers 404" in reasons["7.xml"]
    with Catalog(newsroom.home.catalog) as catalog:
        (dated,) = [article for article in catalog.articles() if article.title.startswith("A story")]
    assert str(dated.published_at) == "2026-03-09 07:00:00+00:00"


def test_sitemaps_that_name_each_other_or_go_too_deep_end(site: Website, newsroom: Newsroom) -> None:
    put_story(site, 1)
    for number in range(6):
        inner = [f"{site.url}/{number + 1}.xml", f"{site.url}/0.xml"]
        site.put(f"/{number}.xml", sitemap_index(inner), "text/xml")
    report = newsroom.gather(f"{site.url}/0.xml")
    assert [refusal.reason for refusal in report.refused] == ["names more sitemaps over 3 deep"]
    assert site.paths() == ["/0.xml", "/1.xml", "/2.xml"]


def test_other_sites_files_and_folders_in_a_sitemap_are_not_asked(site: Website, newsroom: Newsroom) -> None:
    good = put_story(site, 1)
    url = site.put(
        "/sitemap.xml",
        sitemap([good, "http://169.254.169.254/latest", "https://other.example/a", "file:///etc/passwd", f"{good}@x"]),
        "text/xml",
    )
    report = newsroom.gather(url)
    assert _counts(report)[0] == 1
    assert "2 addresses of other sites were passed over" in report.notes[0]
    assert set(site.paths()) == {"/sitemap.xml", "/news/story-number-1", "/news/story-number-1@x"}


def test_robots_txt_keeps_pages_from_a_crawl(site: Website, newsroom: Newsroom) -> None:
    url = _listed(site, range(3))
    site.put("/robots.txt", "User-agent: *\nDisallow: /news/story-number-1\n", "text/plain")
    report = newsroom.gather(url)
    assert _counts(report) == (2, 0, 0, 1)
    assert "robots.txt keeps it" in report.refused[0].reason


def test_since_limit_and_globs_choose_and_the_next_run_takes_the_rest(site: Website, newsroom: Newsroom) -> None:
    dated = [(put_story(site, number), f"2026-03-{number + 1:02d}") for number in range(10)]
    url = site.put("/sitemap.xml", sitemap(dated), "text/xml")
    report = newsroom.gather(url, limit=2, since=1_772_668_800)  # 2026-03-05
    assert newsroom.titles() == ["Ferry story number 8", "Ferry story number 9"]
    assert report.n_waiting == 4
    assert _counts(newsroom.gather(url, since=1_772_668_800))[0] == 4
    report = newsroom.gather(url, globs=Globs(include=("*number-[0-3]",), exclude=("*number-2",)))
    assert _counts(report)[0] == 3
    assert _counts(newsroom.gather(url))[0] == 1


def test_a_page_that_does_not_answer_is_asked_again_and_then_waits_for_another_run(
    site: Website, newsroom: Newsroom
) -> None:
    url = _listed(site, range(4))
    kept = site.pages["/news/story-number-2"]
    site.pages["/news/story-number-2"] = Page(b"", status=503)
    report = newsroom.gather(url)
    assert _counts(report) == (3, 0, 0, 1)
    assert report.n_waiting == 1
    assert site.paths().count("/news/story-number-2") == 2
    site.pages["/news/story-number-2"] = kept
    assert _counts(newsroom.gather(url)) == (1, 0, 0, 0)


def test_a_site_that_goes_down_is_left_alone_and_nothing_is_withdrawn(site: Website, newsroom: Newsroom) -> None:
    url = _listed(site, range(30), lastmod="")
    newsroom.gather(url)
    for number in range(30):
        site.pages[f"/news/story-number-{number}"] = Page(b"", status=500)
    site.asked.clear()
    report = newsroom.gather(url)
    assert "does not answer any more (answers 500)" in report.refused[0].reason
    assert report.n_waiting == 30
    assert len(site.paths()) == 6
    assert (report.withdrawn, len(newsroom.titles())) == ([], 30)


def test_a_page_gone_twice_some_hours_apart_is_withdrawn_and_told(site: Website, newsroom: Newsroom) -> None:
    url = _listed(site, range(12))
    newsroom.gather(url)
    gone = f"{site.url}/news/story-number-5"
    del site.pages["/news/story-number-5"]
    site.put("/sitemap.xml", sitemap([(put_story(site, n), "2026-03-01") for n in range(12) if n != 5]), "text/xml")

    first = newsroom.gather(url)
    soon = newsroom.gather(url)
    assert (first.n_gone, first.withdrawn, soon.withdrawn) == (1, [], [])
    newsroom.now += 7 * HOUR
    second = newsroom.gather(url)
    assert second.withdrawn == [(gone, f"{gone} answers 404, and did before")]
    assert len(newsroom.titles()) == 11
    assert newsroom.gather(url).withdrawn == []

    put_story(site, 5)
    site.put("/sitemap.xml", sitemap([(put_story(site, n), "2026-03-01") for n in range(12)]), "text/xml")
    assert _counts(newsroom.gather(url)) == (1, 0, 0, 0)  # it is there again


def test_a_site_that_says_of_most_pages_that_they_are_gone_is_not_believed(site: Website, newsroom: Newsroom) -> None:
    url = _listed(site, range(30), lastmod="")
    newsroom.gather(url)
    for number in range(12):
        site.pages[f"/news/story-number-{number}"] = Page(b"", status=404)
    newsroom.gather(url)
    newsroom.now += 24 * HOUR
    report = newsroom.gather(url)
    assert (report.withdrawn, len(newsroom.titles())) == ([], 30)
    assert "12 of 30 stories are gone, more than fetch.prune_share allows" in report.refused[0].reason
    assert len(newsroom.gather(url, pruning=Pruning(force=True)).withdrawn) == 12
    assert len(newsroom.titles()) == 18


def test_a_story_that_has_moved_stays_when_its_old_address_is_gone(site: Website, newsroom: Newsroom) -> None:
    new = put_story(site, 1)
    old = [site.put(f"/old/{n}", "", status=301, headers={"Location": "/news/story-number-1"}) for n in (1, 2)]
    url = site.put("/sitemap.xml", sitemap(old), "text/xml")
    newsroom.gather(url)
    assert newsroom.titles() == ["Ferry story number 1"]
    for path in ("/old/1", "/old/2"):
        del site.pages[path]
    for _ in range(3):
        newsroom.now += 24 * HOUR
        assert newsroom.gather(url).withdrawn == []
    site.put("/sitemap.xml", sitemap([new]), "text/xml")
    assert newsroom.gather(url, pruning=Pruning(on=True, force=True)).withdrawn == []
    del site.pages["/news/story-number-1"]
    newsroom.gather(url)
    newsroom.now += 24 * HOUR
    assert [article_id for article_id, _ in newsroom.gather(url).withdrawn] == [new]


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_no_other_answer_than_gone_withdraws_a_story(site: Website, newsroom: Newsroom, status: int) -> None:
    url = _listed(site, range(2), lastmod="")
    newsroom.gather(url)
    site.pages["/news/story-number-1"] = Page(b"", status=status)
    for _ in range(4):
        newsroom.now += 24 * HOUR
        assert newsroom.gather(url).withdrawn == []
    assert len(newsroom.titles()) == 2


def test_a_story_that_was_gone_once_and_is_there_again_starts_anew(site: Website, newsroom: Newsroom) -> None:
    url = _listed(site, [1], lastmod="")
    page = site.pages["/news/story-number-1"]
    newsroom.gather(url)
    for answer in (Page(b"", status=410), page, Page(b"", status=410), page):
        newsroom.now += 24 * HOUR
        site.pages["/news/story-number-1"] = answer
        assert newsroom.gather(url).withdrawn == []
    assert len(newsroom.titles()) == 1


def test_what_a_sitemap_no_longer_lists_is_withdrawn_with_prune_alone_and_never_too_much(
    site: Website, newsroom: Newsroom
) -> None:
    url = _listed(site, range(20))
    newsroom.gather(url)

    def list_first(n: int) -> None:
        site.put("/sitemap.xml", sitemap([(put_story(site, m), "2026-03-01") for m in range(n)]), "text/xml")

    list_first(18)
    told = newsroom.gather(url)
    assert told.withdrawn == []
    assert "2 stories are no longer listed, and their pages are there" in told.notes[0]
    pruned = newsroom.gather(url, pruning=Pruning(on=True))
    assert [why.rpartition(" ")[2] for _, why in pruned.withdrawn] == [
        f"{site.url}/news/story-number-18",
        f"{site.url}/news/story-number-19",
    ]
    list_first(9)
    refused = newsroom.gather(url, pruning=Pruning(on=True))
    assert "no longer lists 9 of 18 stories" in refused.refused[0].reason
    assert len(newsroom.titles()) == 18
    assert len(newsroom.gather(url, pruning=Pruning(on=True, force=True)).withdrawn) == 9
    assert len(newsroom.titles()) == 9


@pytest.mark.parametrize(
    "answer",
    [
        Page(sitemap([]).encode(), "text/xml"),
        Page(b"", "text/xml", status=500),
        Page(b"", "text/xml", status=404),
        Page(b"<html>We are moving", "text/html"),
        Page(b"<urlset><url><loc>", "text/xml"),
    ],
)
def test_an_empty_missing_or_broken_sitemap_withdraws_nothing_however_hard_it_is_asked(
    site: Website, newsroom: Newsroom, answer: Page
) -> None:
    url = _listed(site, range(5))
    newsroom.gather(url, Kind.SITEMAP)
    site.pages["/sitemap.xml"] = answer
    report = newsroom.gather(url, Kind.SITEMAP, pruning=Pruning(on=True, force=True))
    assert report.withdrawn == []
    assert report.n_refused >= 1
    assert len(newsroom.titles()) == 5


def test_a_robots_txt_that_closes_the_site_withdraws_nothing(site: Website, newsroom: Newsroom) -> None:
    url = _listed(site, range(5), lastmod="")
    newsroom.gather(url)
    site.put("/robots.txt", "User-agent: *\nDisallow: /\n", "text/plain")
    for _ in range(3):
        newsroom.now += 24 * HOUR
        report = newsroom.gather(url, pruning=Pruning(on=True, force=True))
        assert report.withdrawn == []
    assert len(newsroom.titles()) == 5


def test_what_was_withdrawn_by_hand_does_not_come_back_but_by_name(site: Website, newsroom: Newsroom) -> None:
    url = _listed(site, range(3), lastmod="")
    newsroom.gather(url)
    story = f"{site.url}/news/story-number-1"
    newsroom.intake.withdraw([story])
    put_story(site, 1, edition=2)
    report = newsroom.gather(url)
    assert "was withdrawn by hand" in report.refused[0].reason
    assert len(newsroom.titles()) == 2
    assert _counts(newsroom.gather(story)) == (1, 0, 0, 0)
    assert len(newsroom.titles()) == 3


def test_another_catalog_in_the_place_of_the_one_that_is_known_is_filled_again(
    site: Website, newsroom: Newsroom
) -> None:
    url = _listed(site, range(4))
    newsroom.gather(url)
    newsroom.home.catalog.unlink()
    assert _counts(newsroom.gather(url)) == (4, 0, 0, 0)
    newsroom.home.ledger.unlink()
    assert _counts(newsroom.gather(url)) == (0, 0, 4, 0)


@pytest.mark.parametrize("junk", [b"not a database at all" * 100, b"SQLite format 3\x00" + bytes(4000)])
def test_a_damaged_ledger_is_named_with_its_mend(site: Website, newsroom: Newsroom, junk: bytes) -> None:
    from recommender.errors import CatalogError

    newsroom.home.make()
    newsroom.home.ledger.write_bytes(junk)
    with pytest.raises(CatalogError, match=r"gather\.db: .*move it away"):
        newsroom.gather(_listed(site, [1]))


def test_a_site_without_sitemap_says_what_to_give_instead(site: Website, newsroom: Newsroom) -> None:
    site.put("/", "<html><body>front page</body></html>")
    assert "names no sitemap in robots.txt" in newsroom.gather(f"{site.url}/").refused[0].reason
    _listed(site, [1])
    assert _counts(newsroom.gather(site.url)) == (1, 0, 0, 0)


def test_a_page_by_name_is_taken_and_what_is_none_is_named(site: Website, newsroom: Newsroom) -> None:
    assert _counts(newsroom.gather(put_story(site, 1))) == (1, 0, 0, 0)
    assert newsroom.gather(f"{site.url}/nothing").refused[0].reason == "answers 404"
    assert "no http(s)" in newsroom.gather("ftp://example.org/x").refused[0].reason
    assert newsroom.gather("http://127.0.0.1:9/x").n_refused == 1


def _gather_quickly(folder: Path, url: str) -> int:
    """Gather without the processes that take pages apart: a forked child cannot share them."""

    def article(raw: bytes, *, url: str, charset: str) -> Article:
        title, text = re.findall(r"<h1>(.*?)</h1>(.*)</article>", raw.decode(), re.DOTALL)[0]
        return article_from_record({"url": url, "title": title, "text": text})

    with mock.patch("recommender.gather.visit.readers.article_from_page", article):
        return Newsroom(folder).gather(url).n_refused


@pytest.mark.slow
def test_a_crawl_that_is_killed_again_and_again_loses_and_doubles_nothing(site: Website, tmp_path: Path) -> None:
    """``kill -9`` at random moments; each run goes on, so that all of them together ask for hardly more than one would."""
    n, n_kills, n_killed = 100, 20, 0
    url = _listed(site, range(n))
    chance = Random(7)
    for _ in range(n_kills):
        wanted = len(site.asked) + chance.randrange(1, 12)  # requests after which it dies, wherever it is by then
        child = Child(lambda tell: tell(_gather_quickly(tmp_path / "home", url)))
        deadline = time.monotonic() + 30
        while len(site.asked) < wanted and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.05))
        n_killed += child.end() == []
    newsroom = Newsroom(tmp_path / "home")

    assert n_killed >= n_kills / 2
    assert _gather_quickly(newsroom.home.path, url) == 0
    assert newsroom.titles() == sorted(f"Ferry story number {number}" for number in range(n))
    asked_for = [path for path in site.paths() if path.startswith("/news/")]
    assert len(asked_for) <= n + 21 * n_killed  # a kill costs the stories that were not yet put down
    site.asked.clear()
    assert _counts(newsroom.gather(url)) == (0, 0, 0, 0)
    assert site.paths() == ["/sitemap.xml"]
