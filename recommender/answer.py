"""What is asked and what is answered: options, recommendations, the list around them. Plain data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from recommender.errors import QueryError
from recommender.rank import Filters
from recommender.settings import DEFAULT_FLOOR, RankingSettings

MAX_K = 1000
NO_FILTERS = Filters()

Source = Literal["pinned", "link", "similar"]
Ranker = Literal["full", "fusion", "dense", "lexical"]
RANKERS: tuple[Ranker, ...] = ("full", "fusion", "dense", "lexical")


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One line of a list, as readers and machines see it.

    Attributes:
        rank: 1 for the first.
        score: the sum of ``parts``, rounded to six decimals; higher is better.
        source: ``pinned``, ``link`` (an editor linked the two) or ``similar``.
        reason: why it stands here, in an editor's words.
        stub: a link's headline whose article is not in the archive.
        image_url: of the story's picture, as the newsroom gave it.
        details: what ``explain`` asked for: the parts of the score, the probability, the relation, and so on.
    """

    rank: int
    id: str
    title: str
    url: str | None
    score: float
    source: Source
    reason: str
    published_at: str | None
    section: str | None
    language: str | None
    stub: bool
    image_url: str | None = None
    details: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the line as plain data, details beside the rest."""
        fields = {name: getattr(self, name) for name in Recommendation.__slots__}
        details = fields.pop("details")
        return fields | (details or {})


@dataclass(frozen=True, slots=True)
class Answer:
    """A list and what it was asked for; ``as_dict`` is the JSON of the contract.

    Attributes:
        empty_reason: why nothing stands in the list; None where something does.
        short_reason: why the list is shorter than was asked for.
        hidden: what would have stood in the list but for a rule, and which; only where ``explain`` asked for it.
        note: what a reader of this list should know; None for nothing.
    """

    query: dict[str, Any]
    results: tuple[Recommendation, ...]
    snapshot: str
    empty_reason: str | None = None
    short_reason: str | None = None
    hidden: tuple[dict[str, Any], ...] | None = None
    note: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain data; reasons and ``hidden`` only where there is something in them."""
        answer: dict[str, Any] = {
            "query": self.query,
            "results": [result.as_dict() for result in self.results],
            "snapshot": self.snapshot,
        }
        for name in ("empty_reason", "short_reason", "note"):
            if getattr(self, name) is not None:
                answer[name] = getattr(self, name)
        return answer if self.hidden is None else answer | {"hidden": list(self.hidden)}


@dataclass(frozen=True, slots=True)
class Options:
    """How a list is made.

    Attributes:
        k: at most so many, 1 to 1000.
        filters: what may stand in it. Where they name no kinds, only ``kinds`` may.
        ranker: ``full``: everything that was learned; ``fusion``: vectors and terms; ``dense`` or ``lexical``: one of the two.
        raw: the pure ranking: filters apply, no rule, no editor's hand, no collapse, diversity or floor.
        past_only: nothing younger than the article, and nothing without a date; needs an article with a date.
        same_language: only the article's language, unless ``filters`` name languages.
        kinds: of stories that may stand in a list for being similar; empty for any.
        freshness: let a story fade with the time between the two.
        feedback: ask a free text together with the stories that it finds first.
        collapse: of near-copies show one, and never a near-copy of the article itself.
        diversity: what a story loses for each unit of cosine to one that stands above it, 0 for nothing.
        floor: least probability that an editor would link the two, 0 to 1; 0 for no floor.
        explain: give the details of each line, and what was hidden.
        blind: for evaluations: the article's own links are not looked at, of the others only those of earlier articles; nor
            are the desk's rules.
    """

    k: int = 5
    filters: Filters = NO_FILTERS
    ranker: Ranker = "full"
    raw: bool = False
    past_only: bool = False
    same_language: bool = True
    kinds: tuple[str, ...] = ("news",)
    freshness: bool = True
    feedback: bool = True
    collapse: bool = True
    diversity: float = 0.0
    floor: float = DEFAULT_FLOOR
    explain: bool = False
    blind: bool = False

    def __post_init__(self) -> None:
        if self.k < 1:
            raise QueryError(f"k: must be at least 1, it is {self.k}")
        if self.k > MAX_K:
            raise QueryError(f"k: must be at most {MAX_K}, it is {self.k}")
        if self.ranker not in RANKERS:
            raise QueryError(f"ranker: {self.ranker!r} is none; rankers are {', '.join(RANKERS)}")
        if not 0 <= self.diversity <= 100:
            raise QueryError(f"diversity: must be 0 to 100, it is {self.diversity}")
        if not 0 <= self.floor <= 1:
            raise QueryError(f"floor: is a probability, 0 to 1; it is {self.floor}")


DEFAULT_OPTIONS = Options()


def to_json(value: object) -> str:
    """Return plain data as this program writes answers; one way, so that kept bytes are those that would be written."""
    return json.dumps(value, ensure_ascii=False)


def options_of(settings: RankingSettings) -> Options:
    """Return how a list is made when the caller does not say."""
    return Options(
        k=settings.k,
        past_only=settings.past_only,
        same_language=settings.same_language,
        kinds=settings.kinds,
        freshness=settings.freshness,
        feedback=settings.feedback,
        collapse=settings.collapse,
        diversity=settings.diversity,
        floor=settings.floor,
    )
