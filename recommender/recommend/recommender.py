"""Related stories for an article or a text, from one state of the archive. No disk, and no model for a known article."""

from __future__ import annotations

import copy
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from threading import Lock
from typing import Any, Self

import numpy as np

from recommender import compose, desk, fusion, snapshot
from recommender.answer import DEFAULT_OPTIONS, Answer, Options, options_of
from recommender.article import Article
from recommender.desk import NO_RULES, DeskRules, Wish
from recommender.editorial import NO_HAND, Hand, Rule
from recommender.encoder import Encoder, Recipe
from recommender.errors import (
    CatalogError,
    EncoderBusyError,
    EncoderDisabledError,
    EncoderError,
    QueryError,
    Suggestion,
    UnknownArticleError,
)
from recommender.fusion import Model
from recommender.home import Home
from recommender.ingest import Intake, Withdrawn, Written
from recommender.recommend.evidence import Inquiry
from recommender.recommend.finished import FinishedList, as_served, made_with, restored, touched_by
from recommender.recommend.left_out import LOOKED_THROUGH, Inspected, left_out
from recommender.recommend.lists import Lists
from recommender.recommend.order import KeptCopy
from recommender.recommend.page import page
from recommender.recommend.pool import EncoderPool
from recommender.recommend.preview import Tried, concerned, worth_showing
from recommender.recommend.query import Query, Questions, cleaned_text
from recommender.recommend.spelling import spelled_like
from recommender.recommend.telling import Teller, Texts
from recommender.settings import ServeSettings, Settings
from recommender.snapshot import View
from recommender.text import url_key
from recommender.vectors import UNDATED, Hit, Matrix

log = logging.getLogger(__name__)

_BATCH_TEXTS = 64
BY_WORDS = "found by words alone: the text could not be encoded in time"
_SERIALS = itertools.count(1)


