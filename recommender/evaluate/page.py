"""An evaluation as one HTML page: no network, no script, light and dark, screen and paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from recommender.evaluate.clicks import ClickThrough, percent
from recommender.evaluate.figures import (
    ages_figure,
    appearances_figure,
    clicks_figure,
    differences_figure,
    groups_figure,
    histogram_figure,
    systems_figure,
)
from recommender.evaluate.lists import Coverage
from recommender.evaluate.reliability import Bin, whose_text
from recommender.evaluate.result import Evaluation, Scope
from recommender.evaluate.style import STYLE
from recommender.evaluate.table import FEW, FEW_TEXT, p_text, range_text, sample_text, signed_text
from recommender.evaluate.tables import (
    articles_table,
    clicks_table,
    hubs_table,
    reasons_table,
    reliability_table,
    systems_table,
    worst_list,
)
from recommender.markup import Html, tag

_CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_TITLE = "How well the lists match what editors judged related"
_SURE = 0.05
_NONE_KNOWN = {
    "section": "No judged story has a section.",
    "language": "No judged story has a language.",
    "year": "No judged story has a date.",
}


def page(evaluation: Evaluation) -> str:
    """Return the page, the same bytes for the same evaluation. Whatever comes from articles is escaped."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", http_equiv="Content-Security-Policy", content=_CSP),
        tag("title", _TITLE),
        tag("style", STYLE),
    )
    sections = [_systems(evaluation), _groups(evaluation), _queries(evaluation)]
    if evaluation.coverage is not None:
        sections.append(_shown(evaluation.coverage))
    if evaluation.reliability:
        sections.append(_reliability(evaluation.reliability))
    if evaluation.clicks is not None:
        sections.append(_clicks(evaluation.clicks))
    sections.append(_worst(evaluation))
    body = tag("body", tag("header", *_opening(evaluation)), tag("main", *sections))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _opening(evaluation: Evaluation) -> list[Html]:
    counted: dict[str, object] = {
        "judged queries": evaluation.n_queries,
        "relevant pairs": evaluation.n_relevant,
        "articles": evaluation.n_articles,
    }
    facts = [
        tag("div", tag("dt", name), tag("dd", tag("bdi", _value(value))))
        for name, value in (counted | dict(evaluation.described)).items()
    ]
    parts = [
        tag("h1", _TITLE),
        *(tag("p", verdict(evaluation, scope), class_="verdict") for scope in evaluation.scopes.values()),
        tag("dl", *facts, class_="facts"),
    ]
    if evaluation.n_unknown_queries or evaluation.n_unknown_targets:
        parts.append(_note(
            f"The archive does not hold {evaluation.n_unknown_queries:,} of the judged queries and "
            f"{evaluation.n_unknown_targets:,} of the pairs' targets. They count as missed."
        ))  # fmt: skip
    if evaluation.n_queries < FEW:
        parts.append(_note(FEW_TEXT))
    return parts


def verdict(evaluation: Evaluation, scope: Scope) -> str:
    """Return the result of a scope in a sentence or two."""
    main = evaluation.measures[0]
    score = scope.systems[0].scores[main]
    said = f"{scope.name.capitalize()}: {evaluation.ours} reaches {main} {score.mean:.3f} {range_text(score)}."
    best = next((found for found in scope.differences if found.baseline == scope.best_baseline), None)
    if best is None:
        return f"{said} There is no baseline to compare it with."
    chance = "more than chance explains" if best.p_value < _SURE else "no more than chance can explain"
    p_value = p_text(best.p_value)
    theirs = next(system.scores[main] for system in scope.systems if system.name == best.baseline)
    return (
        f"{said} {best.baseline}, the best baseline, reaches {theirs.mean:.3f}. The difference of "
        f"{signed_text(best.difference.mean)} {range_text(best.difference, signed=True)} is {chance} "
        f"(p {p_value if p_value.startswith('<') else f'= {p_value}'})."
    )


def _systems(evaluation: Evaluation) -> Html:
    main = evaluation.measures[0]
    compared = any(scope.differences for scope in evaluation.scopes.values())
    parts = [
        tag("h2", "Our system beside the baselines"),
        _note(
            f"{main} tells how much of the best possible first five a list holds: 1 is perfect, 0 finds nothing. Brackets and "
            "whiskers are 95 % bootstrap intervals over queries. Any date: lists may show every article. Past only: what had "
            "been published when the story was."
        ),
        _pair(evaluation, systems_figure),
    ]
    if compared:
        parts += [
            tag("h3", "Differences, query by query"),
            _note(
                "Right of 0 ours is better. Where the interval leaves 0 out and p (randomisation test) is small, chance alone "
                "would hardly give such a difference."
            ),
            _pair(evaluation, differences_figure),
        ]
    parts += [systems_table(scope, evaluation.measures) for scope in evaluation.scopes.values()]
    parts += [
        _note(
            f"{scope.name.capitalize()}: {scope.n_out_of_reach:,} relevant pairs are out of reach of every system, since the "
            "target is newer than the story. They count as missed."
        )
        for scope in evaluation.scopes.values()
        if scope.n_out_of_reach
    ]
    return tag("section", *parts)


