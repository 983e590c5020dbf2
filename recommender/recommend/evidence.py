"""What is known of each candidate for one question: found by vectors, terms and links, scored exactly by all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender import rank
from recommender.answer import Options
from recommender.fusion import N_BEST, PARTS, TEXT, Calibration, Model, Signals, Spread, Values, contributions
from recommender.graph import Votes
from recommender.rank import Mask
from recommender.recommend.query import Query
from recommender.snapshot import Snapshot
from recommender.text import base_language
from recommender.vectors import SCORE_DIGITS

Rows = NDArray[np.int64]
_DEPTH = 300


@dataclass(frozen=True, slots=True)
class Evidence:
    """Candidates, best first, ties in the order of rows.

    Attributes:
        rows: shape (n,).
        scores: rounded to six decimals, shape (n,).
        parts: what each part adds, columns in the order of ``fusion.PARTS``, shape (n, 6).
        dense, lexical: cosines of vectors and of terms, shape (n,).
        probability: that an editor would link the two, shape (n,); None where no calibration fits.
    """

    rows: Rows
    scores: Values
    parts: Values
    dense: Values
    lexical: Values
    probability: Values | None

    def take(self, order: Sequence[int] | NDArray[np.integer]) -> Evidence:
        """Return the candidates at these places, in this order."""
        order = np.asarray(order, np.int64)
        probability = None if self.probability is None else self.probability[order]
        return Evidence(
            self.rows[order], self.scores[order], self.parts[order], self.dense[order], self.lexical[order], probability
        )

    def named_parts(self, at: int) -> dict[str, float]:
        """Return what each part adds to one score, by name; parts that add nothing are left out."""
        values = dict(zip(PARTS, (round(float(value), SCORE_DIGITS) for value in self.parts[at]), strict=True))
        return {name: value for name, value in values.items() if value}


class Inquiry:
    """One question put to a snapshot: what its spreads are, what links say, and how any row scores."""

    def __init__(self, snapshot: Snapshot, model: Model, query: Query, options: Options) -> None:
        self._snapshot = snapshot
        self._model = model
        self._query = query
        self._options = options
        weights = model.weights(is_article=query.is_article, language_known=query.language_known)
        if options.ranker != "full":
            weights = weights.only(*({"fusion": ("dense", "lexical")}.get(options.ranker, (options.ranker,))))
        if not options.freshness:
            weights = weights.only(*(name for name in PARTS if name != "freshness"))
        self._weights = weights
        others = np.ones(len(snapshot), np.bool_)
        if query.own_row is not None:
            others[query.own_row] = False
        hits = snapshot.dense.search(query.vector, _DEPTH, others)
        self._most_similar = [(snapshot.dense.require_row(hit.article_id), hit.score) for hit in hits]
        self._lexical = snapshot.lexical.scores(query.terms)
        self._dense_spread = Spread.of(np.array([score for _, score in self._most_similar[:N_BEST]]))
        # Terms are compared within a language: rows of another one would only make every score look far from the mean.
        own_tongue = ~rank.other_language(snapshot.columns, np.arange(len(snapshot)), query.language)
        self._lexical_spread = Spread.of(self._lexical[others & own_tongue])
        graph, own = snapshot.graph, query.own_row
        before = query.published_at if options.blind else None
        self._votes: Votes = graph.votes(self._most_similar, own, before)
        self._nearness = graph.nearness(own, before)
        self._in_degree = graph.in_degree(own, before)

    def in_view(self, linked: Sequence[int]) -> list[int]:
        """Return the rows that a list might have shown: what the article links to, then the most similar ones."""
        return list(dict.fromkeys([*linked, *(row for row, _ in self._most_similar)]))

    def candidates(self, allowed: Mask, k: int) -> Rows:
        """Return the rows worth scoring among those ``allowed``, ascending: the best of each generator."""
        depth = max(_DEPTH, 2 * k)
        snapshot, weights = self._snapshot, self._weights
        found: list[NDArray[np.integer]] = []
        if weights.dense:
            hits = snapshot.dense.search(self._query.vector, depth, allowed)
            found.append(np.array([snapshot.dense.require_row(hit.article_id) for hit in hits], np.int64))
        if weights.lexical:
            matching = np.flatnonzero(allowed & (self._lexical > 0))
            if len(matching) > depth:
                best = np.argpartition(-self._lexical[matching], depth - 1)[:depth]
                matching = matching[best]
            found.append(matching)
        if weights.votes:
            found.append(self._votes.rows)
        if weights.links:
            found.append(np.array(sorted(self._nearness), np.int64))
        rows = np.unique(np.concatenate(found)).astype(np.int64) if found else np.zeros(0, np.int64)
        return rows[allowed[rows]]

    def score(self, rows: Rows, boosts: Values | None = None) -> Evidence:
        """Return the evidence of any rows, best first.

        Args:
            rows: shape (n,).
            boosts: what an editor's hand adds to each score, shape (n,).
        """
        snapshot, query = self._snapshot, self._query
        dense = snapshot.dense.scores(query.vector, rows).astype(np.float64)
        lexical = self._lexical[rows].astype(np.float64)
        signals = self._signals(rows, dense, lexical)
        parts = contributions(signals, self._weights)
        if self._options.ranker in ("dense", "lexical"):
            scores = dense if self._options.ranker == "dense" else lexical
            parts = np.zeros_like(parts)
            parts[:, PARTS.index(self._options.ranker)] = scores
        else:
            scores = parts.sum(axis=1)
        scores = np.round(scores if boosts is None else scores + boosts, SCORE_DIGITS)
        probability = None
        if (calibration := self.calibration) is not None:
            probability = calibration.probability(dense, lexical)
        return Evidence(rows, scores, parts, dense, lexical, probability).take(np.lexsort((rows, -scores)))

    def signals(self, rows: Rows) -> Signals:
        """Return what is known of any rows, before the weights."""
        dense = self._snapshot.dense.scores(self._query.vector, rows).astype(np.float64)
        return self._signals(rows, dense, self._lexical[rows].astype(np.float64))

    def cosines(self) -> tuple[Values, Values]:
        """Return the cosines of vectors and of terms with every row, each shape (n,)."""
        rows = np.arange(len(self._snapshot), dtype=np.int64)
        return self._snapshot.dense.scores(self._query.vector, rows).astype(np.float64), self._lexical.astype(
            np.float64
        )

    @property
    def calibration(self) -> Calibration | None:
        """The calibration for this snapshot's encoder and the question's language."""
        encoder = str(self._snapshot.manifest["encoder"]["name"])
        if not self._query.is_article:
            return self._model.calibration(encoder, TEXT)
        return self._model.calibration(encoder, base_language(self._query.language))

    def _signals(self, rows: Rows, dense: Values, lexical: Values) -> Signals:
        query, columns = self._query, self._snapshot.columns
        distance = self._dense_spread.z(dense)
        # Terms of two languages hardly meet, which says nothing: there the vectors speak for both.
        foreign = rank.other_language(columns, rows, query.language)
        terms = np.where(foreign, distance, self._lexical_spread.z(lexical))
        votes = np.zeros(len(rows))
        if len(self._votes.rows):
            at = np.minimum(np.searchsorted(self._votes.rows, rows), len(self._votes.rows) - 1)
            votes = np.where(self._votes.rows[at] == rows, self._votes.shares[at], 0.0)
        links = np.array([self._nearness.get(int(row), 0.0) for row in rows])
        popularity = np.log1p(self._in_degree[rows])
        return Signals(distance, terms, votes, links, popularity, self._freshness(rows))

    def _freshness(self, rows: Rows) -> Values:
        curve, columns = self._model.curve, self._snapshot.columns
        days = None
        if curve.sections:
            by_code = [curve.sections.get(name, curve.half_life_days) for name in columns.sections]
            days = np.array([*by_code, curve.half_life_days])[columns.section[rows]]  # code -1 takes the last
        return curve.at(self._query.published_at, columns.published_at[rows], days)
