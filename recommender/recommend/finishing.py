"""Every article's list as readers are served it, finished when an index is built; see ``recommender.ready``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from recommender.answer import Options, options_of
from recommender.ready import packed
from recommender.recommend.finished import stored
from recommender.recommend.parts import Watch, opened, row_by_row
from recommender.recommend.recommender import Recommender
from recommender.settings import Settings
from recommender.snapshot import Finished, Snapshot

_CHUNK = 64


def finish_lists(snapshot: Snapshot, folder: Path, settings: Settings, *, watch: Watch) -> Finished | None:
    """Return the lists of a new index, made as they are taken; None where it keeps no neighbours.

    The desk's rules are not in them: they change by the hour.

    Args:
        snapshot: lies in ``folder``, where other processes open it where it is large.
        folder: see there.
        settings: of this process; they say how lists are served.
        watch: takes note of the progress.
    """
    if snapshot.neighbours is None:
        return None
    made_with = Recommender.over(snapshot, settings, ruled=False).made_with(options_of(settings.ranking))
    return Finished(_every(snapshot, folder, settings, watch), made_with)


def _every(snapshot: Snapshot, folder: Path, settings: Settings, watch: Watch) -> Iterator[bytes]:
    n = len(snapshot)
    parts = [range(start, min(n, start + _CHUNK)) for start in range(0, n, _CHUNK)]
    try:
        yield from row_by_row("finishing lists", _lists, parts, _open, settings, snapshot, folder, watch=watch)
    finally:
        _maker.clear()


_maker: list[tuple[Recommender, Options]] = []  # of a process that finishes lists; one


def _open(settings: Settings, snapshot: Snapshot | str, folder: Path) -> None:
    recommender = Recommender.over(opened(settings, snapshot, folder), settings, ruled=False)
    _maker[:] = [(recommender, options_of(settings.ranking))]


def _lists(rows: range) -> list[bytes]:
    recommender, options = _maker[0]
    ids, stub = recommender.snapshot.dense.ids, recommender.snapshot.columns.stub
    return [b"" if stub[row] else packed(stored(recommender.related(ids[row], options))) for row in rows]
