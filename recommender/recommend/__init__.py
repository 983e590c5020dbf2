"""The read side: related stories for an article or a text, each with its reason. No disk, and no model for a known article.

A :class:`Recommender` holds one snapshot and answers from it; it is safe to share between threads. What is newer comes
as another snapshot, in another Recommender.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from threading import Lock
from typing import Any, Self

import numpy as np

from recommender import compose, explain, links, rank, snapshot
from recommender.answer import DEFAULT_OPTIONS, Answer, Options, Recommendation, Source
from recommender.article import Article
from recommender.encoder import Encoder, Recipe
from recommender.errors import EncoderError, QueryError, SnapshotError, Suggestion, UnknownArticleError
from recommender.home import Home
from recommender.rank import Filters, Mask, base_language
from recommender.recommend.query import Query, Questions, cleaned_text
from recommender.settings import Settings
from recommender.snapshot import Snapshot
from recommender.text import title_key, url_key
from recommender.vectors import Hit, rounded

_BATCH_TEXTS = 64


class Recommender:
    """Answers from one snapshot."""

    def __init__(
        self, snapshot: Snapshot, *, recipe: Recipe, encoder: Callable[[], Encoder], fuzzy_threshold: float
    ) -> None:
        """Take a snapshot and the means to encode what is not in it.

        Args:
            snapshot: loaded and checked.
            recipe: how an unseen article becomes views; the one that the snapshot was built with.
            encoder: called when a free text or an unseen article asks for it, not before.
            fuzzy_threshold: for the links of an unseen article, see ``links.LinkResolver``.
        """
        self.snapshot = snapshot
        self._questions = Questions(snapshot, recipe=recipe, encoder=encoder, fuzzy_threshold=fuzzy_threshold)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Return a recommender over the live snapshot of ``settings.home``. The encoder is opened when it is first needed.

        Raises:
            NoSnapshotError: nothing has been published yet.
            SnapshotError: the snapshot is damaged, or was made with another encoder than the settings name.
        """
        home = Home(settings.home)
        live = snapshot.load(home)
        made_with = live.manifest["encoder"]
        wanted = {"model": settings.encoder.model, "prompt": settings.encoder.prompt}
        if settings.encoder.model != "none" and wanted != {name: made_with[name] for name in wanted}:
            raise SnapshotError(
                f"snapshot {live.name} was made with encoder.model = {made_with['model']!r}, the settings say "
                f"{settings.encoder.model!r}; run: recommender rebuild, or set encoder.model back"
            )
        opened: list[Encoder] = []
        lock = Lock()

        def encoder() -> Encoder:
            with lock:
                if not opened:
                    found = compose.open_encoder(home, settings.encoder)
                    if found.name != made_with["name"]:
                        raise EncoderError(
                            f"the encoder here is {found.name}, snapshot {live.name} was made with {made_with['name']}; "
                            "run: recommender rebuild"
                        )
                    opened.append(found)
                return opened[0]

        return cls(
            live, recipe=Recipe(**made_with["recipe"]), encoder=encoder, fuzzy_threshold=settings.links.fuzzy_threshold
        )

    def related(self, article_id: str, options: Options = DEFAULT_OPTIONS) -> Answer:
        """Return the stories related to a known article (or stub).

        Raises:
            UnknownArticleError: no such id; carries the nearest titles.
            QueryError: a filter that can never match.
        """
        return self._related_row(self._row(article_id), options)

    def related_by_url(self, url: str, options: Options = DEFAULT_OPTIONS) -> Answer:
        """Return the stories related to the article at an address, in any spelling that means the same page.

        Raises:
            UnknownArticleError: no article has this address.
            QueryError: it is no http(s) address, or a filter can never match.
        """
        key = url_key(url)
        if key is None:
            raise QueryError(f"url: {url[:200]!r} is not an absolute http(s) address")
        number = self.snapshot.rows_by_url.get(key)
        if number is None:
            raise UnknownArticleError(
                f"no article has the address {url[:500]}", self.nearest_titles(url.rsplit("/", 1)[-1])
            )
        return self._related_row(number, options)

    def related_to(self, article: Article, options: Options = DEFAULT_OPTIONS) -> Answer:
        """Return the stories related to an article that was sent along; it is not stored.

        The article is left out of its own list where the archive knows it by id or address.
        """
        query = self._questions.of_article(article)
        return self._answer(query, {"title": article.title, "language": query.language, "k": options.k}, options)

    def search(self, text: str, options: Options = DEFAULT_OPTIONS, *, language: str | None = None) -> Answer:
        """Return the stories nearest to a free text.

        Args:
            text: any; what is beyond the encoder's window is not looked at.
            options: ``past_only`` and ``same_language`` do not apply: a text has no date, and its language is no wish.
            language: of the text; detected among the archive's languages where None.

        Raises:
            QueryError: there is no text.
        """
        text = cleaned_text(text)
        (query,) = self._questions.of_texts([text], language)
        return self._answer(query, {"text": text, "language": query.language, "k": options.k}, options)

    def related_hits(self, article_id: str, options: Options = DEFAULT_OPTIONS) -> list[Hit]:
        """Return what :meth:`related` ranks, as ids and scores alone (for runs over a whole archive)."""
        return self._hits(self._questions.of_row(self._row(article_id)), options)

    def search_hits(
        self,
        texts: Iterable[tuple[str, str]],
        options: Options = DEFAULT_OPTIONS,
    ) -> Iterator[tuple[str, str, list[Hit]]]:
        """Yield (query id, text, hits) for many free texts, encoded 64 at a time; nothing else is held in memory.

        Raises:
            QueryError: a text is empty.
        """
        iterator = iter(texts)
        while batch := list(islice(iterator, _BATCH_TEXTS)):
            cleaned = [cleaned_text(text) for _, text in batch]
            queries = self._questions.of_texts(cleaned)
            for (query_id, _), text, query in zip(batch, cleaned, queries, strict=True):
                yield query_id, text, self._hits(query, options)

    def explain(self, article_id: str, other_id: str) -> dict[str, Any]:
        """Return the score of one pair and every part of it.

        Raises:
            UnknownArticleError: one of the two is not in the archive.
        """
        one, other = self._row(article_id), self._row(other_id)
        dense = float(self.snapshot.dense.scores(self.snapshot.dense.vector(one), np.array([other]))[0])
        rows = self.snapshot.row(one), self.snapshot.row(other)
        shared = explain.shared_terms(rows[0].terms, rows[1].terms)
        return {
            "article": {"id": rows[0].id, "title": rows[0].title},
            "other": {"id": rows[1].id, "title": rows[1].title},
            "score": round(dense, 6),
            "parts": {"dense": round(dense, 6)},
            "linked": {
                "to_other": other in self.snapshot.linked_by(one),
                "from_other": one in self.snapshot.linked_by(other),
            },
            "shared_terms": shared,
            "reason": explain.similar_reason(shared),
            "snapshot": self.snapshot.name,
        }

    def nearest_titles(self, text: str, n: int = 3) -> list[Suggestion]:
        """Return up to ``n`` articles whose headline or id is spelled most like ``text``."""
        key = title_key(text)
        if not key:
            return []
        numbers = links.nearest(key, self.snapshot.title_keys, self.snapshot.id_keys, n)
        return [Suggestion(self.snapshot.dense.ids[number], self.snapshot.row(number).title) for number in numbers]

    def _row(self, article_id: str) -> int:
        number = self.snapshot.dense.row_of(article_id)
        if number is None:
            raise UnknownArticleError(
                f"no article has the id {article_id[:200]!r}", self.nearest_titles(article_id[:500])
            )
        return number

    def _related_row(self, number: int, options: Options) -> Answer:
        row = self.snapshot.row(number)
        described = {"id": row.id, "title": row.title, "language": row.language, "k": options.k}
        return self._answer(self._questions.of_row(number), described, options)

    def _answer(self, query: Query, described: dict[str, Any], options: Options) -> Answer:
        hits = self._hits(query, options)
        linking = set(self.snapshot.linking_to(query.own_row)) if query.own_row is not None else set()
        linked = set(query.linked)
        results = tuple(
            self._recommendation(position, hit, query, linked, linking, options)
            for position, hit in enumerate(hits, start=1)
        )
        empty = None
        if not results:
            empty = (
                "nothing in the archive passes the filters"
                if len(self.snapshot) > 1
                else "the archive holds no other article"
            )
        return Answer(described, results, self.snapshot.name, empty)

    def _hits(self, query: Query, options: Options) -> list[Hit]:
        dense = self.snapshot.dense
        asked = self._asked_for(query, options)
        if options.raw:
            return dense.search(query.vector, options.k, asked)
        # An editor's own links stand ahead, in any language and with their stubs: the editor meant this reader.
        rows = np.array([row for row in query.linked if asked[row]], np.int64)
        scores = dense.scores(query.vector, rows)
        linked = [rounded(Hit(dense.ids[row], float(score))) for row, score in zip(rows, scores, strict=True)]
        similar = dense.search(query.vector, options.k + len(linked), asked & self._fit_for_readers(query, options))
        return rank.place(linked, similar, options.k)

    def _asked_for(self, query: Query, options: Options) -> Mask:
        """Return the rows that the caller's filters let through; never the article itself."""
        filters = options.filters
        filters.check(self.snapshot.columns)
        mask = rank.allowed(self.snapshot.columns, filters)
        if options.past_only and query.published_at != rank.UNDATED:
            mask &= rank.not_younger(self.snapshot.columns, query.published_at)
        if query.own_row is not None:
            mask[query.own_row] = False
        for article_id in filters.exclude:
            number = self.snapshot.dense.row_of(article_id)
            if number is not None:
                mask[number] = False
        return mask

    def _fit_for_readers(self, query: Query, options: Options) -> Mask:
        """Return the rows that may stand under a story for being similar: in its language, and no other story's stubs."""
        if not query.is_article:
            return np.ones(len(self.snapshot), np.bool_)
        own_language = query.language if options.same_language and not options.filters.languages else None
        languages = (base_language(own_language),) if own_language else ()
        return rank.allowed(self.snapshot.columns, Filters(languages=languages, stubs=False))

    def _recommendation(
        self, position: int, hit: Hit, query: Query, linked: set[int], linking: set[int], options: Options
    ) -> Recommendation:
        number = self.snapshot.dense.row_of(hit.article_id)
        assert number is not None  # the hit came from this index
        row = self.snapshot.row(number)
        source: Source = "similar"
        if number in linked:
            source, reason = "link", explain.LINKED_BY
        elif number in linking:
            source, reason = "link", explain.LINKED_FROM
        else:
            reason = explain.similar_reason(query.shared(row), to_text=not query.is_article)
        return Recommendation(
            rank=position,
            id=row.id,
            title=row.title,
            url=row.url,
            score=hit.score,
            source=source,
            reason=reason,
            published_at=row.published_at,
            section=row.section,
            language=row.language,
            stub=row.stub,
            parts={"dense": hit.score} if options.explain else None,
        )
