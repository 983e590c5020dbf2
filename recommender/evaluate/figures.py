"""The figures of the page: one evaluation and one scope in, a drawing with caption and legend out."""

from __future__ import annotations

import math
from collections.abc import Sequence

from recommender.evaluate.breakdown import Group
from recommender.evaluate.clicks import Share, percent
from recommender.evaluate.curves import appearances_plot, histogram_plot
from recommender.evaluate.lists import Coverage
from recommender.evaluate.numbers import Interval
from recommender.evaluate.plots import Bar, Row, axis_over, bar_plot, dot_plot, legend
from recommender.evaluate.result import Evaluation, Scope
from recommender.evaluate.table import orphans_text, range_text, signed_text
from recommender.markup import Html, joined, tag

_MOST_GROUPS = 12
_LABEL_CHARS = 40


def systems_figure(evaluation: Evaluation, scope: Scope) -> Html:
    """Return the main measure of every system, over an axis that all scopes share."""
    main = evaluation.measures[0]
    every = [system.scores[main].high for one in evaluation.scopes.values() for system in one.systems]
    rows = []
    for system in scope.systems:
        mine = system.name == evaluation.ours
        score = system.scores[main]
        bar = Bar(score.mean, "ours" if mine else "other", score.low, score.high)
        rows.append(Row(system.name, (bar,), _figure(score), mine))
    return _figured(scope, main, bar_plot(rows, axis_over(every)))


def differences_figure(evaluation: Evaluation, scope: Scope) -> Html:
    """Return ours − baseline around a line at 0, over an axis that all scopes share."""
    if not scope.differences:
        return _figured(scope, "no baseline")
    found = [one.difference for every in evaluation.scopes.values() for one in every.differences]
    axis = axis_over([end for interval in found for end in (interval.low, interval.high)])
    rows = [
        Row(
            one.baseline,
            (Bar(one.difference.mean, "ours", one.difference.low, one.difference.high),),
            _figure(one.difference, signed=True),
        )
        for one in scope.differences
    ]
    return _figured(scope, f"{evaluation.measures[0]}, ours − baseline", dot_plot(rows, axis))


def groups_figure(evaluation: Evaluation, scope: Scope, name: str) -> Html:
    """Return the main measure by ``section``, ``language`` or ``year``; small sections share a row at the end."""
    groups = _pooled(scope.breakdown.groups[name], name)
    axis = axis_over([1.0])
    rows = []
    for label, n_queries, ours, baseline in groups:
        bars = [Bar(ours.mean, "ours", ours.low, ours.high)]
        figure = [f"{ours.mean:.3f}"]
        if baseline is not None:
            bars.append(Bar(baseline, "other"))
            figure.append(f" / {baseline:.3f}")
        rows.append(Row(label, tuple(bars), joined(*figure, tag("small", f"  n {n_queries:,}"))))
    return _figured(scope, evaluation.measures[0], bar_plot(rows, axis), _two(evaluation, scope, "n: judged queries"))


def ages_figure(evaluation: Evaluation, scope: Scope) -> Html:
    """Return how many judged targets have which age, and how many of them are found."""
    groups = scope.breakdown.by_target_age
    axis = axis_over([group.n_targets for group in groups], whole=True)
    rows = []
    for group in groups:
        bars = [Bar(group.n_targets, "whole"), Bar(group.n_targets * group.ours, "ours")]
        figure = [f"{group.ours:.3f}"]
        if group.baseline is not None:
            bars.append(Bar(group.n_targets * group.baseline, "other"))
            figure.append(f" / {group.baseline:.3f}")
        rows.append(Row(group.age, tuple(bars), joined(*figure, tag("small", f"  n {group.n_targets:,}"))))
    entries = _two(evaluation, scope, "recall@10, n: judged targets", ("whole", "all judged targets"))
    return _figured(scope, "judged targets by age", bar_plot(rows, axis, decimals=0), entries)


