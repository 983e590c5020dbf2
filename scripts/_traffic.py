"""Readers and writers of a newsroom, for the soak."""

from __future__ import annotations

import http.client
import json
import queue
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from urllib.parse import quote, urlencode

from _archive import as_jsonl, record, retold
from _checks import Tally, offered, related
from _service import Client, Reply

from recommender.article import Article

N_YOUNG = 100  # new stories that a writer lets live at a time, so that the archive keeps its size
_PROBE_PAUSE_SECONDS = 0.02
_MOST_SECONDS = 60.0
_N_CONNECTIONS = 6  # of whoever wants to hear every worker: each has one worker
_EVERYTHING = "k=50&kind=any&language=any&floor=0&collapse=0"


@dataclass
class Reader:
    """Asks all kinds of questions about stories that stay, one after the other."""

    tally: Tally
    client: Client
    stable: Sequence[Article]
    chance: Random
    pause_seconds: float

    def run(self) -> None:
        """Ask until it is told to stop."""
        kinds = (
            self._known,
            self._known,
            self._known,
            self._url,
            self._search,
            self._unseen,
            self._filtered,
            self._unknown,
        )
        while not self.tally.stopping.wait(self.pause_seconds):
            self.chance.choice(kinds)(self.chance.choice(self.stable))

    def _known(self, story: Article) -> None:
        self.tally.lists(self.client, "related", related(story.id))

    def _url(self, story: Article) -> None:
        if story.url:
            self.tally.lists(self.client, "related, by url", f"/v1/related?{urlencode({'url': story.url})}")

    def _search(self, story: Article) -> None:
        self.tally.lists(self.client, "search", f"/v1/search?{urlencode({'q': story.title})}")

    def _unseen(self, story: Article) -> None:
        unseen = record(replace(story, id="unseen", url=None))
        self.tally.lists(self.client, "related, sent along", "/v1/related", json.dumps(unseen).encode())

    def _filtered(self, story: Article) -> None:
        wanted = {"k": 20, "kind": "any", "language": "any", "published_after": "2012-01-01", "stubs": 0}
        self.tally.lists(self.client, "related, filtered", f"{related(story.id)}?{urlencode(wanted)}")

    def _unknown(self, story: Article) -> None:
        self.tally.ask(self.client, "unknown id", 404, "GET", related(f"{story.id}-nobody"))


@dataclass
class Prober:
    """Waits for new stories: each on its own list and on that of the old story that it is about, in every worker."""

    tally: Tally
    clients: Sequence[Client]
    patience_seconds: float
    awaited: queue.Queue[tuple[str, str, float]] = field(default_factory=lambda: queue.Queue(1))

    def run(self) -> None:
        """Wait for one story after the other until it is told to stop."""
        while not self.tally.stopping.is_set():
            try:
                new, old, acknowledged_at = self.awaited.get(timeout=0.2)
            except queue.Empty:
                continue
            self._await(
                "new story on its own list", acknowledged_at, lambda client, new=new: self._has_own(client, new)
            )
            self._await(
                "new story on an old one's list",
                acknowledged_at,
                lambda client, new=new, old=old: self._stands(client, new, old),
            )

    def _has_own(self, client: Client, new: str) -> bool:
        reply = client.ask("GET", related(new))
        return reply.status == 200

    def _stands(self, client: Client, new: str, old: str) -> bool:
        reply = self.tally.lists(client, "related, 50 lines", f"{related(old)}?{_EVERYTHING}")
        return reply is not None and new in offered(reply)

    def _await(self, name: str, since: float, found: Callable[[Client], bool]) -> None:
        waiting, waited = list(self.clients), 0.0
        while waiting and waited < _MOST_SECONDS and not self.tally.stopping.wait(_PROBE_PAUSE_SECONDS):
            try:
                waiting = [client for client in waiting if not found(client)]
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.tally.fault("no connection fails", f"{name}: {error!r}")
                return
            waited = time.perf_counter() - since
        if not waiting:
            self.tally.waits[name].append(waited)
        if waited > self.patience_seconds:
            self.tally.fault("what is new is found in time", f"{name}: {waited:.2f} s, {len(waiting)} still without it")


