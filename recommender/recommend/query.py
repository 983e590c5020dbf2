"""One question to a snapshot, whatever it was asked with: a known article, an unseen one, or a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np

from recommender import explain, links
from recommender.article import Article, Link
from recommender.encoder import Recipe, article_vector, encode_views, headline_only, known_languages
from recommender.errors import QueryError
from recommender.ingest import with_language
from recommender.lexical import TermQuery, blend
from recommender.neighbours import Near
from recommender.recommend.walk import Start, start
from recommender.snapshot import Row, View
from recommender.text import base_language, clean, url_key
from recommender.vectors import UNDATED, Centres, Matrix, Vector


class Encode(Protocol):
    """Makes unit vectors of texts."""

    def __call__(self, texts: Sequence[str], meanwhile: Callable[[], object] | None = None) -> Matrix:
        """Return the vectors, shape (len(texts), dim); ``meanwhile`` is called before they are there."""
        ...


@dataclass(frozen=True, slots=True)
class Query:
    """What the ranking needs to know of a question.

    Attributes:
        vector: unit length, centred; shape (dim,).
        language: of the article or text, None where it is not known.
        published_at: seconds since 1970, ``UNDATED`` where there is no date.
        linked: rows to which the article's editor links, in the editor's order.
        terms: what the lexical index is asked with.
        language_known: whether the encoder was trained on the language.
        own_row: the article's own row, None where it is not in the archive.
        near: what is known of its cosines without a search; None where nothing is.
        is_article: False for a free text.
        shared: tells what a row and the question are both about.
        told: terms of stories that are asked along, each with its weight.
        begun: where a walk starts, where its terms were held against all rows already.
    """

    vector: Vector
    language: str | None
    published_at: int
    linked: Sequence[int]
    terms: TermQuery
    language_known: bool
    own_row: int | None
    is_article: bool
    shared: Callable[[Row], list[str]]
    near: Near | None = None
    told: Sequence[tuple[TermQuery, float]] = ()
    begun: Start | None = None

    def all_terms(self) -> TermQuery:
        """Return the terms with those that are asked along."""
        return blend(self.terms, self.told) if self.told else self.terms


def query_of_row(snapshot: View, number: int) -> Query:
    """Return the query of a known article or stub."""
    row = snapshot.row(number)
    return Query(
        vector=snapshot.dense.vector(number),
        language=row.language,
        published_at=int(snapshot.columns.published_at[number]),
        linked=snapshot.graph.linked_by(number),
        terms=snapshot.lexical.query_of_row(number),
        language_known=_knows(snapshot, row.language),
        own_row=number,
        is_article=True,
        shared=lambda other: explain.shared_terms(other.terms, row.terms, row.language),
        near=snapshot.near(number),
    )


def _knows(snapshot: View, language: str | None) -> bool:
    """Tell whether the encoder was trained on a language; where nothing is known of the two, it is believed to be."""
    known = known_languages(snapshot.manifest["encoder"]["model"])
    return known is None or language is None or base_language(language) in known


class Questions:
    """Makes queries against one snapshot. A text is encoded when it has to be, not before."""

    def __init__(self, snapshot: View, *, recipe: Recipe, encode: Encode, fuzzy_threshold: float) -> None:
        self._snapshot = snapshot
        self._recipe = recipe
        self._encode = encode
        self._fuzzy_threshold = fuzzy_threshold
        self._languages = tuple(sorted({base_language(name) for name in snapshot.columns.languages}))

    def of_row(self, number: int) -> Query:
        """Return the query of a known article or stub."""
        return query_of_row(self._snapshot, number)

    def of_article(self, article: Article) -> Query:
        """Return the query of an article that was sent along; its language is detected where it names none."""
        article = with_language(with_language(article), self._languages)  # too short for any: one of the archive's
        views = self._recipe.views(article)
        vector = article_vector(views, encode_views(views, self._encode))
        centres = self._snapshot.headline_centres if headline_only(article, views) else self._snapshot.centres
        own = self._snapshot.dense.row_of(article.id)
        if own is None and article.url:
            own = self._snapshot.row_at(url_key(article.url) or "")
        text = f"{article.title}\n{article.description}\n{article.text}"
        return Query(
            vector=_centred(vector, article.language, centres),
            language=article.language,
            published_at=int(article.published_at.timestamp()) if article.published_at else UNDATED,
            linked=self._linked_rows(article),
            terms=self._snapshot.lexical.query_of_text(
                article.title, f"{article.description}\n{article.text}", article.language
            ),
            language_known=_knows(self._snapshot, article.language),
            own_row=own,
            is_article=True,
            shared=lambda row: self._shared_with(row, text),
        )

    def by_words_alone(self, text: str, language: str | None = None) -> Query:
        """Return the query of a cleaned free text without a vector, where none is to be had: terms alone find stories."""
        return self._of_text(text, language, np.zeros(self._snapshot.dense.dim, np.float32))

    def of_text(self, text: str, language: str | None = None) -> Query:
        """Return the query of a cleaned free text, held against all rows by its words while it is encoded."""
        by_words: list[Query] = []

        def ask() -> None:
            query = self.by_words_alone(text, language)
            by_words.append(replace(query, begun=start(self._snapshot.lexical.scores(query.terms))))

        vector = self._encode([text], ask)[0]
        query = by_words[0]
        return replace(query, vector=_centred(vector, query.language, self._snapshot.headline_centres))

    def of_texts(self, texts: Iterable[str], language: str | None = None) -> list[Query]:
        """Return the queries of cleaned free texts, encoded together.

        Args:
            texts: from :func:`cleaned_text`.
            language: of all of them; detected among the archive's languages where None.
        """
        texts = list(texts)
        vectors = self._encode(texts)
        return [self._of_text(text, language, vector) for text, vector in zip(texts, vectors, strict=True)]

    def _of_text(self, text: str, language: str | None, vector: Vector) -> Query:
        language = language or with_language(Article("query", text), self._languages).language
        return Query(
            vector=_centred(vector, language, self._snapshot.headline_centres),
            language=language,
            published_at=UNDATED,
            linked=(),
            terms=self._snapshot.lexical.query_of_words(text),
            language_known=_knows(self._snapshot, language),
            own_row=None,
            is_article=False,
            shared=lambda row: self._shared_with(row, text),
        )

    def _shared_with(self, row: Row, text: str) -> list[str]:
        headline = f"{row.title}\n{row.description}"
        tells = partial(self._snapshot.lexical.tells, language=row.language)
        return explain.terms_in_text(row.terms, headline, text, row.language, tells)

    def _linked_rows(self, article: Article) -> list[int]:
        if not article.read_more:
            return []
        resolver = links.LinkResolver(self._snapshot.headlines, fuzzy_threshold=self._fuzzy_threshold)
        written = (Link(article.id, position, link.title, link.url) for position, link in enumerate(article.read_more))
        found = (resolver.resolve(link, article.published_at) for link in written)
        numbers = (self._snapshot.dense.row_of(target[0]) for target in found if target)
        return list(dict.fromkeys(number for number in numbers if number is not None))


def cleaned_text(text: str) -> str:
    """Return a free text cleaned. Raises QueryError when nothing is left."""
    cleaned = clean(text)
    if not cleaned:
        raise QueryError("the query is empty; give a few words or a whole text")
    return cleaned


def _centred(vector: Vector, language: str | None, centres: Centres) -> Vector:
    centred: Vector = centres.apply(vector[None, :], [base_language(language)])[0]
    return centred
