"""One article or stub made into a row: by a rebuild for all of them, by a reader for what changed since. One way for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from recommender.article import Article
from recommender.copies import CopyRules, Signature
from recommender.encoder import View, article_vector, headline_only
from recommender.lexical import Document, LexicalIndex, index_of
from recommender.links import STUB_PREFIX
from recommender.snapshot.contents import Row
from recommender.snapshot.live import Snapshot
from recommender.text import base_language
from recommender.vectors import UNDATED, Vector


@dataclass(frozen=True, slots=True)
class Entry:
    """All that a snapshot holds of one row, but its links.

    Attributes:
        row: what is served.
        vector: unit length, centred, shape (dim,).
        lexical: an index of its terms alone.
        signature: what near-copies are found by.
        copies: rows of the snapshot that it is to stand beside which are near-copies of it, ascending, shape (m,).
        published_at: in seconds, ``UNDATED`` for no date.
        n_words: length of headline, standfirst and body.
        tags, authors: of the article.
    """

    row: Row
    vector: Vector
    lexical: LexicalIndex
    signature: Signature
    copies: NDArray[np.int64]
    published_at: int
    n_words: int
    tags: tuple[str, ...]
    authors: tuple[str, ...]

    @classmethod
    def of(cls, article: Article, views: Sequence[View], vectors: Mapping[bytes, Vector], base: Snapshot) -> Entry:
        """Return the entry of an article.

        Args:
            article: or a stub.
            views: of it.
            vectors: of the views, by digest.
            base: the snapshot that the row is to stand beside; its fit is taken.
        """
        fit = base.fit
        centres = fit.headline_centres if headline_only(article, views) else fit.centres
        vector = centres.apply(article_vector(views, vectors)[None, :], [base_language(article.language)])[0]
        row = row_of(article, tuple(fit.terms.terms(article)))
        signature, published_at = Signature.of(article), seconds(row.published_at)
        return cls(
            row,
            vector,
            index_of([Document.of(article.title, body_of(article), article.language)], fit.lexical),
            signature,
            _copies((signature, vector, published_at), base),
            published_at,
            n_words_of(article),
            article.tags,
            article.authors,
        )

    def beside(self, base: Snapshot) -> Entry:
        """Return the entry as it is beside another snapshot of the same fit."""
        return replace(self, copies=_copies((self.signature, self.vector, self.published_at), base))


def _copies(of: tuple[Signature, Vector, int], base: Snapshot) -> NDArray[np.int64]:
    return CopyRules().copies_of(of, (base.signatures, base.dense.vectors, base.columns.published_at))


def row_of(article: Article, terms: tuple[str, ...]) -> Row:
    """Return what is served of an article."""
    return Row(
        id=article.id,
        title=article.title,
        description=article.description,
        url=article.url,
        image_url=article.image_url,
        published_at=article.published_at.isoformat() if article.published_at else None,
        section=article.section,
        language=article.language,
        kind=article.kind,
        stub=article.id.startswith(STUB_PREFIX),
        terms=terms,
    )


def body_of(article: Article) -> str:
    """Return what an article says beside its headline."""
    return f"{article.description}\n{article.text}"


def n_words_of(article: Article) -> int:
    """Return how long an article is, in words."""
    return len(article.title.split()) + len(body_of(article).split())


def seconds(instant: str | None) -> int:
    """Return an RFC 3339 instant in seconds since 1970, ``UNDATED`` for None."""
    return UNDATED if instant is None else int(datetime.fromisoformat(instant).timestamp())


def dates_of(rows: Sequence[Row]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the dates of rows in seconds, shape (n,)."""
    return np.array([seconds(row.published_at) for row in rows], np.int64)
