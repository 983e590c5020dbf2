"""ARCHITECTURE.md against the source: its picture, its table of rooms, and what serving may load."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import import_module

import pytest
from test_architecture import FILES, FREE, OWNERS, PACKAGE, _room, _rooms_imported

import recommender
from recommender.settings import Settings

PAGE = (PACKAGE.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
SCRIPTS = sorted((PACKAGE.parent / "scripts").glob("*.py"))


def _drawn_layers() -> dict[str, int]:
    """Return the layer of each room as the picture has it."""
    picture = re.search(r"^## Rooms\n\n((?: {4}layer .*\n)+)", PAGE, re.MULTILINE)
    assert picture
    layers: dict[str, int] = {}
    for line in picture[1].splitlines():
        _, number, rooms = line.split(maxsplit=2)
        for room in re.sub(r" {4,}\S.*: .*|\([a-z ]+\)", "", rooms).split():
            layers[room.rstrip("/")] = int(number)
    return layers


LAYERS = _drawn_layers()
ROOMS = {_room(file) for file in FILES} - {"__main__"}


def test_the_picture_shows_every_room_and_no_other() -> None:
    assert set(LAYERS) == ROOMS | {"scripts"}


@pytest.mark.parametrize("room", sorted({*ROOMS, "scripts"}))
def test_every_arrow_points_down_in_the_picture(room: str) -> None:
    files = SCRIPTS if room == "scripts" else [file for file in FILES if _room(file) == room]
    imported = {other for file in files for other in _rooms_imported(file)} - {room}

    # A name that the package itself gives away (``from recommender import X``) counts as the room that it comes from.
    others = {recommender._PUBLIC[other].split(".")[1] if other in recommender._PUBLIC else other for other in imported}
    wrong = {other for other in others if LAYERS[other] >= LAYERS[room]}
    assert not wrong, f"the picture has {room} in layer {LAYERS[room]}, and it imports {wrong}: draw it above"


def test_the_table_names_every_room_once_and_the_libraries_it_owns() -> None:
    rows = re.findall(r"^\| (`[a-z][^|]*) \| [^|]+ \| ([^|]*?) ?\|$", PAGE.split("## Rooms")[1].split("\n## ")[0], re.M)
    named = [room.rstrip("/") for cell, _ in rows for room in re.findall(r"`([a-z_/]+)`", cell)]
    owned = {
        library.replace("-", "_"): cell
        for cell, libraries in rows
        for library in re.findall(r"[A-Za-z0-9_-]+", re.sub(r"\([^)]*\)", "", libraries))
    }

    assert sorted(named) == sorted(ROOMS)
    for library in owned.keys() - FREE:
        assert f"`{OWNERS[library]}" in owned[library], f"{library} belongs to {OWNERS[library]}"


@pytest.mark.parametrize("name", recommender.__all__)
def test_a_public_name_is_what_it_says_however_often_and_late_it_is_imported(name: str) -> None:
    for _ in range(2):
        assert getattr(recommender, name) is getattr(import_module(recommender._PUBLIC[name]), name)


def test_no_public_name_is_also_a_room() -> None:
    """A room that has been imported becomes an attribute of the package and would hide the name."""
    assert not set(recommender.__all__) & ROOMS


def test_answering_for_a_known_article_loads_no_model_no_tokenizer_and_no_web(shared: Settings) -> None:
    heavy = ["torch", "sentence_transformers", "transformers", "onnxruntime", "tokenizers", "flask"]
    program = f"""
import json, sys
from pathlib import Path
from recommender import Recommender, load_settings
flags = {{"home": Path(sys.argv[1]), "encoder.model": "hashing"}}
found = Recommender.open(load_settings(None, flags)).related("ferry-strike").results
print(json.dumps([len(found), [name for name in {heavy!r} if name in sys.modules]]))
"""
    command = [sys.executable, "-c", program, str(shared.home)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=shared.home)

    n_found, loaded = json.loads(done.stdout)
    assert n_found > 0
    assert loaded == []
