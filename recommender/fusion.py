"""The learned score of a candidate: a weighted sum of six parts, each of which can be read.

    score = dense · z(cosine of vectors) + lexical · z(cosine of terms)
          + votes · √(share of similar stories' links) + links · (nearness in the graph of links)
          + popularity · ln(1 + links to it) + freshness · (half-life curve − 1)

``z`` is the distance from the mean of the question's own 200 best, in their standard deviations, so that a question whose
best cosine is .4 and one whose best is .8 weigh vectors against terms alike. A candidate that one generator did not find is
scored by it all the same, exactly. The last part multiplies the odds of a story by e^(freshness · (curve − 1)): 1 on the
day, falling by half of what is left every half-life.

Weights and curve are learned on editors' links (``recommender tune``) and kept in a file with the figures that justify them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.errors import SettingsError
from recommender.vectors import UNDATED

Values = NDArray[np.float64]
PARTS = ("dense", "lexical", "votes", "links", "popularity", "freshness")
N_BEST = 200
ANY_LANGUAGE, TEXT = "*", "text"
SECONDS_A_DAY = 86_400
_FORMAT = 1
_SHIPPED = Path(__file__).with_name("weights.json")
_LEAST_SPREAD = 1e-6
_UNDATED_HALF_LIVES = 2.0
_MAX_WEIGHT = 1000.0
_MAX_DAYS = 1e5


@dataclass(frozen=True, slots=True)
class Weights:
    """What each part counts; all at least 0."""

    dense: float
    lexical: float
    votes: float = 0.0
    links: float = 0.0
    popularity: float = 0.0
    freshness: float = 0.0

    def only(self, *names: str) -> Weights:
        """Return these weights with every part but ``names`` at 0."""
        return Weights(**{name: value if name in names else 0.0 for name, value in asdict(self).items()})


@dataclass(frozen=True, slots=True)
class Curve:
    """How a story fades beside another: 2^(−days between the two / half-life).

    Attributes:
        half_life_days: for a story older than the one it stands under.
        newer_half_life_days: for a younger one. Editors link back; what comes later belongs when it comes soon.
        sections: half-lives of sections that age faster or slower, by name; the younger side is scaled alike.
    """

    half_life_days: float = 365.0
    newer_half_life_days: float = 60.0
    sections: Mapping[str, float] = field(default_factory=dict)

    def at(self, query_at: int, published_at: NDArray[np.int64], section_days: Values | None = None) -> Values:
        """Return the curve at each date, 0 to 1; 1 for all where the question has no date, and ¼ for a story without one.

        Args:
            query_at: seconds, ``UNDATED`` for none.
            published_at: of the candidates, seconds.
            section_days: half-life of each candidate in days; None for ``half_life_days``.
        """
        if query_at == UNDATED:
            return np.ones(len(published_at))
        dated = published_at != UNDATED
        days = (query_at - np.where(dated, published_at, query_at)) / SECONDS_A_DAY
        older = np.full(len(days), self.half_life_days) if section_days is None else section_days
        newer = older * (self.newer_half_life_days / self.half_life_days)
        lives = np.abs(days) / np.where(days >= 0, older, newer)
        return np.asarray(np.where(dated, 0.5 ** np.minimum(lives, 1000.0), 0.5**_UNDATED_HALF_LIVES))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Probability that an editor would link a pair, from what the two say alone: 1 / (1 + e^−(intercept + …)).

    Freshness and popularity are left out: they say which related story to take, not whether it is related.
    """

    intercept: float
    dense: float
    lexical: float

    def probability(self, dense: Values, lexical: Values) -> Values:
        """Return the probability of each pair, 0 to 1, from cosines of vectors and of terms."""
        logit = self.intercept + self.dense * dense + self.lexical * lexical
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -60, 60))))


@dataclass(frozen=True, slots=True)
class Feedback:
    """How much a free text takes over from the stories that it finds first.

    Attributes:
        n_stories: so many; 0 turns it off.
        dense: length of their mean vector beside the text's own, which has length 1.
        lexical: the same of their terms.
    """

    n_stories: int = 5
    dense: float = 0.5
    lexical: float = 0.5


