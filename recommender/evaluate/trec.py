"""Judgments and runs as TREC files, for trec_eval, ir_measures and every other tool that reads them."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from recommender.errors import InputError
from recommender.evaluate.result import ANY_DATE, PAST_ONLY
from recommender.measures import Qrels, Run

QRELS_FILE = "qrels.txt"


def write_trec(
    folder: Path, any_date: Mapping[str, Run], qrels: Qrels, *, past_only: Mapping[str, Run] | None = None
) -> tuple[Path, ...]:
    """Write ``qrels.txt`` and a file ``SCOPE.SYSTEM.run`` for each scope and system; return all of them.

    Queries stand in order of id. The score of an article is the number of those at or below it in its list, so that
    whoever sorts by score gets the list as it was. The last column is the system. ``measures.read_run`` reads the files
    back. The folder is made where it is missing; files of the same names are replaced.

    Raises:
        InputError: two systems would share a file, or the folder cannot be written.
    """
    files = {QRELS_FILE: "".join(_qrels_lines(qrels))}
    for scope, systems in ((ANY_DATE, any_date), (PAST_ONLY, past_only or {})):
        for system, run in systems.items():
            name = f"{file_name(scope)}.{file_name(system)}.run"
            if name in files:
                raise InputError(f"{folder}: two systems would be written to {name}; name {system!r} otherwise")
            files[name] = "".join(_run_lines(run, file_name(system)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); name a folder that can") from error
    return tuple(folder / name for name in files)


def check_folder(folder: Path) -> None:
    """Raise InputError where :func:`write_trec` could not make or write the folder; nothing is left there."""
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        if not nearest.is_dir():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); name a folder that can") from error


def file_name(name: str) -> str:
    """Return a name in small letters, digits, dots and hyphens, fit for a file and for a column."""
    return re.sub(r"[^\w.]+", "-", name.casefold()).strip("-.") or "system"


def trec_id(article_id: str) -> str:
    """Return an id that can stand in a TREC file, whose columns are parted by blanks: a blank in it becomes %20."""
    return "%20".join(article_id.split())


def _qrels_lines(qrels: Qrels) -> Iterator[str]:
    for query in sorted(qrels):
        for article_id, grade in sorted(qrels[query].items()):
            yield f"{trec_id(query)} 0 {trec_id(article_id)} {grade}\n"


def _run_lines(run: Mapping[str, Sequence[str]], tag: str) -> Iterator[str]:
    for query in sorted(run):
        depth = len(run[query])
        for position, article_id in enumerate(run[query]):
            yield f"{trec_id(query)} Q0 {trec_id(article_id)} {position + 1} {depth - position} {tag}\n"
