"""The desk over HTTP: who gets in, what no other site and no stranger can do there, and what its pages show and change."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from newsroom import RECORDS, STUB_TITLE, publish, store
from werkzeug.test import TestResponse

from recommender import snapshot
from recommender.article import Article
from recommender.desk import Desk, Wish
from recommender.home import Home
from recommender.keys import add_key, remove_keys
from recommender.readers import article_from_record
from recommender.settings import Settings
from recommender.snapshot import files
from recommender.web import create_app
from recommender.web.desk import door, session

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PAGES = ("", "/story?id=ferry-vote", "/rule?kind=boost", "/rules", "/log", "/orphans", "/stubs", "/hubs", "/snapshots",
         "/evaluation", "/undo?line=1", "/?q=ferry")  # fmt: skip
HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)> {{7*7}} '"
PIN = {"kind": "pin", "under": "ferry-vote", "article": "cup-final", "note": "our cup"}


def key_of(settings: Settings, name: str = "anna", scope: str = "desk") -> str:
    settings.home.mkdir(exist_ok=True)
    return add_key(Home(settings.home).keys, name, scope, now=NOW)


def token_of(html: str) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', html)
    assert found
    return found[1]


def enter(client: FlaskClient, key: str, **more: Any) -> TestResponse:
    token = token_of(client.get("/desk/login").text)
    return client.post("/desk/login", data={"form_token": token, "key": key} | more)


@pytest.fixture
def client(app: Flask, published: Settings) -> FlaskClient:
    """A browser at the desk of the seven stories."""
    client = app.test_client()
    assert enter(client, key_of(published)).status_code == 303
    return client


@pytest.fixture
def send(client: FlaskClient) -> Callable[..., TestResponse]:
    def sent(path: str, data: dict[str, str], **more: Any) -> TestResponse:
        token = token_of(client.get("/desk").text)
        return client.post(f"/desk{path}", data={"form_token": token} | data, **more)

    return sent


def cookie(answer: TestResponse) -> str:
    return answer.headers.get("Set-Cookie", "")


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_a_page_without_a_key_and_is_led_back_to_it_with_one(
    app: Flask, published: Settings, path: str
) -> None:
    client = app.test_client()
    answer = client.get(f"/desk{path}")
    assert answer.status_code == 303
    assert answer.location.startswith("/desk/login?next=")
    form = client.get(answer.location).text
    onward = unescape(re.search(r'name="next" value="([^"]*)"', form)[1])  # type: ignore[index]
    entered = client.post("/desk/login", data={"form_token": token_of(form), "key": key_of(published), "next": onward})
    assert (entered.status_code, entered.location.rstrip("/")) == (303, f"/desk{path}".rstrip("/"))


@pytest.mark.parametrize("given", ["", "nrk_wrong", "\x00", "x" * 10_000, "ключ"])
def test_a_wrong_key_opens_nothing(app: Flask, published: Settings, given: str) -> None:
    key_of(published)
    client = app.test_client()
    answer = enter(client, given)
    assert answer.status_code == 401
    assert "That is no key of the desk" in answer.text
    assert client.get("/desk").status_code == 303


def test_wrong_keys_are_limited_by_address_and_good_ones_are_not(published: Settings) -> None:
    serve = published.serve.model_copy(update={"wrong_keys_per_minute": 2})
    client = create_app(published.model_copy(update={"serve": serve})).test_client()
    assert [enter(client, f"nrk_{number}").status_code for number in range(4)] == [401, 401, 429, 429]
    assert enter(client, key_of(published)).status_code == 303


def test_a_key_for_articles_opens_no_desk_and_one_of_the_desk_writes_no_article(
    app: Flask, published: Settings
) -> None:
    client = app.test_client()
    assert enter(client, key_of(published, "cms", "write")).status_code == 401
    headers = {"Authorization": f"Bearer {key_of(published)}"}
    assert client.get("/v1/articles/ferry-vote", headers=headers).status_code == 401


def test_without_keys_the_form_says_how_to_make_one(app: Flask) -> None:
    assert "recommender keys add NAME --scope desk" in app.test_client().get("/desk/login").text


def test_the_cookie_is_for_the_desk_alone_and_nobody_else_can_read_or_send_it(app: Flask, published: Settings) -> None:
    client, key = app.test_client(), key_of(published)
    told = cookie(enter(client, key))
    assert all(part in told for part in ("HttpOnly", "SameSite=Strict", "Path=/desk;"))
    assert "Secure" not in told
    assert key not in told
    token = token_of(client.get("/desk/login", base_url="https://news.example").text)
    secured = client.post("/desk/login", data={"form_token": token, "key": key}, base_url="https://news.example")
    assert "Secure" in cookie(secured)
    behind = app.test_client().get("/desk/login", headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in cookie(behind)


def test_readers_never_get_a_cookie(client: FlaskClient) -> None:
    for path in (
        "/",
        "/?id=ferry-vote",
        "/v1/articles/ferry-vote/related",
        "/widget.js",
        "/embed",
        "/docs",
        "/healthz",
    ):
        assert "Set-Cookie" not in client.get(path).headers


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_kept_framed_or_scripted(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/desk{path}")
    policy = answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script|<style| style=| on\w+=", answer.text)


@pytest.mark.parametrize(
    "harm",
    [
        {"form_token": ""},
        {"form_token": "0" * 64},
        {"form_token": "é"},
        {"headers": {"Sec-Fetch-Site": "cross-site"}},
        {"headers": {"Sec-Fetch-Site": "same-site"}},
        {"headers": {"Origin": "https://evil.example"}},
        {"headers": {"Origin": "null"}},
    ],
)
@pytest.mark.parametrize("path", ["/rule", "/undo", "/logout", "/login"])
def test_a_form_of_another_site_changes_nothing(
    client: FlaskClient, send: Callable[..., TestResponse], published: Settings, harm: dict[str, Any], path: str
) -> None:
    Desk(Home(published.home)).set(Wish("block", "undated"), by="ole", now=NOW)
    data = PIN | {"line": "1", "key": "x"} | {name: value for name, value in harm.items() if name != "headers"}
    answer = send(path, data, headers=harm.get("headers"))
    assert answer.status_code == 400
    assert "this form is out of date, or from another site" in answer.text.lower()
    assert [act.number for act in Desk(Home(published.home)).log()] == [1]
    assert client.get("/desk").status_code == 200


def test_a_browser_that_says_where_a_form_is_from_is_let_through(send: Callable[..., TestResponse]) -> None:
    assert (
        send("/rule", PIN, headers={"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}).status_code == 303
    )
    assert send("/undo", {"line": "1"}, headers={"Origin": "http://localhost"}).status_code == 303


def test_the_token_of_one_session_is_none_of_another(app: Flask, published: Settings, client: FlaskClient) -> None:
    other = app.test_client()
    enter(other, key_of(published, "ole"))
    token = token_of(other.get("/desk").text)
    assert client.post("/desk/rule", data=PIN | {"form_token": token}).status_code == 400


def test_a_removed_key_ends_its_session_at_once(client: FlaskClient, published: Settings) -> None:
    assert client.get("/desk").status_code == 200
    remove_keys(Home(published.home).keys, "anna")
    assert client.get("/desk").status_code == 303
    assert client.post("/desk/rule", data=PIN).status_code == 400


def test_logging_out_ends_the_session(client: FlaskClient, send: Callable[..., TestResponse]) -> None:
    assert send("/logout", {}).status_code == 303
    assert client.get("/desk").status_code == 303


def test_a_session_ends_when_it_is_left_alone_and_after_a_day_in_any_case(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = door._now()
    for _ in range(5):
        at += session.IDLE_SECONDS - 60
        monkeypatch.setattr(door, "_now", lambda now=at: now)
        assert client.get("/desk").status_code == 200
    monkeypatch.setattr(door, "_now", lambda: at + session.IDLE_SECONDS)
    assert client.get("/desk").status_code == 303


def test_a_session_ends_after_twelve_hours_however_busy(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    began = door._now()
    for hour in range(1, 14):
        monkeypatch.setattr(door, "_now", lambda hour=hour: began + 3600 * hour)
        assert client.get("/desk").status_code == (200 if hour < 12 else 303)


@pytest.mark.parametrize(
    "harm",
    [
        lambda value: value[:-1] + "01"[value[-1] == "0"],
        lambda value: "x" + value,
        lambda value: "",
        lambda value: "a.b",
    ],
)
def test_a_cookie_that_was_not_made_here_opens_nothing(client: FlaskClient, harm: Callable[[str], str]) -> None:
    made = client.get_cookie("desk", path="/desk")
    assert made
    client.set_cookie("desk", harm(made.value), path="/desk")
    assert client.get("/desk").status_code == 303


def test_the_secret_is_its_owners_alone_and_a_new_one_ends_every_session(
    client: FlaskClient, published: Settings
) -> None:
    secret = Home(published.home).desk_secret
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    secret.chmod(0o644)
    assert client.get("/desk").status_code == 500
    secret.unlink()
    assert client.get("/desk").status_code == 303
    secret.write_bytes(b"short")
    assert client.get("/desk/login").status_code == 500


@pytest.mark.parametrize(
    "onward", ["https://evil.example", "//evil.example", "/desk\\evil", "/v1/status", "/desk//x\n", "javascript:x"]
)
def test_a_login_leads_nowhere_but_to_the_desk(app: Flask, published: Settings, onward: str) -> None:
    answer = enter(app.test_client(), key_of(published), next=onward)
    assert answer.status_code == 303
    assert answer.location in ("/desk", "/desk//x\n")
    assert "\n" not in answer.location


def test_a_story_is_shown_with_every_part_of_its_scores_and_what_is_left_out(client: FlaskClient) -> None:
    html = client.get("/desk/story?id=ferry-vote").text
    assert "Ferry crews vote to strike over night shifts" in html
    assert re.findall(r'<th scope="row">(meaning|words|age)</th>', html)
    assert "In another language" in html
    assert "As readers see it" in html
    assert client.get("/desk/story?id=nobody").status_code == 404
    assert client.get("/desk/story").status_code == 404


def test_a_pin_is_tried_out_applied_logged_under_the_keys_name_and_undone(
    client: FlaskClient, send: Callable[..., TestResponse], published: Settings
) -> None:
    tried = client.get("/desk/rule", query_string=PIN | {"try": "1"}).text
    assert "Pinned" in tried
    assert Desk(Home(published.home)).log() == []

    done = send("/rule", PIN)
    assert (done.status_code, done.location) == (303, "/desk/story?id=ferry-vote&done=1")
    shown = client.get(done.location).text
    assert "Pinned by the desk: our cup" in shown
    assert "Unpin" in shown
    assert "<strong>Done.</strong>" in shown
    (act,) = Desk(Home(published.home)).log()
    assert (act.who, act.wish) == ("anna", Wish("pin", "cup-final", "ferry-vote", note="our cup"))
    assert client.get("/v1/articles/ferry-vote/related").json["results"][0]["id"] == "cup-final"  # type: ignore[index]

    assert "Take it back" in client.get("/desk/undo?line=1").text
    assert send("/undo", {"line": "1"}).location == "/desk/story?id=ferry-vote&done=2"
    assert client.get("/v1/articles/ferry-vote/related").json["results"][0]["id"] != "cup-final"  # type: ignore[index]
    log = client.get("/desk/log").text
    assert "undoes line 1" in log
    assert "ended by line 2" in log
    assert "Set it again" in client.get("/desk/undo?line=2").text


def test_a_kept_list_is_dropped_by_a_rule(client: FlaskClient, send: Callable[..., TestResponse]) -> None:
    first = client.get("/v1/articles/ferry-vote/related")
    send("/rule", PIN)
    again = client.get("/v1/articles/ferry-vote/related", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert again.headers["ETag"] != first.headers["ETag"]


def test_a_block_for_everywhere_shows_lists_that_change_and_leads_to_the_rules(
    client: FlaskClient, send: Callable[..., TestResponse]
) -> None:
    tried = client.get("/desk/rule?kind=block&article=ferry-strike&try=1").text
    assert tried.count('class="compared"') > 1
    assert "It holds in every list" in tried
    boost = {"kind": "boost", "section": "sport", "factor": "2", "until": "2990-01-01"}
    assert send("/rule", boost).location == "/desk/rules?done=1"
    assert "Boost ×2 section sport everywhere" in client.get("/desk/rules?done=1").text


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/rule?kind=praise", 400, "kinds are pin, block, boost"),
        ("/rule?kind=pin&article=cup-final&try=1", 400, "under: is missing"),
        ("/rule?kind=pin&article=nobody&under=ferry-vote&try=1", 400, "no article has the id"),
        ("/rule?kind=boost&article=cup-final&factor=99&until=2990-01-01&try=1", 400, "must be a number from 0.1 to 10"),
        ("/undo?line=9", 400, "has no line 9"),
        ("/undo?line=x", 400, "is no line of the log"),
        ("/undo", 400, "is no line of the log"),
        ("/story?id=nobody", 404, "no article has the id"),
        ("/log?before=x&done=y", 200, "Who did what"),
        ("/stubs?after=-3", 200, STUB_TITLE),
        ("/hubs?after=99999999999999999999", 200, "Stories that most others link to"),
        ("/evaluation", 200, "Not measured yet"),
    ],
)
def test_what_is_asked_wrongly_is_told(client: FlaskClient, path: str, status: int, message: str) -> None:
    answer = client.get(f"/desk{path}")
    assert answer.status_code == status
    assert message.lower() in unescape(answer.text).lower()


def test_what_cannot_be_applied_is_told_and_nothing_is_written(
    send: Callable[..., TestResponse], published: Settings
) -> None:
    for data in ({"kind": "boost", "article": "cup-final"}, {"kind": "pin"}, PIN | {"until": "1999-01-01"}):
        assert send("/rule", data).status_code == 400
    assert send("/rule", PIN | {"article": "nobody"}).status_code == 404
    assert send("/undo", {"line": "1"}).status_code == 400
    assert Desk(Home(published.home)).log() == []


def test_a_story_is_found_by_id_address_title_and_meaning(client: FlaskClient) -> None:
    for exact in ("cup-final", "http://lindenpost.example/business/ferry-vote"):
        assert client.get("/desk", query_string={"q": exact}).location.startswith("/desk/story?id=")
    html = client.get("/desk?q=cup rovers&under=ferry-vote").text
    assert "Linden Rovers reach the cup final" in html
    assert "kind=pin&amp;under=ferry-vote&amp;article=cup-final" in html
    assert client.get("/desk", query_string={"q": "cup-final", "under": "ferry-vote"}).status_code == 200
    assert client.get("/desk?q=!!!").status_code == 200


def test_gaps_in_the_links_are_shown(client: FlaskClient) -> None:
    assert "Linden Rovers" in client.get("/desk/orphans").text
    stubs = client.get("/desk/stubs").text
    assert STUB_TITLE in stubs
    assert "Ferries stay in port as strike begins" in stubs
    assert "Ferry crews vote" in client.get("/desk/hubs").text
    assert "s00000001" in client.get("/desk/snapshots").text


def test_snapshots_are_read_once_and_again_when_a_file_changed(
    client: FlaskClient, published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    digest = files.sha256
    monkeypatch.setattr(files, "sha256", lambda path: read.append(path.name) or digest(path))

    assert "whole" in client.get("/desk/snapshots").text
    assert "dense.faiss" in read
    read.clear()
    assert "whole" in client.get("/desk/snapshots").text
    assert read == []

    file = published.home / "snapshots" / "s00000001" / "dense.faiss"
    raw = file.read_bytes()
    file.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    assert "was changed after it was published" in client.get("/desk/snapshots").text
    assert snapshot.published(Home(published.home))[0].state is snapshot.State.DAMAGED


def test_the_reviewed_files_rules_are_shown_and_what_they_do_not_find(client: FlaskClient, published: Settings) -> None:
    rules = '[[pin]]\nunder = "ferry-vote"\nshow = ["undated", "gone"]\n'
    (published.home / "rules.toml").write_text(rules, encoding="utf-8")
    html = client.get("/desk/rules").text
    assert "rules.toml, pin 1" in html
    assert "They name what is not in the archive" in html
    assert "rules.toml, pin 1" in client.get("/desk/story?id=undated").text


def test_the_page_of_the_last_evaluation_is_shown_with_its_own_styles_alone(
    client: FlaskClient, published: Settings
) -> None:
    made = "<!doctype html><html><head><style>body{color:red}</style></head><body><h1>Measured</h1></body></html>"
    Home(published.home).evaluation.write_text(made, encoding="utf-8")
    answer = client.get("/desk/evaluation")
    assert '<body><nav aria-label="The desk"><a href="/desk">Back to the desk</a></nav><h1>Measured</h1>' in answer.text
    assert re.search(r"style-src 'sha256-[A-Za-z0-9+/=]{44}';", answer.headers["Content-Security-Policy"])
    Home(published.home).evaluation.write_bytes(b"\xff")
    assert "Not measured yet" in client.get("/desk/evaluation").text


def test_hostile_titles_ids_sections_and_notes_are_text(settings: Settings) -> None:
    harmful = Article(HOSTILE, HOSTILE, text=HOSTILE, section=HOSTILE, language="en")
    linking = article_from_record(RECORDS[1] | {"id": "linking", "read_more": [HOSTILE, f"{HOSTILE} 2"]})
    store(settings, [harmful, linking, *(article_from_record(record) for record in RECORDS)])
    publish(settings)
    client = create_app(settings).test_client()
    enter(client, key_of(settings))
    Desk(Home(settings.home)).set(Wish("pin", HOSTILE, "ferry-vote", note=HOSTILE), by=HOSTILE, now=NOW)
    Desk(Home(settings.home)).set(Wish("block", HOSTILE, note=HOSTILE), by=HOSTILE, now=NOW)

    for path, asked in {
        "": {"q": HOSTILE, "under": HOSTILE},
        "/": {},
        "/story": {"id": HOSTILE, "done": "2"},
        "/rule": {"kind": "pin", "article": HOSTILE, "under": "ferry-vote", "note": HOSTILE, "try": "1"},
        "/rules": {},
        "/log": {},
        "/stubs": {},
        "/orphans": {},
        "/hubs": {},
        "/undo": {"line": "1"},
        "/login": {"next": HOSTILE},
    }.items():
        html = client.get(f"/desk{path}", query_string=asked, follow_redirects=True).text
        assert "<script" not in html, path
        assert "<img" not in html, path
        assert " 49 " not in html, path


def test_without_an_index_the_desk_says_so(settings: Settings) -> None:
    client = create_app(settings).test_client()
    enter(client, key_of(settings))
    answer = client.get("/desk")
    assert answer.status_code == 503
    assert "no index has been published here yet" in answer.text.lower()


def test_a_page_of_errors_names_no_file_of_the_machine(client: FlaskClient, published: Settings) -> None:
    (published.home / "catalog.db").write_bytes(b"no database")
    answer = client.get("/desk/log")
    assert answer.status_code == 503
    assert str(published.home) not in answer.text
