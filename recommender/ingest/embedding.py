"""Vectors for what went in."""

from __future__ import annotations

from collections.abc import Sequence

from recommender.article import Article
from recommender.catalog import Catalog
from recommender.encoder import Encoder, View, encode_views


def encode_missing(catalog: Catalog, encoder: Encoder, page: Sequence[tuple[Article, tuple[View, ...]]]) -> int:
    """Encode and store the views of one page that have no vector; return how many texts that were."""
    missing = missing_views(catalog, encoder.name, page)
    if missing:
        catalog.save_embeddings(encoder.name, encode_views(list(missing.values()), encoder.encode))
    return sum(len(view.texts) for view in missing.values())


def missing_views(
    catalog: Catalog, encoder: str, page: Sequence[tuple[Article, tuple[View, ...]]]
) -> dict[bytes, View]:
    """Return the views of one page that have no vector of an encoder, by digest."""
    views = {view.digest: view for _, article_views in page for view in article_views}
    known = catalog.embeddings(encoder, list(views))
    return {digest: view for digest, view in views.items() if digest not in known}
