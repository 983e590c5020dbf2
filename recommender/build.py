"""The write side: resolve links, embed what changed, build a snapshot, check it and publish it."""

from __future__ import annotations

import heapq
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np

from recommender import compose, links, snapshot
from recommender.article import Article, Link
from recommender.catalog import Catalog
from recommender.copies import CopyFinder
from recommender.encoder import Encoder, Recipe, View, article_vector, encode_views, headline_only, known_languages
from recommender.errors import SnapshotError
from recommender.explain import TermCounter
from recommender.home import Home
from recommender.ingest import Writer
from recommender.lexical import SPOOL_PREFIX, LexicalBuilder
from recommender.settings import Settings
from recommender.snapshot import Contents, Facts, Row, Snapshot, seconds
from recommender.text import base_language
from recommender.vectors import Centres, Matrix

_PAGE_TEXTS = 256


class Stage(Protocol):
    """Watches one stage of a rebuild."""

    def __call__(self, stage: str, done: int, total: int, unit: str) -> None:
        """Take note: ``done`` of ``total`` units of this stage are finished."""
        ...


def _unwatched(stage: str, done: int, total: int, unit: str) -> None:
    return None


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
    watch: Stage = _unwatched,
    gate: Callable[[Snapshot], None] = lambda candidate: None,
) -> BuildReport:
    """Bring the published index up to the catalog.

    Only texts that the catalog has no vector for are encoded, and each page of them is stored as soon as it is done: an
    interrupted rebuild goes on where it stopped. The caller holds the home's writer lock.

    Args:
        home, catalog, encoder, settings: what is built from what.
        now: time of publication.
        watch: takes note of the progress.
        gate: called with the new snapshot before it goes live; what it raises stops the publication.

    Raises:
        CatalogError, SnapshotError, EncoderError: the former snapshot stays live.
    """
    recipe = compose.recipe(settings.encoder)
    resolved, languages = _resolve(catalog, settings.links.fuzzy_threshold)
    n_articles = len(languages)
    stubs = links.stubs(resolved, languages)
    n_encoded = _embed(catalog, encoder, recipe, stubs, n_articles, watch)
    lexical = LexicalBuilder(home.snapshots)
    try:
        home.snapshots.mkdir(parents=True, exist_ok=True)
        for left_over in home.snapshots.glob(f"{SPOOL_PREFIX}*"):
            shutil.rmtree(left_over)
        contents = _assemble(catalog, encoder, recipe, resolved, stubs, n_articles, settings, lexical, watch)
    except OSError as error:
        lexical.close()
        raise SnapshotError(f"{home.snapshots}: cannot be written to ({error}); the former index stays live") from error
    by_method = dict(Counter(str(link.method) for link in resolved))
    described = {
        "encoder": compose.described(settings.encoder, encoder),
        "counts": {"articles": n_articles, "stubs": len(stubs), "links": by_method},
    }

    def check(candidate: Snapshot) -> None:
        _probe(candidate)
        gate(candidate)

    published = snapshot.publish(home, contents, described, now=now, check=check)
    return BuildReport(
        published.name,
        n_articles,
        len(stubs),
        n_encoded,
        by_method,
        _unknown(settings.encoder.model, languages.values()),
    )


def drop_unused_vectors(catalog: Catalog, settings: Settings) -> int:
    """Drop the stored vectors of texts that no article and no stub has under these settings; return how many they were.

    The texts decide, not the encoder: what another one made of texts that are still there stays. The caller holds the
    home's writer lock.
    """
    resolved, languages = _resolve(catalog, settings.links.fuzzy_threshold)
    every = _views(catalog, compose.recipe(settings.encoder), links.stubs(resolved, languages))
    return catalog.drop_vectors_but(view.digest for _, views in every for view in views)


def _resolve(catalog: Catalog, threshold: float) -> tuple[list[Link], dict[str, str | None]]:
    """Return where every link leads, with the language of each article by id."""
    Writer(catalog, fuzzy_threshold=threshold).bring_up_to_date()
    return catalog.links(), {article.id: article.language for article in catalog.articles()}


def _unknown(model: str, languages: Iterable[str | None]) -> dict[str, int]:
    """Return how many articles are in languages that the model was not trained on, the most frequent first."""
    known = known_languages(model)
    if known is None:
        return {}
    return dict(
        Counter(language for language in languages if language and base_language(language) not in known).most_common()
    )


def _views(catalog: Catalog, recipe: Recipe, stubs: Sequence[Article]) -> Iterator[tuple[Article, tuple[View, ...]]]:
    """Yield every article and stub with its views, in ascending order of id."""
    for article in heapq.merge(catalog.articles(), stubs, key=lambda article: article.id):
        yield article, recipe.views(article)


def _pages(items: Iterable[Any], size_of: Callable[[Any], int], limit: int) -> Iterator[list[Any]]:
    """Yield items in order, in lists whose sizes sum to about ``limit``."""
    page: list[Any] = []
    size = 0
    for item in items:
        page.append(item)
        size += size_of(item)
        if size >= limit:
            yield page
            page, size = [], 0
    if page:
        yield page


