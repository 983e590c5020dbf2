"""Plots drawn by hand as inline SVG. Rows of bars scale by percent, so that their text keeps its size on every screen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recommender.markup import Html, joined, tag

_MOST_TICKS = 5
_ROW_HEIGHT = 28
_NOTHING = Html("")


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis from ``low`` to ``high`` with a tick at every multiple of ``step``."""

    low: float
    high: float
    step: float

    def at(self, value: float) -> str:
        """Return where ``value`` lies, in percent of the width; values beyond an end lie on it."""
        share = (value - self.low) / (self.high - self.low)
        return f"{100 * min(1.0, max(0.0, share)):.2f}%"

    @property
    def ticks(self) -> list[float]:
        """The ticks, ascending."""
        n = round((self.high - self.low) / self.step)
        return [round(self.low + number * self.step, 6) for number in range(n + 1)]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its length, ``ours``, ``other`` or ``whole``, and the ends of its whisker; an interval of no
    width has none."""

    value: float
    kind: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a bar plot: what stands before it, its bars from top to bottom, what stands after it."""

    label: str
    bars: tuple[Bar, ...]
    figure: Html
    mine: bool = False


def axis_over(values: Iterable[float], *, whole: bool = False) -> Axis:
    """Return an axis over 0 and all of ``values`` with about five round ticks; ``whole`` for counts."""
    known = [0.0, *values]
    low, high = min(known), max(known)
    step = max(round_step((high - low) / _MOST_TICKS), 1.0 if whole else 0.0)
    ends = math.floor(round(low / step, 6)) * step, math.ceil(round(high / step, 6)) * step
    return Axis(ends[0], ends[1] if ends[1] > ends[0] else ends[0] + step, step)


def round_step(least: float) -> float:
    """Return the smallest of 1, 2 and 5 times a power of ten that is at least ``least``, and at least 0.01."""
    power = 10.0 ** math.floor(math.log10(max(least, 0.01)))
    return next(round(factor * power, 6) for factor in (1, 2, 5, 10) if round(factor * power, 6) >= round(least, 6))


def bar_plot(rows: Sequence[Row], axis: Axis, *, decimals: int | None = None) -> Html:
    """Return rows of bars with whiskers over one axis, its ticks below them.

    The bars of a row lie over each other where one of them is ``whole``, below each other otherwise.
    """
    drawn = [_row(row, axis, _bars(row.bars, axis)) for row in rows]
    return tag("ul", *drawn, _axis_row(axis, decimals), class_="bars")


def dot_plot(rows: Sequence[Row], axis: Axis, *, decimals: int | None = None) -> Html:
    """Return rows of points with whiskers around a line at 0."""
    zero = tag("line", x1=axis.at(0), x2=axis.at(0), y1="0", y2="100%", class_="zero")
    drawn = [_row(row, axis, *(_dot(bar, axis) for bar in row.bars), behind=zero) for row in rows]
    return tag("ul", *drawn, _axis_row(axis, decimals), class_="bars")


def legend(*entries: tuple[str, str]) -> Html:
    """Return a legend of (kind, text); an entry without a kind is text alone."""
    return tag("p", *(tag("span", _swatch(kind), text) for kind, text in entries), class_="legend")


def _swatch(kind: str) -> Html:
    if not kind:
        return _NOTHING
    return tag("svg", tag("rect", width="100%", height="100%", class_=kind), aria_hidden="true")


def _row(row: Row, axis: Axis, *drawn: Html, behind: Html = _NOTHING) -> Html:
    # The grid is as high as the row, which grows with its label; the bars lie around the middle of it and do not grow.
    middle = tag("svg", *drawn, y="50%", width="100%", height=_ROW_HEIGHT)
    return tag(
        "li",
        tag("span", row.label, class_="label mine" if row.mine else "label", dir="auto"),
        tag("span", tag("svg", _grid(axis), behind, middle, aria_hidden="true"), class_="drawing"),
        tag("span", row.figure, class_="figure"),
    )


def _axis_row(axis: Axis, decimals: int | None) -> Html:
    if decimals is None:
        decimals = 2 if round(axis.step * 10, 6) % 1 else 1
    texts = [tag("text", f"{tick:,.{decimals}f}", x=axis.at(tick), y="14", text_anchor="middle") for tick in axis.ticks]
    drawing = tag("span", tag("svg", *texts), class_="drawing")
    return tag(
        "li", tag("span", class_="label"), drawing, tag("span", class_="figure"), class_="axis", aria_hidden="true"
    )


def _grid(axis: Axis) -> Html:
    return joined(*(tag("line", x1=axis.at(at), x2=axis.at(at), y1="0", y2="100%", class_="grid") for at in axis.ticks))


def _bars(bars: Sequence[Bar], axis: Axis) -> Html:
    if len(bars) == 1:
        return _bar(bars[0], axis, -32, 64)
    if bars[0].kind == "whole":
        return joined(_bar(bars[0], axis, -38, 76), *(_bar(bar, axis, *_place(bar)) for bar in bars[1:]))
    return joined(*(_bar(bar, axis, *_place(bar)) for bar in bars))


def _place(bar: Bar) -> tuple[int, int]:
    return (-38, 46) if bar.kind == "ours" else (10, 28)


def _bar(bar: Bar, axis: Axis, top: int, height: int) -> Html:
    drawn = tag("rect", x="0", y=f"{top}%", width=axis.at(bar.value), height=f"{height}%", class_=bar.kind)
    return joined(drawn, _whisker(bar, axis, top + height / 2))


def _whisker(bar: Bar, axis: Axis, middle: float) -> Html:
    if bar.low is None or bar.high is None or bar.low == bar.high:
        return _NOTHING
    low, high = axis.at(bar.low), axis.at(bar.high)
    ends = [(low, high, middle, middle), (low, low, middle - 10, middle + 10), (high, high, middle - 10, middle + 10)]
    return joined(*(tag("line", x1=a, x2=b, y1=f"{c:g}%", y2=f"{d:g}%", class_="whisker") for a, b, c, d in ends))


def _dot(bar: Bar, axis: Axis) -> Html:
    return joined(_whisker(bar, axis, 0), tag("circle", cx=axis.at(bar.value), cy="0", r="5", class_="dot"))
