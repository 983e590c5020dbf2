"""Lists told: every line with its reason in an editor's words and, where it was asked for, with all that is known of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recommender import explain
from recommender.answer import Answer, Options, Recommendation
from recommender.editorial import Applied
from recommender.explain import Relation
from recommender.recommend.evidence import Evidence
from recommender.recommend.order import Arrangement
from recommender.recommend.query import Query
from recommender.snapshot import View
from recommender.vectors import SCORE_DIGITS

Texts = Callable[[str], str | None]
_MAX_HIDDEN = 20


class Teller:
    """Puts the lists of one snapshot into words."""

    def __init__(self, snapshot: View, texts: Texts | None) -> None:
        """Take a snapshot and what gives an article's body by id (None where no texts are at hand)."""
        self._snapshot = snapshot
        self._texts = texts

    def answer(
        self, made: Arrangement, described: dict[str, Any], query: Query, applied: Applied, options: Options
    ) -> Answer:
        """Return a list as its reader sees it."""
        linking = set(self._snapshot.graph.linking_to(query.own_row)) if query.own_row is not None else set()
        results = tuple(
            self._recommendation(at, made, query, applied, linking, options) for at in range(len(made.sources))
        )
        hidden = self._hidden(made) if options.explain else None
        short = None
        if len(results) < options.k:
            short = explain.SHORT_FLOOR if made.below_floor else explain.SHORT_RULES
        if results:
            return Answer(described, results, self._snapshot.name, None, short, hidden)
        empty = explain.EMPTY_FLOOR if made.below_floor else explain.EMPTY_RULES
        if len(self._snapshot) < 2:
            empty = explain.EMPTY_ARCHIVE
        return Answer(described, results, self._snapshot.name, empty, None, hidden)

    def pair(self, query: Query, evidence: Evidence, one: int, other: int) -> dict[str, Any]:
        """Return all that is known of a pair of rows."""
        rows = self._snapshot.row(one), self._snapshot.row(other)
        shared = explain.shared_terms(rows[0].terms, rows[1].terms, rows[0].language)
        relation = self._relation(query, evidence, 0)
        graph, copies = self._snapshot.graph, self._snapshot.columns.copies
        return {
            "article": {"id": rows[0].id, "title": rows[0].title},
            "other": {"id": rows[1].id, "title": rows[1].title},
            "score": float(evidence.scores[0]),
            "parts": evidence.named_parts(0),
            "cosines": _cosines(evidence, 0),
            "probability": _probability(evidence, 0),
            "linked": {"to_other": other in graph.linked_by(one), "from_other": one in graph.linked_by(other)},
            "near_copies": bool(0 <= copies[one] == copies[other]),
            "relation": relation,
            "shared_terms": shared,
            "sentences": self._sentences(one, other),
            "reason": explain.similar_reason(shared, relation),
            "snapshot": self._snapshot.name,
        }

    def _recommendation(
        self, at: int, made: Arrangement, query: Query, applied: Applied, linking: set[int], options: Options
    ) -> Recommendation:
        number = int(made.evidence.rows[at])
        row = self._snapshot.row(number)
        source = made.sources[at]
        relation = self._relation(query, made.evidence, at)
        if source == "pinned":
            reason = applied.why[number]
        elif source == "link":
            reason = explain.LINKED_BY
        elif number in linking:
            source, reason = "link", explain.LINKED_FROM
        else:
            reason = explain.similar_reason(query.shared(row), relation, to_text=not query.is_article)
        if source != "pinned":
            touched = (applied.why.get(number), applied.section_why.get(row.section or ""))
            reason = ". ".join([reason, *(each for each in touched if each)])
        details: dict[str, Any] | None = None
        if options.explain:
            details = {
                "parts": _parts(made.evidence, at),
                "cosines": _cosines(made.evidence, at),
                "probability": _probability(made.evidence, at),
                "relation": relation,
            }
            if query.own_row is not None:
                details["sentences"] = self._sentences(query.own_row, number)
        return Recommendation(
            rank=at + 1,
            id=row.id,
            title=row.title,
            url=row.url,
            score=float(made.evidence.scores[at]),
            source=source,
            reason=reason,
            published_at=row.published_at,
            section=row.section,
            language=row.language,
            stub=row.stub,
            image_url=row.image_url,
            details=details,
        )

    def _relation(self, query: Query, evidence: Evidence, at: int) -> Relation:
        number = int(evidence.rows[at])
        published_at = int(self._snapshot.columns.published_at[number])
        return explain.relation(
            query.published_at, published_at, float(evidence.dense[at]), float(evidence.lexical[at])
        )

    def _sentences(self, one: int, other: int) -> list[str] | None:
        """Return the two sentences that say the most alike, one of each story; None where no texts are at hand."""
        if self._texts is None:
            return None
        texts = [self._texts(self._snapshot.dense.ids[number]) for number in (one, other)]
        return explain.alike_sentences(texts[0] or "", texts[1] or "", self._snapshot.row(one).language)

    def _hidden(self, made: Arrangement) -> tuple[dict[str, Any], ...]:
        """Return what rules took out of the list, the best first; at most 20."""
        told: list[dict[str, Any]] = []
        for number, why, kept in made.hidden[:_MAX_HIDDEN]:
            row = self._snapshot.row(number)
            instead = self._snapshot.dense.ids[kept] if kept >= 0 else None
            told.append({"id": row.id, "title": row.title, "why": explain.HIDDEN[why], "shown_instead": instead})
        return tuple(told)


def _parts(evidence: Evidence, at: int) -> dict[str, float]:
    """Return what each part adds to a score, the desk's boost among them."""
    boost = round(float(evidence.scores[at] - evidence.parts[at].sum()), SCORE_DIGITS - 1)
    return evidence.named_parts(at) | ({"boost": boost} if boost else {})


def _cosines(evidence: Evidence, at: int) -> dict[str, float]:
    return {
        "dense": round(float(evidence.dense[at]), SCORE_DIGITS),
        "lexical": round(float(evidence.lexical[at]), SCORE_DIGITS),
    }


def _probability(evidence: Evidence, at: int) -> float | None:
    return None if evidence.probability is None else round(float(evidence.probability[at]), SCORE_DIGITS)
