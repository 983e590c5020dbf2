"""The source is read with ``ast`` and held to the picture of its rooms; there is no list of exceptions."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

import recommender
from recommender.settings import Settings

PACKAGE = Path(recommender.__file__).parent

LAYERS = (
    {"errors", "text", "markup", "phrases"},
    {"article", "settings", "vectors", "tokens", "measures", "home", "disk", "processes", "memory"},
    {
        *("readers", "catalog", "encoder", "dense", "lexical", "graph", "links", "copies"),
        *("rank", "fusion", "editorial", "explain", "language", "keys", "neighbours", "ready", "fetch"),
    },
    {"ingest", "snapshot", "compose", "answer", "evaluate", "desk"},
    {"build", "recommend", "fragment", "backup", "audit", "gather"},
    {"web", "trial", "export"},
    {"cli"},  # above web: `serve` starts the service
    {"__main__"},
)
LAYER_OF = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}

OWNERS = {
    "faiss": "dense",
    "sqlite3": "catalog",
    "flask": "web",
    "werkzeug": "web",
    "granian": "web",
    "markupsafe": "web",
    "prometheus_client": "web",
    "brotli": "web",
    "opentelemetry": "web",
    "click": "cli",
    "tqdm": "cli",
    "torch": "encoder",
    "sentence_transformers": "encoder",
    "transformers": "encoder",
    "onnxruntime": "encoder",
    "tokenizers": "encoder",
    "huggingface_hub": "encoder",
    "rapidfuzz": "links",
    "feedparser": "readers",
    "defusedxml": "readers",
    "urllib3": "fetch",
    "protego": "fetch",
    "rensa": "copies",
    "Stemmer": "tokens",
    "bm25s": "trial",
    "w3lib": "text",
    "lxml": "readers",
    "trafilatura": "readers",
    "charset_normalizer": "readers",
    "tld": "readers",
    "markdown_it": "readers",
    "yaml": "readers",
    "pyarrow": "readers",
    "warcio": "readers",
    "backports": "readers",
    "compression": "readers",  # of the standard library from 3.14
    "pydantic": "settings",
    "pydantic_settings": "settings",
    "py3langid": "language",
}
FREE = {"numpy"}


def _room(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = [file for file in sorted(PACKAGE.rglob("*.py")) if _room(file) != "__init__"]


def _imports(file: Path) -> Iterator[str]:
    """Yield the dotted name of everything that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are written out in full"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _rooms_imported(file: Path) -> set[str]:
    return {name.split(".")[1] for name in _imports(file) if name.startswith("recommender.")}


def _others_imported(file: Path) -> set[str]:
    roots = {name.split(".")[0] for name in _imports(file)} - {"recommender"}
    return {root for root in roots if root not in sys.stdlib_module_names or root in OWNERS}


def test_every_room_stands_in_the_picture_and_the_picture_has_no_other() -> None:
    assert {_room(file) for file in FILES} == set(LAYER_OF)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_point_down_and_siblings_do_not_know_each_other(file: Path) -> None:
    room = _room(file)

    wrong = {other for other in _rooms_imported(file) - {room} if LAYER_OF[other] >= LAYER_OF[room]}

    assert not wrong


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_library_is_imported_by_its_owner_alone(file: Path) -> None:
    wrong = {library for library in _others_imported(file) - FREE if OWNERS.get(library) != _room(file)}

    assert not wrong


def test_every_owner_uses_what_it_owns() -> None:
    used: defaultdict[str, set[str]] = defaultdict(set)
    for file in FILES:
        used[_room(file)] |= _others_imported(file)

    # MarkupSafe comes with Flask's templates, whether a module names it or not.
    assert {library for library, room in OWNERS.items() if library not in used[room]} <= {"markupsafe"}


def test_the_house_itself_imports_no_room_before_it_is_asked_for_one() -> None:
    assert set(_imports(PACKAGE / "__init__.py")) <= {
        "__future__.annotations",
        "importlib.import_module",
        "typing.Any",
    }


@pytest.mark.parametrize("name", recommender.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(recommender, name).__name__ == name


def test_a_name_that_is_not_public_is_not_there() -> None:
    with pytest.raises(AttributeError, match=r"^module 'recommender' has no attribute 'Recomender'$"):
        recommender.Recomender  # noqa: B018


SERVE = """
import sys
from pathlib import Path
from recommender import Recommender, load_settings
settings = load_settings(None, {"home": Path(sys.argv[1]), "encoder.model": "hashing"})
assert len(Recommender.open(settings).related("ferry-strike").results) > 1
print("\\n".join(sys.modules))
"""
HEAVY = {"torch", "sentence_transformers", "transformers", "onnxruntime", "py3langid", "feedparser", "lxml"}


def test_serving_a_known_article_imports_no_model_no_language_detector_and_no_parser(
    shared: Settings, tmp_path: Path
) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", SERVE, str(shared.home)], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert finished.returncode == 0, finished.stderr
    loaded = set(chain.from_iterable(name.split(".")[:1] for name in finished.stdout.split()))
    assert "faiss" in loaded
    assert not loaded & HEAVY
