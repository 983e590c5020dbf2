"""Rows, vectors and links of a whole archive, ready to be written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from recommender import links
from recommender.article import Article, Link
from recommender.build.pages import Texts
from recommender.build.stages import Stage
from recommender.catalog import Catalog
from recommender.copies import CopyFinder, CopyRules
from recommender.encoder import Encoder, article_vector, headline_only
from recommender.errors import CatalogError
from recommender.explain import TermCounter, TermCounts
from recommender.lexical import LexicalBuilder
from recommender.snapshot import Contents, Facts, Fit, Row, body_of, dates_of, n_words_of, row_of
from recommender.text import base_language
from recommender.vectors import Centres, Matrix


def assemble(
    texts: Texts,
    vectors: Catalog,
    encoder: Encoder,
    centring: float,
    fit: Fit | None,
    lexical: LexicalBuilder,
    watch: Stage,
) -> Contents:
    """Return rows, vectors and links of everything, in the order of ids.

    Args:
        texts: of the archive, as of one moment.
        vectors: has the vector of every view.
        encoder: that made them.
        centring: see ``Centres.fit``.
        fit: what is held fast; counted anew where None.
        lexical: takes the texts; made with the same fit.
        watch: takes note of the progress.
    """
    terms = fit.terms if fit else _terms_counted(texts.articles())
    table = _Table(len(texts), encoder.dim, terms)
    for page in texts.pages():
        known = vectors.embeddings(encoder.name, list({view.digest for _, views in page for view in views}))
        for article, views in page:
            if any(view.digest not in known for view in views):
                raise CatalogError(
                    f"{vectors.path}: a vector that was stored is not found; run: recommender verify --repair"
                )
            headline = known[views[0].digest]
            table.add(article, article_vector(views, known), headline, headline_only=headline_only(article, views))
            lexical.add(article.title, body_of(article), article.language)
        watch("building the index", len(table.rows), len(texts), "articles")
    centres, headline_centres = (fit.centres, fit.headline_centres) if fit else table.fitted(centring)
    centred = table.centred(centres, headline_centres)
    signatures = table.finder.signatures()
    pairs = CopyRules().pairs(signatures, centred, dates_of(table.rows))
    facts = Facts(table.tags, table.authors, table.n_words, signatures, pairs)
    edges = _edges(texts.links, table.rows)
    return Contents(table.rows, centred, edges, facts, lexical, centres, headline_centres, terms)


class _Table:
    """Rows in the making."""

    def __init__(self, n: int, dim: int, terms: TermCounts) -> None:
        self._terms = terms
        self._vectors: Matrix = np.zeros((n, dim), np.float32)
        self._headlines: Matrix = np.zeros((n, dim), np.float32)
        self._is_headline = np.zeros(n, np.bool_)
        self.rows: list[Row] = []
        self.finder = CopyFinder()
        self.n_words: list[int] = []
        self.tags: list[tuple[str, ...]] = []
        self.authors: list[tuple[str, ...]] = []

    def add(
        self, article: Article, vector: NDArray[np.float32], headline: NDArray[np.float32], *, headline_only: bool
    ) -> None:
        at = len(self.rows)
        self._vectors[at], self._headlines[at], self._is_headline[at] = vector, headline, headline_only
        self.rows.append(row_of(article, tuple(self._terms.terms(article))))
        self.finder.add(article)
        self.n_words.append(n_words_of(article))
        self.tags.append(article.tags)
        self.authors.append(article.authors)

    def fitted(self, centring: float) -> tuple[Centres, Centres]:
        """Return the centres of articles and of headlines."""
        groups = self._groups()
        return Centres.fit(self._vectors, groups, centring), Centres.fit(self._headlines, groups, centring)

    def centred(self, centres: Centres, headline_centres: Centres) -> Matrix:
        """Return the vectors of all rows, unit length, with their language's centre taken away."""
        groups = self._groups()
        centred = centres.apply(self._vectors, groups)
        short = np.flatnonzero(self._is_headline)
        centred[short] = headline_centres.apply(self._vectors[short], [groups[number] for number in short])
        return centred

    def _groups(self) -> list[str]:
        return [base_language(row.language) for row in self.rows]


def _terms_counted(articles: Iterable[Article]) -> TermCounts:
    counter = TermCounter()
    for article in articles:
        counter.add(article)
    return counter.counts()


def _edges(resolved: Iterable[Link], rows: Sequence[Row]) -> NDArray[np.int32]:
    row_of_id = {row.id: number for number, row in enumerate(rows)}
    try:
        edges = [
            (row_of_id[link.article_id], row_of_id[str(link.target_id)]) for link in resolved if links.counts(link)
        ]
    except KeyError as error:
        raise CatalogError(
            f"a link names article {error}, which the catalog does not hold; run: recommender verify"
        ) from error
    return np.array(edges, np.int32).reshape(-1, 2)
