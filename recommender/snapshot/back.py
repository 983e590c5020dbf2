"""Going back to a snapshot that was live before."""

from __future__ import annotations

from collections.abc import Callable

from recommender.disk import sha256
from recommender.errors import SnapshotError
from recommender.home import Home
from recommender.snapshot.current import REBUILD, former, names, read_current, readable, taking_over, write_current
from recommender.snapshot.live import Snapshot, load


def roll_back(
    home: Home, to: str | None = None, *, check: Callable[[Snapshot], None] = lambda snapshot: None
) -> Snapshot:
    """Make an earlier snapshot live again and return it; every byte of it is checked first.

    Going back twice goes two back, never forth again to what was left; ``to`` reaches any snapshot that is still there. Only
    what is live changes: no snapshot is touched, and the next one that is published gets a number of its own. The caller
    holds the home's writer lock.

    Args:
        home: where.
        to: name of the snapshot; the one that was live before where None.
        check: called with the loaded snapshot before it goes live; what it raises stops this.

    Raises:
        NoSnapshotError: nothing has been published here.
        SnapshotError: there is nothing to go back to, or it is damaged; what is live stays.
    """
    target = _former(home) if to is None else to
    there = names(home)
    if target not in there:
        raise SnapshotError(
            f"{home.path}: there is no snapshot {target[:100]!r}; there are {', '.join(there) or 'none'}"
        )
    try:
        found = load(home, target)
        check(found)
    except SnapshotError as error:
        current = readable(home)
        others = [name for name in there if name not in (target, current.name if current else None)]
        mend = f", or: recommender rollback --to {others[0]}" if others else ""
        raise SnapshotError(f"{error}{mend}. Nothing was changed") from error
    try:
        write_current(home, taking_over(home, target, sha256(home.snapshots / target / "manifest.json")))
    except OSError as error:
        raise SnapshotError(
            f"{home.current}: could not be replaced ({error}); recommender status says what is live"
        ) from error
    return found


def _former(home: Home) -> str:
    live = read_current(home).name
    target = former(home, live)
    if target is None:
        raise SnapshotError(
            f"{home.path}: no snapshot that was live before {live} is left, there is nothing to go back to; {REBUILD}"
        )
    return target
