from __future__ import annotations

import inspect
import re

import pytest

from recommender import errors
from recommender.errors import (
    EXIT_CODES,
    HTTP_STATUSES,
    EncoderError,
    GateError,
    RecommenderError,
    RulesError,
    SnapshotError,
    Suggestion,
    UnknownArticleError,
    exit_code,
    http_status,
)

CLASSES = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, RecommenderError)
]  # in the order of names
LEAVES = [kind for kind in CLASSES if not kind.__subclasses__()]


def _drawn() -> dict[str, str]:
    """Return each class of the picture in the docstring with the class above it."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for indent, name in re.findall(r"^    ([│├└─ ]*)(\w+Error)\b", str(errors.__doc__), re.MULTILINE):
        path[len(indent) // 4 :] = [name]
        parents[name] = path[-2] if len(path) > 1 else "Exception"
    return parents


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    assert _drawn() == {kind.__name__: kind.__base__.__name__ for kind in CLASSES if kind.__base__}


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_leaf_has_a_row_in_both_tables(leaf: type[RecommenderError]) -> None:
    assert leaf in EXIT_CODES
    assert leaf in HTTP_STATUSES


def test_both_tables_speak_of_the_same_errors() -> None:
    assert EXIT_CODES.keys() == HTTP_STATUSES.keys()


def test_an_error_below_a_row_takes_that_row() -> None:
    class HalfSnapshotError(SnapshotError):
        pass

    assert exit_code(HalfSnapshotError("")) == EXIT_CODES[SnapshotError]
    assert http_status(HalfSnapshotError("")) == HTTP_STATUSES[SnapshotError]


def test_an_error_without_a_row_is_refused_and_the_servers_fault() -> None:
    assert exit_code(RecommenderError("")) == 1
    assert http_status(RecommenderError("")) == (500, "internal")


@pytest.mark.parametrize("kind", EXIT_CODES)
def test_exit_codes_are_those_of_the_command_line(kind: type[RecommenderError]) -> None:
    assert EXIT_CODES[kind] == (2 if kind.__name__ in ("QueryError", "SettingsError") else 1)


@pytest.mark.parametrize(("status", "name"), HTTP_STATUSES.values())
def test_an_http_row_is_an_error_status_and_a_word_for_machines(status: int, name: str) -> None:
    assert 400 <= status < 600
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)


def test_an_unknown_article_carries_what_was_near() -> None:
    error = UnknownArticleError("no such article", [Suggestion("a1", "One"), Suggestion("a2", "Two")])

    assert str(error) == "no such article"
    assert error.suggestions == (("a1", "One"), ("a2", "Two"))
    assert UnknownArticleError("none").suggestions == ()


def test_refused_rules_carry_every_problem_and_a_held_back_index_what_changed() -> None:
    assert RulesError("two problems", ["pin 1: one", "pin 2: two"]).problems == ("pin 1: one", "pin 2: two")
    assert GateError("held back", ["compared with", "- gone"]).lines == ("compared with", "- gone")
    assert (str(RulesError("a")), RulesError("a").problems, GateError("a").lines) == ("a", (), ())


def test_a_missing_encoder_is_caught_with_every_other_encoder_error() -> None:
    assert issubclass(errors.EncoderMissingError, EncoderError)
    assert issubclass(errors.EncoderDisabledError, EncoderError)
