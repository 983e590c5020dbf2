"""``ingest`` given addresses: what it prints, what it refuses, and how it stands beside files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gathering import item, put_story, rss, sitemap, whole_text
from newsroom import RECORDS, write_jsonl
from website import Website, website

from recommender.cli import main
from recommender.home import Home


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Website]:
    monkeypatch.setenv("RECOMMENDER_FETCH__DELAY_SECONDS", "0")
    with website() as made:
        yield made


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = _run(*arguments, "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


def test_files_pages_feeds_and_sitemaps_go_in_together(
    environment: Path, tmp_path: Path, site: Website, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_jsonl(tmp_path / "stories.jsonl", RECORDS)
    feed = site.put("/feed", rss([item(f"{site.url}/1", "From the feed", whole_text("Feed"))]), "text/plain")
    listed = site.put("/map", sitemap([put_story(site, 1)]), "text/html")
    page = put_story(site, 2)
    code, told = _json(capsys, "ingest", str(file), feed, listed, page, "--allow-private")
    assert (code, told["new"], told["refused"], told["n_articles"]) == (0, 10, 0, 10)
    assert (told["n_fetched"], told["withdrawn"]) == (2, [])


def test_an_address_inside_the_house_is_refused_unless_it_is_allowed(
    environment: Path, site: Website, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = put_story(site, 1)
    port = page.split(":")[2].partition("/")[0]
    monkeypatch.setenv("RECOMMENDER_FETCH__PORTS", f"[{port}]")
    code, told = _json(capsys, "ingest", page)
    assert (code, told["new"]) == (1, 0)
    assert (
        "127.0.0.1 is inside the house (private or loopback); --allow-private opens it" in told["refusals"][0]["reason"]
    )
    assert site.asked == []
    monkeypatch.setenv("RECOMMENDER_FETCH__ALLOW_PRIVATE", "true")
    assert _json(capsys, "ingest", page)[1]["new"] == 1


def test_what_a_source_is_can_be_told_and_is_held_to_it(
    environment: Path, site: Website, capsys: pytest.CaptureFixture[str]
) -> None:
    page = put_story(site, 1)
    for form, reason in {"feed": "is no RSS or Atom feed", "sitemap": "is no sitemap"}.items():
        code, told = _json(capsys, "ingest", page, "--format", form, "--allow-private")
        assert (code, told["refusals"][0]["reason"]) == (1, reason)
    assert _json(capsys, "ingest", page, "--format", "page", "--allow-private")[1]["new"] == 1


def test_no_password_is_printed_or_sent(environment: Path, site: Website, capsys: pytest.CaptureFixture[str]) -> None:
    code = _run("ingest", site.url.replace("//", "//desk:secret@"), "--allow-private")
    told = capsys.readouterr()
    assert code == 1
    assert "holds a user or password" in told.err
    assert "secret" not in told.err + told.out
    assert site.asked == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["ingest", "a.jsonl", "--prune"], "--prune: no address is given"),
        (["ingest", "a.jsonl", "--since", "2026-01-01", "--limit", "3"], "--since, --limit: no address is given"),
        (["ingest", "a.jsonl", "--force"], "--force: no address is given"),
        (["ingest", "https://a.example/", "--prune", "--include", "*"], "takes no --include or --exclude"),
        (["ingest", "https://a.example/", "--limit", "0"], "0 is not in the range"),
        (["ingest", "https://a.example/", "--format", "novel"], "'novel' is not one of"),
        (["follow", "https://a.example/", "--every", "0s"], "is no time between 1 s and 30 d"),
        (["follow", "https://a.example/", "--every", "soon"], "is no time between"),
        (["follow", "https://a.example/", "--once", "--serve"], "--serve keeps on"),
        (["follow", "https://a.example/", "--port", "1"], "--port belongs to --serve"),
        (["follow"], "Missing argument"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_done(
    environment: Path, arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(*arguments) == 2
    assert why in capsys.readouterr().err
    assert not Home(environment).path.exists()


def test_a_feed_that_is_no_address_is_refused(environment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("follow", "feed.xml", "--once") == 1
    assert "feed.xml: is no http(s) address" in capsys.readouterr().err
