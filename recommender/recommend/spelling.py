"""Which articles somebody may have meant who asked for one that is not there."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from recommender import links
from recommender.errors import Suggestion
from recommender.snapshot import View
from recommender.text import title_key

_N_BY_WORDS, _N_BY_ID = 60, 20


def spelled_like(snapshot: View, text: str, n: int) -> list[Suggestion]:
    """Return up to ``n`` articles whose headline or id is spelled most like ``text``, best first; none far off.

    Looked at are the rows that share the most telling words with it, and those whose ids begin as it does: dead links are
    asked for all day, and a look at every row would take a fifth of a second in an archive of 100,000.
    """
    key = title_key(text)
    if not key:
        return []
    scores = snapshot.lexical.scores(snapshot.lexical.query_of_words(key))
    with_words = np.flatnonzero(scores)
    by_words = with_words[np.argsort(-scores[with_words], kind="stable")[:_N_BY_WORDS]]
    at = bisect_left(snapshot.dense.ids, text)
    by_id = range(max(0, at - _N_BY_ID), min(len(snapshot), at + _N_BY_ID))
    rows = [snapshot.row(number) for number in sorted({*by_words.tolist(), *by_id})]
    found = links.nearest(key, [title_key(row.title) for row in rows], [title_key(row.id) for row in rows], n)
    return [Suggestion(rows[place].id, rows[place].title) for place in found]
