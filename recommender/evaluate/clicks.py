"""What readers click, by position and by source: shares with their intervals. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

_Z = 1.959963984540054  # the 97.5 % quantile of the normal distribution


@dataclass(frozen=True, slots=True)
class Share:
    """How often something was shown and clicked.

    Attributes:
        label: a position or a source.
        rate: clicked / shown; 0 where it was never shown.
        low, high: its 95 % Wilson interval.
    """

    label: str
    n_shown: int
    n_clicked: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ClickThrough:
    """What was counted on the newsroom's own pages.

    Attributes:
        since, until: first and last day, UTC.
        all, by_position, by_source: how often stories were clicked where they were shown.
    """

    since: date
    until: date
    all: Share
    by_position: tuple[Share, ...]
    by_source: tuple[Share, ...]


def click_through(
    since: date, until: date, by_position: Mapping[int, tuple[int, int]], by_source: Mapping[str, tuple[int, int]]
) -> ClickThrough:
    """Return what pairs of (shown, clicked) come to, by position ascending and by source, the most shown first."""
    shown, clicked = (sum(each[at] for each in by_position.values()) for at in (0, 1))
    sources = sorted(by_source.items(), key=lambda item: (-item[1][0], item[0]))
    return ClickThrough(
        since,
        until,
        share("all", shown, clicked),
        tuple(share(str(position), *by_position[position]) for position in sorted(by_position)),
        tuple(share(name, *counts) for name, counts in sources),
    )


def share(label: str, shown: int, clicked: int) -> Share:
    """Return a share with its interval. A click whose showing was lost counts as shown: no share is over 1.

    Nobody knows which showings are of one reader, so they are taken as independent; where the same few readers come again
    and again the true interval is wider.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927: unlike the plain normal
    interval it holds for the few clicks in a hundred that lists get, and for none at all.
    """
    n = max(shown, clicked)
    if n == 0:
        return Share(label, shown, clicked, 0.0, 0.0, 1.0)
    rate = clicked / n
    middle = (rate + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(rate * (1 - rate) / n + _Z**2 / (4 * n**2))
    return Share(label, shown, clicked, rate, max(0.0, min(rate, middle - half)), min(1.0, max(rate, middle + half)))


def percent(value: float) -> str:
    """Return a share in percent, two decimals."""
    return f"{100 * value:.2f} %"


def click_lines(found: ClickThrough) -> list[str]:
    """Return what was clicked as lines for a terminal."""
    lines = [
        f"clicks, {found.since} to {found.until}: {found.all.n_shown:,} shown, {found.all.n_clicked:,} clicked, "
        f"{percent(found.all.rate)} [{percent(found.all.low)}, {percent(found.all.high)}]"
    ]
    for what, shares in (("position", found.by_position), ("source", found.by_source)):
        lines.append(f"  {what:<10}{'shown':>12}{'clicked':>10}{'share':>10}  95 % interval")
        lines += [
            f"  {each.label[:10]:<10}{each.n_shown:>12,}{each.n_clicked:>10,}{percent(each.rate):>10}  "
            f"[{percent(each.low)}, {percent(each.high)}]"
            for each in shares
        ]
    return lines
