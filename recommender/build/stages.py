"""How a rebuild tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Stage(Protocol):
    """Watches one stage of a rebuild."""

    def __call__(self, stage: str, done: int, total: int, unit: str) -> None:
        """Take note: ``done`` of ``total`` units of this stage are finished."""
        ...


def unwatched(stage: str, done: int, total: int, unit: str) -> None:
    """Take no note."""
