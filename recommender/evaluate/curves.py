"""The two plots that need a drawing area of their own: a histogram and the curve of appearances."""

from __future__ import annotations

import math
from collections.abc import Sequence

from recommender.evaluate.plots import round_step
from recommender.evaluate.result import Histogram
from recommender.markup import Html, tag

_WIDTH, _HEIGHT = 400, 180
_LEFT, _TOP, _RIGHT, _BOTTOM = 34, 12, 396, 152
_MOST_TICKS = 5
_WIDE_ENOUGH = 90


def histogram_plot(histogram: Histogram, said: str) -> Html:
    """Return pairs of bars, ours and the best baseline's, over the values 0, ten tenths, and 1; ``said`` is the text for it."""
    most = max(1, *histogram.ours, *(histogram.baseline or ()))
    n_bins = len(histogram.ours)
    wide = (_RIGHT - _LEFT) / n_bins
    parts = _rows_of_grid(most)
    for number in range(n_bins):
        left = _LEFT + number * wide
        counts = [("ours", "ours", histogram.ours[number])]
        if histogram.baseline is not None:
            counts.append(("other", "best baseline", histogram.baseline[number]))
        each = (wide - 6) / len(counts)
        name = tag(
            "title", f"{_bin_name(number, n_bins)}: " + ", ".join(f"{who} {count:,}" for _, who, count in counts)
        )
        bars = [_column(left + 3 + at * each, each, count / most, kind) for at, (kind, _, count) in enumerate(counts)]
        parts.append(tag("g", name, *bars))
    parts += [_text(_LEFT + wide / 2, "0"), _text(_RIGHT - wide / 2, "1")]
    parts += [_text(_LEFT + (1 + tenth) * wide, f"0.{tenth}") for tenth in (2, 4, 6, 8)]
    return _drawing(parts, said)


def appearances_plot(appearances: Sequence[tuple[int, int]], said: str) -> Html:
    """Return the number of lists (upwards) of every article, the most shown first (along, logarithmic).

    ``appearances`` are pairs (lists, articles in so many lists), most lists first; those in no list are shaded.
    """
    n_articles = sum(n for _, n in appearances)
    most = max(1, appearances[0][0] if appearances else 1)
    parts = _rows_of_grid(most)
    points: list[str] = []
    rank = 1.0
    for n_lists, n in appearances:
        left, right = _log_at(rank, n_articles), _log_at(rank + n, n_articles)
        height = _BOTTOM - (_BOTTOM - _TOP) * n_lists / most
        if n_lists == 0:
            parts += _shaded(left, right, f"{n:,} in none")
        points += [f"{_px(left)},{_px(height)}", f"{_px(right)},{_px(height)}"]
        rank += n
    parts.append(tag("polyline", points=" ".join(points), class_="curve"))
    ticks = [10**power for power in range(9) if 10**power <= n_articles]
    parts += [_text(_log_at(tick, n_articles), f"{tick:,}") for tick in ticks]
    return _drawing(parts, said)


def _shaded(left: float, right: float, text: str) -> list[Html]:
    """Return an area over the whole height; its text stands beside it where it is too narrow."""
    shown = tag("rect", x=_px(left), y=_px(_TOP), width=_px(right - left), height=_px(_BOTTOM - _TOP), class_="whole")
    if right - left > _WIDE_ENOUGH:
        return [shown, _text((left + right) / 2, text, _TOP + 14)]
    return [shown, tag("text", text, x=_px(left - 6), y=_px(_TOP + 14), text_anchor="end")]


def _drawing(parts: Sequence[Html], said: str) -> Html:
    return tag("svg", *parts, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=said)


def _log_at(rank: float, n_articles: int) -> float:
    return _LEFT + (_RIGHT - _LEFT) * math.log(rank) / math.log(n_articles + 1)


def _rows_of_grid(most: int) -> list[Html]:
    step = max(1, round(round_step(most / _MOST_TICKS)))
    parts = []
    for count in range(0, most + 1, step):
        height = _px(_BOTTOM - (_BOTTOM - _TOP) * count / most)
        parts.append(
            tag("line", x1=_px(_LEFT), x2=_px(_RIGHT), y1=height, y2=height, class_="zero" if count == 0 else "grid")
        )
        parts.append(tag("text", f"{count:,}", x=_px(_LEFT - 5), y=height, dy="4", text_anchor="end"))
    return parts


def _column(left: float, width: float, share: float, kind: str) -> Html:
    height = (_BOTTOM - _TOP) * share
    return tag("rect", x=_px(left), y=_px(_BOTTOM - height), width=_px(width), height=_px(height), class_=kind)


def _bin_name(number: int, n_bins: int) -> str:
    if number in (0, n_bins - 1):
        return str(min(number, 1))
    return f"{(number - 1) / 10:.1f} to {number / 10:.1f}"


def _text(x: float, text: str, y: float = _BOTTOM + 18) -> Html:
    return tag("text", text, x=_px(x), y=_px(y), text_anchor="middle")


def _px(value: float) -> str:
    return f"{value:.2f}"