def histogram_figure(evaluation: Evaluation, scope: Scope) -> Html:
    """Return how many queries have which value of the main measure."""
    main, histogram = evaluation.measures[0], scope.histogram
    said = f"{histogram.ours[0]:,} of {evaluation.n_queries:,} queries score 0 and {histogram.ours[-1]:,} score 1"
    if histogram.baseline is not None:
        said += f"; with {scope.best_baseline}, {histogram.baseline[0]:,} and {histogram.baseline[-1]:,}"
    drawn = tag("div", histogram_plot(histogram, said), class_="drawn")
    return _figured(scope, f"queries by {main}", drawn, joined(_two(evaluation, scope), _said(f"{said}.")))


def appearances_figure(cover: Coverage) -> Html:
    """Return in how many lists every article stands, with the figures of coverage."""
    said = (
        f"{cover.n_lists:,} lists of {cover.mean_length:.2f} articles on average ({cover.n_empty:,} empty, {cover.n_short:,} "
        f"with fewer than five) show {cover.n_shown:,} of {cover.n_articles:,} articles, {cover.share:.1%}; "
        f"{orphans_text(cover)}. Gini coefficient {cover.gini:.2f}: 0 would show all alike, 1 one alone."
    )
    drawn = tag("div", appearances_plot(cover.appearances, said), class_="drawn")
    along = legend(("", "Along: articles, the most shown first, logarithmic. Upwards: lists that show it."))
    return tag("figure", tag("figcaption", "Lists by article"), drawn, along, _said(said))


def clicks_figure(what: str, shares: Sequence[Share], every: Sequence[Share]) -> Html:
    """Return the share of clicks by ``what`` (position or source), over an axis that all of ``every`` share."""
    axis = axis_over([100 * each.high for each in every])
    rows = [
        Row(
            each.label,
            (Bar(100 * each.rate, "ours", 100 * each.low, 100 * each.high),),
            joined(percent(each.rate), tag("small", f"  n {each.n_shown:,}")),
        )
        for each in shares
    ]
    said = legend(("", "Whiskers: 95 % Wilson intervals. n: times shown."))
    return tag("figure", tag("figcaption", f"Clicked, % of shown, by {what}"), bar_plot(rows, axis), said)


def _pooled(groups: Sequence[Group], name: str) -> list[tuple[str, int, Interval, float | None]]:
    """Return label, size, ours and baseline of each group; years all of them, of the others the largest."""
    rows = [(_short(group.label or f"no {name}"), group.n_queries, group.ours, group.baseline) for group in groups]
    if name == "year" or len(rows) <= _MOST_GROUPS:
        return rows
    kept, rest = rows[: _MOST_GROUPS - 1], rows[_MOST_GROUPS - 1 :]
    n = sum(size for _, size, _, _ in rest)
    mean = math.fsum(size * ours.mean for _, size, ours, _ in rest) / n
    known = [size * baseline for _, size, _, baseline in rest if baseline is not None]
    return [*kept, (f"{len(rest)} others", n, Interval(mean, mean, mean), math.fsum(known) / n if known else None)]


def _short(label: str) -> str:
    return label if len(label) <= _LABEL_CHARS else label[: _LABEL_CHARS - 1] + "…"


def _two(evaluation: Evaluation, scope: Scope, last: str = "", *more: tuple[str, str]) -> Html:
    entries = [("ours", evaluation.ours)]
    if scope.best_baseline is not None:
        entries.append(("other", f"{scope.best_baseline} (best baseline)"))
    return legend(*entries, *more, *([("", last)] if last else []))


def _figure(interval: Interval, *, signed: bool = False) -> Html:
    mean = signed_text(interval.mean) if signed else f"{interval.mean:.3f}"
    return joined(mean, " ", tag("small", range_text(interval, signed=signed)))


def _figured(scope: Scope, caption: str, *drawn: Html) -> Html:
    said = tag("figcaption", tag("span", scope.name.capitalize(), class_="scope"), f" · {caption}")
    return tag("figure", said, *drawn)


def _said(text: str) -> Html:
    return tag("p", text, class_="note")
