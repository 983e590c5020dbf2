"""Texts that have no vector yet are encoded, a page at a time; what is done is kept."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from recommender import links
from recommender.article import Article
from recommender.build.stages import Stage
from recommender.catalog import Catalog
from recommender.encoder import Encoder, Recipe, View
from recommender.ingest import encode_missing, missing_views

PAGE_TEXTS = 256


class Texts:
    """The texts of an archive: every article and stub with its views, in ascending order of id."""

    def __init__(self, catalog: Catalog, recipe: Recipe) -> None:
        """Take stock of a catalog as it is now; where links lead is known by then."""
        self._catalog = catalog
        self._recipe = recipe
        self.languages = catalog.languages()
        self.links = catalog.links()
        self.stubs = links.stubs(self.links, self.languages)
        self.n_articles = len(self.languages)

    def __len__(self) -> int:
        return self.n_articles + len(self.stubs)

    def articles(self) -> Iterator[Article]:
        """Yield every article, without its links."""
        return self._catalog.articles()

    def views(self) -> Iterator[tuple[Article, tuple[View, ...]]]:
        """Yield every article and stub with its views."""
        for article in heapq.merge(self._catalog.articles(), self.stubs, key=lambda article: article.id):
            yield article, self._recipe.views(article)

    def pages(self) -> Iterator[list[tuple[Article, tuple[View, ...]]]]:
        """Yield the same in lists of some 256 views."""
        return paged(self.views(), lambda item: len(item[1]), PAGE_TEXTS)


def paged(items: Iterable[Any], size_of: Callable[[Any], int], limit: int) -> Iterator[list[Any]]:
    """Yield items in order, in lists whose sizes sum to about ``limit``."""
    page: list[Any] = []
    size = 0
    for item in items:
        page.append(item)
        size += size_of(item)
        if size >= limit:
            yield page
            page, size = [], 0
    if page:
        yield page


def embed(catalog: Catalog, encoder: Encoder, texts: Texts, watch: Stage) -> int:
    """Encode the views that have no stored vector, a page at a time, and return how many texts that were."""
    n_missing = done = 0
    ids: set[str] = set()
    for page in texts.pages():
        missing = missing_views(catalog, encoder.name, page)
        ids.update(article.id for article, views in page if any(view.digest in missing for view in views))
        n_missing += sum(len(view.texts) for view in missing.values())
        done += len(page)
        watch("looking for changed texts", done, max(done, len(texts)), "articles")
    if not ids:
        return 0
    n_encoded = 0
    watch("embedding", 0, n_missing, "texts")
    wanted = ((article, views) for article, views in texts.views() if article.id in ids)
    for page in paged(wanted, lambda item: sum(len(view.texts) for view in item[1]), PAGE_TEXTS):
        n_encoded += encode_missing(catalog, encoder, page)
        watch("embedding", n_encoded, max(n_encoded, n_missing), "texts")
    return n_encoded
