"""A free text asked together with the stories that it finds first.

A headline or a few words say little: the stories on top say in many more words what they are about. Their vectors and terms are
added to the text's own, each story with its share of e^score, and the archive is asked again. Where the text is the headline of
a story of the archive, that story leads the others, and its list is what is found.

Source: pseudo relevance feedback. Rocchio, "Relevance Feedback in Information Retrieval", 1971, with the weights of Lavrenko and
Croft, "Relevance-Based Language Models", SIGIR 2001; on dense vectors Li et al., "Pseudo Relevance Feedback with Deep Language
Models and Dense Retrievers", 2023. The field warns of drift where the first stories are off the subject: hence few stories and
the text's own share kept the larger.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recommender.fusion import Feedback
from recommender.lexical import TermQuery
from recommender.neighbours import Near
from recommender.recommend.evidence import Evidence
from recommender.recommend.query import Query
from recommender.recommend.walk import seen_alone, start, surroundings
from recommender.snapshot import View
from recommender.vectors import normalise


def with_feedback(snapshot: View, query: Query, first: Evidence, feedback: Feedback) -> Query:
    """Return the question with what the first stories say of it; the same question where it found none.

    Where the question was asked by a walk, so is this one: from the stories that count to the rows that are kept as most
    like them, for which alone their terms are counted.

    Args:
        snapshot: that was asked.
        query: of a free text.
        first: what it found, best first.
        feedback: how many stories count, and how much.
    """
    rows, scores = first.rows[: feedback.n_stories], first.scores[: feedback.n_stories]
    if not len(rows):
        return query
    shares = np.exp(scores - scores[0])
    shares /= shares.sum()
    mean = (shares.astype(np.float32) @ snapshot.dense.vectors(rows)) * np.float32(feedback.dense)
    vector = normalise(query.vector + mean)
    told = [
        (snapshot.lexical.query_of_row(int(row)), feedback.lexical * float(share))
        for row, share in zip(rows, shares, strict=True)
    ]
    asked = replace(query, vector=vector, told=told, begun=None, near=None)
    if query.near is None or query.begun is None:
        return asked
    near = np.zeros(len(snapshot), np.bool_)
    near[first.rows] = True
    shared = np.zeros(len(snapshot), np.float32)
    for row, (terms, weight) in zip(rows.tolist(), told, strict=True):
        kept = _kept(snapshot, row, terms)
        near[kept.rows] = True
        shared[kept.rows] += np.float32(weight) * kept.lexical
    found = np.flatnonzero(near)
    lexical = query.begun.lexical[found] + snapshot.lexical.stretched(shared[found], found)
    return replace(asked, near=seen_alone(found, snapshot.dense.cosines_of(vector, found), lexical))


def _kept(snapshot: View, row: int, terms: TermQuery) -> Near:
    """Return what is known of the rows most like a story, itself among them."""
    kept = snapshot.near(row)
    if kept is None:  # it has changed
        return surroundings(snapshot, snapshot.dense.vector(row), start(snapshot.lexical.scores(terms)))
    rows, dense = np.append(kept.rows, row), np.append(kept.dense, np.float32(1))
    return Near(rows, dense, np.append(kept.lexical, (terms.weights**2).sum()), kept.floors)
