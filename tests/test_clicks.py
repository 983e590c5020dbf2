"""Counting what is shown and clicked: only what could be served, only in sums of a day, and nothing of a reader."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from newsroom import NOW, publish
from test_openapi import _document, _hold

from recommender.backup import back_up, restore
from recommender.catalog.clicks import ClickCounts, Counted, Place, oldest_kept
from recommender.cli import main
from recommender.errors import CatalogError
from recommender.evaluate import Evaluation
from recommender.evaluate.clicks import click_lines, click_through, share
from recommender.home import Home
from recommender.settings import Settings
from recommender.web import create_app
from recommender.web import tally as tallies
from recommender.web.tally import Tally

DAY = date(2026, 11, 26)
PLACE = Place(DAY, "ferry-vote", "ferry-strike", 1, "similar")
SITE = "https://www.lindenpost.example"


@pytest.fixture
def counting(published: Settings) -> Settings:
    serve = published.serve.model_copy(update={"clicks": True, "cors_origins": (SITE,)})
    return published.model_copy(update={"serve": serve})


@pytest.fixture
def app(counting: Settings) -> Iterator[Flask]:
    made = create_app(counting)
    yield made
    made.extensions["recommender.tally"].stop()
    made.extensions["recommender.live"].stop()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def rows(app: Flask, settings: Settings) -> list[tuple[Any, ...]]:
    """Return what is on the disk, without the day."""
    app.extensions["recommender.tally"].flush()
    path = Home(settings.home).clicks
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT article, shown, position, source, n_shown, n_clicked FROM counts").fetchall()


def listed(client: FlaskClient, article_id: str = "ferry-strike") -> list[str]:
    answer = client.get(f"/v1/articles/{article_id}/related").json
    assert answer
    return [result["id"] for result in answer["results"]]


def test_by_default_nothing_is_counted(published: Settings) -> None:
    client = create_app(published).test_client()
    assert client.post("/v1/clicks", json={"article": "ferry-vote", "ids": ["ferry-strike"]}).status_code == 404
    assert "/v1/clicks" not in _document(client)["paths"]


def test_what_is_shown_and_clicked_is_counted_by_position_and_source(
    app: Flask, client: FlaskClient, counting: Settings
) -> None:
    ids = listed(client)
    for _ in range(3):
        shown = client.post(
            "/v1/clicks", data=json.dumps({"article": "ferry-strike", "ids": ids}), content_type="text/plain"
        )
        assert (shown.status_code, shown.data) == (204, b"")
    url = "http://lindenpost.example/business/ferry-strike"
    client.post("/v1/clicks", json={"article": url, "id": ids[1], "position": 2})

    found = {row[2]: row for row in rows(app, counting)}
    assert found[1] == ("ferry-strike", ids[0], 1, "link", 3, 0)
    assert found[2] == ("ferry-strike", ids[1], 2, "link", 3, 1)
    assert len(found) == len(ids)


@pytest.mark.parametrize(
    "told",
    [
        {"article": "nobody", "ids": ["ferry-strike"]},
        {"article": "ferry-vote", "ids": ["nobody", "ferry-vote", "\ud800"]},
        {"article": "\ud800", "ids": ["ferry-strike"]},
        {"article": "ferry-vote", "id": "faehren", "position": 1},  # in another language
        {"article": "ferry-vote", "id": "ferry-strike", "position": 21},
        {"article": "javascript:alert(1)", "id": "x", "position": 1},
    ],
)
def test_what_this_service_could_not_serve_is_ignored(
    app: Flask, client: FlaskClient, counting: Settings, told: dict[str, Any]
) -> None:
    assert client.post("/v1/clicks", json=told).status_code == 204
    assert rows(app, counting) == []


def test_pages_of_other_origins_are_ignored_and_those_of_ours_may_send(
    app: Flask, client: FlaskClient, counting: Settings
) -> None:
    told = {"article": "ferry-strike", "ids": listed(client)}
    for origin in ("https://evil.example", "null"):
        answer = client.post("/v1/clicks", json=told, headers={"Origin": origin})
        assert answer.status_code == 204
        assert "Access-Control-Allow-Origin" not in answer.headers
        asked = client.options("/v1/clicks", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
        assert "Access-Control-Allow-Methods" not in asked.headers
    assert rows(app, counting) == []
    for origin in (SITE, "http://localhost"):
        answer = client.post("/v1/clicks", json=told, headers={"Origin": origin})
        assert answer.headers["Access-Control-Allow-Origin"] == origin
    asked = client.options("/v1/clicks", headers={"Origin": SITE, "Access-Control-Request-Method": "POST"})
    assert asked.headers["Access-Control-Allow-Headers"] == "Content-Type"
    assert {row[4] for row in rows(app, counting)} == {2}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "is not JSON"),
        (b"\xff", "not UTF-8"),
        (b"[" * 9_000, "is not JSON|nested too deep"),
        (b"[]", "the body is no JSON object"),
        (b"{}", "article: must be the id or address"),
        (b'{"article": "a"}', "give either ids"),
        (b'{"article": "a", "ids": ["b"], "id": "c"}', "give either ids"),
        (b'{"article": "a", "ids": []}', "must be a list of 1 to 200 ids"),
        (b'{"article": "a", "ids": ["b", 1]}', "must be a list of 1 to 200 ids"),
        (b'{"article": "a", "ids": {"b": 1}}', "must be a list of 1 to 200 ids"),
        (b'{"article": "a", "id": "b", "position": 0}', "position: must be a whole number"),
        (b'{"article": "a", "id": "b", "position": true}', "position: must be a whole number"),
        (b'{"article": "a", "id": ["b"], "position": 1e400}', "id: must be the id"),
        (b'{"article": 1, "ids": ["b"], "reader": "me"}', "reader: is unknown"),
    ],
)
def test_what_is_no_count_is_refused_with_what_is_wrong(client: FlaskClient, body: bytes, problem: str) -> None:
    answer = client.post("/v1/clicks", data=body)
    assert answer.status_code == 400
    assert answer.json
    assert re.search(problem, answer.json["error"]["message"])


def test_a_large_body_is_refused(client: FlaskClient) -> None:
    assert client.post("/v1/clicks", data=b" " * 20_000).status_code == 413


def test_the_contract_tells_of_counting(client: FlaskClient) -> None:
    doc = _document(client)
    _hold(doc, client.post("/v1/clicks", json={"article": "ferry-vote", "ids": ["x"]}), "/v1/clicks")
    _hold(doc, client.post("/v1/clicks", json={}), "/v1/clicks")


def test_nothing_of_a_reader_is_kept(app: Flask, client: FlaskClient, counting: Settings) -> None:
    marks = {
        "User-Agent": "Reader-Agent-7",
        "Cookie": "reader=7",
        "X-Forwarded-For": "203.0.113.77",
        "Referer": f"{SITE}/77",
    }
    told = {"article": "ferry-strike", "ids": listed(client)}
    assert "Set-Cookie" not in client.post("/v1/clicks", json=told, headers=marks).headers
    assert rows(app, counting)
    app.extensions["recommender.tally"].stop()
    kept = b"".join(path.read_bytes() for path in counting.home.glob("clicks.db*"))
    for mark in (b"Reader-Agent-7", b"reader=7", b"203.0.113", SITE.encode()):
        assert mark not in kept
    with contextlib.closing(sqlite3.connect(Home(counting.home).clicks)) as db:
        (days,) = zip(*db.execute("SELECT DISTINCT day FROM counts").fetchall(), strict=True)
    assert [len(day) for day in days] == [len("2026-11-26")]


def test_a_list_that_changes_is_looked_at_anew(app: Flask, client: FlaskClient, counting: Settings) -> None:
    before = listed(client, "ferry-vote")
    assert "cup-final" not in before[:1]
    served = app.extensions["recommender.served"]
    client.post("/v1/clicks", json={"article": "ferry-vote", "ids": before})
    (counting.home / "rules.toml").write_text('[[block]]\narticle = "ferry-strike"\n', encoding="utf-8")
    listed(client, "ferry-vote")
    client.post("/v1/clicks", json={"article": "ferry-vote", "id": "ferry-strike", "position": 1})
    assert sum(row[5] for row in rows(app, counting)) == 0
    assert len(served._kept) == 1


def test_counts_of_several_writers_add_up_and_a_day_has_room_for_so_many(tmp_path: Path) -> None:
    path = tmp_path / "clicks.db"
    places = [PLACE._replace(position=number) for number in range(1, 6)]
    with ClickCounts(path, write=True) as one, ClickCounts(path, write=True) as other:
        assert one.add(dict.fromkeys(places, Counted(2, 1)), most_a_day=3) == 2
        assert other.add(dict.fromkeys(places, Counted(1, 0)), most_a_day=3) == 2
        assert other.add({PLACE._replace(day=DAY + timedelta(days=1)): Counted(1, 1)}, most_a_day=3) == 0
        found = one.totals()
    assert found is not None
    assert (found.since, found.until) == (DAY, DAY + timedelta(days=1))
    assert found.by_position == {1: Counted(4, 2), 2: Counted(3, 1), 3: Counted(3, 1)}
    assert found.by_source == {"similar": Counted(10, 4)}


def test_old_days_are_forgotten(tmp_path: Path) -> None:
    today = [DAY]
    tally = Tally(tmp_path / "clicks.db", today=lambda: today[0])
    for days in (0, 400, 401):
        today[0] = DAY + timedelta(days=days)
        tally.count(*PLACE[1:], clicked=False)
        tally.stop()
    with ClickCounts(tmp_path / "clicks.db") as counts:
        found = counts.totals()
    assert found is not None
    assert found.since == oldest_kept(today[0]) + timedelta(days=399) == DAY + timedelta(days=400)


def test_what_cannot_be_written_is_held_on_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "MOST_HELD", 2)
    path = tmp_path / "none" / "clicks.db"
    tally = Tally(path, today=lambda: DAY)
    for position in (1, 2, 3):
        tally.count("a", "b", position, "link", clicked=True)
    tally.flush()
    tally.count("a", "b", 1, "link", clicked=False)
    tally.flush()
    assert [record.message for record in caplog.records if "cannot be counted" in record.message] == [
        caplog.records[0].message
    ]
    path.parent.mkdir()
    tally.stop()
    with ClickCounts(path) as counts:
        found = counts.totals()
    assert found is not None
    assert found.by_position == {1: Counted(1, 1), 2: Counted(0, 1)}


@pytest.mark.parametrize("harm", [b"no database at all" * 100, b""])
def test_a_file_that_holds_no_counts_is_refused(tmp_path: Path, harm: bytes) -> None:
    path = tmp_path / "clicks.db"
    path.write_bytes(harm)
    with pytest.raises(CatalogError, match=r"clicks\.db"):
        ClickCounts(path).totals()


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "clicks.db"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (x)")
    with pytest.raises(CatalogError, match="holds no counts"):
        ClickCounts(path, write=True)


COUNT_AND_WAIT = """
import sys, time
from datetime import date
from pathlib import Path
from recommender.web.tally import Tally
tally = Tally(Path(sys.argv[1]), today=lambda: date(2026, 11, 26))
for position in range(1, 11):
    tally.count("a", "b", position, "link", clicked=False)
