"""How good a ranking is, against what editors judged. Pure functions; the numbers are those of trec_eval.

A measure is a mean over *every judged query*: one that a run does not answer scores 0, so that no system gains by failing on
the hard ones. A query counts as judged when it has at least one relevant article (trec_eval leaves the others out, too).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.errors import InputError

Grades = Mapping[str, int]
"""Article id to grade for one query; above 0 is relevant."""
Qrels = Mapping[str, Grades]
"""Query id to its grades."""
Run = Mapping[str, Sequence[str]]
"""Query id to article ids, best first."""


MANY = 10_000
"""Beyond so many values a mean is normally distributed to more digits than anybody prints."""
_TWO_SIDED_95 = 1.959964
_DRAWN_AT_A_TIME = (
    100_000  # indices: a row of resamples at a time costs ten times as much, more of them no longer fit the cache
)


@dataclass(frozen=True, slots=True)
class Measure:
    """A named measure of one ranking against one query's grades; values are 0 to 1."""

    name: str
    of: Callable[[Sequence[str], Grades], float]

    def per_query(self, run: Run, qrels: Qrels) -> dict[str, float]:
        """Return the value of every judged query, 0.0 where the run has no answer."""
        judged = {query: grades for query, grades in qrels.items() if any(grade > 0 for grade in grades.values())}
        return {query: self.of(run.get(query, ()), grades) for query, grades in judged.items()}

    def mean(self, run: Run, qrels: Qrels) -> float:
        """Return the mean over every judged query; 0.0 when nothing is judged."""
        values = self.per_query(run, qrels)
        return math.fsum(values.values()) / len(values) if values else 0.0


def ndcg_at(k: int) -> Measure:
    """Return nDCG with linear gain and log2 discount, cut at ``k``.

    Source: Järvelin and Kekäläinen, ACM TOIS 20(4), 2002, as in trec_eval's ``ndcg_cut``. Others use the gain
    2^grade − 1, which differs where grades go beyond 1.
    """

    def of(ranking: Sequence[str], grades: Grades) -> float:
        ideal = _dcg(sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k])
        return _dcg([max(0, grades.get(article_id, 0)) for article_id in ranking[:k]]) / ideal if ideal else 0.0

    return Measure(f"nDCG@{k}", of)


def recall_at(k: int) -> Measure:
    """Return found / relevant among the first ``k``."""

    def of(ranking: Sequence[str], grades: Grades) -> float:
        relevant = {article_id for article_id, grade in grades.items() if grade > 0}
        return len(relevant.intersection(ranking[:k])) / len(relevant) if relevant else 0.0

    return Measure(f"recall@{k}", of)


def success_at(k: int) -> Measure:
    """Return 1.0 where anything relevant stands among the first ``k``, else 0.0."""

    def of(ranking: Sequence[str], grades: Grades) -> float:
        return float(any(grades.get(article_id, 0) > 0 for article_id in ranking[:k]))

    return Measure(f"success@{k}", of)


def _reciprocal_rank(ranking: Sequence[str], grades: Grades) -> float:
    for position, article_id in enumerate(ranking, start=1):
        if grades.get(article_id, 0) > 0:
            return 1.0 / position
    return 0.0


MRR = Measure("MRR", _reciprocal_rank)
"""Mean reciprocal rank of the first relevant article, uncut."""

STANDARD = (ndcg_at(5), ndcg_at(10), recall_at(10), MRR, success_at(5))


def bootstrap_interval(values: Sequence[float], *, n_samples: int = 2_000, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean of ``values``; (0, 0) for none.

    Of more than 10,000 values it is mean ± 1.96 standard errors, to which the bootstrap comes by then; drawing them 2,000
    times over would take minutes.

    Source: Sakai, "Evaluating Evaluation Metrics based on the Bootstrap", SIGIR 2006.
    """
    if not values:
        return 0.0, 0.0
    sample = np.asarray(values, np.float64)
    if len(sample) > MANY:
        mean, half = float(sample.mean()), _TWO_SIDED_95 * float(sample.std()) / math.sqrt(len(sample))
        return mean - half, mean + half
    generator = np.random.default_rng(seed)
    block = max(1, _DRAWN_AT_A_TIME // len(sample))
    sizes = [min(block, n_samples - start) for start in range(0, n_samples, block)]
    means = np.concatenate([sample[generator.integers(0, len(sample), (n, len(sample)))].mean(axis=1) for n in sizes])
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def read_qrels(lines: Iterable[str], source: str = "qrels") -> dict[str, dict[str, int]]:
    """Return the judgments of a TREC qrels file: ``query 0 article grade``, columns parted by blanks.

    Raises:
        InputError: a line is none, or a pair has two grades; the message names it.
    """
    qrels: dict[str, dict[str, int]] = {}
    for number, line in enumerate(lines, start=1):
        columns = line.split()
        if not columns:
            continue
        try:
            query, _, article_id, written = columns
            grade = int(written)
        except ValueError:
            raise InputError(
                f"{source}, line {number}: needs four columns, query 0 article grade; it reads {line.strip()[:80]!r}"
            ) from None
        if qrels.setdefault(query, {}).setdefault(article_id, grade) != grade:
            raise InputError(
                f"{source}, line {number}: {article_id[:80]!r} is judged {grade} for {query[:80]!r}, and "
                f"{qrels[query][article_id]} on a line before; keep one of the two"
            )
    return qrels


def read_run(lines: Iterable[str], source: str = "run") -> dict[str, list[str]]:
    """Return the rankings of a TREC run file, ordered by score and then by article id (as this package breaks ties).

    Raises:
        InputError: a line is none, or an article stands twice under one query; the message names it.
    """
    scored: dict[str, list[tuple[float, str]]] = {}
    seen: set[tuple[str, str]] = set()
    for number, line in enumerate(lines, start=1):
        columns = line.split()
        if not columns:
            continue
        try:
            query, _, article_id, _, score, _ = columns
            if not math.isfinite(float(score)):
                raise ValueError
            scored.setdefault(query, []).append((-float(score), article_id))
        except ValueError:
            raise InputError(f"{source}, line {number}: needs six columns, query Q0 article rank score tag") from None
        if (query, article_id) in seen:
            raise InputError(f"{source}, line {number}: {article_id} stands twice in the list of {query}")
        seen.add((query, article_id))
    return {query: [article_id for _, article_id in sorted(hits)] for query, hits in scored.items()}


def _dcg(gains: Sequence[int]) -> float:
    return math.fsum(gain / math.log2(position + 1) for position, gain in enumerate(gains, start=1))
