"""Catalog, live snapshot and exported encoders held against what they say of themselves, and of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recommender import links, snapshot
from recommender.article import Link
from recommender.catalog import Catalog
from recommender.encoder import UNFINISHED, read_export
from recommender.errors import CatalogError, EncoderError, SnapshotError
from recommender.home import Home

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Audit:
    """What was looked at, and what is wrong, by what mends it.

    Attributes:
        checked: one line each.
        catalog: problems of articles and links as editors wrote them; only a backup or their source mends them.
        vectors: problems of stored vectors; they can be encoded again.
        index: problems of what is live, or of links that were resolved; a rebuild mends them.
        exports: problems of exported encoders.
    """

    checked: Sequence[str]
    catalog: Sequence[str]
    vectors: Sequence[str]
    index: Sequence[str]
    exports: Sequence[str]

    @property
    def problems(self) -> list[str]:
        """All of them."""
        return [*self.catalog, *self.vectors, *self.index, *self.exports]


def audit(home: Home) -> Audit:
    """Return what is wrong in a home, every byte looked at. Articles that are newer than the live snapshot are no problem."""
    checked: list[str] = []
    in_catalog: list[str] = []
    vectors: list[str] = []
    index: list[str] = []
    exports: list[str] = []
    ids: set[str] | None = None
    changed: dict[str, int] = {}
    try:
        with Catalog(home.catalog) as catalog:
            in_catalog += [f"{home.catalog}: {problem}" for problem in catalog.check_articles()]
            if not in_catalog:
                vectors += [f"{home.catalog}: {problem}" for problem in catalog.check_vectors()]
            ids = catalog.ids()
            changed = dict(catalog.changed_since(0))
            index += [f"{home.catalog}: {problem}" for problem in _lost_links(catalog.links(), ids)]
            checked.append(f"catalog: {len(ids):,} articles")
    except CatalogError as error:
        in_catalog.append(str(error))
    try:
        live = snapshot.load(home)
        checked.append(f"snapshot {live.name}: {len(live):,} rows")
        newer = {article_id for article_id, number in changed.items() if number > live.change}
        index += [f"snapshot {live.name}: {problem}" for problem in _lost_rows(live, ids, newer)]
    except SnapshotError as error:
        index.append(str(error))
    for folder in sorted(home.encoders.iterdir()) if home.encoders.is_dir() else []:
        if folder.suffix == UNFINISHED:
            continue
        try:
            read_export(folder)
        except EncoderError as error:
            exports.append(str(error))
        checked.append(f"encoder {folder.name}")
    return Audit(checked, in_catalog, vectors, index, exports)


def _lost_links(resolved: Sequence[Link], ids: set[str]) -> list[str]:
    """Return what is wrong with where the catalog's links lead; a link that is not resolved yet leads nowhere."""
    led = [link for link in resolved if link.target_id is not None]
    nowhere = [_place(link) for link in led if not _to_stub(link) and link.target_id not in ids]
    mixed = [
        _place(link)
        for link in led
        if link.method not in ("self", "repeat") and _to_stub(link) != (link.method == "stub")
    ]
    return [
        *_told(nowhere, "links lead to articles that are not there"),
        *_told(mixed, "links are not to what their method says, an article or a stub"),
    ]


def _to_stub(link: Link) -> bool:
    return str(link.target_id).startswith(links.STUB_PREFIX)


def _lost_rows(live: snapshot.Snapshot, ids: set[str] | None, newer: set[str]) -> list[str]:
    """Return what is wrong with the ids of the rows, and with the links between them; what changed since is ``newer``."""
    marked = live.columns.stub
    by_id = [article_id.startswith(links.STUB_PREFIX) for article_id in live.dense.ids]
    strangers = [
        article_id
        for article_id, stub in zip(live.dense.ids, by_id, strict=True)
        if not stub and ids is not None and article_id not in ids and article_id not in newer
    ]
    missing = sorted((ids or set()) - newer - set(live.dense.ids))
    mixed = [article_id for number, article_id in enumerate(live.dense.ids) if by_id[number] != bool(marked[number])]
    linking = [
        article_id for number, article_id in enumerate(live.dense.ids) if by_id[number] and live.graph.linked_by(number)
    ]
    return [
        *_told(strangers, "articles are not in the catalog"),
        *_told(missing, "articles of the catalog are missing"),
        *_told(mixed, "rows are marked as a stub, or not, against their id"),
        *_told(linking, "stubs have links of their own"),
    ]


def _place(link: Link) -> str:
    return f"{link.article_id} #{link.position + 1}"


def _told(found: Sequence[str], what: str) -> list[str]:
    if not found:
        return []
    first = ", ".join(repr(each) for each in found[:_SHOWN])
    more = ", ..." if len(found) > _SHOWN else ""
    return [f"{len(found):,} {what}: {first}{more}; run: recommender verify --repair"]