if sys.argv[2] == "end":
    sys.exit(0)
tally.flush()
tally.count("a", "b", 11, "link", clicked=False)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("how", ["end", "kill"])
def test_a_process_that_ends_loses_nothing_and_one_that_is_killed_only_what_was_not_on_the_disk(
    tmp_path: Path, how: str
) -> None:
    path = tmp_path / "clicks.db"
    with subprocess.Popen([sys.executable, "-c", COUNT_AND_WAIT, str(path), how], stdout=subprocess.PIPE) as process:
        assert process.stdout
        if how == "kill":
            assert process.stdout.readline() == b"ready\n"
            os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
    with ClickCounts(path) as counts:
        found = counts.totals()
    assert found is not None
    assert found.by_source == {"link": Counted(10, 0)}


@pytest.mark.parametrize(
    ("shown", "clicked", "low", "high"),
    # scipy.stats.binomtest(clicked, shown).proportion_ci(method="wilson")
    [
        (100, 10, 0.05522914, 0.1743657),
        (10, 0, 0.0, 0.2775328),
        (10, 10, 0.7224672, 1.0),
        (263, 81, 0.2552733, 0.3662122),
    ],
)
def test_the_interval_is_wilsons(shown: int, clicked: int, low: float, high: float) -> None:
    found = share("x", shown, clicked)
    assert found.rate == clicked / shown
    assert math.isclose(found.low, low, abs_tol=1e-4)
    assert math.isclose(found.high, high, abs_tol=1e-4)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_no_share_leaves_its_interval_and_none_is_over_one(shown: int, clicked: int) -> None:
    found = share("x", shown, clicked)
    assert 0 <= found.low <= found.rate <= found.high <= 1


