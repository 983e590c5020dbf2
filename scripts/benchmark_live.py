#!/usr/bin/env python3
"""How fast articles go in, and how soon and at what cost they are answered, with the encoder that needs no model.

    .venv/bin/python scripts/benchmark_live.py --articles 20000 > live.md

A home is made in a temporary folder, out of the data sets that are there or the sample corpus, again and again with other dates.
All happens in this process, one thread. Seconds are of one machine: read the ratios.

* **Ingest** against reading and validating the same file alone.
* **One write** through ``ingest.Intake``, durable when it returns.
* **Taking in**: from the writes, whose vectors are there, to the recommender that answers with them.
* **``Live.get``**: what every request pays for the look at withdrawals, while nothing changes.
* **Lists** for known articles over so many changes, against the plain snapshot in the same run, in turns.
* **After a withdrawal**: the first answer, which waits until the story is gone.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
from _archive import enlarged, retold, written_to
from _bench import folder_of, markdown, output_of, recommender, tell

from recommender import readers
from recommender.article import Article
from recommender.catalog import Catalog
from recommender.encoder import HashingEncoder
from recommender.home import Home
from recommender.ingest import Intake, Writer, encode_missing, ingest
from recommender.recommend import Live, Recommender
from recommender.settings import Settings, load_settings

SIZES = (1, 100, 1_000, 1_900)  # a withdrawal changes the stories that link to it, and 2,000 rows are the most
N_WRITES, N_LISTS, N_GETS, N_WITHDRAWALS = 100, 200, 20_000, 5


class Newsroom:
    """A published home, and new stories for it."""

    def __init__(self, settings: Settings, articles: Sequence[Article], seed: int) -> None:
        """Take the home's settings, and what it was made of."""
        self.settings = settings
        self.articles = articles
        self.intake = Intake(Home(settings.home), fuzzy_threshold=settings.links.fuzzy_threshold)
        self._chance = Random(seed)
        self._n_made = 0
        self.staying, self._going = articles[: len(articles) // 2], iter(articles[len(articles) // 2 :])

    def made(self, n: int) -> list[Article]:
        """Return new stories about old ones."""
        self._n_made += n
        first = self._n_made - n
        return [retold(self._chance.choice(self.articles), f"new-{first + at:07d}", self._chance) for at in range(n)]

    def written(self, n: int) -> list[str]:
        """Write new stories, make their vectors, and return their ids."""
        stories = self.made(n)
        self.intake.upsert(stories, "benchmark")
        recipe = Recommender.open(self.settings).recipe
        with Catalog(Home(self.settings.home).catalog, write=True) as catalog:
            encode_missing(catalog, HashingEncoder(), [(story, recipe.views(story)) for story in stories])
        return [story.id for story in stories]

    def seconds_after_withdrawal(self, live: Live) -> float:
        """Withdraw an old story for good, and return how long the first answer after that took."""
        self.intake.withdraw([next(self._going).id])
        return seconds_of(lambda: live.get().related(self.staying[0].id))


def seconds_of(run: Callable[[], object]) -> float:
    """Return how long something took."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def milliseconds(taken: Sequence[float]) -> list[str]:
    """Return p50 and p99 of seconds."""
    return [f"{1000 * value:.1f} ms" for value in np.percentile(taken, [50, 99])]


def ingest_rows(source: Path, home: Home, settings: Settings) -> Iterator[list[str]]:
    """Fill a home, and yield how fast that was."""
    reading = seconds_of(lambda: sum(1 for entry in readers.read(source) if entry.article))
    n = sum(1 for entry in readers.read(source) if entry.article)
    home.make()
    with home.storing(), Catalog(home.catalog, write=True) as catalog:
        writer = Writer(catalog, fuzzy_threshold=settings.links.fuzzy_threshold)
        writing = seconds_of(lambda: ingest([source], writer))
    yield [f"read and validated, {n:,} articles", f"{n / reading:,.0f} a second", "1.00"]
    yield ["ingested", f"{n / writing:,.0f} a second", f"{writing / reading:.2f}"]


def write_rows(newsroom: Newsroom) -> Iterator[list[str]]:
    """Yield how long one write takes."""
    stories = newsroom.made(N_WRITES)
    writes: list[tuple[str, Callable[[Article], object]]] = [
        ("an upsert, new", lambda story: newsroom.intake.upsert([story], "benchmark")),
        ("an upsert, unchanged", lambda story: newsroom.intake.upsert([story], "benchmark")),
        ("a withdrawal", lambda story: newsroom.intake.withdraw([story.id])),
    ]
    for name, write in writes:
        yield [name, *milliseconds([seconds_of(partial(write, story)) for story in stories])]


def live_rows(newsroom: Newsroom) -> Iterator[list[str]]:
    """Yield how long changes take to be answered, and lists over them against lists without."""
    plain = Recommender.open(newsroom.settings)
    ids = Random(1).choices([article.id for article in newsroom.staying], k=N_LISTS)
    for size in (0, *SIZES):
        tell(f"{size:,} changes")
        live = Live(newsroom.settings)
        live.get()
        new = newsroom.written(size)
        taking = seconds_of(live.get)
        held = live.get()
        assert all(held.snapshot.dense.row_of(article_id) is not None for article_id in new)
        taken: dict[Recommender, list[float]] = {plain: [], held: []}
        for article_id in ids:
            for asked, seconds in taken.items():
                seconds.append(seconds_of(partial(asked.related, article_id)))
        p50, p50_plain = np.median(taken[held]), np.median(taken[plain])
        after = [newsroom.seconds_after_withdrawal(live) for _ in range(N_WITHDRAWALS)]
        cells = [f"{1000 * taking:,.0f} ms" if size else "", f"{1000 * p50:.2f} ms", f"{p50 / p50_plain:.2f}"]
        yield [f"{size:,}", *cells, f"{1000 * np.median(after):,.0f} ms"]
        live.stop()
        newsroom.intake.withdraw(new)


def get_row(newsroom: Newsroom) -> list[str]:
    """Return what one ``Live.get`` costs while nothing changes."""
    live = Live(newsroom.settings)
    live.get()
    live.start()
    taken = seconds_of(lambda: [live.get() for _ in range(N_GETS)]) / N_GETS
    live.stop()
    return ["`Live.get` while nothing changes", f"{1e6 * taken:.1f} µs"]


def memory_row(newsroom: Newsroom, size: int) -> list[str]:
    """Return what changes hold in memory."""
    live = Live(newsroom.settings)
    live.get()
    new = newsroom.written(size)
    tracemalloc.start()
    live.get()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    live.stop()
    newsroom.intake.withdraw(new)
    return [f"memory of {size:,} changes laid over", f"{held / 1e6:.1f} MB"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=20_000, help="of the home (default: %(default)s)")
    parser.add_argument("--homes", type=Path, help="make the home in this folder, and keep it")
    parser.add_argument("--seed", type=int, default=0, help="of the chance (default: %(default)s)")
    given = parser.parse_args()
    os.environ["RECOMMENDER_ENCODER__MODEL"] = "hashing"
    with folder_of(given.homes) as folder:
        tell(f"making {given.articles:,} articles")
        articles = enlarged(given.articles)
        source = written_to(folder / "live.jsonl", articles)
        settings = load_settings(None, {"home": folder / "live", "serve.poll_seconds": 0.0})
        ingested = list(ingest_rows(source, Home(settings.home), settings))
        print(markdown(["ingest", "rate", "time, as a ratio"], ingested), end="\n\n", flush=True)
        tell("rebuild")
        report = json.loads(output_of(recommender(settings.home, "rebuild", "--json")))
        tell(f"published {report}")
        newsroom = Newsroom(settings, articles, given.seed)
        print(markdown(["one write, durable", "p50", "p99"], write_rows(newsroom)), end="\n\n", flush=True)
        header = [
            "changes laid over",
            "taken in within",
            "a list, p50",
            "against none",
            "first answer after a withdrawal",
        ]
        print(markdown(header, live_rows(newsroom)), end="\n\n", flush=True)
        print(markdown(["", "figure"], [get_row(newsroom), memory_row(newsroom, 1_000)]))


if __name__ == "__main__":
    main()
