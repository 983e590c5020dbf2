"""Lists made: which rows may stand in one, what each scores, and how the rules and the desk arrange them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from recommender import rank
from recommender.answer import Options
from recommender.editorial import NO_HAND, Applied, Hand
from recommender.fusion import Model
from recommender.neighbours import Own
from recommender.rank import Filters, Mask
from recommender.recommend.evidence import DEPTH, Evidence, Inquiry, Rows
from recommender.recommend.feedback import with_feedback
from recommender.recommend.likeness import Allowed
from recommender.recommend.order import Arrangement, KeptCopy, arrange, boosts, on_page
from recommender.recommend.query import Query
from recommender.recommend.walk import start, surroundings
from recommender.snapshot import View
from recommender.vectors import UNDATED

NO_FILTERS = Filters()
_FEW = 8


class Lists:
    """Makes the lists of one snapshot."""

    def __init__(
        self,
        snapshot: View,
        *,
        model: Model,
        hand: Hand,
        keep_copy: KeptCopy,
        walk_from: int | None,
        clock: Callable[[], datetime],
    ) -> None:
        """Take a snapshot; in one of ``walk_from`` rows a free text is answered by a walk, see ``walk``; None for never."""
        self._snapshot = snapshot
        self._model = model
        self._hand = hand
        self._keep_copy: KeptCopy = keep_copy
        self._walk_from = walk_from
        self._clock = clock

    def with_model(self, model: Model) -> Lists:
        """Return the same with other weights."""
        other = copy.copy(self)
        other._model = model
        return other

    def inquiry(self, query: Query, options: Options) -> Inquiry:
        """Return what is known for a question; a free text is asked again together with the stories it finds first.

        They move scores alone: the floor holds against what the text says itself, so that nothing drifts into a list.
        """
        alone = query.is_article or options.ranker in ("dense", "lexical")
        if not alone and self._walks(options):
            begun = query.begun or start(self._snapshot.lexical.scores(query.terms))
            query = replace(query, begun=begun, near=surroundings(self._snapshot, query.vector, begun))
        first = Inquiry(self._snapshot, self._model, query, options)
        feedback = self._model.feedback
        if alone or not (options.feedback and feedback.n_stories):
            return first
        found = first.score(first.candidates(lambda rows: ~self._snapshot.columns.stub[rows], feedback.n_stories))
        told = with_feedback(self._snapshot, query, found, feedback)
        return Inquiry(self._snapshot, self._model, told, options, first=first)

    def _walks(self, options: Options) -> bool:
        """Tell whether a free text is answered by a walk: in a large archive, unless the caller's filters leave little of it."""
        narrow = replace(options.filters, exclude=frozenset(), stubs=True) != NO_FILTERS
        large = self._walk_from is not None and len(self._snapshot) >= self._walk_from
        return large and self._snapshot.own is not None and not narrow and 2 * options.k <= DEPTH

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
        in_view = inquiry.in_view(query.linked) if applied.blocked else []
        blocked = [row for row in self._only(in_view, asked) if row in applied.blocked]
        asked = _but_for(asked, applied.blocked)
        readable = self._readable(query, options)
        rows = inquiry.candidates(
            _all_of(asked, readable, self._fit_for_readers(query, options)), options.k, own=self._own(query, options)
        )
        similar = inquiry.score(rows, boosts(applied, self._snapshot.columns, rows))
        # An editor's own links stand ahead, of any kind and with their stubs: the editor meant this reader.
        shown = [] if options.blind else self._only(query.linked, _all_of(asked, readable))
        elsewhere = {query.own_row, *on_page(self._snapshot, options)}
        pins = [row for row in applied.pinned if row not in elsewhere]
        linked = _in_order(inquiry, shown) if shown else similar.take([])
        pinned = _in_order(inquiry, pins) if pins else similar.take([])
        made = arrange(self._snapshot, query, similar, linked, pinned, options, self._keep_copy)
        made.hidden[:0] = [(row, "blocked", -1) for row in blocked]
        return made

    def _only(self, rows: Sequence[int], allowed: Allowed) -> list[int]:
        """Return those of some rows that are allowed, in their order."""
        if not rows:
            return []
        return [row for row, fits in zip(rows, allowed(np.array(rows, np.int64)).tolist(), strict=True) if fits]

    def _asked_for(self, query: Query, options: Options) -> Allowed:
        """Return what tells which rows the caller's filters let through; never the article itself."""
        filters, columns = options.filters, self._snapshot.columns
        filters.check(columns)

        def asked(rows: Rows) -> Mask:
            mask = rank.allowed(columns, filters, rows)
            if options.past_only and query.published_at != UNDATED:
                mask &= rank.not_younger(columns, query.published_at, rows)
            return mask

        own = [] if query.own_row is None else [query.own_row]
        return _but_for(asked, [*own, *on_page(self._snapshot, options)])

    def _fit_for_readers(self, query: Query, options: Options) -> Allowed:
        """Return what tells which rows may stand in a list for being similar, whatever their language.

        Under a story no other story's stubs. Of the kinds that readers are offered, unless the filters name others.
        """
        columns = self._snapshot.columns
        fit = Filters(kinds=() if options.filters.kinds else options.kinds, stubs=not query.is_article)
        return lambda rows: rank.allowed(columns, fit, rows)

    def _readable(self, query: Query, options: Options) -> Allowed:
        """Return what tells which rows are in the article's language; all where that is not known, or other languages are asked for."""
        if not query.is_article or not options.same_language or options.filters.languages:
            return lambda rows: np.ones(len(rows), np.bool_)
        columns = self._snapshot.columns
        return lambda rows: ~rank.other_language(columns, query.language, rows)

    def _own(self, query: Query, options: Options) -> bool:
        """Tell whether all that may stand in a list for being similar is what neighbours are kept of."""
        kept, filters = self._snapshot.own, options.filters
        same_language = options.same_language and not filters.languages
        return kept is not None and kept.covers(Own(filters.kinds or options.kinds, same_language, options.past_only))


def _all_of(*each: Allowed) -> Allowed:
    return lambda rows: np.logical_and.reduce([allowed(rows) for allowed in each])


def _but_for(allowed: Allowed, left_out: Collection[int]) -> Allowed:
    """Return what allows the same but for some rows."""
    if not left_out:
        return allowed
    if len(left_out) > _FEW:
        return lambda rows: allowed(rows) & ~np.isin(rows, list(left_out))
    return lambda rows: np.logical_and.reduce([allowed(rows), *(rows != row for row in left_out)])


def _in_order(inquiry: Inquiry, rows: list[int]) -> Evidence:
    """Return the evidence of rows in their own order."""
    found = inquiry.score(np.array(rows, np.int64))
    place = {int(row): at for at, row in enumerate(found.rows)}
    return found.take([place[row] for row in rows])
