"""Several lists of one page: what an earlier one shows, or a near-copy of it, stands in no later one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from recommender.answer import Answer, Options

List = Callable[[Options], Answer]
Same = Callable[[str], Iterable[str]]


def page(make: List, same: Same, slots: Mapping[str, Options], shown: Iterable[str] = ()) -> dict[str, Answer]:
    """Return the lists of a page's slots, by name; the first slots choose first.

    Copies are collapsed and rules hold whatever the options say: the pure ranking has no page in mind.

    Args:
        make: makes one list.
        same: returns the ids of the stories that are the same as one, itself among them.
        slots: how each list is made, in the order in which they choose.
        shown: ids that stand on the page already.
    """
    taken = {other for article_id in shown for other in same(article_id)}
    made: dict[str, Answer] = {}
    for name, options in slots.items():
        made[name] = _once(make, same, _without(replace(options, collapse=True, raw=False), taken))
        taken |= {other for article_id in _ids(made[name]) for other in same(article_id)}
    return made


def _once(make: List, same: Same, options: Options) -> Answer:
    """Return a list that shows no story twice: of two that are the same the one that stands above."""
    answer = make(options)
    while again := _repeated(_ids(answer), same):
        options = _without(options, again)
        answer = make(options)
    return answer


def _repeated(ids: Iterable[str], same: Same) -> set[str]:
    above: set[str] = set()
    repeated: set[str] = set()
    for article_id in ids:
        if article_id in above:
            repeated.add(article_id)
        above |= {article_id, *same(article_id)}
    return repeated


def _without(options: Options, ids: Iterable[str]) -> Options:
    return replace(options, filters=replace(options.filters, exclude=options.filters.exclude | set(ids)))


def _ids(answer: Answer) -> list[str]:
    return [result.id for result in answer.results]
