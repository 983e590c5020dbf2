"""Finished answers: the same bytes as Flask gives, for whoever asks again; nothing of a state that is gone."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from typing import Any

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient
from newsroom import publish, store, withdraw

from recommender.article import Article
from recommender.home import Home
from recommender.settings import Settings
from recommender.web import create_app
from recommender.web.caching import max_age, surrogate_key
from recommender.web.fast import FastLane

PATH = "/v1/articles/ferry-vote/related?k=3"
NOW = datetime(2025, 4, 1, 12, tzinfo=UTC)


def _lane(app: Flask) -> FastLane:
    lane: FastLane = app.extensions["recommender.lane"]
    return lane


def _seconds(response: Any) -> int:
    return int(response.headers["Cache-Control"].split("max-age=")[1].split(",")[0])


def test_the_second_answer_is_the_first_ones_bytes_and_flask_is_not_asked(app: Flask, client: FlaskClient) -> None:
    first, second = client.get(PATH), client.get(PATH)

    assert (first.data, first.status, first.headers["ETag"]) == (second.data, second.status, second.headers["ETag"])
    assert {**first.headers, "X-Request-Id": ""} == {**second.headers, "X-Request-Id": ""}
    assert (_lane(app).misses, _lane(app).hits) == (1, 1)


def test_who_has_it_gets_304_and_no_body(client: FlaskClient) -> None:
    etag = client.get(PATH).headers["ETag"]
    for given in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = client.get(PATH, headers={"If-None-Match": given})
        assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", etag)
        assert "max-age" in answer.headers["Cache-Control"]
    assert client.get(PATH, headers={"If-None-Match": '"other"'}).status_code == 200


def test_who_has_it_before_anything_is_kept_gets_304_too(published: Settings, client: FlaskClient) -> None:
    etag = client.get(PATH).headers["ETag"]
    other = create_app(published).test_client()
    assert other.get(PATH, headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize(
    "path", ["/v1/search?q=ferry+strike", "/v1/related?url=https://www.lindenpost.example/business/ferry-vote"]
)
def test_other_lists_have_an_etag_as_well(client: FlaskClient, path: str) -> None:
    etag = client.get(path).headers["ETag"]
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304


def test_head_tells_what_get_would_and_sends_nothing(client: FlaskClient) -> None:
    for _ in range(2):
        got, head = client.get(PATH), client.head(PATH)
        assert (head.status_code, head.data) == (200, b"")
        assert head.headers["Content-Length"] == str(len(got.data))
        assert head.headers["ETag"] == got.headers["ETag"]


LISTS = (PATH, "/v1/search?q=ferry+strike", "/v1/related?url=https://www.lindenpost.example/business/ferry-vote")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("given", ["gzip", "br;q=0.4, gzip;q=0.5", "GZIP"])
def test_who_takes_gzip_gets_it(client: FlaskClient, path: str, given: str) -> None:
    plain, packed = client.get(path), client.get(path, headers={"Accept-Encoding": given})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) == int(packed.headers["Content-Length"])
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert "Accept-Encoding" in plain.headers["Vary"]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("given", ["br", "gzip, deflate, br, zstd", "*"])
def test_who_takes_brotli_gets_it(client: FlaskClient, path: str, given: str) -> None:
    plain, packed = client.get(path), client.get(path, headers={"Accept-Encoding": given})
    assert packed.headers["Content-Encoding"] == "br"
    assert brotli.decompress(packed.data) == plain.data


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("given", ["", "br;q=0", "gzip;q=0", "identity, gzip; q=0.0", "gzipped"])
def test_who_does_not_gets_plain_bytes(client: FlaskClient, path: str, given: str) -> None:
    assert "Content-Encoding" not in client.get(path, headers={"Accept-Encoding": given}).headers


@pytest.mark.parametrize("path", LISTS)
def test_each_form_has_an_etag_of_its_own_and_is_answered_with_304(client: FlaskClient, path: str) -> None:
    plain = client.get(path).headers["ETag"]
    packed = client.get(path, headers={"Accept-Encoding": "gzip"}).headers["ETag"]
    assert packed == plain[:-1] + '-gzip"'
    for told, etag, status in (("gzip", packed, 304), ("gzip", plain, 200), ("", packed, 200), ("", plain, 304)):
        answer = client.get(path, headers={"Accept-Encoding": told, "If-None-Match": etag})
        assert (answer.status_code, answer.data == b"") == (status, status == 304)
        assert "Accept-Encoding" in answer.headers["Vary"]


def test_a_packed_form_is_made_once_and_its_bytes_are_counted(app: Flask, client: FlaskClient) -> None:
    client.get(PATH)
    before = _lane(app)._n_bytes
    sizes = {len(client.get(PATH, headers={"Accept-Encoding": "gzip"}).data) for _ in range(3)}
    assert _lane(app)._n_bytes == before + sizes.pop()
    assert not sizes
    assert _lane(app)._n_bytes == sum(kept.n_bytes for kept in _lane(app)._kept.values())


def test_what_was_asked_counts_as_well(app: Flask, client: FlaskClient) -> None:
    client.get(PATH)
    before = _lane(app)._n_bytes
    long = "&".join(f"exclude={'x' * 400}{n}" for n in range(40))
    assert client.get(f"{PATH}&{long}").status_code == 200
    assert _lane(app)._n_bytes - before > len(long)


def test_strangers_origins_take_no_room(app: Flask, client: FlaskClient) -> None:
    for n in range(5):
        client.get(PATH, headers={"Origin": f"https://{n}.example"})
    assert (len(_lane(app)._kept), _lane(app).hits) == (1, 4)


def test_a_withdrawn_story_is_in_no_kept_answer(client: FlaskClient, published: Settings) -> None:
    path = "/v1/articles/ferry-strike/related?k=50&kind=any&floor=0"
    before = client.get(path)
    assert b"ferry-vote" in before.data

    withdraw(published, ["ferry-vote"])

    after = client.get(path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert b'"ferry-vote"' not in after.data
    assert client.get(PATH).status_code == 404


def test_a_new_index_drops_what_was_kept(app: Flask, client: FlaskClient, published: Settings) -> None:
    client.get(PATH)
    store(published, [Article("new", "An orchestra opens its season", language="en")])
    publish(published)
    assert client.get(PATH).json["snapshot"] == "s00000002"  # type: ignore[index]
    assert len(_lane(app)._kept) == 1


def test_what_is_no_good_answer_is_not_kept(app: Flask, client: FlaskClient) -> None:
    for path in ("/v1/articles/nobody/related", "/v1/articles/ferry-vote/related?k=x"):
        for _ in range(2):
            assert client.get(path).status_code in (400, 404)
            assert client.head(path).data == b""
    assert len(_lane(app)._kept) == 0


@pytest.mark.parametrize(("ends_in", "kept_for"), [(None, 3600), (90, 90), (5000, 3600), (-10, 3600)])
def test_an_answer_is_kept_for_an_hour_or_until_a_rule_of_the_desk_ends(
    published: Settings, ends_in: int | None, kept_for: int
) -> None:
    if ends_in is not None:
        end = NOW + timedelta(seconds=ends_in)
        rule = f'[[boost]]\nsection = "business"\nfactor = 2.0\nuntil = {end.isoformat()}\n'
        Home(published.home).rules.write_text(rule, encoding="utf-8")
    app = create_app(published)
    now = [0.0]
    live = app.extensions["recommender.live"]
    lane = FastLane(
        _lane(app)._app, live, max_bytes=10**6, clock=lambda: now[0], wall_clock=lambda: NOW + timedelta(seconds=now[0])
    )
    app.wsgi_app = lane  # type: ignore[method-assign]
    for now[0] in (0.0, kept_for - 0.5):
        app.test_client().get(PATH)
    assert (lane.hits, lane.misses) == (1, 1)
    now[0] = kept_for
    app.test_client().get(PATH)
    assert (lane.hits, lane.misses) == (1, 2)
    live.stop()


def test_the_store_has_a_bound(app: Flask, client: FlaskClient) -> None:
    lane = FastLane(_lane(app)._app, app.extensions["recommender.live"], max_bytes=8_000)
    app.wsgi_app = lane  # type: ignore[method-assign]
    for k in range(1, 30):
        client.get(f"/v1/articles/ferry-vote/related?k={k}")
    assert 0 < lane._n_bytes <= 8_000
    assert lane._n_bytes == sum(kept.n_bytes for kept in lane._kept.values())


def test_of_a_full_store_the_one_asked_for_last_stays(app: Flask, client: FlaskClient) -> None:
    client.get(PATH)
    size = _lane(app)._n_bytes
    lane = FastLane(_lane(app)._app, app.extensions["recommender.live"], max_bytes=2 * size)
    app.wsgi_app = lane  # type: ignore[method-assign]
    for k in (3, 2, 3, 1):
        client.get(f"/v1/articles/ferry-vote/related?k={k}")
    assert ("/v1/articles/ferry-vote/related", "k=3", "") in lane._kept
    assert ("/v1/articles/ferry-vote/related", "k=2", "") not in lane._kept


def test_lists_of_old_stories_are_kept_longer_and_empty_ones_hardly() -> None:
    def of(days: float) -> int:
        return max_age(NOW - timedelta(days=days), NOW, empty=False)

    assert [of(days) for days in (-1, 0.5, 2, 20, 200, 2000)] == [120, 120, 600, 3600, 86_400, 7 * 86_400]
    assert max_age(None, NOW, empty=False) == 3600
    assert max_age(None, NOW, empty=False, of_article=False) == 120
    assert max_age(NOW, NOW, empty=True) == 30


def test_caches_know_which_stories_a_list_names(client: FlaskClient) -> None:
    answer = client.get(PATH)
    keys = answer.headers["Surrogate-Key"].split()
    ids = [result["id"] for result in answer.json["results"]]  # type: ignore[index]
    assert keys == ["lists", *(surrogate_key(each) for each in ("ferry-vote", *ids))]
    assert _seconds(answer) == 86_400 or _seconds(answer) == 7 * 86_400
    assert "stale-while-revalidate" in answer.headers["Cache-Control"]
    assert "stale-if-error=86400" in answer.headers["Cache-Control"]
