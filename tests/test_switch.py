"""A change of encoder: its vectors made beside a running service, one publication, and the way back."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import test_cli
from flask.testing import FlaskClient
from newsroom import publish, settings_for, store, stories
from test_cli import Command

from recommender import compose
from recommender.article import Article
from recommender.catalog import Catalog
from recommender.encoder import Encoder, HashingEncoder
from recommender.errors import BusyError, EncoderMissingError
from recommender.home import Home
from recommender.recommend import Recommender
from recommender.settings import EncoderSettings, Settings, with_flags
from recommender.vectors import Matrix, normalise
from recommender.web import create_app

command, ready, source = test_cli.command, test_cli.ready, test_cli.source


class Recorder:
    """What every encoder was given, in order, and what happens each time."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self.at_each: Callable[[], None] = lambda: None

    def texts(self, encoder: str) -> list[str]:
        return [text for name, texts in self.calls for text in texts if name == encoder]


class Fake(HashingEncoder):
    """The encoder without a model under another name, of other length, which tells what it is given."""

    def __init__(self, settings: EncoderSettings, recorder: Recorder) -> None:
        self.name = f"{settings.model}{settings.prompt}@1"
        self.dim = 256 if settings.model == "hashing" else 128
        self._prompt = settings.prompt
        self._recorder = recorder

    def encode(self, texts: Sequence[str]) -> Matrix:
        self._recorder.at_each()
        self._recorder.calls.append((self.name, tuple(texts)))
        full = HashingEncoder.dim
        vectors = HashingEncoder().encode([self._prompt + text for text in texts])
        assert vectors.shape[1] == full
        return normalise(vectors[:, : self.dim])


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Let the settings' names open fakes: any name but ``none`` and ``missing`` is one."""
    made = Recorder()
    original = compose.open_encoder

    def opened(home: Home, settings: EncoderSettings, *, tell: compose.Tell = lambda message: None) -> Encoder:
        if settings.model == "none":
            return original(home, settings)
        if settings.model == "missing":
            raise EncoderMissingError("the encoder has not been exported yet")
        return Fake(settings, made)

    monkeypatch.setattr(compose, "open_encoder", opened)
    monkeypatch.setattr(compose, "open_build_encoder", opened)
    monkeypatch.setattr(compose, "is_exported", lambda home, settings: settings.model != "missing")
    return made


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a page of texts be small, so that a few stories make several."""
    monkeypatch.setattr("recommender.build.pages.PAGE_TEXTS", 4)


def with_encoder(settings: Settings, **encoder: str) -> Settings:
    """Return the same settings with another encoder, whatever the environment says."""
    return with_flags(settings, {f"encoder.{name}": value for name, value in encoder.items()})


def published_with(settings: Settings, **encoder: str) -> None:
    changed = with_encoder(settings, **encoder)
    publish(changed, compose.open_build_encoder(Home(settings.home), changed.encoder))


def test_the_reader_opens_the_encoder_of_the_snapshot_whatever_the_settings_name(
    filled: Settings, recorder: Recorder
) -> None:
    published_with(filled, model="new", prompt="query: ")
    opened = Recommender.open(filled)
    recorder.calls.clear()

    assert opened.search("ferry strike").results
    assert [name for name, _ in recorder.calls] == ["newquery: @1"]
    assert opened.related("ferry-vote").results


def test_none_stays_none_whatever_the_snapshot_was_made_with(filled: Settings, recorder: Recorder) -> None:
    published_with(filled, model="new")
    made_with = {"model": "new", "prompt": ""}
    for settings in (EncoderSettings(model="none", prompt="p"), EncoderSettings(model="none")):
        assert compose.encoder_settings(settings, made_with) == settings
    ours = EncoderSettings(model="hashing", prompt="p", runtime="torch", threads=3)
    assert compose.encoder_settings(ours, made_with) == EncoderSettings(model="new", runtime="torch", threads=3)


def asked(client: FlaskClient) -> tuple[int, str]:
    """Ask for a free text and a known article; return the status and the snapshot that answered both."""
    text, known = client.get("/v1/search?q=ferry+strike"), client.get("/v1/articles/ferry-vote/related")
    assert text.status_code == known.status_code == 200
    assert text.get_json()["snapshot"] == known.get_json()["snapshot"]
    return text.status_code, text.get_json()["snapshot"]


def test_every_worker_follows_the_switch_and_the_way_back_without_a_restart(
    command: Command, environment: Path, filled: Settings, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers and one without an encoder, all with the old settings, while the encoder changes under them."""
    assert command("rebuild").code == 0
    workers = [create_app(filled).test_client() for _ in range(2)]
    without = create_app(with_encoder(filled, model="none")).test_client()
    assert [asked(worker) for worker in workers] == [(200, "s00000001")] * 2

    assert command("embed", "--model", "new").code == 0
    assert [asked(worker) for worker in workers] == [(200, "s00000001")] * 2
    monkeypatch.setenv("RECOMMENDER_ENCODER__MODEL", "new")
    switched = command("rebuild", "--json")
    assert (switched.data["snapshot"], switched.data["n_texts_encoded"]) == ("s00000002", 0)
    recorder.calls.clear()
    assert [asked(worker) for worker in workers] == [(200, "s00000002")] * 2
    assert [name for name, _ in recorder.calls] == ["new@1", "new@1"]
    assert without.get("/v1/articles/ferry-vote/related").get_json()["snapshot"] == "s00000002"
    assert without.get("/v1/search?q=ferry").get_json()["error"]["type"] == "encoder_disabled"

    assert command("rollback").code == 0
    recorder.calls.clear()
    assert [asked(worker) for worker in workers] == [(200, "s00000001")] * 2
    assert [name for name, _ in recorder.calls] == ["hashing@1", "hashing@1"]
    assert command("rollback", "--to", "s00000002").code == 0
    assert [asked(worker) for worker in workers] == [(200, "s00000002")] * 2


