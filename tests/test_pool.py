"""Free texts wait for each other and for nobody else; what cannot be encoded in time is answered by its words."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from flask.testing import FlaskClient

from recommender import compose
from recommender.encoder import HashingEncoder
from recommender.errors import EncoderBusyError, EncoderError, EncoderLateError, EncoderMissingError
from recommender.recommend import Live
from recommender.recommend.pool import EncoderPool
from recommender.settings import Settings
from recommender.vectors import Matrix
from recommender.web import create_app


class Gated(HashingEncoder):
    """Encodes when it is let; counts what it was given."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun = threading.Event()
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> Matrix:
        self.texts += texts
        self.begun.set()
        self.open.wait(20)
        return super().encode(texts)


@pytest.fixture
def gated() -> Iterator[Gated]:
    encoder = Gated()
    yield encoder
    encoder.open.set()


def test_vectors_are_the_encoders_in_the_order_asked(gated: Gated) -> None:
    gated.open.set()
    pool = EncoderPool(lambda: gated)
    texts = ["ferry", "harbour strike", "ferry"]

    assert np.array_equal(pool.encode(texts), HashingEncoder().encode(texts))
    assert gated.texts == ["ferry", "harbour strike"]
    pool.encode(["harbour strike"])
    assert len(gated.texts) == 2
    pool.close()


def test_two_who_ask_the_same_at_once_are_answered_by_one_encoding(gated: Gated) -> None:
    pool = EncoderPool(lambda: gated)
    with ThreadPoolExecutor(2) as readers:
        asked = [readers.submit(pool.encode, ["ferry"]) for _ in range(2)]
        gated.begun.wait(10)
        gated.open.set()
        assert np.array_equal(asked[0].result(), asked[1].result())
    assert gated.texts == ["ferry"]
    pool.close()


def test_what_is_to_be_done_meanwhile_is_done_before_the_vectors_are_there(gated: Gated) -> None:
    pool = EncoderPool(lambda: gated, patience_seconds=10)

    assert np.array_equal(pool.encode(["ferry"], gated.open.set), HashingEncoder().encode(["ferry"]))
    done: list[int] = []
    pool.encode(["ferry"], lambda: done.append(1))  # is remembered
    assert done == [1]
    pool.close()


def test_one_too_many_is_refused_at_once(gated: Gated) -> None:
    pool = EncoderPool(lambda: gated, most_waiting=2, patience_seconds=0.01)
    for text in ("one", "two"):
        with pytest.raises(EncoderLateError):
            pool.encode([text])
    with pytest.raises(EncoderBusyError, match="2 questions wait to be encoded already"):
        pool.encode(["three"], lambda: pytest.fail("nothing is to be done for one that is refused"))
    with pytest.raises(EncoderLateError):
        pool.encode(["two"])  # is under way
    gated.open.set()
    pool.close()


def test_what_came_too_late_is_there_for_the_next_one(gated: Gated) -> None:
    pool = EncoderPool(lambda: gated, patience_seconds=0.01)
    with pytest.raises(EncoderLateError, match=r"over 0\.01 seconds"):
        pool.encode(["ferry"])
    gated.open.set()
    for future in list(pool._under_way.values()):
        future.result(10)
    assert pool.encode(["ferry"]).shape == (1, HashingEncoder().dim)
    assert gated.texts == ["ferry"]
    pool.close()


def test_an_error_is_told_to_each_who_asks_and_not_remembered() -> None:
    failing = [True]

    def opened() -> HashingEncoder:
        if failing[0]:
            raise EncoderMissingError("no weights")
        return HashingEncoder()

    pool = EncoderPool(opened)
    for _ in range(2):
        with pytest.raises(EncoderMissingError, match="no weights"):
            pool.encode(["ferry"])
    failing[0] = False
    assert len(pool.encode(["ferry"])) == 1
    assert pool.n_waiting == 0
    pool.close()


def test_when_the_process_ends_nothing_is_encoded_and_nothing_waits(gated: Gated) -> None:
    gated.open.set()
    pool = EncoderPool(lambda: gated)
    pool.encode(["a"])
    pool.close()
    assert len(pool.encode(["a"])) == 1  # is remembered
    with pytest.raises(EncoderError, match="the process ends"):
        pool.encode(["b"])
    assert pool.n_waiting == 0


def test_only_the_last_texts_are_remembered(gated: Gated) -> None:
    gated.open.set()
    pool = EncoderPool(lambda: gated, most_remembered=2)
    for text in ("one", "two", "one", "three", "one"):
        pool.encode([text])
    assert gated.texts == ["one", "two", "three"]
    pool.close()


# --- over HTTP ---


@pytest.fixture
def client(published: Settings, gated: Gated, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    monkeypatch.setattr(compose, "open_encoder", lambda home, settings, **more: gated)
    serve = published.serve.model_copy(update={"encode_seconds": 0.05, "encode_waiting": 1})
    app = create_app(published.model_copy(update={"serve": serve}))
    yield app.test_client()
    gated.open.set()
    live: Live = app.extensions["recommender.live"]
    live.stop()


def test_while_the_encoder_is_slow_words_answer_and_say_so(client: FlaskClient, gated: Gated) -> None:
    slow = client.get("/v1/search?q=penalties+of+the+goalkeeper")

    assert slow.status_code == 200
    assert slow.json is not None
    assert slow.json["results"][0]["id"] == "cup-final"
    assert slow.json["note"] == "found by words alone: the text could not be encoded in time"
    assert slow.headers["Cache-Control"] == "no-store"
    assert client.get("/v1/articles/ferry-vote/related").status_code == 200
    gated.open.set()


def test_when_too_many_wait_the_next_one_is_told_to_come_again(client: FlaskClient, gated: Gated) -> None:
    client.get("/v1/search?q=one")
    refused = client.get("/v1/search?q=two")

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert refused.json == {
        "error": {
            "type": "encoder_busy",
            "message": "too many free texts are being answered at the moment; ask again in a second",
        }
    }
    assert client.get("/v1/articles/ferry-vote/related").status_code == 200


def test_an_encoder_that_fails_leaves_search_by_words(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: object, **more: object) -> None:
        raise EncoderError("the export is damaged")

    monkeypatch.setattr(compose, "open_encoder", fails)
    app = create_app(published)
    answer = app.test_client().get("/v1/search?q=cup+final").json
    assert answer is not None
    assert (answer["results"][0]["id"], "note" in answer) == ("cup-final", True)
    app.extensions["recommender.live"].stop()
