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
from recommender.lexical import blend
from recommender.recommend.evidence import Evidence
from recommender.recommend.query import Query
from recommender.snapshot import View
from recommender.vectors import normalise


def with_feedback(snapshot: View, query: Query, first: Evidence, feedback: Feedback) -> Query:
    """Return the question with what the first stories say of it; the same question where it found none.

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
    told = (
        (snapshot.lexical.query_of_row(int(row)), feedback.lexical * float(share))
        for row, share in zip(rows, shares, strict=True)
    )
    return replace(query, vector=normalise(query.vector + mean), terms=blend(query.terms, told))
