"""What a home has done to it. A new way of writing is put to kills and faults by one more line in ``OPERATIONS``."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any, cast
from unittest import mock

from newsroom import NOW, settings_for

from recommender import ingest, snapshot
from recommender.build import rebuild
from recommender.catalog import Catalog, Ledger
from recommender.desk import Desk, Wish
from recommender.encoder import HashingEncoder
from recommender.errors import SourceError
from recommender.fetch import Fetched, Fetcher
from recommender.gather import GatherReport
from recommender.gather.basket import Basket
from recommender.gather.feed import FeedReading
from recommender.home import Home
from recommender.ingest import sources
from recommender.readers import Body, article_from_record, entries
from recommender.recommend import find_neighbours, finish_lists
from recommender.settings import FetchSettings, IndexSettings

Editions = Mapping[str, int | None]
"""The edition of articles by id; None for one that is not there. A pin of the desk has one, too, under ``pin`` and its story."""

IDS = tuple(f"story-{number:02d}" for number in range(24))
ASKED = IDS[::5]  # whose lists are looked at; they are never withdrawn
BATCH = 4  # an ingest of these few articles is several transactions
PINNED = tuple(name for name in IDS if name not in ASKED)  # under these the desk pins
_WORDS = (
    "ferry",
    "harbour",
    "strike",
    "council",
    "crews",
    "school",
    "bridge",
    "storm",
    "budget",
    "night",
    "vote",
    "deal",
)


@dataclass(frozen=True, slots=True)
class Work:
    """One operation on one home.

    Attributes:
        home: where.
        editions: the articles to write; empty for an operation that writes none.
        begun: called when it is about to do what it is called for.
        acknowledged: called with ids when what ``editions`` says of them was promised to last.
    """

    home: Home
    editions: Editions
    begun: Callable[[], None]
    acknowledged: Callable[[Iterable[str]], None]


@dataclass(frozen=True, slots=True)
class Operation:
    """What is done, and what must be there for it to have something to do.

    Attributes:
        name: as printed.
        act: does it; runs in a process that may be killed.
        drawn: gives the articles to write and their editions, from chance and the next edition's number.
        prepare: brings a home to where the operation has something to do; runs to its end.
        beside: what another process does with the drawn articles meanwhile; then ``act`` writes none of them.
    """

    name: str
    act: Callable[[Work], None]
    drawn: Callable[[Random, int], Editions] = lambda chance, edition: {}
    prepare: Callable[[Home, int], None] = lambda home, edition: None
    beside: Callable[[Home, Editions], None] | None = None


def record(article_id: str, edition: int) -> dict[str, Any]:
    """Return an edition of an article as a newsroom sends it: half of its words and one of its links change with each."""
    chance, changing = Random(article_id), Random(f"{article_id} {edition}")
    words = [*chance.choices(_WORDS, k=20), *changing.choices(_WORDS, k=20)]
    number = IDS.index(article_id)
    return {
        "id": article_id,
        "title": f"{' '.join(words[:4]).capitalize()} {number}",
        "text": " ".join(words),
        "language": ("en", "en", "de")[number % 3],
        "published_at": f"2025-03-{number + 1:02d}T09:00:00+00:00",
        "tags": [f"edition {edition}"],
        "read_more": [record_title(changing), f"Never written {edition}"] if number % 2 else [],
    }


def record_title(chance: Random) -> str:
    """Return a headline that some edition of some article has, or none."""
    return f"{' '.join(chance.choices(_WORDS, k=4)).capitalize()} {chance.randrange(len(IDS))}"


def editions_of(home: Home) -> dict[str, int | None]:
    """Return the edition of each article in the catalog, and of each pin of the desk."""
    pins: dict[str, int | None] = {f"pin {act.wish.under}": int(act.wish.note) for act in Desk(home).in_force()}
    return articles_of(home) | pins


def articles_of(home: Home) -> dict[str, int | None]:
    """Return the edition of each article in the catalog."""
    with Catalog(home.catalog) as catalog:
        return {article.id: int(article.tags[0].removeprefix("edition ")) for article in catalog.articles()}


@contextlib.contextmanager
def writer_of(home: Home) -> Iterator[ingest.Writer]:
    """Yield what writes articles into a home, as every command does."""
    with home.storing(), Catalog(home.catalog, write=True) as catalog:
        yield ingest.Writer(catalog, fuzzy_threshold=settings_for(home.path).links.fuzzy_threshold)


def write(home: Home, editions: Editions) -> None:
    """Write editions of articles, in one transaction."""
    articles = [article_from_record(record(name, edition)) for name, edition in editions.items() if edition is not None]
    with writer_of(home) as writer:
        writer.upsert(articles, "test")


def publish(home: Home, **watching: Any) -> None:
    """Rebuild and publish what the catalog holds."""
    with home.writer("a rebuild"), Catalog(home.catalog, write=True) as catalog:
        settings = settings_for(home.path).model_copy(update={"index": IndexSettings(neighbours_from=0)})
        kept = {
            name: partial(find, settings=settings, watch=lambda *progress: None)
            for name, find in (("neighbours", find_neighbours), ("lists", finish_lists))
        }
        rebuild(home, catalog, HashingEncoder(), settings, now=NOW, **kept, **watching)


def made(folder: Path) -> Home:
    """Return a new home with the first edition of every article and three snapshots."""
    home = Home(folder)
    for edition in (1, 2, 3):
        write(home, dict.fromkeys(IDS if edition == 1 else IDS[::3], edition))
        publish(home)
    return home


def _some(chance: Random, edition: int) -> Editions:
    return dict.fromkeys(sorted(chance.sample(IDS, 12)), edition)


def _few(chance: Random, edition: int) -> Editions:
    return dict.fromkeys(chance.sample(IDS, 3), edition)


def _few_gone(chance: Random, edition: int) -> Editions:
    return dict.fromkeys(chance.sample([name for name in IDS if name not in ASKED], 3), None)


def _pins(chance: Random, edition: int) -> Editions:
    return {f"pin {name}": edition for name in chance.sample(PINNED, 3)}


def _pins_gone(chance: Random, edition: int) -> Editions:
    return {f"pin {name}": None for name in PINNED[:3]}


def _pin(home: Home, edition: int) -> None:
    """Let each of the first three have one pin, under which no earlier one waits to hold again."""
    desk = Desk(home)
    while lines := [act.number for act in desk.in_force() if act.wish.under in PINNED[:3]]:
        desk.undo(lines[0], by="ole", now=NOW)
    for name in PINNED[:3]:
        desk.set(Wish("pin", ASKED[0], name, note=str(edition)), by="anna", now=NOW)


def _change(home: Home, edition: int) -> None:
    write(home, _some(Random(edition), edition))


def _three_snapshots(home: Home, edition: int) -> None:
    while len(snapshot.names(home)) < 3 or snapshot.former(home, snapshot.read_current(home).name) is None:
        publish(home)


def _ingest(work: Work, source: str = "source.jsonl") -> None:
    lines = [json.dumps(record(name, edition)) + "\n" for name, edition in work.editions.items() if edition is not None]
    path = work.home.path.parent / source
    path.write_text("".join(lines), encoding="utf-8")
    ends = list(accumulate(len(line.encode()) for line in lines))
    refused: list[str] = []

    def progress(done: int, total: int) -> None:
        if not refused:
            work.acknowledged(name for name, end in zip(work.editions, ends, strict=True) if end <= done)

    work.begun()
    with mock.patch.object(sources, "_BATCH", BATCH), writer_of(work.home) as writer:
        ingest.ingest([path], writer, progress=progress, tell=lambda refusal: refused.append(str(refusal)))
    if refused:  # the command tells each and exits with 1
        raise SourceError("; ".join(refused))


def _upsert(work: Work) -> None:
    work.begun()
    with writer_of(work.home) as writer:
        for name, edition in work.editions.items():
            writer.upsert([article_from_record(record(name, edition or 0))], "test")
            work.acknowledged([name])


def _withdraw(work: Work) -> None:
    work.begun()
    with writer_of(work.home) as writer:
        for name in work.editions:
            writer.withdraw([name])
            work.acknowledged([name])


def _set_at_desk(work: Work) -> None:
    work.begun()
    for name, edition in work.editions.items():
        wish = Wish("pin", ASKED[0], name.removeprefix("pin "), note=str(edition))
        Desk(work.home).set(wish, by="anna", now=NOW)
        work.acknowledged([name])


def _undo_at_desk(work: Work) -> None:
    lines = {f"pin {act.wish.under}": act.number for act in Desk(work.home).in_force()}
    work.begun()
    for name in work.editions:
        if name in lines:  # it may be done again, after it was half done
            Desk(work.home).undo(lines[name], by="ole", now=NOW)
        work.acknowledged([name])


class _Site:
    """Answers with one feed, in the place of what fetches."""

    is_ending = False

    def __init__(self, editions: Editions) -> None:
        records = [record(name, edition) for name, edition in editions.items() if edition is not None]
        items = [each | {"content_text": each["text"], "date_published": each["published_at"]} for each in records]
        feed = {"version": "https://jsonfeed.org/version/1.1", "items": items}
        self._fetched = Fetched("https://post.example/feed.json", 200, json.dumps(feed).encode())

    def get(self, url: str, **_: Any) -> Fetched:
        """Return the feed."""
        return self._fetched


def _follow(work: Work) -> None:
    site = cast(Fetcher, _Site(work.editions))
    intake = ingest.Intake(work.home, fuzzy_threshold=settings_for(work.home.path).links.fuzzy_threshold)
    # Here and not in a process for pages, whose start would take longer than all the rest.
    body = mock.patch.object(entries, "body_from_html", lambda html, url: Body(html, ()))
    work.begun()
    with body, work.home.storing(), Ledger(work.home.ledger) as ledger:
        basket = Basket(work.home, ledger, intake, GatherReport(), lambda refusal: None, gone_seconds=0, by_name=True)
        reading = FeedReading(
            work.home, site, basket, settings=FetchSettings(), follow_links="never", now=int(NOW.timestamp())
        )
        reading.read("https://post.example/feed.json")
    work.acknowledged(work.editions)


def _rebuild(work: Work) -> None:
    work.begun()
    publish(work.home)


def _publish(work: Work) -> None:
    """From the moment when everything is embedded: all files of the new snapshot."""

    def watch(stage: str, done: int, total: int, unit: str) -> None:
        if stage == "building the index" and done == total:
            work.begun()

    publish(work.home, watch=watch)


def _swap(work: Work) -> None:
    """From the moment when the new snapshot has passed its checks: two renames, and what is dropped."""
    publish(work.home, gate=lambda candidate: work.begun())


def _roll_back(work: Work) -> None:
    work.begun()
    with work.home.writer("a rollback"):
        snapshot.roll_back(work.home)


def _prune(work: Work) -> None:
    work.begun()
    with work.home.writer("a prune"):
        snapshot.prune(work.home, 1)


OPERATIONS: Sequence[Operation] = (
    Operation("ingest", _ingest, drawn=_some),
    Operation("upsert", _upsert, drawn=_few),
    Operation("withdraw", _withdraw, drawn=_few_gone),
    Operation("desk", _set_at_desk, drawn=_pins),
    Operation("undo at the desk", _undo_at_desk, drawn=_pins_gone, prepare=_pin),
    Operation("follow", _follow, drawn=_some),
    Operation("rebuild", _rebuild, prepare=_change),
    Operation("rebuild beside a write", _rebuild, drawn=_few, prepare=_change, beside=write),
    Operation("publish", _publish, prepare=_change),
    Operation("swap", _swap, prepare=_change),
    Operation("rollback", _roll_back, prepare=_three_snapshots),
    Operation("prune", _prune, prepare=_three_snapshots),
)