@dataclass
class Writer:
    """Writes all kinds of changes, one after the other. What it withdraws and changes nobody else writes."""

    name: str
    tally: Tally
    client: Client
    listeners: Sequence[Client]
    prober: Prober
    stable: Sequence[Article]
    changing: Sequence[Article]
    fleeting: Sequence[Article]
    chance: Random
    pause_seconds: float

    def __post_init__(self) -> None:
        self._n_written = 0
        self._young: deque[str] = deque()
        self._away: deque[Article] = deque()
        self._there = deque(self.fleeting)

    def run(self) -> None:
        """Write until it is told to stop."""
        kinds = (
            self._new,
            self._new,
            self._changed,
            self._changed,
            self._unchanged,
            self._old_goes,
            self._old_returns,
            self._batch,
        )
        while not self.tally.stopping.wait(self.pause_seconds):
            self.chance.choice(kinds)()
            while len(self._young) > N_YOUNG:
                self._withdraw(self._young.popleft(), "DELETE, a new story")

    def _put(self, kind: str, article: Article, outcome: str) -> Reply | None:
        body = json.dumps(record(article)).encode()
        status = 201 if outcome == "new" else 200
        reply = self.tally.ask(self.client, kind, status, "PUT", f"/v1/articles/{quote(article.id, safe='')}", body)
        if reply is not None and reply.body["outcome"] != outcome:
            self.tally.fault("every write has the expected outcome", f"{kind}: {article.id}: {reply.body}")
        return reply

    def _made(self, about: Article) -> Article:
        self._n_written += 1
        self._young.append(f"soak-{self.name}-{self._n_written:06d}")
        return retold(about, self._young[-1], self.chance)

    def _revised(self) -> Article:
        self._n_written += 1
        story = self.chance.choice(self.changing)
        return replace(story, title=f"{story.title} (update {self._n_written})")

    def _new(self) -> None:
        old = self.chance.choice(self.stable)
        article = self._made(old)
        reply = self._put("PUT, new", article, "new")
        if reply is not None and self.prober.awaited.empty():
            self.prober.awaited.put((article.id, old.id, reply.asked_at + reply.seconds))

    def _changed(self) -> None:
        self._put("PUT, changed", self._revised(), "changed")

    def _unchanged(self) -> None:
        self._put("PUT, unchanged", self.chance.choice(self.stable), "unchanged")

    def _old_goes(self) -> None:
        if len(self._there) > len(self.fleeting) // 2:
            self._away.append(self._there.popleft())
            self._withdraw(self._away[-1].id, "DELETE, an old story")

    def _old_returns(self) -> None:
        if self._away:
            self._there.append(self._away.popleft())
            self.tally.withdrawn.pop(self._there[-1].id, None)
            self._put("PUT, withdrawn before", self._there[-1], "new")

    def _withdraw(self, article_id: str, kind: str) -> None:
        """Withdraw an article, and ask every worker for it at once."""
        reply = self.tally.ask(self.client, kind, 200, "DELETE", f"/v1/articles/{quote(article_id, safe='')}")
        if reply is None:
            return
        self.tally.withdrawn[article_id] = reply.asked_at + reply.seconds
        for listener in self.listeners:
            self.tally.ask(listener, "withdrawn id", 404, "GET", related(article_id))

    def _batch(self) -> None:
        unchanged = self.chance.sample(self.stable, 2)
        changed = {each.id: each for each in (self._revised() for _ in range(4))}
        new = [self._made(self.chance.choice(self.stable)) for _ in range(3)]
        body = as_jsonl([*unchanged, *changed.values(), *new]) + b'{"id": "no-title"}\n'
        reply = self.tally.ask(self.client, "POST, a batch", 200, "POST", "/v1/articles", body)
        expected = {"new": 3, "changed": len(changed), "unchanged": 2, "refused": 1}
        if reply is not None and {name: reply.body[name] for name in expected} != expected:
            self.tally.fault("every write has the expected outcome", f"a batch: {str(reply.body)[:300]}")


def crowd(
    tally: Tally,
    port: int,
    key: str,
    articles: Sequence[Article],
    *,
    n_readers: int,
    n_writers: int,
    think_seconds: float,
    pause_seconds: float,
    patience_seconds: float,
) -> list[Callable[[], None]]:
    """Return what each thread of the load runs.

    Of every ten articles two are changed and one comes and goes, all of them by one writer; the others stay.
    """
    stable = [article for at, article in enumerate(articles) if at % 10 < 7]
    runs: list[Callable[[], None]] = [
        Reader(tally, Client(port), stable, Random(number), think_seconds).run for number in range(n_readers)
    ]
    for number in range(n_writers):
        prober = Prober(tally, [Client(port) for _ in range(_N_CONNECTIONS)], patience_seconds)
        changing = [article for at, article in enumerate(articles) if at % 10 in (7, 8)][number::n_writers]
        fleeting = [article for at, article in enumerate(articles) if at % 10 == 9][number::n_writers]
        writer = Writer(
            str(number),
            tally,
            Client(port, key),
            [Client(port) for _ in range(_N_CONNECTIONS)],
            prober,
            stable,
            changing[:100],
            fleeting[:100],
            Random(1000 + number),
            pause_seconds,
        )
        runs += [prober.run, writer.run]
    return runs
