"""Query parameters made into options; every wrong one is named, all of them in one answer."""

from __future__ import annotations

from collections.abc import Callable, Collection

from werkzeug.datastructures import MultiDict

from recommender.answer import Options
from recommender.errors import Problem, QueryError
from recommender.rank import Columns
from recommender.settings import RankingSettings
from recommender.web.contract.asked import options_from, read
from recommender.web.contract.parameters import LIST, Parameter
from recommender.web.contract.values import missing_address


def options(
    arguments: MultiDict[str, str],
    settings: RankingSettings,
    *,
    also: Collection[Parameter] = (),
    columns: Callable[[], Columns | None] = lambda: None,
) -> Options:
    """Return the options that a query string asks for.

    Args:
        arguments: of the query string.
        settings: hold for what is not given.
        also: parameters that the route takes besides those of every list; the caller reads them.
        columns: gives those of the archive, so that what it does not hold is named beside what is wrong by itself.

    Raises:
        QueryError: unknown parameters, values that mean nothing, or one value too many; it names them all.
    """
    found, problems = read(arguments.lists(), [*also, *LIST])
    if any(each.name == "url" for each in also) and "url" not in arguments:
        problems.append(Problem("url", missing_address("url")))
    asked = options_from(found, settings)
    if problems:
        archive = columns()
        raise QueryError.of([*problems, *(asked.filters.problems(archive) if archive is not None else ())])
    return asked
