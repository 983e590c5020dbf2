"""What changed since a snapshot, read from the catalog: made into rows once, and kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from recommender import links
from recommender.article import Article
from recommender.catalog import Catalog
from recommender.encoder import Recipe, View
from recommender.snapshot import Changes, Entry, Snapshot

MAX_CHANGED = 2_000


@dataclass
class ChangeLog:
    """Follows a catalog from the change that a snapshot was built at.

    Attributes:
        base: the snapshot.
        recipe: how an article becomes views; the one that the snapshot was built with.
        waiting: ids that have no vectors yet; readers see what was there before.
        left_out: how many changed rows were too many, and wait for a rebuild.
    """

    base: Snapshot
    recipe: Recipe
    waiting: set[str] = field(default_factory=set)
    left_out: int = 0
    _change: int = -1
    _entries: dict[str, Entry] = field(default_factory=dict)
    _gone: set[str] = field(default_factory=set)
    _targets: dict[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._change = self.base.change
        self._encoder = str(self.base.manifest["encoder"]["name"])

    def read(self, catalog: Catalog) -> Changes | None:
        """Take in what changed since the last time, as of one moment; None where that alters nothing.

        What is withdrawn is gone at once. What is new or replaced comes as soon as it has its vectors; beyond 2,000 rows it
        waits for a rebuild.

        Raises:
            CatalogError: nothing was taken in.
        """
        with catalog.pinned():
            last = catalog.last_change()
            changed = {article_id for article_id, _ in catalog.changed_since(self._change)}
            ids = sorted(changed | self.waiting)
            found = self._present(catalog, ids)
            targets = self._leads(catalog, sorted(changed))
            ready = self._entries_of(catalog, found)
        gone = set(ids) - found.keys()
        altered = bool(ready or targets or (gone - self._gone))
        self._change = last
        self._gone = (self._gone - found.keys()) | gone
        self.waiting = (self.waiting | found.keys()) - ready.keys() - gone
        self._targets |= targets
        for article_id in gone:
            self._entries.pop(article_id, None)
        self._take(ready)
        return self.changes() if altered else None

    def changes(self) -> Changes:
        """Return all that changed since the snapshot."""
        return Changes(self._change, dict(self._entries), frozenset(self._gone), dict(self._targets))

    def missing(self, catalog: Catalog, most: int) -> list[tuple[Article, tuple[View, ...]]]:
        """Return up to ``most`` of the articles and stubs that wait for vectors, with their views."""
        room = max(0, MAX_CHANGED - len(self._entries))
        found = self._present(catalog, sorted(self.waiting)[: min(most, room)])
        return [(article, self.recipe.views(article)) for _, article in sorted(found.items())]

    def _take(self, ready: Mapping[str, Entry]) -> None:
        """Keep entries as long as there is room; the others go back to those that wait."""
        for article_id, entry in ready.items():
            if article_id in self._entries or len(self._entries) < MAX_CHANGED:
                self._entries[article_id] = entry
            else:
                self.waiting.add(article_id)
        self.left_out = len(self.waiting) if len(self._entries) >= MAX_CHANGED else 0

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
        views = {article_id: self.recipe.views(article) for article_id, article in articles.items()}
        vectors = catalog.embeddings(self._encoder, sorted({view.digest for each in views.values() for view in each}))
        return {
            article_id: Entry.of(articles[article_id], each, vectors, self.base)
            for article_id, each in views.items()
            if _complete(each, vectors)
        }


def _complete(views: Iterable[View], vectors: Mapping[bytes, object]) -> bool:
    return all(view.digest in vectors for view in views)
