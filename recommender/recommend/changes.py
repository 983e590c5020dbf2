"""What changed since a snapshot, read from the catalog: made into rows once, and kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from recommender import links
from recommender.article import Article
from recommender.catalog import Catalog
from recommender.encoder import Recipe
from recommender.encoder import View as ViewOfArticle
from recommender.snapshot import Changes, Entry, Snapshot, View

MAX_CHANGED = 2_000


@dataclass
class ChangeLog:
    """Follows a catalog from the change that a snapshot was built at.

    Attributes:
        base: the snapshot.
        recipe: how an article becomes views; the one that the snapshot was built with.
        waiting: ids that are not made into rows yet, the next ones to be tried first; readers see what was there before.
        n_untried: how many of those have not been tried since something was written last.
        altered: whether readers see anything else than the snapshot.
        former: what followed the catalog before, and still does; rows that it made under the same fit are taken from it.
            It is let go when nothing is left to be tried.
    """

    base: Snapshot
    recipe: Recipe
    waiting: dict[str, None] = field(default_factory=dict)
    n_untried: int = 0
    altered: bool = False
    former: ChangeLog | None = None
    _change: int = -1
    _entries: dict[str, Entry] = field(default_factory=dict)
    _gone: set[str] = field(default_factory=set)
    _targets: dict[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._change = self.base.change
        self._encoder = str(self.base.manifest["encoder"]["name"])

    def read(self, catalog: Catalog, *, most: int = MAX_CHANGED, written: bool = True) -> Changes | None:
        """Take in what changed since the last time, as of one moment; None where that alters nothing.

        What is withdrawn is gone at once, whatever ``most`` is. What is new or replaced comes as soon as it has its vectors;
        beyond 2,000 rows it waits for a rebuild.

        Args:
            catalog: to read from.
            most: so many of those that wait are tried, at most.
            written: whether anything was written since the last time, vectors or articles.

        Raises:
            CatalogError: nothing was taken in.
        """
        with catalog.pinned():
            last = catalog.last_change()
            changed = [article_id for article_id, _ in catalog.changed_since(self._change)]
            there = self._there(catalog, changed)
            targets = self._leads(catalog, changed)
            gone = set(changed) - there
            waiting = {each: None for each in (*self.waiting, *there) if each not in gone}
            tried = self._next(waiting, most)
            ready = self._entries_of(catalog, self._present(catalog, tried))
        seen = any(map(self._is_seen, gone))
        altered = bool(ready) or seen or any(map(self._leads_elsewhere, targets, targets.values()))
        self.altered |= altered
        self._change = last
        self._gone = (self._gone - there) | gone
        self._targets |= targets
        for article_id in gone:
            self._entries.pop(article_id, None)
        self._entries |= ready
        for article_id in tried:  # those without vectors are tried again after the others
            del waiting[article_id]
        untried = len(waiting) if written else max(0, self.n_untried - len(tried))
        self.n_untried = untried if tried or not most else 0  # there is no room for the others
        self.waiting = waiting | {each: None for each in tried if each not in ready}
        self.former = self.former if self.n_untried else None
        return self.changes() if altered else None

    def shows_what_went(self, view: View, ids: Iterable[str]) -> bool:
        """Tell whether a view still has a row of any of these that is gone."""
        return any(each in self._gone and view.dense.row_of(each) is not None for each in ids)

    def _is_seen(self, article_id: str) -> bool:
        """Tell whether readers see a row of an article or stub."""
        return article_id in self._entries or self.base.dense.row_of(article_id) is not None

    def _leads_elsewhere(self, article_id: str, targets: Sequence[str]) -> bool:
        """Tell whether readers see a row whose links lead elsewhere now."""
        if not self._is_seen(article_id):
            return False
        known = self._targets.get(article_id)
        if known is None:
            ids, row = self.base.dense.ids, self.base.dense.row_of(article_id)
            known = () if row is None else tuple(ids[target] for target in self.base.graph.linked_by(row))
        return tuple(known) != tuple(targets)

    def changes(self) -> Changes:
        """Return all that changed since the snapshot."""
        return Changes(self._change, dict(self._entries), frozenset(self._gone), dict(self._targets))

    def missing(self, catalog: Catalog, most: int) -> list[tuple[Article, tuple[ViewOfArticle, ...]]]:
        """Return up to ``most`` of the articles and stubs that wait for vectors, with their views."""
        found = self._present(catalog, self._next(self.waiting, most))
        return [(article, self.recipe.views(article)) for _, article in sorted(found.items())]

    def _next(self, waiting: Mapping[str, None], most: int) -> list[str]:
        """Return those who are tried next: for a new row there must be room."""
        room = MAX_CHANGED - len(self._entries)
        chosen: list[str] = []
        for article_id in waiting:
            if len(chosen) == most:
                break
            if article_id in self._entries:
                chosen.append(article_id)
            elif room > 0:
                chosen.append(article_id)
                room -= 1
        return chosen

    def _there(self, catalog: Catalog, ids: Sequence[str]) -> set[str]:
        """Return which of these articles and stubs are there."""
        stubs = [article_id for article_id in ids if article_id.startswith(links.STUB_PREFIX)]
        linked = {str(link.target_id) for link in catalog.links_to(stubs) if link.method == "stub"}
        return linked | catalog.known(ids)

    def _present(self, catalog: Catalog, ids: Sequence[str]) -> dict[str, Article]:
        """Return those of these articles and stubs that are there, by id."""
        articles = catalog.some_articles(ids)
        leading = catalog.links_to([article_id for article_id in ids if article_id.startswith(links.STUB_PREFIX)])
        sources = catalog.some_articles(sorted({link.article_id for link in leading}))
        stubs = links.stubs(leading, {article.id: article.language for article in sources})
        return {article.id: article for article in (*stubs, *articles)}

    def _leads(self, catalog: Catalog, ids: Sequence[str]) -> dict[str, Sequence[str]]:
        """Return where the links of these articles lead; nowhere for one that has none or is gone."""
        leads: dict[str, list[str]] = {article_id: [] for article_id in ids}
        for link in catalog.links_of(ids):
            if links.counts(link):
                leads[link.article_id].append(str(link.target_id))
        return {article_id: tuple(targets) for article_id, targets in leads.items()}

    def _entries_of(self, catalog: Catalog, articles: Mapping[str, Article]) -> dict[str, Entry]:
        """Return the entries of those articles all of whose views have vectors."""
        known = self._known(catalog, articles)
        others = {article_id: article for article_id, article in articles.items() if article_id not in known}
        views = {article_id: self.recipe.views(article) for article_id, article in others.items()}
        vectors = catalog.embeddings(self._encoder, sorted({view.digest for each in views.values() for view in each}))
        return known | {
            article_id: Entry.of(articles[article_id], each, vectors, self.base)
            for article_id, each in views.items()
            if _complete(each, vectors)
        }

    def _known(self, catalog: Catalog, ids: Iterable[str]) -> dict[str, Entry]:
        """Return the rows of these articles that the former log made, as they stand beside this snapshot."""
        former = self.former
        if former is None or former.recipe != self.recipe:
            return {}
        if any(former.base.manifest[name] != self.base.manifest[name] for name in ("fit", "encoder")):
            return {}
        since = {article_id for article_id, _ in catalog.changed_since(former._change)}
        kept = [each for each in ids if each in former._entries and each not in former.waiting and each not in since]
        return {each: former._entries[each].beside(self.base) for each in kept}


def _complete(views: Iterable[ViewOfArticle], vectors: Mapping[bytes, object]) -> bool:
    return all(view.digest in vectors for view in views)
