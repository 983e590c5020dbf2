"""Every error that this package raises on purpose.

    RecommenderError
    ├── InputError            what a person or a file gave cannot be used
    │   ├── RecordError       one record of a source is no article (the others go in)
    │   ├── SourceError       a whole source cannot be read
    │   ├── QueryError        a question cannot be asked like this (k, filters, empty text)
    │   ├── SettingsError     a setting is unknown, of the wrong type or out of range
    │   └── RulesError        the editors' rules cannot be used as they stand (carries every problem of the file)
    ├── UnknownArticleError   no article with this id or url (carries the nearest titles)
    ├── CatalogError          the catalog cannot be opened, read or written
    ├── SnapshotError         no snapshot, or one that must not be served
    │   └── NoSnapshotError   nothing has been published yet
    ├── GateError             a new index does worse than the live one and was held back
    ├── BackupError           a copy of a home cannot be made, or is not one that may be put in place
    ├── ExportError           a folder cannot take the exported lists
    ├── KeysError             the file of keys is damaged, or open to others
    ├── BusyError             another process holds the writer's lock
    ├── RateLimitedError      whoever asks has asked too often; says when it is worth to ask again
    ├── FetchError            an address on the web does not answer, or not within the bounds; it may another time
    │   └── FetchRefusedError     it must not be fetched, or answers with what cannot be taken
    └── EncoderError          texts cannot be turned into vectors
        ├── EncoderBusyError      too many texts wait already; ask again in a moment
        ├── EncoderLateError      it takes too long, and goes on
        ├── EncoderMissingError   the optional packages or the weights are not installed
        └── EncoderDisabledError  this instance was told to do without (``encoder.model = "none"``)

A message names the thing, says what is wrong with it and how to mend it. The two tables below are the only
place where an error becomes an exit code or an HTTP status; a test asks for a row for every leaf.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self


class RecommenderError(Exception):
    """The common base: catch this to catch everything that the package raises on purpose."""


class InputError(RecommenderError):
    """What a person or a file gave cannot be used."""


class RecordError(InputError):
    """One record of a source cannot be an article; the message says which field and why."""


class SourceError(InputError):
    """A whole source (file, folder, stream) cannot be read."""


class Problem(NamedTuple):
    """What is wrong with one parameter: its name, and a message that begins with it."""

    parameter: str
    message: str


class QueryError(InputError):
    """A question cannot be asked like this: ``k`` out of range, an empty text, a broken filter.

    Attributes:
        problems: of each wrong parameter; empty where the fault is no parameter's.
    """

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> Self:
        """Return the error that tells of all these problems, one a line."""
        return cls("\n".join(problem.message for problem in problems), problems)


class SettingsError(InputError):
    """A setting is unknown, of the wrong type or out of range."""


class RulesError(InputError):
    """A file of editors' rules cannot be used as it stands; none of its rules is.

    Attributes:
        problems: one line a problem, each with its place, what is wrong and how to mend it; at most 20.
    """

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class Suggestion(NamedTuple):
    """An article whose title is near to what was asked for."""

    article_id: str
    title: str


class UnknownArticleError(RecommenderError):
    """No article has this id or url.

    Attributes:
        suggestions: the nearest titles, best first, at most a handful; empty when nothing is near.
    """

    def __init__(self, message: str, suggestions: Sequence[Suggestion] = ()) -> None:
        super().__init__(message)
        self.suggestions = tuple(suggestions)


class CatalogError(RecommenderError):
    """The catalog cannot be opened, read or written."""


class SnapshotError(RecommenderError):
    """There is no snapshot, or one that must not be served."""


class NoSnapshotError(SnapshotError):
    """Nothing has been published in this home yet."""


class GateError(RecommenderError):
    """A new index does worse than the live one, or changes too much, and was not published.

    Attributes:
        lines: what changed, for a person.
    """

    def __init__(self, message: str, lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.lines = tuple(lines)


class BackupError(RecommenderError):
    """A copy of a home cannot be made, or is damaged, cut, or no copy of a home at all."""


class ExportError(RecommenderError):
    """A folder cannot take the exported lists."""


class KeysError(RecommenderError):
    """The file of keys is damaged, or others may read it; nobody may write while it is."""


class BusyError(RecommenderError):
    """Another process is writing to this home or folder."""


class RateLimitedError(RecommenderError):
    """Whoever asks has asked more often than is answered.

    Attributes:
        retry_seconds: until the next question is answered, at least 1.
    """

    def __init__(self, message: str, retry_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds


class FetchError(RecommenderError):
    """An address on the web does not answer as it should now; it may another time."""


class FetchRefusedError(FetchError):
    """An address must not be fetched (inside the house, robots.txt), or what it answers with cannot be taken."""


class EncoderError(RecommenderError):
    """Texts cannot be turned into vectors."""


class EncoderBusyError(EncoderError):
    """Too many texts wait to be encoded already."""


class EncoderLateError(EncoderError):
    """Encoding takes longer than anybody waits for; it goes on."""


class EncoderMissingError(EncoderError):
    """The encoder's optional packages or its weights are not installed."""


