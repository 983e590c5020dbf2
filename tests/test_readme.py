"""What README and docs/ show is run: shell blocks word by word, Python blocks, settings. Blocks marked ``console`` are pictures."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recommender.settings import load_settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory as a reader has it: the sample corpus, and .venv/ with this very environment."""
    place = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "seeds", place / "seeds")
    scripts = place / ".venv" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "activate").write_text(f'export PATH="{scripts}:$PATH"\n', encoding="utf-8")
    program = scripts / "recommender"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m recommender "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return place


def run(place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RECOMMENDER_")}
    environment = kept | {"RECOMMENDER_ENCODER__MODEL": "hashing"}
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_shell_and_python_blocks_run_as_they_stand(place: Path) -> None:
    assert blocks("sh")
    assert blocks("python")
    for block in blocks("sh"):
        finished = run(place, "bash", "-euc", block)
        assert finished.returncode == 0, f"{block}\n{finished.stderr}"
    for block in blocks("python"):
        finished = run(place, sys.executable, "-c", block)
        assert finished.returncode == 0, f"{block}\n{finished.stderr}"
        assert "Berlin talks: Witkoff points to progress in negotiations" in finished.stdout


@pytest.mark.slow
def test_the_shell_blocks_of_the_operators_run_as_they_stand(place: Path) -> None:
    (place / ".venv" / "bin" / "python").symlink_to(sys.executable)
    assert len(blocks("sh", OPERATIONS)) >= 4
    for block in blocks("sh", OPERATIONS):
        finished = run(place, "bash", "-euc", block)
        assert finished.returncode == 0, f"{block}\n{finished.stderr}"


def test_the_operators_settings_are_settings(tmp_path: Path) -> None:
    assert blocks("toml", OPERATIONS)
    for block in blocks("toml", OPERATIONS):
        file = tmp_path / "recommender.toml"
        file.write_text(block, encoding="utf-8")
        assert load_settings(file) != load_settings(Path(os.devnull))


def test_the_settings_block_holds_the_defaults(tmp_path: Path) -> None:
    (block,) = blocks("toml")
    file = tmp_path / "recommender.toml"
    file.write_text(block, encoding="utf-8")
    assert load_settings(file) == load_settings(Path(os.devnull))


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "operations.md"], ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    assert linked
    assert [name for name in linked if not (page.parent / name).exists()] == []
    named = re.findall(r"\b((?:scripts|deploy)/[\w.-]+\w)", text)
    assert [name for name in named if not (ROOT / name).exists()] == []
