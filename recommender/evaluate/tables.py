"""The tables of the page: measures and differences, what the lists show, the worst queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recommender.evaluate.clicks import Share, percent
from recommender.evaluate.facts import NEWER, Listed
from recommender.evaluate.lists import Hub, Reason
from recommender.evaluate.numbers import Difference
from recommender.evaluate.reliability import Bin, range_of
from recommender.evaluate.result import Scope
from recommender.evaluate.table import day_text, p_text, range_text, ratio_text, signed_text
from recommender.evaluate.worst import Instead, Missed, WorstQuery
from recommender.markup import Html, joined, tag

_MOST_MISSED = 8
_SEPARATOR = " · "
_NOTHING = Html("")


def systems_table(scope: Scope, measures: Sequence[str]) -> Html:
    """Return every system's means with their intervals, ours first, and how ours differs from each of the others."""
    header = ["system", *measures]
    against: dict[str, Difference] = {found.baseline: found for found in scope.differences}
    if against:
        header += [f"ours − it, {measures[0]}", "p", "ratio", "better, equal, worse on"]
    rows = []
    for system in scope.systems:
        cells = [_two_lines(f"{system.scores[name].mean:.3f}", range_text(system.scores[name])) for name in measures]
        if system.name in against:
            cells += _difference(against[system.name])
        rows.append([joined(system.name), *cells])
    return _table(header, rows, caption=scope.name.capitalize())


def _difference(found: Difference) -> list[Html]:
    return [
        _two_lines(signed_text(found.difference.mean), range_text(found.difference, signed=True)),
        joined(p_text(found.p_value)),
        joined(ratio_text(found)),
        joined(f"{found.n_better:,} / {found.n_equal:,} / {found.n_worse:,}"),
    ]


def _two_lines(first: str, second: str) -> Html:
    return joined(first, tag("span", second, class_="plain"))


def hubs_table(hubs: Iterable[Hub]) -> Html:
    """Return the articles that stand in most lists."""
    rows = [(_article(hub.article), joined(f"{hub.n_lists:,}"), joined(f"{hub.share:.1%}")) for hub in hubs]
    return _table(("article", "lists", "share of all"), rows)


def articles_table(articles: Iterable[Listed]) -> Html:
    """Return articles with their dates."""
    return _table(("article", "published"), [(_article(one), joined(day_text(one) or "undated")) for one in articles])


def reasons_table(reasons: Iterable[Reason]) -> Html:
    """Return why lists are not full."""
    rows = [(joined(one.why), joined(f"{one.n_empty:,}"), joined(f"{one.n_short:,}")) for one in reasons]
    return _table(("why a list is not full", "empty", "short"), rows)


def reliability_table(bins: Iterable[Bin]) -> Html:
    """Return probabilities as they were said beside what was found."""
    rows = [
        (joined(range_of(one)), *(joined(f"{n:,}") for n in (one.n_pairs, one.n_linked)), joined(f"{one.said:.4f}"),
         joined(f"{one.found:.4f}"))
        for one in bins
    ]  # fmt: skip
    return _table(("probability", "pairs", "linked", "said", "found"), rows)


def clicks_table(what: str, shares: Iterable[Share]) -> Html:
    """Return how often stories were shown and clicked, by ``what``."""
    rows = [
        (joined(one.label), joined(f"{one.n_shown:,}"), joined(f"{one.n_clicked:,}"),
         _two_lines(percent(one.rate), f"[{percent(one.low)}, {percent(one.high)}]"))
        for one in shares
    ]  # fmt: skip
    return _table((what, "shown", "clicked", "share"), rows)


def worst_list(queries: Iterable[WorstQuery], measure: str) -> Html:
    """Return the worst queries, each with what was missed and what stood there instead."""
    return tag("ol", *(_worst(query, measure) for query in queries))


def _table(header: Sequence[str], rows: Sequence[Sequence[Html]], *, caption: str | None = None) -> Html:
    """Return a table whose first column names the row. With a caption it is one of systems, ours in the first row."""
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in header)))
    body = []
    for number, (first, *others) in enumerate(rows):
        others += [_NOTHING] * (len(header) - 1 - len(others))
        named = tag("th", first, scope="row", class_=None if caption else "title")
        ours = "ours-row" if caption and number == 0 else None
        body.append(tag("tr", named, *(tag("td", cell) for cell in others), class_=ours))
    parts = [tag("caption", tag("span", caption, class_="scope"))] if caption else []
    table = tag("table", *parts, head, tag("tbody", *body))
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label=caption or header[0])


def _article(article: Listed) -> Html:
    about = [article.section, article.language, article.id if article.id != article.title else None]
    return joined(tag("span", article.title, dir="auto"), _plain([fact for fact in about if fact]))


def _plain(facts: Sequence[object]) -> Html:
    if not facts:
        return _NOTHING
    return tag("span", joined(*(tag("bdi", fact) for fact in facts), between=_SEPARATOR), class_="plain")


def _worst(query: WorstQuery, measure: str) -> Html:
    article = query.article
    facts = [
        f"{measure} {query.value:.3f}",
        f"{query.n_judged:,} judged",
        day_text(article),
        article.section,
        article.language,
    ]
    missed = [_hit(one.article, _missed_facts(one)) for one in query.missed[:_MOST_MISSED]]
    if len(query.missed) > _MOST_MISSED:
        missed.append(tag("li", f"and {len(query.missed) - _MOST_MISSED:,} more", class_="plain"))
    instead = [_hit(one.article, _instead_facts(one)) for one in query.instead]
    return tag(
        "li",
        tag("p", article.title, class_="title", dir="auto"),
        _plain([fact for fact in (*facts, article.id if article.id != article.title else None) if fact]),
        tag(
            "div",
            tag("div", tag("h3", "Judged related, not among our first five"), tag("ul", *missed)),
            tag(
                "div",
                tag("h3", "Stood there instead"),
                tag("ul", *instead) if instead else tag("p", "nothing", class_="plain"),
            ),
            class_="pair",
        ),
        class_="query",
    )


def _missed_facts(missed: Missed) -> list[str]:
    newer = "newer than the story" if missed.age == NEWER else ""
    rank = f"rank {missed.rank:,}" if missed.rank else "not in our list"
    return [f"grade {missed.grade}", rank, newer, day_text(missed.article)]


def _instead_facts(instead: Instead) -> list[str]:
    return [f"rank {instead.rank}", instead.article.section or "", day_text(instead.article)]


def _hit(article: Listed, facts: Sequence[str]) -> Html:
    return tag("li", tag("p", article.title, class_="title", dir="auto"), _plain([f for f in facts if f]), class_="hit")