class EncoderDisabledError(EncoderError):
    """This instance was told to do without an encoder."""


EXIT_REFUSED = 1
EXIT_USAGE = 2

EXIT_CODES: dict[type[RecommenderError], int] = {
    RecordError: EXIT_REFUSED,
    SourceError: EXIT_REFUSED,
    QueryError: EXIT_USAGE,
    SettingsError: EXIT_USAGE,
    RulesError: EXIT_REFUSED,
    UnknownArticleError: EXIT_REFUSED,
    CatalogError: EXIT_REFUSED,
    NoSnapshotError: EXIT_REFUSED,
    SnapshotError: EXIT_REFUSED,
    GateError: EXIT_REFUSED,
    BackupError: EXIT_REFUSED,
    ExportError: EXIT_REFUSED,
    KeysError: EXIT_REFUSED,
    BusyError: EXIT_REFUSED,
    RateLimitedError: EXIT_REFUSED,
    FetchRefusedError: EXIT_REFUSED,
    FetchError: EXIT_REFUSED,
    EncoderBusyError: EXIT_REFUSED,
    EncoderLateError: EXIT_REFUSED,
    EncoderMissingError: EXIT_REFUSED,
    EncoderDisabledError: EXIT_REFUSED,
    EncoderError: EXIT_REFUSED,
}

HTTP_STATUSES: dict[type[RecommenderError], tuple[int, str]] = {
    RecordError: (422, "invalid_article"),
    SourceError: (422, "invalid_article"),
    QueryError: (400, "invalid_query"),
    SettingsError: (500, "misconfigured"),
    RulesError: (500, "misconfigured"),
    UnknownArticleError: (404, "unknown_article"),
    CatalogError: (503, "catalog_unavailable"),
    NoSnapshotError: (503, "no_snapshot"),
    SnapshotError: (503, "snapshot_unavailable"),
    GateError: (503, "held_back"),
    BackupError: (503, "backup_unusable"),
    ExportError: (503, "export_unusable"),
    KeysError: (500, "misconfigured"),
    BusyError: (503, "busy"),
    RateLimitedError: (429, "rate_limited"),
    FetchRefusedError: (502, "fetch_refused"),
    FetchError: (502, "fetch_failed"),
    EncoderBusyError: (503, "encoder_busy"),
    EncoderLateError: (503, "encoder_busy"),
    EncoderMissingError: (503, "encoder_unavailable"),
    EncoderDisabledError: (503, "encoder_disabled"),
    EncoderError: (503, "encoder_unavailable"),
}


def exit_code(error: RecommenderError) -> int:
    """Return the process exit code for ``error`` (1 refused or not found, 2 usage)."""
    return next((EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES), EXIT_REFUSED)


def http_status(error: RecommenderError) -> tuple[int, str]:
    """Return the HTTP status and the ``error.type`` string for ``error``."""
    rows = (HTTP_STATUSES[kind] for kind in type(error).__mro__ if kind in HTTP_STATUSES)
    return next(rows, (500, "internal"))
