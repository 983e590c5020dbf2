"""What is asked and what is answered: options, recommendations, the list around them. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from recommender.errors import QueryError
from recommender.rank import Filters

MAX_K = 1000
NO_FILTERS = Filters()

Source = Literal["pinned", "link", "similar"]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One line of a list, as readers and machines see it.

    Attributes:
        rank: 1 for the first.
        score: centred cosine, -1 to 1, rounded to six decimals; higher is nearer.
        source: ``pinned``, ``link`` (an editor linked the two) or ``similar``.
        reason: why it stands here, in an editor's words.
        stub: a link's headline whose article is not in the archive.
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
    parts: dict[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A list and what it was asked for; ``as_dict`` is the JSON of the contract."""

    query: dict[str, Any]
    results: tuple[Recommendation, ...]
    snapshot: str
    empty_reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain data; ``parts`` and ``empty_reason`` only where there is something in them."""
        results = []
        for result in self.results:
            fields = {name: getattr(result, name) for name in Recommendation.__slots__}
            if fields["parts"] is None:
                del fields["parts"]
            results.append(fields)
        answer: dict[str, Any] = {"query": self.query, "results": results, "snapshot": self.snapshot}
        return answer if self.empty_reason is None else answer | {"empty_reason": self.empty_reason}


@dataclass(frozen=True, slots=True)
class Options:
    """How a list is made.

    Attributes:
        k: at most so many, 1 to 1000.
        filters: what may stand in it.
        raw: the pure ranking by similarity: no language rule, no editor's links ahead, no rules of any kind but ``filters``.
        past_only: nothing younger than the article, and nothing without a date; needs an article with a date.
        same_language: only the article's language, unless ``filters`` name languages.
        explain: give the parts of each score.
    """

    k: int = 5
    filters: Filters = NO_FILTERS
    raw: bool = False
    past_only: bool = False
    same_language: bool = True
    explain: bool = False

    def __post_init__(self) -> None:
        if self.k < 1:
            raise QueryError(f"k: must be at least 1, it is {self.k}")
        if self.k > MAX_K:
            raise QueryError(f"k: must be at most {MAX_K}, it is {self.k}")


DEFAULT_OPTIONS = Options()
