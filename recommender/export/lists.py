"""The lists of a whole archive as files, made in this process or in several, in the order of ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from recommender.answer import Options
from recommender.errors import ExportError
from recommender.export.pages import Page, pages, stem
from recommender.home import Home
from recommender.processes import EndedError, in_order
from recommender.recommend import Recommender
from recommender.settings import Settings
from recommender.snapshot import Changes, Overlay, load

_CHUNK = 32


@dataclass(frozen=True, slots=True)
class Made:
    """The files of one article."""

    article_id: str
    url: str | None
    pages: tuple[Page, ...]


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the files of articles from one state of the archive.

    Attributes:
        recommender: answers; what changed since its snapshot may lie over it.
        options: how lists are made.
        html: whether there are fragments.
        folders: see ``pages.stem``.
    """

    recommender: Recommender
    options: Options
    html: bool
    folders: bool

    def made(self, article_id: str) -> Made:
        """Return the files of one article."""
        answer = self.recommender.related(article_id, self.options)
        snapshot = self.recommender.snapshot
        url = snapshot.row(snapshot.dense.require_row(article_id)).url
        return Made(article_id, url, pages(answer, stem(article_id, folders=self.folders), html=self.html))

    def all(self, ids: Sequence[str], settings: Settings, processes: int) -> Iterator[Made]:
        """Yield the files of all articles in the order of ``ids``.

        Args:
            ids: of known articles.
            settings: what the other processes open the same snapshot with; they are told what changed since.
            processes: 1 for this one alone.

        Raises:
            ExportError: a process ended that should not have.
        """
        if processes == 1:
            yield from map(self.made, ids)
            return
        view = self.recommender.snapshot
        changes = view.changes if isinstance(view, Overlay) else None
        job = (settings, view.name, changes, self.options, self.html, self.folders)
        parts = (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
        try:
            for made in in_order(_chunk, parts, processes, _open, job):
                yield from made
        except EndedError as error:
            raise ExportError(
                "a process that makes lists has ended (was the memory full?); run it again with fewer --processes"
            ) from error


_maker: list[Maker] = []  # of a process that makes lists; one


def _open(settings: Settings, name: str, changes: Changes | None, options: Options, html: bool, folders: bool) -> None:
    base = load(Home(settings.home), name)
    recommender = Recommender.over(base, settings)
    if changes is not None:
        recommender = recommender.with_view(Overlay(base, changes))
    _maker[:] = [Maker(recommender, options, html, folders)]


def _chunk(ids: Sequence[str]) -> list[Made]:
    return [_maker[0].made(article_id) for article_id in ids]