def _embed(
    catalog: Catalog, encoder: Encoder, recipe: Recipe, stubs: Sequence[Article], n_articles: int, watch: Stage
) -> int:
    """Encode the views that have no stored vector, a page at a time, and return how many texts that were."""
    n_all = n_articles + len(stubs)
    n_missing = done = 0
    ids: set[str] = set()
    for page in _pages(_views(catalog, recipe, stubs), lambda item: len(item[1]), _PAGE_TEXTS):
        missing = _missing(catalog, encoder, page)
        ids.update(article.id for article, views in page if any(view.digest in missing for view in views))
        n_missing += sum(len(view.texts) for view in missing.values())
        done += len(page)
        watch("looking for changed texts", done, n_all, "articles")
    if not ids:
        return 0
    n_encoded = 0
    watch("embedding", 0, n_missing, "texts")
    wanted = ((article, views) for article, views in _views(catalog, recipe, stubs) if article.id in ids)
    for page in _pages(wanted, lambda item: sum(len(view.texts) for view in item[1]), _PAGE_TEXTS):
        missing = _missing(catalog, encoder, page)
        vectors = encode_views(list(missing.values()), encoder.encode)
        catalog.save_embeddings(encoder.name, vectors)
        n_encoded += sum(len(view.texts) for view in missing.values())
        watch("embedding", n_encoded, max(n_encoded, n_missing), "texts")
    return n_encoded


def _missing(catalog: Catalog, encoder: Encoder, page: Sequence[tuple[Article, tuple[View, ...]]]) -> dict[bytes, View]:
    views = {view.digest: view for _, article_views in page for view in article_views}
    known = catalog.embeddings(encoder.name, list(views))
    return {digest: view for digest, view in views.items() if digest not in known}


def _assemble(
    catalog: Catalog,
    encoder: Encoder,
    recipe: Recipe,
    resolved: Sequence[Link],
    stubs: Sequence[Article],
    n_articles: int,
    settings: Settings,
    lexical: LexicalBuilder,
    watch: Stage,
) -> Contents:
    """Return rows, vectors and links of everything, in the order of ids."""
    n_all = n_articles + len(stubs)
    counter = TermCounter()
    for article in catalog.articles():
        counter.add(article)
    rows: list[Row] = []
    finder = CopyFinder()
    n_words: list[int] = []
    tags: list[tuple[str, ...]] = []
    authors: list[tuple[str, ...]] = []
    vectors: Matrix = np.zeros((n_all, encoder.dim), np.float32)
    headlines: Matrix = np.zeros((n_all, encoder.dim), np.float32)
    is_headline = np.zeros(n_all, np.bool_)
    for page in _pages(_views(catalog, recipe, stubs), lambda item: len(item[1]), _PAGE_TEXTS):
        known = catalog.embeddings(encoder.name, list({view.digest for _, views in page for view in views}))
        for article, views in page:
            vectors[len(rows)] = article_vector(views, known)
            headlines[len(rows)] = known[views[0].digest]
            is_headline[len(rows)] = headline_only(article, views)
            rows.append(_row(article, tuple(counter.terms(article))))
            body = f"{article.description}\n{article.text}"
            lexical.add(article.title, body, article.language)
            finder.add(article)
            n_words.append(len(article.title.split()) + len(body.split()))
            tags.append(article.tags)
            authors.append(article.authors)
        watch("building the index", len(rows), n_all, "articles")
    groups = [base_language(row.language) for row in rows]
    centres = Centres.fit(vectors, groups, settings.encoder.centring)
    headline_centres = Centres.fit(headlines, groups, settings.encoder.centring)
    centred = centres.apply(vectors, groups)
    short = np.flatnonzero(is_headline)
    centred[short] = headline_centres.apply(vectors[short], [groups[number] for number in short])
    copies = finder.groups(centred, np.array([seconds(row.published_at) for row in rows], np.int64))
    facts = Facts(tags, authors, n_words, copies)
    return Contents(rows, centred, _edges(resolved, rows), facts, lexical, centres, headline_centres)


def _row(article: Article, terms: tuple[str, ...]) -> Row:
    return Row(
        id=article.id,
        title=article.title,
        description=article.description,
        url=article.url,
        image_url=article.image_url,
        published_at=article.published_at.isoformat() if article.published_at else None,
        section=article.section,
        language=article.language,
        kind=article.kind,
        stub=article.id.startswith(links.STUB_PREFIX),
        terms=terms,
    )


def _edges(resolved: Iterable[Link], rows: Sequence[Row]) -> np.ndarray[Any, np.dtype[np.int32]]:
    row_of = {row.id: number for number, row in enumerate(rows)}
    edges = [(row_of[link.article_id], row_of[str(link.target_id)]) for link in resolved if links.counts(link)]
    return np.array(edges, np.int32).reshape(-1, 2)


def _probe(candidate: Snapshot) -> None:
    """Ask a new snapshot for the neighbours of a few of its own rows before readers do."""
    for number in {0, len(candidate) // 2, len(candidate) - 1} if len(candidate) else set():
        vector = candidate.dense.vector(number)
        hits = candidate.dense.search(vector, 3)
        if vector.any() and (not hits or hits[0].score < 0.999):
            raise SnapshotError(
                f"the new index does not find its own row {candidate.dense.ids[number]!r}; it was not published"
            )
