"""What the routes answer with, as types. A test holds real answers against the schemas that are made of them."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from recommender.answer import Recommendation
from recommender.article import KINDS, Article
from recommender.catalog import Outcome
from recommender.errors import Problem, Suggestion
from recommender.explain import Relation
from recommender.ingest import Refusal
from recommender.web.contract.schema import Components, Schema, object_schema


class Details(TypedDict, total=False):
    """What ``explain`` adds to a line.

    Attributes:
        parts: what each part adds to the score.
        cosines: of the two vectors, and of the two stories' terms.
        probability: that an editor would link the two; null where no calibration fits.
        relation: how the story stands to the article.
        sentences: the two that say the most alike, one of each story; null where no texts are at hand.
    """

    parts: dict[str, float]
    cosines: dict[str, float]
    probability: float | None
    relation: Relation
    sentences: list[str] | None


class Question(TypedDict):
    """What was asked.

    Attributes:
        id, title: of the article; ``id`` only where it is known.
        text: a free text, cleaned.
        language: of the article or text; null where it is not known.
        k: how many stories at most.
    """

    id: NotRequired[str]
    title: NotRequired[str]
    text: NotRequired[str]
    language: str | None
    k: int


class Hidden(TypedDict):
    """A story that a rule took out of the list.

    Attributes:
        why: in an editor's words.
        shown_instead: id of the story that is shown instead, where it is a near-copy.
    """

    id: str
    title: str
    why: str
    shown_instead: str | None


class StoryList(TypedDict):
    """A list of stories.

    Attributes:
        results: the stories, best first.
        snapshot: name of the index that answered.
        empty_reason: why nothing stands in the list.
        short_reason: why the list is shorter than was asked for.
        note: what a reader of this list should know; such a list is not kept.
        hidden: what would have stood in the list but for a rule, at most 20; only with ``explain``.
    """

    query: Question
    results: list[Recommendation]
    snapshot: str
    empty_reason: NotRequired[str]
    short_reason: NotRequired[str]
    note: NotRequired[str]
    hidden: NotRequired[list[Hidden]]


class Slot(TypedDict):
    """The list of one slot of a page.

    Attributes:
        k: how many stories at most.
    """

    k: int
    results: list[Recommendation]
    empty_reason: NotRequired[str]
    short_reason: NotRequired[str]
    hidden: NotRequired[list[Hidden]]


class PageQuestion(TypedDict):
    """The article of a page.

    Attributes:
        id: only where it is known.
        language: null where it is not known.
    """

    id: NotRequired[str]
    title: str
    language: str | None


class Page(TypedDict):
    """The lists of a page; no story, nor a near-copy of one, stands in it twice.

    Attributes:
        slots: by name.
        snapshot: name of the index that answered.
    """

    query: PageQuestion
    slots: dict[str, Slot]
    snapshot: str


class ErrorDetail(TypedDict):
    """What went wrong.

    Attributes:
        type: for machines.
        message: for people: what is wrong, and how to mend it.
        suggestions: articles whose headline or id is spelled most like what was asked for.
        problems: every wrong parameter.
    """

    type: str
    message: str
    suggestions: NotRequired[list[Suggestion]]
    problems: NotRequired[list[Problem]]


class Error(TypedDict):
    """The one shape of every error."""

    error: ErrorDetail


class Health(TypedDict):
    """The process answers."""

    status: Literal["ok"]


class Ready(TypedDict):
    """Related stories can be answered.

    Attributes:
        snapshot: name of the index that answers.
        problem: what a person should know, although it answers.
    """

    status: Literal["ready"]
    snapshot: str
    problem: NotRequired[str]


class NotReady(TypedDict):
    """Nothing can be answered.

    Attributes:
        problem: why.
    """

    status: Literal["not ready"]
    problem: str


class LiveSnapshot(TypedDict):
    """The index that answers.

    Attributes:
        created_at: when it was built.
        encoder: what made its vectors.
        counts: what it holds.
    """

    name: str
    created_at: str
    encoder: dict[str, Any]
    counts: dict[str, Any]


class Overlay(TypedDict):
    """What changed since the index was built.

    Attributes:
        change: number of the last change that is taken in.
        changed, gone: stories that lie over the index, and those that it no longer shows.
        waiting: stories that have no vectors yet.
    """

    change: int
    changed: int
    gone: int
    waiting: int


class Status(TypedDict):
    """What is live.

    Attributes:
        problem: what a person should know; null where nothing is wrong.
    """

    snapshot: LiveSnapshot
    live: Overlay
    problem: str | None


class Written(TypedDict):
    """An article was written, or withdrawn, and that is on the disk.

    Attributes:
        change: number of the archive's last change by then.
    """

    id: str
    outcome: Outcome | Literal["withdrawn"]
    change: int


class BatchWritten(TypedDict):
    """What became of a batch.

    Attributes:
        new, changed, unchanged, refused: how many articles.
        change: number of the archive's last change by then.
        refusals: the first 1,000 that were refused, with their lines.
    """

    new: int
    changed: int
    unchanged: int
    refused: int
    change: int
    refusals: list[Refusal]


def story(components: Components) -> Schema:
    """Return the schema of a line: a recommendation, with what ``explain`` adds beside the rest."""
    line = object_schema(Recommendation, components, without=["details"])
    line["properties"] |= object_schema(Details, components)["properties"]
    return line


def stored(components: Components) -> Schema:
    """Return the schema of an article as it is stored."""
    article = object_schema(Article, components)
    article["properties"]["kind"] = {"type": "string", "enum": list(KINDS)}
    return article | {"description": "An article as it is stored: its record, cleaned."}