def test_an_evaluation_tells_of_clicks_in_json() -> None:
    told = Evaluation(
        "ours", (), 0, 0, 0, 0, 0, {}, {}, clicks=click_through(DAY, DAY, {1: (200, 9)}, {"link": (200, 9)})
    )
    assert told.as_dict()["clicks"]["by_position"] == [
        {"label": "1", "n_shown": 200, "n_clicked": 9, "rate": 0.045, "low": 0.023853, "high": 0.083297}
    ]


def test_sources_come_by_how_often_they_were_shown_and_positions_in_order() -> None:
    found = click_through(DAY, DAY, {10: (5, 1), 2: (7, 0)}, {"link": (4, 1), "similar": (8, 0)})
    assert [each.label for each in found.by_position] == ["2", "10"]
    assert [each.label for each in found.by_source] == ["similar", "link"]
    assert (found.all.n_shown, found.all.n_clicked) == (12, 1)
    assert all(len(line) <= 110 for line in click_lines(found))


def test_evaluate_and_status_tell_what_readers_click(
    filled: Settings, environment: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(filled)
    monkeypatch.setenv("RECOMMENDER_HOME", str(filled.home))

    def run(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        assert not ended.value.code
        return capsys.readouterr().out

    assert "clicks" not in run("status")
    with ClickCounts(Home(filled.home).clicks, write=True) as counts:
        counts.add({PLACE: Counted(200, 9), PLACE._replace(position=2, source="link"): Counted(150, 2)})
    assert "clicks    no longer counted: 350 shown and 11 clicked, 2026-11-26 to 2026-11-26" in run("status")
    assert "clicks, 2026-11-26 to 2026-11-26: 350 shown, 11 clicked, 3.14 %" in run("evaluate")
    page = Home(filled.home).evaluation.read_text(encoding="utf-8")
    assert "What readers click" in page
    assert "Clicked, % of shown, by position" in page
    monkeypatch.setenv("RECOMMENDER_SERVE__CLICKS", "true")
    assert json.loads(run("status", "--json"))["clicks"]["counting"] is True
    Home(filled.home).clicks.write_bytes(b"damaged" * 1000)
    assert json.loads(run("evaluate", "--json"))["clicks"] is None


def test_a_restore_leaves_the_counts_of_a_home_in_place(published: Settings, tmp_path: Path) -> None:
    home = Home(published.home)
    with ClickCounts(home.clicks, write=True) as counts:
        counts.add({PLACE: Counted(3, 1)})
    back_up(home, tmp_path / "copy.tar", now=NOW)
    restore(home, tmp_path / "copy.tar", force=True)
    with ClickCounts(home.clicks) as counts:
        found = counts.totals()
    assert found is not None
    assert found.by_source == {"similar": Counted(3, 1)}
