"""Lists made: which rows may stand in one, what each scores, and how the rules and the desk arrange them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import numpy as np

from recommender import rank
from recommender.answer import Options
from recommender.editorial import NO_HAND, Applied, Hand
from recommender.fusion import Model
from recommender.rank import Filters, Mask
from recommender.recommend.evidence import Evidence, Inquiry
from recommender.recommend.feedback import with_feedback
from recommender.recommend.order import Arrangement, KeptCopy, arrange, boosts, on_page
from recommender.recommend.query import Query
from recommender.snapshot import View
from recommender.vectors import UNDATED


class Lists:
    """Makes the lists of one snapshot."""

    def __init__(
        self, snapshot: View, *, model: Model, hand: Hand, keep_copy: KeptCopy, clock: Callable[[], datetime]
    ) -> None:
        self._snapshot = snapshot
        self._model = model
        self._hand = hand
        self._keep_copy: KeptCopy = keep_copy
        self._clock = clock

    def with_model(self, model: Model) -> Lists:
        """Return the same with other weights."""
        return Lists(self._snapshot, model=model, hand=self._hand, keep_copy=self._keep_copy, clock=self._clock)

    def inquiry(self, query: Query, options: Options) -> Inquiry:
        """Return what is known for a question; a free text is asked again together with the stories it finds first.

        They move scores alone: the floor holds against what the text says itself, so that nothing drifts into a list.
        """
        first = Inquiry(self._snapshot, self._model, query, options)
        feedback = self._model.feedback
        alone = query.is_article or options.ranker in ("dense", "lexical")
        if alone or not (options.feedback and feedback.n_stories):
            return first
        found = first.score(first.candidates(~self._snapshot.columns.stub, feedback.n_stories))
        told = with_feedback(self._snapshot, query, found, feedback)
        return Inquiry(self._snapshot, self._model, told, options, first=first)

    def applied(self, query: Query, options: Options) -> Applied:
        """Return the desk's rules for this question; none of them touch the pure ranking, or what is asked blind.

        A pin is an editor's link by another name, and none of the rules was there on the day of the story.
        """
        return (NO_HAND if options.raw or options.blind else self._hand).under(query.own_row, self._clock())

    def arrange(self, query: Query, options: Options, applied: Applied) -> Arrangement:
        """Return the list: candidates scored and, unless the pure ranking is asked for, arranged by the rules."""
        inquiry = self.inquiry(query, options)
        asked = self._asked_for(query, options)
        if options.raw:
            found = inquiry.score(inquiry.candidates(asked, options.k))
            found = found.take(range(min(options.k, len(found.rows))))
            return Arrangement(found, ["similar"] * len(found.rows))
        blocked = [row for row in inquiry.in_view(query.linked) if row in applied.blocked and asked[row]]
        for row in applied.blocked:
            asked[row] = False
        readable = self._readable(query, options)
        fit = asked & self._fit_for_readers(query, options, readable)
        rows = inquiry.candidates(fit, options.k)
        similar = inquiry.score(rows, boosts(applied, self._snapshot.columns, rows))
        # An editor's own links stand ahead, of any kind and with their stubs: the editor meant this reader.
        meant = asked & readable
        shown = [row for row in query.linked if meant[row] and not options.blind]
        elsewhere = {query.own_row, *on_page(self._snapshot, options)}
        pins = [row for row in applied.pinned if row not in elsewhere]
        linked = _in_order(inquiry, shown) if shown else similar.take([])
        pinned = _in_order(inquiry, pins) if pins else similar.take([])
        made = arrange(self._snapshot, query, similar, linked, pinned, options, self._keep_copy)
        made.hidden[:0] = [(row, "blocked", -1) for row in blocked]
        return made

    def _asked_for(self, query: Query, options: Options) -> Mask:
        """Return the rows that the caller's filters let through; never the article itself."""
        filters = options.filters
        filters.check(self._snapshot.columns)
        mask = rank.allowed(self._snapshot.columns, filters)
        if options.past_only and query.published_at != UNDATED:
            mask &= rank.not_younger(self._snapshot.columns, query.published_at)
        if query.own_row is not None:
            mask[query.own_row] = False
        mask[on_page(self._snapshot, options)] = False
        return mask

    def _fit_for_readers(self, query: Query, options: Options, readable: Mask) -> Mask:
        """Return the rows that may stand in a list for being similar.

        Under a story: in its language, and no other story's stubs. Of the kinds that readers are offered, unless the filters
        name others.
        """
        kinds = () if options.filters.kinds else options.kinds
        if not query.is_article:
            return rank.allowed(self._snapshot.columns, Filters(kinds=kinds))
        fit = rank.allowed(self._snapshot.columns, Filters(kinds=kinds, stubs=False))
        return fit & readable

    def _readable(self, query: Query, options: Options) -> Mask:
        """Return the rows in the article's language; all where that is not known, or other languages are asked for."""
        if not options.same_language or options.filters.languages:
            return np.ones(len(self._snapshot), np.bool_)
        return ~rank.other_language(self._snapshot.columns, query.language)


def _in_order(inquiry: Inquiry, rows: list[int]) -> Evidence:
    """Return the evidence of rows in their own order."""
    found = inquiry.score(np.array(rows, np.int64))
    place = {int(row): at for at, row in enumerate(found.rows)}
    return found.take([place[row] for row in rows])