@dataclass(frozen=True, slots=True)
class Model:
    """Everything that was learned.

    Attributes:
        article, text: weights for a story as question, and for a free text.
        curve: of freshness.
        feedback: of the first stories on a free text.
        unknown_language: share of the dense weight that stays for a language that the encoder was not trained on; the
            rest goes to the lexical one.
        calibrations: by name of the encoder, then by language (``ANY_LANGUAGE`` for every other) and for free texts (``TEXT``).
        figures: what was measured when this was made, as it is kept in the file.
    """

    article: Weights
    text: Weights
    curve: Curve = field(default_factory=Curve)
    feedback: Feedback = field(default_factory=Feedback)
    unknown_language: float = 0.5
    calibrations: Mapping[str, Mapping[str, Calibration]] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)

    def weights(self, *, is_article: bool, language_known: bool) -> Weights:
        """Return the weights for a question."""
        weights = self.article if is_article else self.text
        if language_known:
            return weights
        kept = weights.dense * self.unknown_language
        return Weights(**asdict(weights) | {"dense": kept, "lexical": weights.lexical + weights.dense - kept})

    def calibration(self, encoder: str, language: str) -> Calibration | None:
        """Return the calibration for an encoder and a language, or for free texts (``TEXT``); None where none was fitted."""
        fitted = self.calibrations.get(encoder, {})
        return fitted.get(language) or (None if language == TEXT else fitted.get(ANY_LANGUAGE))

    def as_dict(self) -> dict[str, Any]:
        """Return the model as it stands in its file."""
        return {"format": _FORMAT, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation of a question's best scores."""

    mean: float = 0.0
    deviation: float = 1.0

    @classmethod
    def of(cls, scores: NDArray[Any]) -> Spread:
        """Return the spread of the 200 best of ``scores``; of none, what leaves scores as they are."""
        if len(scores) == 0:
            return cls()
        best = np.asarray(scores if len(scores) <= N_BEST else np.partition(scores, -N_BEST)[-N_BEST:], np.float64)
        best.sort()  # what is summed in another order has another last bit
        return cls(float(best.mean()), max(float(best.std()), _LEAST_SPREAD))

    def z(self, scores: NDArray[Any]) -> Values:
        """Return the scores as distances from the mean in standard deviations."""
        return (np.asarray(scores, np.float64) - self.mean) / self.deviation


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of each candidate, one entry a candidate; see the head of this module.

    Attributes:
        dense, lexical: distances ``z``.
        votes, links, popularity: as in the sum.
        freshness: the curve, 0 to 1.
    """

    dense: Values
    lexical: Values
    votes: Values
    links: Values
    popularity: Values
    freshness: Values

    def matrix(self) -> Values:
        """Return what the weights multiply, shape (n, 6), columns in the order of ``PARTS``."""
        columns = (self.dense, self.lexical, np.sqrt(self.votes), self.links, self.popularity, self.freshness - 1.0)
        return np.stack(columns, axis=-1)


def contributions(signals: Signals, weights: Weights) -> Values:
    """Return what each part adds to each score, shape (n, 6); a score is the sum of its row."""
    return np.asarray(signals.matrix() * np.array([getattr(weights, name) for name in PARTS]))


@cache
def shipped() -> Model:
    """Return the model that comes with this package."""
    return read_model(_SHIPPED)


def read_model(path: Path) -> Model:
    """Return the model in a file.

    Raises:
        SettingsError: it cannot be read, or says something impossible; the message names the file and the entry.
    """
    try:
        raw = _entries(json.loads(path.read_text(encoding="utf-8")), "")
        if "format" in raw and (raw["format"] != _FORMAT or isinstance(raw["format"], bool)):
            raise SettingsError(f"{path}: has format {raw['format']!r}, this program reads {_FORMAT}")
        raw = _entries(raw, "", "format", *(each.name for each in fields(Model)))
        curve = _entries(raw["curve"], "curve", *(each.name for each in fields(Curve)))
        return Model(
            article=_numbers(Weights, raw["article"], "article", 0.0),
            text=_numbers(Weights, raw["text"], "text", 0.0),
            curve=Curve(
                _number(curve["half_life_days"], "curve.half_life_days", 1e-3),
                _number(curve["newer_half_life_days"], "curve.newer_half_life_days", 1e-3),
                {
                    name: _number(days, f"curve.sections.{name}", 1e-3)
                    for name, days in _entries(curve["sections"], "curve.sections").items()
                },
            ),
            feedback=_feedback(raw["feedback"]),
            unknown_language=_number(raw["unknown_language"], "unknown_language", 0.0, 1.0),
            calibrations={
                encoder: {
                    language: _numbers(Calibration, entry, f"calibrations.{encoder}.{language}", -_MAX_WEIGHT)
                    for language, entry in _entries(by_language, f"calibrations.{encoder}").items()
                }
                for encoder, by_language in _entries(raw["calibrations"], "calibrations").items()
            },
            figures=_entries(raw["figures"], "figures"),
        )
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: is no file of weights ({error}); make one with: recommender tune") from error


def _entries(value: Any, name: str, *known: str) -> dict[str, Any]:
    """Return an object of the file that has exactly the entries ``known``; any where none is named."""
    if not isinstance(value, dict):
        raise ValueError(f"{name or 'all'} is {value!r:.60}, no object")
    for entry in sorted(set(value) ^ set(known) if known else ()):
        full = f"{name}.{entry}".removeprefix(".")
        raise ValueError(f"{full} is unknown" if entry in value else f"{full} is missing")
    return value


def _numbers(kind: type[Any], entry: Any, name: str, least: float) -> Any:
    entries = _entries(entry, name, *(each.name for each in fields(kind)))
    return kind(**{key: _number(value, f"{name}.{key}", least) for key, value in entries.items()})


def _feedback(entry: Any) -> Feedback:
    read: Feedback = _numbers(Feedback, entry, "feedback", 0.0)
    if read.n_stories != int(read.n_stories):
        raise ValueError(f"feedback.n_stories is {read.n_stories!r}, no whole number")
    return replace(read, n_stories=int(read.n_stories))


def _number(value: Any, name: str, least: float, most: float | None = None) -> float:
    """Return a number within bounds, so that no file makes a score infinite."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or (isinstance(value, float) and not math.isfinite(value))
    ):
        raise ValueError(f"{name} is {value!r}, no number")
    if most is None:
        most = _MAX_DAYS if name.startswith("curve.") else _MAX_WEIGHT
    if not least <= value <= most:
        raise ValueError(f"{name} is {value!r}, out of range")
    return float(value)
