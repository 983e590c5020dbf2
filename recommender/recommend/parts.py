"""What is made for every row of a new index, part by part, in as many processes as are worth it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from recommender import processes
from recommender.errors import SnapshotError
from recommender.home import Home
from recommender.settings import Settings
from recommender.snapshot import Snapshot, load

P = TypeVar("P")
R = TypeVar("R")
MANY_ROWS = 5_120  # fewer are done before another process has started


class Watch(Protocol):
    """Takes note of the progress."""

    def __call__(self, stage: str, done: int, total: int, unit: str) -> None:
        """Take note: ``done`` of ``total`` units are finished."""
        ...


def n_processes(settings: Settings, n_rows: int) -> int:
    """Return how many processes look through an index of so many rows."""
    return (settings.index.processes or os.cpu_count() or 1) if n_rows >= MANY_ROWS else 1


def row_by_row(
    stage: str,
    work: Callable[[P], Sequence[R]],
    parts: Sequence[P],
    begin: Callable[..., None],
    settings: Settings,
    snapshot: Snapshot,
    folder: Path,
    *told: Any,
    watch: Watch,
) -> Iterator[R]:
    """Yield what ``work`` makes of each row, in the order of rows.

    Args:
        stage: what is being done, e.g. ``finishing lists``.
        work: makes what belongs to the rows of a part; see ``processes.in_order``.
        parts: of the rows, ascending.
        begin: called once in each process with the settings, the snapshot (see :func:`opened`), its folder and ``told``.
        settings: of this process.
        snapshot: lies in ``folder``, where other processes open it.
        folder: see there.
        told: more for ``begin``.
        watch: takes note of the progress.

    Raises:
        SnapshotError: a process ended before its time.
    """
    n, done = len(snapshot), 0
    parallel = n_processes(settings, n)
    begun = (settings, snapshot.name if parallel > 1 else snapshot, folder, *told)
    try:
        for made in processes.in_order(work, parts, parallel, begin, begun):
            yield from made
            done += len(made)
            watch(stage, done, n, "articles")
    except processes.EndedError as error:
        raise SnapshotError(
            f"{folder}: a process ended while {stage} (was the memory full?); the former index stays live. Set fewer "
            "index.processes, or index.neighbours = false"
        ) from error


def opened(settings: Settings, snapshot: Snapshot | str, folder: Path) -> Snapshot:
    """Return the snapshot that a process was told of: itself, or its name where it lies in a folder."""
    return load(Home(settings.home), snapshot, folder=folder) if isinstance(snapshot, str) else snapshot
