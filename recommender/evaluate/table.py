"""An evaluation as a terminal shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from recommender.text import clean_line

if TYPE_CHECKING:
    from recommender.evaluate.numbers import Difference, Interval
    from recommender.evaluate.result import Evaluation, Scope

WIDTH = 110
OUR_MARK, NO_MARK = "▸ ", "  "
_GAP = "  "
_NAME_CHARS = 28


def table(evaluation: Evaluation) -> str:
    """Return the measures, the differences and a line on the lists for each scope; no line is wider than 110 columns."""
    parts = [_opening(evaluation)]
    for scope in evaluation.scopes.values():
        parts.append(_measures(evaluation, scope))
        if scope.differences:
            parts.append(_differences(evaluation, scope))
        parts.append(_lists(scope))
    return "\n\n".join(parts)


def signed_text(value: float) -> str:
    """Return a difference with three decimals and its sign; the minus is as wide as the plus."""
    return f"{value:+.3f}".replace("-", "−")


def p_text(p_value: float) -> str:
    """Return a p-value as papers print it: three decimals, ``<0.001`` below."""
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"


def range_text(interval: Interval, *, signed: bool = False) -> str:
    """Return the two ends of an interval in brackets."""
    low, high = (signed_text(end) if signed else f"{end:.3f}" for end in (interval.low, interval.high))
    return f"[{low}, {high}]"


def ratio_text(difference: Difference) -> str:
    """Return the ratio with two decimals, a dash where there is none."""
    return "–" if difference.ratio is None else f"{difference.ratio:.2f}"


def _opening(evaluation: Evaluation) -> str:
    counted = f"{evaluation.n_queries:,} judged queries, {evaluation.n_relevant:,} relevant pairs, {evaluation.n_articles:,} articles"
    if evaluation.n_unknown_queries or evaluation.n_unknown_targets:
        counted += (
            f"\nnot in the archive, counted as missed: {evaluation.n_unknown_queries:,} queries, "
            f"{evaluation.n_unknown_targets:,} pairs"
        )
    return counted


def _measures(evaluation: Evaluation, scope: Scope) -> str:
    main, *others = evaluation.measures
    others = others[: (WIDTH - _NAME_CHARS - 30) // 11]
    header = [f"{NO_MARK}{scope.name}", main, "95 % interval", *others]
    rows = []
    for system in scope.systems:
        scores = system.scores
        mark = OUR_MARK if system.name == evaluation.ours else NO_MARK
        means = [f"{scores[name].mean:.3f}" for name in others]
        rows.append([mark + _name(system.name), f"{scores[main].mean:.3f}", range_text(scores[main]), *means])
    return _aligned([header, *rows])


def _differences(evaluation: Evaluation, scope: Scope) -> str:
    header = [
        f"{NO_MARK}ours against",
        evaluation.measures[0],
        "95 % interval",
        "p",
        "ratio",
        "better",
        "equal",
        "worse",
    ]
    rows = [
        [
            NO_MARK + _name(found.baseline),
            signed_text(found.difference.mean),
            range_text(found.difference, signed=True),
            p_text(found.p_value),
            ratio_text(found),
            *(f"{n:,}" for n in (found.n_better, found.n_equal, found.n_worse)),
        ]
        for found in scope.differences
    ]
    return _aligned([header, *rows])


def _lists(scope: Scope) -> str:
    cover = scope.coverage
    lines = [
        f"{cover.n_lists:,} lists of ours: {cover.n_empty:,} empty, {cover.n_short:,} short, {cover.mean_length:.2f} "
        "articles on average",
        f"they show {cover.n_shown:,} of {cover.n_articles:,} articles ({cover.share:.1%}), Gini {cover.gini:.2f}"
        + (f"; the one shown most is in {cover.hubs[0].n_lists:,} lists" if cover.hubs else ""),
    ]
    if scope.n_out_of_reach:
        lines.append(
            f"{scope.n_out_of_reach:,} relevant pairs are out of reach here: the target is newer than the story"
        )
    return "\n".join(NO_MARK + line for line in lines)


def _name(system: str) -> str:
    name = clean_line(system)
    return name if len(name) <= _NAME_CHARS else name[: _NAME_CHARS - 1] + "…"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows under each other: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append(_GAP.join([first.ljust(widths[0]), *cells]))
    return "\n".join(lines)
