"""The one way into the catalog, for one article or a million: written, linked, numbered and on the disk before it is acknowledged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from recommender import language, links
from recommender.article import Article, Link
from recommender.catalog import Catalog, Outcome
from recommender.text import headline_keys, title_key

_RESOLVED = "links are resolved at"
_PAGE = 2_000


class Writer:
    """Writes and withdraws articles, and says where every link of the archive leads after that.

    Where a link leads depends on the whole archive: an article that comes takes the place of its stub, one that goes leaves a
    stub behind. Only the links that a change can concern are looked at again; the result is that of looking at all of them
    (``links.resolve_all``).
    """

    def __init__(self, catalog: Catalog, *, fuzzy_threshold: float) -> None:
        """Take an open catalog.

        Args:
            catalog: open for writing.
            fuzzy_threshold: least similarity for two headlines to be one, 0 to 100.
        """
        self._catalog = catalog
        self._threshold = fuzzy_threshold
        self._resolver = links.LinkResolver(catalog, fuzzy_threshold=fuzzy_threshold)

    def upsert(self, articles: Iterable[Article], source: str | Sequence[str]) -> list[Outcome]:
        """Write articles by id, in one durable transaction, and return what became of each.

        An article that is the same to the last field is left alone. A missing language is detected from the text.

        Args:
            articles: what to write.
            source: where all of them, or each of them, were read.

        Raises:
            CatalogError: nothing of this was written.
        """
        articles = [with_language(article) for article in articles]
        with self._catalog.transaction():
            self._up_to_date()
            ids = [article.id for article in articles]
            stubs = self._stubs_of(ids)
            before = self._catalog.leading_to(ids)
            outcomes = self._catalog.upsert(articles, source)
            written = sorted({each for each, outcome in zip(ids, outcomes, strict=True) if outcome != "unchanged"})
            if written:
                self._relink({*written, *before, *self._concerned(written)})
                self._catalog.touch(stubs | self._stubs_of(written))  # a stub speaks the language of who links to it
        return outcomes

    def withdraw(self, ids: Iterable[str]) -> list[str]:
        """Take articles away, in one durable transaction, and return which of them were there.

        Nothing of them stays in the catalog. Links to them become stubs, as they were before the articles came.

        Raises:
            CatalogError: nothing of this was written.
        """
        ids = sorted(set(ids))
        with self._catalog.transaction():
            self._up_to_date()
            stubs = self._stubs_of(ids)
            before = self._catalog.leading_to(ids)
            removed = self._catalog.remove(ids)
            if removed:
                self._relink(before - set(removed))
                self._catalog.touch(stubs)
        return removed

    def bring_up_to_date(self) -> None:
        """Resolve every link anew where that was last done with another threshold, or by an earlier version of this program."""
        with self._catalog.transaction():
            self._up_to_date()

    def resolve_all(self) -> None:
        """Resolve every link anew."""
        with self._catalog.transaction():
            self._relink({link.article_id for link in self._catalog.links()})
            self._catalog.note(_RESOLVED, self._threshold)

    def _up_to_date(self) -> None:
        if self._catalog.fact(_RESOLVED) != self._threshold:
            self.resolve_all()

    def _concerned(self, written: Sequence[str]) -> set[str]:
        """Return the articles whose links might mean what was written."""
        titles = {title_key(article.title) for article in self._catalog.some_articles(written)} - {""}
        keys = {title: headline_keys(title) for title in titles}
        waiting: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        for key, article_id, link_title in self._catalog.links_with(
            sorted({each for of in keys.values() for each in of})
        ):
            waiting[key].add((article_id, link_title))
        near: set[str] = set()
        for title, meeting in keys.items():
            links_there = sorted(set().union(*(waiting[key] for key in meeting)))
            found = links.alike(title, [link_title for _, link_title in links_there], self._threshold)
            near.update(links_there[at][0] for at in found)
        return self._catalog.meaning(written) | near

    def _stubs_of(self, ids: Sequence[str]) -> set[str]:
        return {str(link.target_id) for link in self._catalog.links_of(ids) if link.method == "stub"}

    def _relink(self, sources: set[str]) -> None:
        """Resolve the links of these articles, and note which articles and stubs that changes."""
        ordered = sorted(sources)
        for start in range(0, len(ordered), _PAGE):
            some = ordered[start : start + _PAGE]
            before = self._catalog.links_of(some)
            dates = {article.id: article.published_at for article in self._catalog.some_articles(some)}
            after = links.resolve_all(before, self._resolver, dates)
            changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
            self._catalog.save_targets(new for _, new in changed)
            self._catalog.touch({each for old, new in changed for each in (old.article_id, *_stubs(old, new))})


def _stubs(*of: Link) -> list[str]:
    return [link.target_id for link in of if link.target_id and link.target_id.startswith(links.STUB_PREFIX)]


def with_language(article: Article, among: Sequence[str] = ()) -> Article:
    """Return the article with its language detected where it names none; unchanged where it cannot be told."""
    if article.language:
        return article
    return replace(article, language=language.detect(f"{article.title}\n{article.description}\n{article.text}", among))
