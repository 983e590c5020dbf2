"""The home that is harmed, made once; each test harms a copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from faults.operations import made
from recommender.home import Home


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with three snapshots; no test may write to it."""
    return made(tmp_path_factory.mktemp("template") / "home")


@pytest.fixture
def home(template: Home, tmp_path: Path) -> Home:
    """A copy of it."""
    shutil.copytree(template.path, tmp_path / "home")
    return Home(tmp_path / "home")