class Recommender:
    """Answers from one snapshot, with or without what changed since; safe to share between threads.

    Attributes:
        snapshot: what it answers from.
        serial: a number that no other state has that this process answered from; a later one has a higher number.
        recipe: how an article becomes views.
        encoder: returns the encoder, opened when it is first called for.
        hand: the editors' rules as they apply to it.
        rules: those of the reviewed file.
        desk: those of the desk's log.
        model: the weights of the ranking.
    """

    def __init__(
        self,
        snapshot: View,
        *,
        recipe: Recipe,
        encoder: Callable[[], Encoder],
        fuzzy_threshold: float,
        model: Model | None = None,
        rules: Sequence[Rule] = (),
        desk: DeskRules = NO_RULES,
        keep_copy: KeptCopy = "own",
        texts: Texts | None = None,
        intake: Intake | None = None,
        pool: EncoderPool | None = None,
        served: Options | None = None,
        walk_from: int | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take a snapshot and the means to encode what is not in it.

        Args:
            snapshot: loaded and checked, with or without changes over it.
            recipe: how an unseen article becomes views; the one that the snapshot was built with.
            encoder: called when a free text or an unseen article asks for it, not before.
            fuzzy_threshold: for the links of an unseen article, see ``links.LinkResolver``.
            model: weights of the ranking; the shipped ones where None.
            rules: pins, blocks and boosts of the reviewed file.
            desk: those of the desk's log.
            keep_copy: which of several near-copies is shown.
            texts: gives an article's body by id, for the sentences that ``explain`` quotes.
            intake: takes what :meth:`upsert` and :meth:`withdraw` are given; None where nothing can be written.
            pool: encodes what readers ask with; where it cannot, a free text is answered by its words alone. None: whoever asks
                encodes, and an error is one.
            served: how lists are made that the index may hold finished; None where none are taken from it.
            walk_from: rows of an archive in which a free text is answered by a walk (``walk``); None for none.
            clock: tells when the desk's rules end.
        """
        self.recipe = recipe
        self.encoder = encoder
        self.model = model or fusion.shipped()
        self._fuzzy_threshold = fuzzy_threshold
        self.rules = tuple(rules)
        self.desk = desk
        self._keep_copy: KeptCopy = keep_copy
        self._texts = texts
        self._intake = intake
        self._pool = pool
        self._served = served
        self._walk_from = walk_from
        self._made_with = self.made_with(served) if served else None
        self._clock = clock
        self._take(snapshot)

    def _take(self, snapshot: View) -> None:
        self.serial = next(_SERIALS)
        self.snapshot = snapshot
        rules = (*self.desk.rules, *self.rules)  # of two pins of one story the first holds
        self.hand = Hand.of(rules, self.row_of, snapshot.columns.sections) if rules else NO_HAND
        self._lists = Lists(
            snapshot,
            model=self.model,
            hand=self.hand,
            keep_copy=self._keep_copy,
            walk_from=self._walk_from,
            clock=self._clock,
        )
        self._teller = Teller(snapshot, self._texts)
        finished = snapshot.finished_with
        self._finished = self._served if finished and self._made_with == finished else None
        # No method of this object's own: a circle would keep each state, and all its arrays, until a garbage collection.
        encode = self._pool.encode if self._pool else partial(_encoded, self.encoder)
        self._questions = Questions(snapshot, recipe=self.recipe, encode=encode, fuzzy_threshold=self._fuzzy_threshold)

    @classmethod
    def open(cls, settings: Settings, *, name: str | None = None, texts: Texts | None = None) -> Self:
        """Return a recommender over a snapshot of ``settings.home``, without what changed since; :class:`Live` has that.

        Texts are encoded by the model that the snapshot was made with, whatever the settings name, and not at all where they
        say ``none``; it is opened when it is first needed.

        Args:
            settings: of this process.
            name: of the snapshot; the live one where None.
            texts: gives an article's body by id, for the sentences that ``explain`` quotes.

        Raises:
            NoSnapshotError: nothing has been published yet.
            SnapshotError: the snapshot is damaged.
        """
        return cls.over(snapshot.load(Home(settings.home), name), settings, texts=texts)

    @classmethod
    def over(
        cls,
        live: View,
        settings: Settings,
        *,
        texts: Texts | None = None,
        like: Recommender | None = None,
        pooled: bool = False,
        ruled: bool = True,
    ) -> Self:
        """Return a recommender over a loaded snapshot.

        Args:
            live: the snapshot.
            settings, texts: see :meth:`open`.
            like: one whose encoder is used where it is the same, so that none is opened twice.
            pooled: encode in an :class:`EncoderPool`, as a service does.
            ruled: heed the desk's rules.
        """
        home = Home(settings.home)
        made_with = live.manifest["encoder"]
        same = like is not None and like.snapshot.manifest["encoder"]["name"] == made_with["name"]
        encoder = like.encoder if like is not None and same else _opening(home, settings, live)
        pool = like._pool if like is not None and same else None
        return cls(
            live,
            recipe=Recipe(**made_with["recipe"]),
            encoder=encoder,
            fuzzy_threshold=settings.links.fuzzy_threshold,
            model=compose.ranking_model(home, settings.ranking),
            rules=compose.desk_rules(home, settings.ranking) if ruled else (),
            desk=_desk_rules(home, like) if ruled else NO_RULES,
            keep_copy=settings.ranking.keep_copy,
            texts=texts,
            intake=Intake(home, fuzzy_threshold=settings.links.fuzzy_threshold),
            pool=pool or (_pool(encoder, settings.serve) if pooled else None),
            served=options_of(settings.ranking),
            walk_from=settings.index.walk_from,
        )

    def with_view(self, snapshot: View) -> Self:
        """Return a recommender that answers from another state of the same archive with all else the same."""
        other = copy.copy(self)
        other._take(snapshot)
        return other

    def with_desk(self, rules: DeskRules) -> Self:
        """Return a recommender that answers from the same snapshot with other rules of the desk."""
        other = copy.copy(self)
        other.desk = rules
        other._take(self.snapshot)
        return other

    def with_model(self, model: Model) -> Self:
        """Return a recommender that answers from the same snapshot with other weights."""
        other = copy.copy(self)
        other.model = model
        other._served = other._made_with = other._finished = None
        other._lists = self._lists.with_model(model)
        return other

    def upsert(self, articles: Iterable[Article], source: str = "upsert") -> Written:
        """Write articles by id, all or none, and return when they are on the disk.

        This recommender goes on answering from the state that it holds; the one that ``Live.get`` returns next knows them.

        Raises:
            CatalogError, BusyError: nothing of this was written.
        """
        return self._writable().upsert(articles, source)

    def withdraw(self, ids: Iterable[str]) -> Withdrawn:
        """Take articles away, all or none, and return when that is on the disk; as with :meth:`upsert`.

        Raises:
            CatalogError, BusyError: nothing of this was written.
        """
        return self._writable().withdraw(ids)

    def _writable(self) -> Intake:
        if self._intake is None:
            raise CatalogError("this recommender was made without a catalog to write to; make it with Recommender.open")
        return self._intake

    def related(self, article_id: str, options: Options = DEFAULT_OPTIONS) -> Answer:
        """Return the stories related to a known article (or stub).

        Raises:
            UnknownArticleError: no such id; carries the nearest titles.
            QueryError: a filter that can never match.
        """
        return self._of_known(self._row(article_id), options)

    def finished(self, article_id: str) -> FinishedList | None:
        """Return what :meth:`related` answers for a known article asked as readers are served, where the index holds it finished.

        None where it has to be made, and where no article has this id.
        """
        number = self.snapshot.dense.row_of(article_id) if self._finished else None
        raw = None if number is None else self._kept(number)
        return None if raw is None else as_served(raw, self.snapshot.name)

    def related_by_url(self, url: str, options: Options = DEFAULT_OPTIONS) -> Answer:
        """Return the stories related to the article at an address, in any spelling that means the same page.

        Raises:
            UnknownArticleError: no article has this address.
            QueryError: it is no http(s) address, or a filter can never match.
        """
        return self._of_known(self._row_at(url), options)

    def related_to(self, article: Article, options: Options = DEFAULT_OPTIONS) -> Answer:
        """Return the stories related to an article that was sent along; it is not stored.

        The article is left out of its own list where the archive knows it by id or address.
        """
        return self._answer(*self._of_article(article), options)

    def inspect(self, article_id: str, options: Options = DEFAULT_OPTIONS) -> Inspected:
        """Return a known article's list explained, with the nearest stories that rules keep out of it; as :meth:`related` raises."""
        query, described = self._of_row(self._row(article_id))
        options = replace(options, explain=True, raw=False)
        applied = self._lists.applied(query, options)
        answer = self._teller.answer(
            self._lists.arrange(query, options, applied), described | {"k": options.k}, query, applied, options
        )
        every = replace(options, raw=True, same_language=False, past_only=False, k=LOOKED_THROUGH)
        ranked = self._lists.arrange(query, every, applied).evidence.rows
        return Inspected(answer, left_out(self.snapshot, query, answer, map(int, ranked), applied, options))

    def try_out(self, rules: DeskRules, wish: Wish, options: Options = DEFAULT_OPTIONS) -> list[Tried]:
        """Return the lists that other rules of the desk would change, before and after: at most five.

        Args:
            rules: as they would be.
            wish: what they differ by; says which lists are looked at.
            options: how the lists are made.

        Raises:
            UnknownArticleError: the story under which it holds is not in the archive.
        """
        near: list[str] = []
        if wish.under is None and wish.article is not None and self.snapshot.dense.row_of(wish.article) is not None:
            near = [
                hit.article_id for hit in self.related_hits(wish.article, replace(options, raw=True, k=LOOKED_THROUGH))
            ]
        other = self.with_desk(rules)
        looked_at = concerned(self.snapshot, wish, near)
        return worth_showing(Tried(self.related(each, options), other.related(each, options)) for each in looked_at)

    def page(
        self, article: str | Article, slots: Mapping[str, Options], *, by_url: bool = False, shown: Iterable[str] = ()
    ) -> dict[str, Answer]:
        """Return several lists for one article, by the names of their slots; the first slots choose first.

        No story stands twice on the page, nor a near-copy of it, of the article, or of what is ``shown``, whatever the options
        of a slot say of copies.

        Args:
            article: a known article's id or address, or one that was sent along and is not stored.
            slots: how each list is made.
            by_url: ``article`` is an address.
            shown: ids that stand on the page already.

        Raises:
            UnknownArticleError, QueryError: as with :meth:`related` and :meth:`related_by_url`.
        """
        if isinstance(article, Article):
            query, described = self._of_article(article)
        else:
            query, described = self._of_row(self._row_at(article) if by_url else self._row(article))
        own = [] if query.own_row is None else [self.snapshot.dense.ids[query.own_row]]
        return page(lambda options: self._answer(query, described, options), self._same, slots, [*shown, *own])

    def search(self, text: str, options: Options = DEFAULT_OPTIONS, *, language: str | None = None) -> Answer:
        """Return the stories nearest to a free text.

        Args:
            text: any; what is beyond the encoder's window is not looked at.
            options: ``past_only`` and ``same_language`` do not apply: a text has no date, and its language is no wish.
            language: of the text; detected among the archive's languages where None.

        Raises:
            QueryError: there is no text.
            EncoderError: it cannot be encoded; with a pool only where too many wait, or none is to be encoded here at all.
        """
        text = cleaned_text(text)
        note = None
        try:
            query = self._questions.of_text(text, language)
        except (EncoderBusyError, EncoderDisabledError):
            raise
        except EncoderError as error:
            if self._pool is None:
                raise
            log.warning("a free text is answered by its words alone: %s", error)
            query = self._questions.by_words_alone(text, language)
            options, note = replace(options, ranker="lexical", floor=0.0), BY_WORDS
        answer = self._answer(query, {"text": text, "language": query.language}, options)
        return replace(answer, note=note)

    def learning(self, article_id: str, options: Options) -> Inquiry:
        """Return what is known for a known article's question, for measuring and learning. Raises UnknownArticleError."""
        return self._lists.inquiry(self._questions.of_row(self._row(article_id)), options)

    def learning_texts(self, texts: Iterable[str], options: Options) -> list[Inquiry]:
        """Return what is known for free texts, for measuring and learning. Raises QueryError for an empty one."""
        queries = self._questions.of_texts([cleaned_text(text) for text in texts])
        return [self._lists.inquiry(query, options) for query in queries]

    def related_hits(self, article_id: str, options: Options = DEFAULT_OPTIONS) -> list[Hit]:
        """Return what :meth:`related` ranks, as ids and scores alone (for runs over a whole archive)."""
        return self._hits(self._questions.of_row(self._row(article_id)), options)

    def _hits(self, query: Query, options: Options) -> list[Hit]:
        found = self._lists.arrange(query, options, self._lists.applied(query, options)).evidence
        return [
            Hit(self.snapshot.dense.ids[row], float(score)) for row, score in zip(found.rows, found.scores, strict=True)
        ]

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

    def explain(self, article_id: str, other_id: str, options: Options = DEFAULT_OPTIONS) -> dict[str, Any]:
        """Return the score of one pair and every part of it, as the first one's list would count it.

        Raises:
            UnknownArticleError: one of the two is not in the archive.
        """
        one, other = self._row(article_id), self._row(other_id)
        query = self._questions.of_row(one)
        evidence = self._lists.inquiry(query, options).score(np.array([other], np.int64))
        return self._teller.pair(query, evidence, one, other)

    def published_at(self, article_id: str) -> datetime | None:
        """Return the date of a known article to the second; None where it has none, or is not known."""
        number = self.snapshot.dense.row_of(article_id)
        seconds = UNDATED if number is None else int(self.snapshot.columns.published_at[number])
        return None if seconds == UNDATED else datetime.fromtimestamp(seconds, UTC)

    @property
    def n_waiting(self) -> int:
        """How many free texts wait to be encoded, or are being encoded."""
        return self._pool.n_waiting if self._pool else 0

    def nearest_titles(self, text: str, n: int = 3) -> list[Suggestion]:
        """Return up to ``n`` articles whose headline or id is spelled most like ``text``."""
        return spelled_like(self.snapshot, text, n)

    def meant(self, reference: str) -> str:
        """Return the id of the article or stub that an id or an address means.

        Raises:
            UnknownArticleError: there is none; carries the nearest titles.
        """
        number = self.row_of(reference)
        return self.snapshot.dense.ids[self._row(reference) if number is None else number]

    def row_of(self, reference: str) -> int | None:
        """Return the row of an article or stub by id or address, None where the archive has none."""
        number = self.snapshot.dense.row_of(reference)
        return number if number is not None else self.snapshot.row_at(url_key(reference) or "")

    def _row(self, article_id: str) -> int:
        number = self.snapshot.dense.row_of(article_id)
        if number is None:
            raise UnknownArticleError(
                f"no article has the id {article_id[:200]!r}", self.nearest_titles(article_id[:500])
            )
        return number

    def _row_at(self, url: str) -> int:
        key = url_key(url)
        if key is None:
            raise QueryError(f"url: {url[:200]!r} is not an absolute http(s) address")
        number = self.snapshot.row_at(key)
        if number is None:
            raise UnknownArticleError(
                f"no article has the address {url[:500]}", self.nearest_titles(url.rsplit("/", 1)[-1])
            )
        return number

    def _same(self, article_id: str) -> list[str]:
        """Return the ids of a story and of its near-copies."""
        number = self.snapshot.dense.row_of(article_id)
        group = -1 if number is None else int(self.snapshot.columns.copies[number])
        rows = np.flatnonzero(self.snapshot.columns.copies == group) if group >= 0 else ()
        return [article_id, *(self.snapshot.dense.ids[row] for row in rows)]

    def made_with(self, options: Options) -> str:
        """Return what lists have in common that were made in the same way as this recommender makes them."""
        return made_with(options, self.model, self._keep_copy)

    def _of_known(self, number: int, options: Options) -> Answer:
        if options == self._finished and (raw := self._kept(number)) is not None:
            return restored(raw, self.snapshot.name)
        return self._answer(*self._of_row(number), options)

    def _kept(self, number: int) -> bytes | None:
        """Return a row's finished list as it is kept; None where it would not be made the same now."""
        applied = self.hand.under(number, self._clock())
        return None if touched_by(applied, number, self.snapshot) else self.snapshot.finished(number)

    def _of_row(self, number: int) -> tuple[Query, dict[str, Any]]:
        row = self.snapshot.row(number)
        return self._questions.of_row(number), {"id": row.id, "title": row.title, "language": row.language}

    def _of_article(self, article: Article) -> tuple[Query, dict[str, Any]]:
        query = self._questions.of_article(article)
        return query, {"title": article.title, "language": query.language}

    def _answer(self, query: Query, described: dict[str, Any], options: Options) -> Answer:
        applied = self._lists.applied(query, options)
        made = self._lists.arrange(query, options, applied)
        return self._teller.answer(made, described | {"k": options.k}, query, applied, options)


def _desk_rules(home: Home, like: Recommender | None) -> DeskRules:
    """Return the desk's rules; where the catalog cannot be read, those that are known: a published index answers without it."""
    try:
        return desk.rules_of(home)
    except CatalogError as error:
        log.error("the desk's rules cannot be read: %s", error)
        return NO_RULES if like is None else like.desk


def _encoded(
    encoder: Callable[[], Encoder], texts: Sequence[str], meanwhile: Callable[[], object] | None = None
) -> Matrix:
    if meanwhile is not None:
        meanwhile()
    return encoder().encode(texts)


def _pool(encoder: Callable[[], Encoder], serve: ServeSettings) -> EncoderPool:
    return EncoderPool(encoder, most_waiting=serve.encode_waiting, patience_seconds=serve.encode_seconds)


def _opening(home: Home, settings: Settings, live: View) -> Callable[[], Encoder]:
    """Return what opens the encoder when it is first asked for, once for all threads."""
    opened: list[Encoder] = []
    lock = Lock()
    snapshot_name, made_with = live.name, live.manifest["encoder"]  # not itself: the encoder outlives it
    name, chosen = made_with["name"], compose.encoder_settings(settings.encoder, made_with)

    def encoder() -> Encoder:
        with lock:
            if not opened:
                found = compose.open_encoder(home, chosen)
                if found.name != name:
                    raise EncoderError(
                        f"the encoder here is {found.name}, snapshot {snapshot_name} was made with {name}; "
                        "run: recommender rebuild"
                    )
                opened.append(found)
            return opened[0]

    return encoder