def _groups(evaluation: Evaluation) -> Html:
    parts = [tag("h2", "Where it does well and where not")]
    for name, groups in next(iter(evaluation.scopes.values())).breakdown.groups.items():
        parts.append(tag("h3", f"By {name} of the story"))
        if len(groups) > 1:
            parts.append(_pair(evaluation, partial(groups_figure, name=name)))
        else:
            label = groups[0].label
            parts.append(_note(f"All judged stories are of one {name}: {label}." if label else _NONE_KNOWN[name]))
    parts += [
        tag("h3", "By age of the target"),
        _note(
            "How old the judged articles were when the story was published, and how many of them stand in the first ten."
        ),
        _pair(evaluation, ages_figure),
    ]
    return tag("section", *parts)


def _queries(evaluation: Evaluation) -> Html:
    return tag("section", tag("h2", "From query to query"), _pair(evaluation, histogram_figure))


def _shown(cover: Coverage) -> Html:
    said = sample_text(cover)
    parts = [
        tag("h2", "What readers' lists show of the archive"),
        _note(f"{said[0].upper()}{said[1:]}. An article's own links are among them: nothing is hidden here."),
        tag("div", appearances_figure(cover), class_="pair"),
    ]
    if cover.reasons:
        parts.append(_folded("Why lists are not full", reasons_table(cover.reasons)))
    if cover.hubs:
        parts.append(_folded("In most lists", hubs_table(cover.hubs)))
    for heading, found, n_all in (
        ("In no list", cover.orphans, cover.n_orphans - cover.n_unoffered),
        ("With an empty list", cover.empty, cover.n_empty),
    ):
        if found:
            parts.append(_folded(f"{heading}: {len(found):,} of {n_all:,}, the youngest first", articles_table(found)))
    return tag("section", *parts)


def _reliability(tables: Mapping[str, Sequence[Bin]]) -> Html:
    parts = [
        tag("h2", "Whether the probabilities hold"),
        _note(
            "Below the floor a story is not shown. The probability that an editor would link it, as it was said of every pair "
            "of a judged story and an article that was there before it, beside the share of these pairs that were linked. "
            "Links that the weights were learned from are among them unless the evaluation begins after."
        ),
    ]
    for name, bins in tables.items():
        parts += [tag("h3", whose_text(name).capitalize()), reliability_table(bins)]
    return tag("section", *parts)


def _clicks(found: ClickThrough) -> Html:
    every = [*found.by_position, *found.by_source]
    told = (("position", found.by_position), ("source", found.by_source))
    return tag(
        "section",
        tag("h2", "What readers click"),
        _note(
            f"{found.since} to {found.until}: stories were shown {found.all.n_shown:,} times and clicked {found.all.n_clicked:,} "
            f"times, {percent(found.all.rate)}. A higher position is clicked more for being higher, so sources that stand higher "
            "are, too. Showings are taken as independent; where the same readers come again and again, intervals are wider."
        ),
        tag("div", *(clicks_figure(what, shares, every) for what, shares in told), class_="pair"),
        *(_folded(f"By {what}", clicks_table(what, shares)) for what, shares in told),
    )


def _worst(evaluation: Evaluation) -> Html:
    parts = [tag("h2", "The worst queries")]
    for number, scope in enumerate(evaluation.scopes.values()):
        if scope.worst:
            listed = worst_list(scope.worst, evaluation.measures[0])
            parts.append(_folded(f"{scope.name.capitalize()}: {len(scope.worst)} queries", listed, opened=number == 0))
        else:
            parts.append(_note(f"{scope.name.capitalize()}: every judged query has a full score."))
    return tag("section", *parts)


def _pair(evaluation: Evaluation, figure: Callable[[Evaluation, Scope], Html]) -> Html:
    return tag("div", *(figure(evaluation, scope) for scope in evaluation.scopes.values()), class_="pair")


def _folded(summary: str, inside: Html, *, opened: bool = False) -> Html:
    return tag("details", tag("summary", summary), inside, open="" if opened else None)


def _value(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _note(text: str) -> Html:
    return tag("p", text, class_="note")
