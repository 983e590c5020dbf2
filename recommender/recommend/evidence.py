"""What is known of each candidate for one question: found by vectors, terms and links, scored exactly by all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender import rank
from recommender.answer import Options
from recommender.fusion import PARTS, TEXT, Calibration, Model, Signals, Values, contributions
from recommender.graph import NOTHING
from recommender.rank import Mask
from recommender.recommend.likeness import Allowed, Likeness
from recommender.recommend.query import Query
from recommender.snapshot import View
from recommender.text import base_language
from recommender.vectors import SCORE_DIGITS

Rows = NDArray[np.int64]
DEPTH = 200
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
        self._first_likeness: Likeness | None = first._likeness if first else None
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
        self._likeness: Likeness = Likeness(snapshot, query)
        self._most_similar = self._likeness.nearest(DEPTH, self._is_another, own=False)
        self._dense_spread = self._likeness.dense_spread(self._most_similar)
        # Terms are compared within a language: rows of another one would only make every score look far from the mean.
        self._lexical_spread = self._likeness.lexical_spread(self._is_kin)
        graph, own = snapshot.graph, query.own_row
        self._before = query.published_at if options.blind else None
        asks_voters = options.ranker == "full" and (query.is_article or weights.votes > 0)
        self._votes = graph.votes(*self._voters(), own, self._before) if asks_voters else NOTHING
        self._nearness = graph.nearness(own, self._before)

    def in_view(self, linked: Sequence[int]) -> list[int]:
        """Return the rows that a list might have shown: what the article links to, then the most similar ones."""
        return list(dict.fromkeys([*linked, *self._most_similar.tolist()]))

    def candidates(self, allowed: Allowed, k: int, *, own: bool = False) -> Rows:
        """Return the rows worth scoring among those ``allowed``, ascending: the best of each generator.

        Args:
            allowed: which rows are wanted.
            k: as long as the list is to be.
            own: all of these might stand in the article's list for being similar, see ``Neighbours``.
        """
        depth = max(DEPTH, 2 * k)
        weights = self._weights
        found = [self._joined(allowed)]
        if weights.dense:
            found.append(self._likeness.nearest(depth, allowed, own=own))
        if weights.lexical:
            found.append(self._likeness.best_matching(depth, allowed, own=own))
        return np.unique(np.concatenate(found))

    def _joined(self, allowed: Allowed) -> Rows:
        """Return the rows that links join to the question, of those allowed."""
        rows = np.zeros(0, np.int64)
        if self._weights.votes:
            rows = self._votes.rows
        if self._weights.links:
            rows = np.union1d(rows, self._nearness.rows)
        return rows[allowed(rows)]

    def joined(self) -> Rows:
        """Return the rows that links join to the question, ascending."""
        return np.union1d(self._votes.rows, self._nearness.rows)

    def score(self, rows: Rows, boosts: Values | None = None) -> Evidence:
        """Return the evidence of any rows, best first.

        Args:
            rows: shape (n,).
            boosts: what an editor's hand adds to each score, shape (n,).
        """
        dense, lexical = self._likeness.of(rows)
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
        dense, lexical = (self._first_likeness or self._likeness).of(rows)
        if (calibration := self.calibration) is not None:
            probability = calibration.probability(dense, lexical)
        return Evidence(rows, scores, parts, dense, lexical, probability).take(np.lexsort((rows, -scores)))

    def signals(self, rows: Rows) -> Signals:
        """Return what is known of any rows, before the weights."""
        return self._signals(rows, *self._likeness.of(rows))

    def cosines(self) -> tuple[Values, Values]:
        """Return the cosines of vectors and of terms with every row, each shape (n,), of the question as it was asked."""
        likeness = self._first_likeness or self._likeness
        likeness.widen()
        return likeness.of(likeness.rows)

    @property
    def calibration(self) -> Calibration | None:
        """The calibration for this snapshot's encoder and the question's language."""
        encoder = str(self._snapshot.manifest["encoder"]["name"])
        if not self._query.is_article:
            return self._model.calibration(encoder, TEXT)
        return self._model.calibration(encoder, base_language(self._query.language))

    def _is_another(self, rows: Rows) -> Mask:
        """Tell which rows are not the article's own."""
        return np.ones(len(rows), np.bool_) if self._query.own_row is None else np.asarray(rows != self._query.own_row)

    def _is_kin(self, rows: Rows) -> Mask:
        """Tell which rows are not the article's own, nor known to be in another language."""
        return self._is_another(rows) & ~self._is_foreign(rows)

    def _is_foreign(self, rows: Rows) -> Mask:
        """Tell which rows are known to be in another language than the question."""
        return rank.other_language(self._snapshot.columns, self._query.language, rows)

    def _voters(self) -> tuple[Rows, Values]:
        """Return the stories most like this one by vectors and terms together, the most alike first, and how alike."""
        matching = self._likeness.best_matching(DEPTH, self._is_another, own=False)
        rows = np.union1d(self._most_similar, matching)
        shares = self._text_weights / max(self._text_weights.sum(), _LEAST_WEIGHT)
        alike = np.round(np.stack(self._distances(rows, *self._likeness.of(rows)), axis=-1) @ shares, SCORE_DIGITS)
        order = np.lexsort((rows, -alike))
        return rows[order], alike[order]

    def _distances(self, rows: Rows, dense: Values, lexical: Values) -> tuple[Values, Values]:
        """Return the distances ``z`` of vectors and of terms, each shape (len(rows),)."""
        distance = self._dense_spread.z(dense)
        # Terms of two languages hardly meet, which says nothing: there the vectors speak for both.
        # Not for a text in a language that the encoder does not know: its readers want stories in that language first.
        stand_in = distance if self._query.is_article or self._query.language_known else 0.0
        return distance, np.where(self._is_foreign(rows), stand_in, self._lexical_spread.z(lexical))

    def _signals(self, rows: Rows, dense: Values, lexical: Values) -> Signals:
        distance, terms = self._distances(rows, dense, lexical)
        popularity = np.log1p(self._snapshot.graph.in_degree(self._query.own_row, self._before, rows=rows))
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
