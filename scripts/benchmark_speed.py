#!/usr/bin/env python3
"""How fast an archive is embedded, rebuilt and asked, how long a command takes to start, and what memory serving needs.

    .venv/bin/python scripts/benchmark_speed.py > speed.md

Needs the extras ``model`` and ``onnx``, and Linux (memory is read from ``/proc``). Everything happens in a temporary home,
through the product's own commands; only "in process" calls the package. Figures are wall times of one machine: run it on a
quiet one, and trust ratios more than seconds.

* **Rebuild**: the model is exported first (once a home, over one article). Then all articles are new; then nothing is (the
  fixed start-up: model opened, index built, checked and published); then every 100th has one word more. The start-up is
  taken off the others before they are compared. Repeated ones are medians.
* **Related**: lists for known articles, drawn by chance with a fixed seed, one after the other, on one connection. "In
  process" uses one thread. The same again on a synthetic archive (``--synthetic``) that is made of the real one's
  sentences and of vectors near its own, without any encoding: for its size, not for its lists.
* **Memory**: of the one worker process, after those requests and again after one free-text search. PSS counts a page that
  two processes share half for each.
* **Cold start**: whole commands, from a new process to its end. The bare import of sentence-transformers stands beside them.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
from _bench import DATA, SEEDS, articles_of, data_sets, folder_of, markdown, output_of, recommender, tell
from _service import Client, memory_of, serving
from _synthetic import publish_synthetic

from recommender import readers, snapshot
from recommender.home import Home
from recommender.recommend import Recommender
from recommender.settings import load_settings

CHANGED_EVERY = 100
FREE_TEXT = "what the council decided about the new tram line"
SERVER_SECONDS = 120.0
_WARM_UP = 100


def default_source() -> Path:
    source = next(one.source for one in data_sets(DATA) if one.name == "digitalgov")
    return source if source.exists() else SEEDS


def records_of(source: Path) -> list[dict[str, str]]:
    """Return the raw records of a JSONL file, or of all of them in a folder."""
    files = [path for path in readers.find(source).paths if path.suffix == ".jsonl"]
    return [
        json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()
    ]


def seconds_of(command: Sequence[str]) -> float:
    began = time.perf_counter()
    output_of(command)
    return time.perf_counter() - began


def median_seconds(command: Sequence[str], n: int) -> float:
    return statistics.median(seconds_of(command) for _ in range(n))


@dataclass(frozen=True, slots=True)
class Rebuilds:
    """Wall times of rebuilds, in seconds, and how much they had to do."""

    n_articles: int
    n_texts: int
    n_changed: int
    n_changed_texts: int
    export: float
    full: float
    unchanged: float
    changed: float

    def rows(self) -> list[list[str]]:
        """Return the rows of the table."""
        full, changed = self.full - self.unchanged, self.changed - self.unchanged
        share = self.n_changed / self.n_articles
        return [
            ["first rebuild of a home: model loaded and exported, one article", f"{self.export:.1f} s"],
            [f"full rebuild, {self.n_articles:,} articles in {self.n_texts:,} texts", f"{self.full:.1f} s"],
            ["rebuild with nothing changed (fixed start-up)", f"{self.unchanged:.2f} s"],
            [
                f"rebuild with {self.n_changed:,} articles changed ({share:.1%}), {self.n_changed_texts:,} texts",
                f"{self.changed:.2f} s",
            ],
            ["articles embedded a second, beyond the start-up", f"{self.n_articles / full:.1f}"],
            ["texts embedded a second, beyond the start-up", f"{self.n_texts / full:.1f}"],
            ["changed against full, beyond the start-up", f"{changed / full:.2%}"],
            ["changed against full, whole commands", f"{self.changed / self.full:.2%}"],
        ]


def measure_rebuilds(records: Sequence[dict[str, str]], home: Path, n_repeats: int) -> Rebuilds:
    """Time every kind of rebuild; leaves the home with the whole archive published."""

    def ingest(wanted: Sequence[dict[str, str]]) -> None:
        source = home.with_name("source.jsonl")
        source.write_text("".join(json.dumps(record) + "\n" for record in wanted), encoding="utf-8")
        output_of(recommender(home, "ingest", str(source)))

    def rebuild() -> tuple[float, int]:
        """Return how long a rebuild took and how many texts it encoded."""
        began = time.perf_counter()
        report = output_of(recommender(home, "rebuild", "--json"))
        return time.perf_counter() - began, json.loads(report)["n_texts_encoded"]

    tell("rebuild: the export")
    ingest(records[:1])
    export, n_first = rebuild()
    tell(f"rebuild: all {len(records):,} articles")
    ingest(records)
    full, n_texts = rebuild()
    tell("rebuild: nothing, and a little")
    unchanged = statistics.median(rebuild()[0] for _ in range(n_repeats))
    changed: list[tuple[float, int]] = []
    for repeat in range(1, n_repeats + 1):
        ingest([_longer(record, repeat) if at % CHANGED_EVERY == 0 else record for at, record in enumerate(records)])
        changed.append(rebuild())
    typical = statistics.median(seconds for seconds, _ in changed)
    return Rebuilds(
        n_articles=len(records),
        n_texts=n_texts + n_first,
        n_changed=len(records[::CHANGED_EVERY]),
        n_changed_texts=changed[-1][1],
        export=export,
        full=full,
        unchanged=unchanged,
        changed=typical,
    )


def _longer(record: dict[str, str], n_words: int) -> dict[str, str]:
    return record | {"text": record.get("text", "") + " addendum" * n_words}


def time_each(ask: Callable[[str], object], ids: Sequence[str], *, limit_seconds: float) -> list[float]:
    """Return the milliseconds of each call, in order; stops when the limit is over."""
    ends = time.perf_counter() + limit_seconds
    taken = []
    for article_id in ids:
        began = time.perf_counter()
        ask(article_id)
        now = time.perf_counter()
        taken.append((now - began) * 1000)
        if now > ends:
            break
    return taken


def latency_row(name: str, milliseconds: Sequence[float]) -> list[str]:
    p50, p99 = np.percentile(milliseconds, [50, 99])
    return [
        name,
        f"{len(milliseconds):,}",
        f"{p50:.2f} ms",
        f"{p99:.2f} ms",
        f"{1000 / statistics.fmean(milliseconds):,.0f}",
    ]


def in_process(home: Path, ids: Sequence[str]) -> list[float]:
    opened = Recommender.open(load_settings(None, {"home": home}))
    time_each(opened.related, ids[:_WARM_UP], limit_seconds=SERVER_SECONDS)
    return time_each(opened.related, ids, limit_seconds=SERVER_SECONDS)


def in_synthetic(folder: Path, home: Path, source: Path, n: int, seed: int) -> list[str]:
    """Return the row of lists made in process on a synthetic archive of ``n`` articles."""
    tell(f"related: making a synthetic archive of {n:,} articles")
    larger = folder / "synthetic"
    publish_synthetic(Home(larger), snapshot.load(Home(home)), articles_of(source), n, seed=seed)
    ids = snapshot.load(Home(larger)).dense.ids
    taken = in_process(larger, random.Random(seed).choices(ids, k=1000))
    return latency_row(f"in process, {n:,} synthetic articles", taken)


def measure_serving(home: Path, ids: Sequence[str]) -> tuple[list[float], list[list[str]]]:
    """Return the milliseconds of each request and the rows of the memory table."""
    with serving(home) as service:
        ready = service.wait()
        client = Client(service.port)

        def get(path: str) -> float:
            reply = client.ask("GET", path)
            if reply.status != 200:
                sys.exit(f"GET {path}: {reply.status} {str(reply.body)[:300]}")
            return reply.seconds

        def related(article_id: str) -> float:
            return get(f"/v1/articles/{quote(article_id)}/related")

        def held() -> list[str]:
            (worker,) = service.workers(1)
            memory = memory_of(worker)
            return [f"{memory[name]:.0f} MB" for name in ("VmRSS", "Pss")]

        time_each(related, ids[:_WARM_UP], limit_seconds=SERVER_SECONDS)
        taken = time_each(related, ids, limit_seconds=SERVER_SECONDS)
        rows = [["known articles only, model not loaded", *held()]]
        first = get(f"/v1/search?q={quote(FREE_TEXT)}")
        rows.append(["after one free-text search, model loaded", *held()])
    tell(f"the service was ready after {ready:.2f} s, its first free-text search took {first:.2f} s")
    return taken, rows


def measure_starts(home: Path, article_id: str) -> list[list[str]]:
    bare = [sys.executable, "-c", "import sentence_transformers"]
    return [
        ["recommender related ID", f"{median_seconds(recommender(home, 'related', article_id), 5):.2f} s"],
        ["recommender search TEXT", f"{median_seconds(recommender(home, 'search', FREE_TEXT), 5):.2f} s"],
        ["python -c 'import sentence_transformers' (baseline)", f"{median_seconds(bare, 3):.2f} s"],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--source", type=Path, default=default_source(), help="JSONL file or folder of them (default: %(default)s)"
    )
    parser.add_argument("--homes", type=Path, help="make the home in this folder, which must be empty, and keep it")
    parser.add_argument("--requests", type=int, default=2000, help="requests over HTTP (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="of the short rebuilds (default: %(default)s)")
    parser.add_argument(
        "--synthetic",
        type=int,
        default=100_000,
        help="articles of the synthetic archive, 0 for none (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the chance (default: %(default)s)")
    given = parser.parse_args()
    with folder_of(given.homes) as folder:
        home = folder / "speed"
        if home.exists():
            parser.error(f"{home}: is there already; a full rebuild needs a home that has never encoded anything")
        records = records_of(given.source)
        rebuilds = measure_rebuilds(records, home, given.repeats)
        print(markdown(["rebuild", "figure"], rebuilds.rows()), end="\n\n", flush=True)
        ids = random.Random(given.seed).choices([record["id"] for record in records], k=max(given.requests, 1000))
        tell("related: in process, then over HTTP")
        inside = latency_row("in process", in_process(home, ids[:1000]))
        larger = [in_synthetic(folder, home, given.source, given.synthetic, given.seed)] if given.synthetic else []
        over_http, memory = measure_serving(home, ids[: given.requests])
        header = ["related, a known article", "calls", "p50", "p99", "a second, one after the other"]
        print(markdown(header, [inside, latency_row("over HTTP, one worker", over_http), *larger]), end="\n\n")
        print(markdown(["memory of the worker", "RSS", "PSS"], memory), end="\n\n", flush=True)
        tell("cold starts")
        print(markdown(["cold start, wall time", "median"], measure_starts(home, ids[0])))


if __name__ == "__main__":
    main()
