"""The parameters of a list, in one table: what each means, which values it takes, and how they are read.

``web/parameters.py`` asks it for options, ``document`` for the page that tells of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recommender.answer import RANKERS
from recommender.article import KINDS
from recommender.fragment import HEADING
from recommender.settings import RankingSettings
from recommender.web.contract import values

MAX_GIVEN = 200
_BOUNDS = ("minimum", "maximum")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Attributes:
        name: as it stands in a query string, or in a slot of a page.
        says: what it means, a sentence.
        schema: JSON Schema of one value.
        read: makes a value of its text.
        many: it may be given several times, 200 at most.
        required: a question without it cannot be asked.
        setting: the ranking's setting that holds where it is not given.
        default: what holds where it is not given, and no setting says.
        example: one value, for people who try it.
    """

    name: str
    says: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    read: values.Read = values.text
    many: bool = False
    required: bool = False
    setting: str | None = None
    default: object = None
    example: object = None


def _of_setting(kind: str, name: str) -> dict[str, Any]:
    """Return the schema of a number whose bounds are those of a setting."""
    told = RankingSettings.model_json_schema()["properties"][name]
    return {"type": kind, **{bound: told[bound] for bound in _BOUNDS}}


def _flag(name: str, says: str, *, setting: str | None = None, default: bool | None = None) -> Parameter:
    return Parameter(name, says, {"type": "boolean"}, values.flag, setting=setting, default=default)


def _instant(name: str, says: str) -> Parameter:
    schema = {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}
    return Parameter(name, says, schema, values.instant, example="2025-03-14")


LIST = (
    Parameter(
        "k",
        "How many stories at most.",
        _of_setting("integer", "k"),
        values.whole,
        setting="k",
    ),
    Parameter("section", "Only stories of this section; the section must be in the archive.", many=True),
    Parameter(
        "language",
        "Only stories in this language (BCP 47; a language covers its regions). `any` turns the rule off that a list "
        "keeps to the article's language.",
        read=values.lowered,
        many=True,
    ),
    Parameter(
        "kind",
        "Only stories of this kind. `any` turns the rule off that only some kinds are offered.",
        {"type": "string", "enum": [*KINDS, "any"]},
        many=True,
    ),
    Parameter("tag", "Only stories with one of these tags; they must be in the archive.", many=True),
    Parameter("author", "Only stories by one of these authors; they must be in the archive.", many=True),
    _instant("published_after", "Only stories published at this moment or later; a day begins in UTC."),
    _instant("published_before", "Only stories published before this moment; a day begins in UTC."),
    Parameter("exclude", "Id of a story that is on the page already; near-copies of it are left out, too.", many=True),
    _flag("stubs", "Whether links may appear whose article is not in the archive.", default=True),
    _flag("past_only", "Nothing younger than the article, and nothing without a date.", setting="past_only"),
    _flag("explain", "Tell the parts of each score, and what was hidden and why.", default=False),
    _flag("raw", "The pure ranking: filters apply, no rule, editor's link, collapse or floor.", default=False),
    Parameter(
        "ranker",
        "What is scored: everything that was learned (`full`), vectors and terms (`fusion`), or one of the two.",
        {"type": "string", "enum": list(RANKERS)},
        values.one_of(RANKERS),
        default="full",
    ),
    _flag("freshness", "Let stories fade with the time between the two.", setting="freshness"),
    _flag("feedback", "Ask a free text together with the stories that it finds first.", setting="feedback"),
    _flag(
        "collapse",
        "Show one of several near-copies, and never a near-copy of the article itself.",
        setting="collapse",
    ),
    Parameter(
        "diversity",
        "What a story loses for each unit of cosine to one that stands above it; 0 for nothing.",
        _of_setting("number", "diversity"),
        values.number,
        setting="diversity",
    ),
    Parameter(
        "floor",
        "Least probability that an editor would link the two; 0 for no floor.",
        _of_setting("number", "floor"),
        values.number,
        setting="floor",
    ),
)

URL = Parameter(
    "url",
    "The article's address, in any spelling that means the same page.",
    {"type": "string", "format": "uri"},
    values.address,
    required=True,
    example="https://www.example.org/news/ferry-strike",
)
HEADING_WORDS = Parameter("heading", "Stands above the list; empty for none.", default=HEADING)


def text_of_at_most(n_chars: int) -> Parameter:
    """Return the parameter that a free text comes in."""
    return Parameter(
        "q",
        "A headline, a few words or a whole text.",
        {"type": "string", "minLength": 1, "maxLength": n_chars},
        values.bounded(n_chars, "send a whole article to POST /v1/related"),
        required=True,
        example="hackers in a hospital",
    )
