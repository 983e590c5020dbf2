"""What must hold of a home whatever happened to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from newsroom import settings_for

from faults.operations import ASKED, Editions, articles_of, editions_of, publish
from recommender import links, snapshot
from recommender.audit import audit
from recommender.catalog import Catalog
from recommender.errors import RecommenderError
from recommender.home import Home
from recommender.recommend import Recommender


def answers(home: Home, name: str | None = None) -> dict[str, Any]:
    """Return the lists of a few articles from a snapshot, the live one where None; an error as what it says."""
    recommender = Recommender.open(settings_for(home.path), name=name)
    return {article_id: _answer(recommender, article_id) for article_id in ASKED}


def _answer(recommender: Recommender, article_id: str) -> Any:
    try:
        return recommender.related(article_id).as_dict()
    except RecommenderError as error:
        return str(error)


@dataclass(slots=True)
class Ledger:
    """What a home has promised to keep, and what it answered before something happened to it.

    Attributes:
        kept: the edition of every article that was acknowledged last.
        lists: the answers of every snapshot that was there.
        n_acknowledged: promises that were looked for and had to be found.
    """

    kept: dict[str, int | None] = field(default_factory=dict)
    lists: dict[str, Any] = field(default_factory=dict)
    n_acknowledged: int = 0

    @classmethod
    def of(cls, home: Home) -> Ledger:
        """Return the ledger of a home that is as it should be."""
        ledger = cls()
        ledger.look_at(home)
        return ledger

    def look_at(self, home: Home) -> None:
        """Take what is there as what is to be kept from now on."""
        self.kept = dict(editions_of(home))
        self.lists = {name: self.lists.get(name) or answers(home, name) for name in snapshot.names(home)}

    def problems(self, home: Home, asked: Editions, acknowledged: Iterable[str]) -> list[str]:
        """Return what was lost or broken, empty where nothing was.

        Args:
            home: as it was left.
            asked: what was being written.
            acknowledged: ids of those that were promised to last; the others of ``asked`` may be there or not.
        """
        promised = set(acknowledged)
        self.n_acknowledged += len(promised)
        return [*_told(lambda: self._lost(home, asked, promised)), *_told(lambda: self._broken(home))]

    def _lost(self, home: Home, asked: Editions, promised: set[str]) -> Iterator[str]:
        there = editions_of(home)
        for article_id in sorted({*self.kept, *asked, *there}):
            old, new, found = self.kept.get(article_id), asked.get(article_id), there.get(article_id)
            may_be = {new} if article_id in promised else {old, new} if article_id in asked else {old}
            if found not in may_be:
                yield f"{article_id}: edition {found} is there, {' or '.join(map(str, may_be))} was promised"

    def _broken(self, home: Home) -> Iterator[str]:
        yield from audit(home).problems
        yield from _links_led_astray(home)
        live = snapshot.read_current(home).name
        for each in snapshot.published(home):
            if (each.live or each.former) and each.problem:
                yield each.problem
        found = answers(home)
        if found != self.lists.get(live, found):
            yield f"snapshot {live} answers otherwise than before"
        for article_id, answer in found.items():
            if not (isinstance(answer, dict) and answer["results"] and answer["snapshot"] == live):
                yield f"{article_id} has no answer: {answer}"


def _links_led_astray(home: Home) -> Iterator[str]:
    """Yield the links that do not lead to where they lead when all are resolved anew."""
    with Catalog(home.catalog) as catalog:
        found, dates = catalog.links(), {article.id: article.published_at for article in catalog.articles()}
        threshold = settings_for(home.path).links.fuzzy_threshold
        right = links.resolve_all(found, links.LinkResolver(catalog, fuzzy_threshold=threshold), dates)
    for link, other in zip(found, right, strict=True):
        if link != other:
            yield f"link {link.article_id} #{link.position + 1} leads to {link.target_id}, not to {other.target_id}"


def _told(look: Callable[[], Iterable[str]]) -> list[str]:
    try:
        return list(look())
    except RecommenderError as error:
        return [f"{type(error).__name__}: {error}"]


def problems_of_next_rebuild(home: Home) -> list[str]:
    """Rebuild once more, and return what is wrong then: with what is live, with its articles, or left lying about."""
    try:
        publish(home)
    except RecommenderError as error:
        return [f"the next rebuild fails: {error}"]
    live = snapshot.load(home)
    rows = {article_id for row, article_id in enumerate(live.dense.ids) if not live.columns.stub[row]}
    left = sorted(path.name for path in home.snapshots.iterdir() if path.name.startswith("."))
    return [
        *audit(home).problems,
        *([] if rows == set(articles_of(home)) else ["the new index does not hold the catalog's articles"]),
        *(f"{name} was left" for name in left),
    ]
