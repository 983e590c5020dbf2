"""Homes that several test files share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from newsroom import publish, settings_for, store, stories, wider_stories

from recommender.settings import Settings
from recommender.web import create_app


@pytest.fixture(autouse=True, scope="session")
def hears_interrupts() -> None:
    """Let programs that tests start hear Ctrl-C, also where the tests run in a shell's background, which lets nothing hear it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def own_priority() -> Iterator[None]:
    """Let commands that run in the tests' own process leave its priority alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recommender.processes.yield_to_others", lambda: None)
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a home that does not exist yet."""
    return settings_for(tmp_path / "home")


@pytest.fixture
def filled(settings: Settings) -> Settings:
    """Settings of a home with seven stories and no snapshot."""
    store(settings, stories())
    return settings


@pytest.fixture
def published(filled: Settings) -> Settings:
    """Settings of a home with seven stories and one snapshot."""
    publish(filled)
    return filled


@pytest.fixture
def app(published: Settings) -> Iterator[Flask]:
    """The service over a home with seven stories."""
    made = create_app(published)
    yield made
    made.extensions["recommender.live"].stop()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Who asks it."""
    return app.test_client()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a published home that no test may write to."""
    made = settings_for(tmp_path_factory.mktemp("shared") / "home")
    store(made, stories())
    publish(made)
    return made


@pytest.fixture(scope="session")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a published home with stories of three kinds, tags, authors and a near-copy; no test may write to it."""
    made = settings_for(tmp_path_factory.mktemp("wide") / "home")
    store(made, wider_stories())
    publish(made)
    return made


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory and an environment that name the encoder without a model and a home beside them."""
    for name in os.environ:
        if name.startswith("RECOMMENDER_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECOMMENDER_ENCODER__MODEL", "hashing")
    monkeypatch.setenv("RECOMMENDER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
