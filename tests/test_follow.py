"""Feeds: what goes in and when, what is withdrawn, and ``follow`` as a process that keeps on and ends when it is told to."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from gathering import HOUR, Hasty, Newsroom, item, put_story, rss, whole_text
from website import Page, Website, website

from recommender.catalog import Ledger, Outcome
from recommender.fetch import Fetcher
from recommender.gather import Follower, GatherReport, Round
from recommender.readers import article_from_record


@pytest.fixture
def site() -> Iterator[Website]:
    with website() as made:
        yield made


@pytest.fixture
def newsroom(tmp_path: Path) -> Newsroom:
    return Newsroom(tmp_path / "home")


def _feed(site: Website, *items: str, etag: str | None = None) -> str:
    return site.put("/feed.xml", rss(items), "application/rss+xml", etag=etag)


def _counts(report: GatherReport) -> tuple[int, int, int, int]:
    new, changed, unchanged = (report.outcomes[outcome] for outcome in Outcome)
    return new, changed, unchanged, report.n_refused


def _read(newsroom: Newsroom, url: str) -> Round:
    """Read a feed once, as ``follow --once`` does."""
    hasty = Hasty()
    with Fetcher(newsroom.settings, stop=hasty, clock=lambda: hasty.now, chance=Random(1)) as fetcher:
        (done,) = _follower(newsroom, fetcher, [url], hasty).once()
    return done


def _follower(newsroom: Newsroom, fetcher: Fetcher, urls: list[str], stop: threading.Event) -> Follower:
    return Follower(
        newsroom.home,
        newsroom.gatherer(fetcher),
        urls,
        every_seconds=60,
        follow_links="auto",
        clock=lambda: newsroom.now,
        stop=stop,
        chance=Random(1),
    )


def test_whole_stories_are_taken_from_the_feed_and_teasers_from_their_pages(site: Website, newsroom: Newsroom) -> None:
    page = put_story(site, 1)
    url = _feed(site, item(f"{site.url}/whole", "A whole story", whole_text("Whole")), item(page, "A teaser"))
    assert _counts(newsroom.gather(url)) == (2, 0, 0, 0)
    assert site.paths() == ["/feed.xml", "/news/story-number-1"]
    assert newsroom.titles() == ["A whole story", "Ferry story number 1"]


@pytest.mark.parametrize(("follow", "asked"), [("never", 0), ("always", 2)])
def test_pages_are_followed_as_it_is_said(site: Website, newsroom: Newsroom, follow: Any, asked: int) -> None:
    pages = [put_story(site, number) for number in (1, 2)]
    url = _feed(site, item(pages[0], "One", whole_text("One")), item(pages[1], "Two"))
    report = newsroom.gather(url, follow_links=follow)
    assert (report.n_fetched, _counts(report)[0]) == (asked, 2)
    assert newsroom.titles() == (["Ferry story number 1", "Ferry story number 2"] if asked else ["One", "Two"])


def test_a_page_that_cannot_be_had_leaves_the_feeds_own_words(site: Website, newsroom: Newsroom) -> None:
    site.put("/robots.txt", "User-agent: *\nDisallow: /closed\n", "text/plain")
    site.put("/paid", "", status=403)
    url = _feed(site, item(f"{site.url}/closed", "A closed page"), item(f"{site.url}/paid", "A paid page"))
    report = newsroom.gather(url)
    assert _counts(report) == (2, 0, 0, 0)
    assert len(report.notes) == 2
    assert newsroom.titles() == ["A closed page", "A paid page"]


@pytest.mark.parametrize("follow", ["auto", "never"])
def test_a_feed_cannot_put_its_words_under_another_sites_story(site: Website, newsroom: Newsroom, follow: Any) -> None:
    own = f"{site.url.replace('127.0.0.1', 'localhost')}/own"
    newsroom.intake.upsert([article_from_record({"url": own, "title": "Our own story", "text": "Ours."})], "test")
    url = _feed(
        site, item(own, "Something else", whole_text("Else")), item(own + "/new", "A new one", whole_text("New"))
    )
    site.put("/own", "", status=403), site.put("/own/new", "", status=403)
    report = newsroom.gather(url, follow_links=follow)
    assert newsroom.titles() == ["A new one", "Our own story"]
    assert report.n_refused == 1


def test_a_feed_that_is_the_same_is_not_sent_and_its_entries_are_not_read_again(
    site: Website, newsroom: Newsroom
) -> None:
    url = _feed(site, item(put_story(site, 1), "One"), etag='"1"')
    _read(newsroom, url)
    site.asked.clear()
    assert _counts(_read(newsroom, url).report) == (0, 0, 0, 0)
    assert site.paths() == ["/feed.xml"]
    assert dict(site.asked)["/feed.xml"]["if-none-match"] == '"1"'
    url = _feed(site, item(put_story(site, 2), "Two"), item(put_story(site, 1), "One"), etag='"2"')
    site.asked.clear()
    assert _counts(_read(newsroom, url).report) == (1, 0, 0, 0)
    assert site.paths() == ["/feed.xml", "/news/story-number-2"]


def test_an_entry_that_changes_is_read_again_and_a_bad_one_costs_itself(site: Website, newsroom: Newsroom) -> None:
    url = _feed(site, item(put_story(site, 1), "One"), item("", ""), item(site.put("/list", "<html>x"), ""))
    report = newsroom.gather(url)
    assert (_counts(report)[0], report.n_refused) == (1, 2)
    url = _feed(site, item(put_story(site, 1, edition=2), "One, corrected"), item("", ""))
    assert _counts(newsroom.gather(url)) == (0, 1, 0, 1)


def test_a_page_that_does_not_answer_is_asked_again_with_the_next_reading(site: Website, newsroom: Newsroom) -> None:
    page = put_story(site, 1)
    kept = site.pages["/news/story-number-1"]
    site.pages["/news/story-number-1"] = Page(b"", status=503)
    url = _feed(site, item(page, "One"), etag='"1"')
    assert _read(newsroom, url).report.n_waiting == 1
    assert newsroom.titles() == []
    site.pages["/news/story-number-1"] = kept
    assert _counts(_read(newsroom, url).report)[0] == 1
    assert newsroom.titles() == ["Ferry story number 1"]


def test_a_story_that_leaves_a_feed_early_is_looked_at_and_withdrawn_when_it_is_gone(
    site: Website, newsroom: Newsroom
) -> None:
    items = {day: item(put_story(site, day), f"Story {day}", day=day) for day in range(10, 16)}
    url = _feed(site, *(items[day] for day in range(15, 9, -1)))
    _read(newsroom, url)
    del site.pages["/news/story-number-13"]  # taken down
    del items[13], items[10]  # the last one only made room
    _feed(site, *(items[day] for day in (15, 14, 12, 11)))
    site.asked.clear()
    assert _read(newsroom, url).report.n_gone == 1
    assert site.paths() == ["/feed.xml", "/news/story-number-13"]
    assert _read(newsroom, url).report.withdrawn == []
    newsroom.now += 7 * HOUR
    gone = f"{site.url}/news/story-number-13"
    assert _read(newsroom, url).report.withdrawn == [(gone, f"{gone} answers 404, and did before")]
    assert len(newsroom.titles()) == 5


@pytest.mark.parametrize(
    "answer", [Page(b"", status=500), Page(b"", status=404), Page(b"<html>"), Page(rss([]).encode())]
)
def test_a_feed_that_fails_or_is_empty_withdraws_nothing_and_is_left_alone_longer(
    site: Website, newsroom: Newsroom, answer: Page
) -> None:
    url = _feed(site, *(item(put_story(site, day), f"Story {day}", day=day) for day in range(10, 15)))
    _read(newsroom, url)
    site.pages["/feed.xml"] = answer
    waits = []
    for _ in range(4):
        newsroom.now += 24 * HOUR
        done = _read(newsroom, url)
        waits.append(done.next_seconds)
        assert done.report.withdrawn == []
        assert (done.problem is None) == (b"rss" in answer.body)
    assert len(newsroom.titles()) == 5
    assert waits[-1] > 200 or b"rss" in answer.body


def test_when_a_feed_is_due_outlives_the_process(site: Website, newsroom: Newsroom) -> None:
    url = _feed(site, item(put_story(site, 1), "One"))
    done = _read(newsroom, url)
    assert 54 <= done.next_seconds <= 66
    with Ledger(newsroom.home.ledger) as ledger:
        assert abs((ledger.source(url).due_at or 0) - newsroom.now - done.next_seconds) <= 1
    site.asked.clear()
    stop = threading.Event()
    with Fetcher(newsroom.settings, stop=stop) as fetcher:
        rounds = _follower(newsroom, fetcher, [url], stop).run()
        timer = threading.Timer(0.6, stop.set)
        timer.start()
        assert list(rounds) == []
        timer.join()
        newsroom.now += 67
        stop.clear()
        assert next(rounds := _follower(newsroom, fetcher, [url], stop).run()).url == url
        stop.set()
        assert list(rounds) == []
    assert site.paths() == ["/feed.xml"]


def test_a_slow_site_keeps_no_other_feed_waiting(site: Website, newsroom: Newsroom) -> None:
    let_go = threading.Event()
    site.pages["/slow.xml"] = lambda handler: (let_go.wait(30), handler.close_connection)[0] and None
    slow = f"{site.url.replace('127.0.0.1', 'localhost')}/slow.xml"
    quick = _feed(site, item(put_story(site, 1), "One"))
    stop = threading.Event()
    with Fetcher(newsroom.settings, stop=stop, resolver=lambda host, port: ["127.0.0.1"]) as fetcher:
        rounds = _follower(newsroom, fetcher, [slow, quick], stop).run()
        try:
            assert next(rounds).url == quick
        finally:
            stop.set()
            fetcher.close()
            let_go.set()
            assert list(rounds) == []
    assert newsroom.titles() == ["Ferry story number 1"]


def _start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECOMMENDER_")}
    environment |= {
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "RECOMMENDER_ENCODER__MODEL": "hashing",
        "RECOMMENDER_FETCH__DELAY_SECONDS": "0",
    }
    command = [sys.executable, "-m", "recommender", "--home", str(home), "follow", "--allow-private", *arguments]
    return subprocess.Popen(
        command,
        cwd=home.parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextlib.contextmanager
def _running(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.1)
    pytest.fail("it never came to hold")


def _page(*links: str) -> str:
    announced = "".join(
        f'<link rel="alternate" type="{kind}" title="News" href="{href}">'
        for kind, _, href in (each.partition(" ") for each in links)
    )
    return f"<!doctype html><html><head><title>Linden Post</title>{announced}</head><body><h1>Linden Post</h1></body></html>"


def test_of_a_page_the_first_feed_that_it_announces_is_followed_and_told(site: Website, newsroom: Newsroom) -> None:
    _feed(site, item(put_story(site, 1), "One"), etag='"1"')
    page = site.put(
        "/",
        _page(
            "application/rss+xml /comments/feed/", "application/rss+xml feed.xml", "application/feed+json /feed.json"
        ),
    )
    hasty = Hasty()
    with Fetcher(newsroom.settings, stop=hasty, clock=lambda: hasty.now, chance=Random(1)) as fetcher:
        follower = _follower(newsroom, fetcher, [page], hasty)
        (first,) = follower.once()
        (second,) = follower.once()
        assert site.paths() == ["/", "/feed.xml", "/news/story-number-1", "/feed.xml"]
        site.put("/feed.xml", "", status=500)
        assert next(follower.once()).problem
        site.put("/", _page("application/rss+xml /new.xml"))
        site.put("/new.xml", rss([item(put_story(site, 2), "Two")]), "application/rss+xml")
        (moved,) = follower.once()
    assert (_counts(first.report), first.problem) == ((1, 0, 0, 0), None)
    assert first.report.notes == [
        f"{page}: is a page; its feed {site.url}/feed.xml (News) is followed; 1 more that it announces are not followed"
    ]
    assert (_counts(second.report), second.report.notes) == ((0, 0, 0, 0), [])
    assert _counts(moved.report) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("html", "why"),
    [
        (_page(), "is no feed, and a page that announces none .*; give the address of the feed itself"),
        (_page("text/html /feed.xml", "application/rss+xml ftp://paper.example/feed.xml"), "announces none"),
        (_page("application/rss+xml http://169.254.1.1/feed.xml"), "169.254.1.1.*link-local"),
        (_page("application/rss+xml /news"), "is no RSS or Atom feed"),
        ("<p " + " ".join(f"a{number}" for number in range(5_000)) + ">", "as a page it cannot be read: a tag has over"),
        ("{}", "is no JSON Feed"),
        ("just words", "is no RSS or Atom feed"),
    ],
    ids=["none", "others", "an address that is closed", "itself", "an attack", "JSON", "text"],
)  # fmt: skip
def test_a_page_without_a_feed_says_so(site: Website, newsroom: Newsroom, html: str, why: str) -> None:
    problem = _read(newsroom, site.put("/news", html)).problem
    assert problem is not None
    assert re.search(why, problem)


def test_a_json_feed_is_followed(site: Website, newsroom: Newsroom) -> None:
    stories = [{"id": "1", "url": put_story(site, 1), "title": "One"}]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "Post", "items": stories}
    url = site.put("/feed.json", "\ufeff" + json.dumps(feed), "application/feed+json", etag='"1"')
    assert _counts(_read(newsroom, url).report) == (1, 0, 0, 0)
    assert _counts(_read(newsroom, url).report) == (0, 0, 0, 0)
    assert newsroom.titles() == ["Ferry story number 1"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_follow_takes_new_stories_says_so_and_ends_at_once_when_it_is_told(
    site: Website, tmp_path: Path, number: signal.Signals
) -> None:
    url = _feed(site, item(put_story(site, 1), "One"))
    with _running(_start(tmp_path / "home", url, "--every", "1s", "--json")) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["new"] == 1
        with _running(_start(tmp_path / "home", url)) as second:
            told = second.communicate(timeout=60)[1]
            assert (second.returncode, "a follow since" in told) == (1, True)
        _feed(site, item(put_story(site, 2), "Two"), item(put_story(site, 1), "One"))
        while not json.loads(process.stdout.readline())["new"]:
            pass
        silent, asked = threading.Event(), threading.Event()
        site.pages["/feed.xml"] = lambda handler: (asked.set(), silent.wait(60))[1] and None
        assert asked.wait(30)
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
        silent.set()
        assert (process.returncode, told) == (0, "")
    assert Newsroom(tmp_path / "home").titles() == ["Ferry story number 1", "Ferry story number 2"]


@pytest.mark.slow
def test_one_command_goes_the_whole_way_from_a_feed_to_a_sidebar(site: Website, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    pages = {number: put_story(site, number) for number in range(1, 6)}
    url = _feed(site, *(item(pages[number], f"Story {number}", day=number) for number in (4, 3, 2, 1)))

    def related() -> list[str]:
        address = f"http://127.0.0.1:{port}/v1/related?url={pages[1]}&k=9&floor=0&collapse=0"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return [result["title"] for result in json.loads(answer.read())["results"]]
        except OSError:
            return []

    with _running(_start(tmp_path / "home", url, "--every", "1s", "--serve", "--port", str(port))) as process:
        _until(lambda: len(related()) == 3)
        _feed(site, *(item(pages[number], f"Story {number}", day=number) for number in (5, 4, 3, 2, 1)))
        _until(lambda: "Ferry story number 5" in related())
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == 0
        assert related() == []


@pytest.mark.slow
def test_follow_once_is_for_a_scheduler(site: Website, tmp_path: Path) -> None:
    url = _feed(site, item(put_story(site, 1), "One"))
    with _running(_start(tmp_path / "home", url, f"{site.url}/none.xml", "--once")) as process:
        told = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert f"{url}: 1 new, 0 changed, 0 unchanged, 0 refused; next in" in told
    assert f"{site.url}/none.xml: answers 404" in told
