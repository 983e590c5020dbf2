"""Errors as strangers see them: one shape, and nothing of the machine in it."""

from __future__ import annotations

import logging
from typing import NamedTuple

from recommender.errors import (
    EncoderBusyError,
    EncoderDisabledError,
    EncoderLateError,
    Problem,
    QueryError,
    RateLimitedError,
    RecommenderError,
    Suggestion,
    UnknownArticleError,
    http_status,
)

log = logging.getLogger(__name__)

# What is wrong on our side is told in general words: the particulars name files and belong into the log.
_OURS = {
    "no_snapshot": "no index has been published here yet",
    "snapshot_unavailable": "the index cannot be served at the moment",
    "catalog_unavailable": "the catalog cannot be read at the moment",
    "encoder_busy": "too many free texts are being answered at the moment; ask again in a second",
    "encoder_unavailable": "free text and unseen articles cannot be answered at the moment; known articles can",
    "misconfigured": "the service is not set up correctly",
    "busy": "the service is busy; try again in a moment",
}

_RETRY_SECONDS = {
    "busy": 1,
    "encoder_busy": 1,
    "no_snapshot": 5,
    "snapshot_unavailable": 5,
    "catalog_unavailable": 5,
    "encoder_unavailable": 30,
}


class Refusal(NamedTuple):
    """What is told of an error."""

    status: int
    kind: str
    message: str
    suggestions: tuple[Suggestion, ...] = ()
    problems: tuple[Problem, ...] = ()
    after_seconds: int | None = None

    @property
    def retry_seconds(self) -> int | None:
        """When it is worth to ask again; None where asking again does not help."""
        return self.after_seconds if self.after_seconds is not None else _RETRY_SECONDS.get(self.kind)

    def as_dict(self) -> dict[str, object]:
        """Return the one shape of every error."""
        return error_body(self.kind, self.message, self.suggestions, self.problems)


def error_body(
    kind: str, message: str, suggestions: tuple[Suggestion, ...] = (), problems: tuple[Problem, ...] = ()
) -> dict[str, object]:
    """Return ``{"error": {"type", "message"}}``, with the nearest titles and the wrong parameters where there are some."""
    error: dict[str, object] = {"type": kind, "message": message}
    for name, told in (("suggestions", suggestions), ("problems", problems)):
        if told:
            error[name] = [each._asdict() for each in told]
    return {"error": error}


def refusal(error: RecommenderError) -> Refusal:
    """Return what to tell of ``error``; what is ours to mend goes into the log in full."""
    status, kind = http_status(error)
    if isinstance(error, EncoderBusyError | EncoderLateError):  # no fault of ours to mend, and no line each
        return Refusal(status, kind, _OURS[kind])
    if status >= 500 and not isinstance(error, EncoderDisabledError):
        log.warning("%s: %s", kind, error)
        return Refusal(status, kind, _OURS[kind])
    suggestions = error.suggestions if isinstance(error, UnknownArticleError) else ()
    problems = error.problems if isinstance(error, QueryError) else ()
    after = error.retry_seconds if isinstance(error, RateLimitedError) else None
    return Refusal(status, kind, str(error), suggestions, problems, after)
