"""The write side: embed what changed, build a snapshot, check it and publish it."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recommender import compose, snapshot
from recommender.build.assemble import assemble
from recommender.build.fitting import MAX_SHARE_CHANGED, held_fit
from recommender.build.pages import Texts
from recommender.build.pages import embed as embed_texts
from recommender.build.stages import Stage, unwatched
from recommender.catalog import Catalog
from recommender.encoder import Encoder, known_languages
from recommender.errors import SnapshotError
from recommender.home import Home
from recommender.ingest import Writer
from recommender.lexical import SPOOL_PREFIX, LexicalBuilder
from recommender.settings import Settings
from recommender.snapshot import Snapshot
from recommender.text import base_language

__all__ = [
    "MAX_SHARE_CHANGED",
    "BuildReport",
    "Stage",
    "drop_unused_vectors",
    "embed",
    "rebuild",
]


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a rebuild did.

    Attributes:
        snapshot: name of the published snapshot.
        n_articles, n_stubs: rows in it.
        n_texts_encoded: texts that had to go through the encoder; the others were known.
        links: how many links were resolved by which method.
        unknown_languages: articles by language that the encoder was not trained on.
    """

    snapshot: str
    n_articles: int
    n_stubs: int
    n_texts_encoded: int
    links: dict[str, int]
    unknown_languages: dict[str, int]


def rebuild(
    home: Home,
    catalog: Catalog,
    encoder: Encoder,
    settings: Settings,
    *,
    now: datetime,
    refit: bool = False,
    watch: Stage = unwatched,
    gate: snapshot.Check = lambda candidate: None,
    neighbours: snapshot.Find = lambda candidate, folder: None,
    lists: snapshot.Finish = lambda candidate, folder: None,
) -> BuildReport:
    """Bring the published index up to the catalog.

    Only texts that the catalog has no vector for are encoded, and each page of them is stored as soon as it is done: an
    interrupted rebuild goes on where it stopped. The index is that of one moment; articles may go in all the while, and are
    in what readers lay over it. The caller holds the home's writer lock.

    Args:
        home, catalog, encoder, settings: what is built from what.
        now: time of publication.
        refit: count anew what is counted over the whole archive, also where little has changed; see ``Fit``.
        watch: takes note of the progress.
        gate: called with the new snapshot before it goes live; what it raises stops the publication, what it returns goes into
            the manifest.
        neighbours: finds what is kept of the rows most like each; called before the gate.
        lists: finishes every article's list; called after that.

    Raises:
        CatalogError, SnapshotError, EncoderError: the former snapshot stays live.
    """
    Writer(catalog, fuzzy_threshold=settings.links.fuzzy_threshold).bring_up_to_date()
    recipe = compose.recipe(settings.encoder)
    before = catalog.last_change()
    n_encoded = embed_texts(catalog, encoder, Texts(catalog, recipe), watch)
    with Catalog(catalog.path) as moment, moment.pinned():
        change = moment.last_change()
        texts = Texts(moment, recipe)
        if change != before:  # what came while the others were encoded
            n_encoded += embed_texts(catalog, encoder, texts, watch)
        described = compose.described(settings.encoder, encoder)
        held = None if refit else held_fit(home, moment, described, texts)
        fit = held.fit if held else None
        lexical = LexicalBuilder(home.snapshots, fit.lexical if fit else None)
        try:
            home.snapshots.mkdir(parents=True, exist_ok=True)
            for left_over in home.snapshots.glob(f"{SPOOL_PREFIX}*"):
                shutil.rmtree(left_over)
            contents = assemble(texts, catalog, encoder, settings.encoder.centring, fit, lexical, watch)
        except OSError as error:
            lexical.close()
            raise SnapshotError(
                f"{home.snapshots}: cannot be written to ({error}); the former index stays live"
            ) from error
    by_method = dict(Counter(str(link.method) for link in texts.links))
    fitted_now = {
        "at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "articles": texts.n_articles,
        "change": change,
    }
    manifest = {
        "encoder": described,
        "counts": {"articles": texts.n_articles, "stubs": len(texts.stubs), "links": by_method},
        "change": change,
        "fit": held.made if held else fitted_now,
    }

    def check(candidate: Snapshot) -> Mapping[str, Any] | None:
        _probe(candidate)
        return gate(candidate)

    published = snapshot.publish(home, contents, manifest, now=now, check=check, neighbours=neighbours, lists=lists)
    return BuildReport(
        published.name,
        texts.n_articles,
        len(texts.stubs),
        n_encoded,
        by_method,
        _unknown(settings.encoder.model, texts.languages.values()),
    )


def embed(catalog: Catalog, encoder: Encoder, settings: Settings, *, watch: Stage = unwatched) -> int:
    """Encode what a rebuild with these settings would have to encode, publish nothing, and return how many texts that were.

    Each page is stored as soon as it is done: an interrupted run goes on where it stopped. No writer's lock is needed: vectors
    alone are written, a page in one transaction, and a vector depends on nothing but its key.
    """
    return embed_texts(catalog, encoder, Texts(catalog, compose.recipe(settings.encoder)), watch)


def drop_unused_vectors(catalog: Catalog, settings: Settings) -> int:
    """Drop the stored vectors of texts that no article and no stub has under these settings; return how many they were.

    The texts decide, not the encoder: what another one made of texts that are still there stays. The caller holds the
    home's writer lock.
    """
    Writer(catalog, fuzzy_threshold=settings.links.fuzzy_threshold).bring_up_to_date()
    texts = Texts(catalog, compose.recipe(settings.encoder))
    return catalog.drop_vectors_but(view.digest for _, views in texts.views() for view in views)


def _unknown(model: str, languages: Iterable[str | None]) -> dict[str, int]:
    """Return how many articles are in languages that the model was not trained on, the most frequent first."""
    known = known_languages(model)
    if known is None:
        return {}
    return dict(
        Counter(language for language in languages if language and base_language(language) not in known).most_common()
    )


def _probe(candidate: Snapshot) -> None:
    """Ask a new snapshot for the neighbours of a few of its own rows before readers do."""
    for number in {0, len(candidate) // 2, len(candidate) - 1} if len(candidate) else set():
        vector = candidate.dense.vector(number)
        hits = candidate.dense.search(vector, 3)
        if vector.any() and (not hits or hits[0].score < 0.999):
            raise SnapshotError(
                f"the new index does not find its own row {candidate.dense.ids[number]!r}; it was not published"
            )