def test_an_interrupted_run_goes_on_where_it_stopped_and_encodes_nothing_twice(
    command: Command, environment: Path, filled: Settings, recorder: Recorder, pages: None
) -> None:
    n_calls = iter(range(100))

    def interrupt() -> None:
        if next(n_calls) == 2:
            raise KeyboardInterrupt

    recorder.at_each = interrupt
    stopped = command("embed", "--model", "new")
    assert (stopped.code, stopped.out) == (130, "")
    first = recorder.texts("new@1")
    assert first
    recorder.at_each = lambda: None
    ended = command("embed", "--model", "new", "--json")
    every = recorder.texts("new@1")
    assert ended.data == {
        "encoder": "new@1",
        "n_texts_encoded": len(every) - len(first),
        "n_vectors": vectors_of(filled, "new@1"),
    }
    assert len(set(every)) == len(every) > len(first)

    again = command("embed", "--model", "new")
    assert again.out.startswith("0 texts were encoded, the others were known: ")
    assert recorder.texts("new@1") == every


def vectors_of(settings: Settings, encoder: str) -> int:
    with Catalog(Home(settings.home).catalog) as catalog:
        count: int = catalog.counts()["embeddings"].get(encoder, 0)
    return count


def test_nothing_is_published_and_no_link_is_touched(
    command: Command, environment: Path, filled: Settings, recorder: Recorder
) -> None:
    with sqlite3.connect(environment / "catalog.db") as db:
        before = db.execute("SELECT * FROM links").fetchall()
    done = command("embed", "--model", "new", "--prompt", "passage: ")
    assert done.code == 0
    assert done.err == (
        "to use them, set encoder.model = 'new' and encoder.prompt = 'passage: ' where you rebuild, and run: "
        "recommender rebuild\n"
    )
    assert not (environment / "CURRENT").exists()
    with sqlite3.connect(environment / "catalog.db") as db:
        assert db.execute("SELECT * FROM links").fetchall() == before
    assert vectors_of(filled, "newpassage: @1") > 0


def test_service_ingest_and_rebuild_go_on_beside_it(
    command: Command, environment: Path, filled: Settings, recorder: Recorder, pages: None
) -> None:
    """In the middle of the run, a page is answered, an article comes in and another index is published."""
    assert command("rebuild").code == 0
    client = create_app(filled).test_client()
    beside: Iterator[int] = iter(range(100))

    def live() -> None:
        if next(beside) == 1:
            recorder.at_each = lambda: None
            store(filled, [Article("fresh", "A fresh story of the ferries", language="en")])
            published_with(filled, model="hashing")
            assert asked(client) == (200, "s00000002")

    recorder.at_each = live
    assert command("embed", "--model", "new").code == 0
    assert client.get("/v1/articles/fresh/related").status_code == 200
    assert Recommender.open(filled).snapshot.manifest["encoder"]["name"] == "hashing@1"
    left = command("embed", "--model", "new", "--json").data["n_texts_encoded"]
    assert left <= 1  # the fresh story may have come behind the page that was read


def test_a_second_run_is_refused_and_a_writer_is_not(
    command: Command, environment: Path, filled: Settings, recorder: Recorder
) -> None:
    home = Home(filled.home)
    with home.embedder():
        done = command("embed", "--model", "new")
        assert done.code == 1
        assert f"process {os.getpid()}, an embed since " in done.err
        with pytest.raises(BusyError), home.embedder():
            pass
        assert command("rebuild").code == 0
    with home.writer("a test"):
        assert command("embed", "--model", "new").code == 0


def test_the_priority_is_lowered(
    command: Command, environment: Path, filled: Settings, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("recommender.processes.yield_to_others", lambda: asked.append("embed"))
    assert command("embed", "--model", "new").code == 0
    assert asked == ["embed"]
    assert command("rebuild").code == 0
    assert len(asked) == 2


def test_an_export_waits_for_no_writer_and_lets_none_in(
    command: Command, environment: Path, filled: Settings, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose, "is_exported", lambda home, settings: False)
    with Home(filled.home).writer("a test"):
        assert "a test since" in command("embed", "--model", "new").err
    assert command("embed", "--model", "new").code == 0


@pytest.mark.parametrize("arguments", [["embed"], ["embed", "--model", "none"]])
def test_without_a_catalog_or_an_encoder_there_is_nothing_to_do(
    command: Command, environment: Path, arguments: list[str]
) -> None:
    done = command(*arguments)
    assert (done.code, done.out) == (1, "")
    assert "there is no catalog yet" in done.err
    assert not environment.exists()
    store(settings_for(environment), stories())
    if "none" in arguments:
        assert "encoder.model = 'none'" in command(*arguments).err


def test_going_back_to_an_encoder_that_is_not_here_is_told(
    command: Command, environment: Path, filled: Settings, recorder: Recorder
) -> None:
    changed = with_encoder(filled, model="missing")
    publish(changed, Fake(changed.encoder, recorder))
    published_with(filled, model="hashing")

    done = command("rollback")

    assert done.code == 0
    assert "warning: its encoder is not here, so it answers for known articles only" in done.err
    assert "run: recommender embed --model missing --prompt ''\n" in done.err
    client = create_app(filled).test_client()
    assert client.get("/v1/articles/ferry-vote/related").status_code == 200
    found = client.get("/v1/search?q=ferry").json
    assert found is not None
    assert found["note"] == "found by words alone: the text could not be encoded in time"
