"""What is known of each candidate for one question: found by vectors, terms and links, scored exactly by all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender import rank
from recommender.answer import Options
from recommender.dense import as_scores, nearest
from recommender.fusion import N_BEST, PARTS, TEXT, Calibration, Model, Signals, Spread, Values, contributions
from recommender.graph import NOTHING
from recommender.rank import Mask
from recommender.recommend.query import Query
from recommender.snapshot import View
from recommender.text import base_language
from recommender.vectors import SCORE_DIGITS

Rows = NDArray[np.int64]
_DEPTH = 300
_LEAST_WEIGHT = 1e-9


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

    def only(self, wanted: Mask) -> Evidence:
        """Return the candidates where ``wanted``, shape (n,), is True."""
        return self if wanted.all() else self.take(np.flatnonzero(wanted))

    def named_parts(self, at: int) -> dict[str, float]:
        """Return what each part adds to one score, by name; parts that add nothing are left out."""
        values = dict(zip(PARTS, (round(float(value), SCORE_DIGITS) for value in self.parts[at]), strict=True))
        return {name: value for name, value in values.items() if value}


class Inquiry:
    """One question put to a snapshot: what its spreads are, what links say, and how any row scores."""

    def __init__(
        self, snapshot: View, model: Model, query: Query, options: Options, *, first: Inquiry | None = None
    ) -> None:
        """Put a question.

        Args:
            snapshot, model: that answer it.
            query, options: of this question.
            first: the question as it was asked, where ``query`` says more than the asker did: cosines and probabilities
                that are told are the first one's, scores are this one's.
        """
        self._first = first or self
        self._snapshot = snapshot
        self._model = model
        self._query = query
        self._options = options
        weights = model.weights(is_article=query.is_article, language_known=query.language_known)
        self._text_weights = np.array([weights.dense, weights.lexical])
        if options.ranker != "full":
            weights = weights.only(*({"fusion": ("dense", "lexical")}.get(options.ranker, (options.ranker,))))
        if not options.freshness:
            weights = weights.only(*(name for name in PARTS if name != "freshness"))
        self._weights = weights
        others = np.ones(len(snapshot), np.bool_)
        if query.own_row is not None:
            others[query.own_row] = False
        self._foreign = rank.other_language(snapshot.columns, query.language)
        self._dense = snapshot.dense.cosines(query.vector)
        self._lexical = snapshot.lexical.scores(query.terms)
        self._most_similar = self._nearest(_DEPTH, others)
        self._dense_spread = Spread.of(as_scores(self._dense[self._most_similar[:N_BEST]]))
        # Terms are compared within a language: rows of another one would only make every score look far from the mean.
        self._lexical_spread = Spread.of(self._lexical[others & ~self._foreign])
        graph, own = snapshot.graph, query.own_row
        before = query.published_at if options.blind else None
        self._votes = graph.votes(*self._voters(others), own, before) if options.ranker == "full" else NOTHING
        self._nearness = graph.nearness(own, before)
        self._in_degree = graph.in_degree(own, before)

    def in_view(self, linked: Sequence[int]) -> list[int]:
        """Return the rows that a list might have shown: what the article links to, then the most similar ones."""
        return list(dict.fromkeys([*linked, *self._most_similar.tolist()]))

    def candidates(self, allowed: Mask, k: int) -> Rows:
        """Return the rows worth scoring among those ``allowed``, ascending: the best of each generator."""
        depth = max(_DEPTH, 2 * k)
        weights = self._weights
        found = np.zeros(len(self._snapshot), np.bool_)
        if weights.dense:
            found[self._nearest(depth, allowed)] = True
        if weights.lexical:
            found[self._best_matching(depth, allowed)] = True
        if weights.votes:
            found[self._votes.rows] = True
        if weights.links:
            found[self._nearness.rows] = True
        return np.flatnonzero(found & allowed)

    def score(self, rows: Rows, boosts: Values | None = None) -> Evidence:
        """Return the evidence of any rows, best first.

        Args:
            rows: shape (n,).
            boosts: what an editor's hand adds to each score, shape (n,).
        """
        dense, lexical = self._cosines_of(rows)
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
        dense, lexical = self._first._cosines_of(rows)
        if (calibration := self.calibration) is not None:
            probability = calibration.probability(dense, lexical)
        return Evidence(rows, scores, parts, dense, lexical, probability).take(np.lexsort((rows, -scores)))

    def signals(self, rows: Rows) -> Signals:
        """Return what is known of any rows, before the weights."""
        return self._signals(rows, *self._cosines_of(rows))

    def cosines(self) -> tuple[Values, Values]:
        """Return the cosines of vectors and of terms with every row, each shape (n,), of the question as it was asked."""
        return self._first._dense.astype(np.float64), self._first._lexical.astype(np.float64)

    @property
    def calibration(self) -> Calibration | None:
        """The calibration for this snapshot's encoder and the question's language."""
        encoder = str(self._snapshot.manifest["encoder"]["name"])
        if not self._query.is_article:
            return self._model.calibration(encoder, TEXT)
        return self._model.calibration(encoder, base_language(self._query.language))

    def _nearest(self, k: int, allowed: Mask) -> Rows:
        """Return the rows whose vectors are most alike, best first; none for a question without a vector."""
        return nearest(self._dense, k if self._query.vector.any() else 0, allowed)

    def _best_matching(self, k: int, allowed: Mask) -> Rows:
        """Return the rows that share most in terms, in no order."""
        matching = np.flatnonzero(allowed & (self._lexical > 0))
        if len(matching) <= k:
            return matching
        return matching[np.argpartition(-self._lexical[matching], k - 1)[:k]]

    def _voters(self, others: Mask) -> tuple[Rows, Values]:
        """Return the stories most like this one by vectors and terms together, the most alike first, and how alike."""
        found = np.zeros(len(others), np.bool_)
        found[self._most_similar] = True
        found[self._best_matching(_DEPTH, others)] = True
        rows = np.flatnonzero(found)
        shares = self._text_weights / max(self._text_weights.sum(), _LEAST_WEIGHT)
        alike = np.round(np.stack(self._distances(rows, *self._cosines_of(rows)), axis=-1) @ shares, SCORE_DIGITS)
        order = np.lexsort((rows, -alike))
        return rows[order], alike[order]

    def _cosines_of(self, rows: Rows) -> tuple[Values, Values]:
        return self._dense[rows].astype(np.float64), self._lexical[rows].astype(np.float64)

    def _distances(self, rows: Rows, dense: Values, lexical: Values) -> tuple[Values, Values]:
        """Return the distances ``z`` of vectors and of terms, each shape (len(rows),)."""
        distance = self._dense_spread.z(dense)
        # Terms of two languages hardly meet, which says nothing: there the vectors speak for both.
        # Not for a text in a language that the encoder does not know: its readers want stories in that language first.
        stand_in = distance if self._query.is_article or self._query.language_known else 0.0
        return distance, np.where(self._foreign[rows], stand_in, self._lexical_spread.z(lexical))

    def _signals(self, rows: Rows, dense: Values, lexical: Values) -> Signals:
        distance, terms = self._distances(rows, dense, lexical)
        popularity = np.log1p(self._in_degree[rows])
        return Signals(
            distance, terms, self._votes.of(rows), self._nearness.of(rows), popularity, self._freshness(rows)
        )

    def _freshness(self, rows: Rows) -> Values:
        curve, columns = self._model.curve, self._snapshot.columns
        days = None
        if curve.sections:
            by_code = [curve.sections.get(name, curve.half_life_days) for name in columns.sections]
            days = np.array([*by_code, curve.half_life_days])[columns.section[rows]]  # code -1 takes the last
        return curve.at(self._query.published_at, columns.published_at[rows], days)
