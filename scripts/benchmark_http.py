#!/usr/bin/env python3
"""What the HTTP service does under load, beside the least that its server can do: ratios of one run, as a Markdown table.

    .venv/bin/python scripts/benchmark_http.py > http.md                       # 100,000 articles, hashing encoder
    .venv/bin/python scripts/benchmark_http.py --articles 5000 --seconds 3     # a look
    .venv/bin/python scripts/benchmark_http.py --model all-MiniLM-L6-v2        # free texts with the real encoder
    .venv/bin/python scripts/benchmark_http.py --homes DIR                     # archives that an earlier run left in DIR

Needs wrk (``apt-get install wrk``) and Linux. The archive is synthetic, made of a real one's sentences (``scripts/_synthetic.py``). The
service is ``recommender serve`` with its own settings; beside it run an empty Flask route and a bare WSGI function that return
as many bytes, on the same server with as many workers and threads. Every load runs in turn, ``--rounds`` times over, and ratios are
medians of the ratios within a round: other work on the machine meets both sides. Load and service share the machine's cores.

* **hot**: articles drawn by Zipf's law over the whole archive, after a warm-up. Each worker keeps lists for itself, and rare ones come for the
  first time at any time; the table says what share was kept.
* **each another**: every article in turn, so that no list is kept, unless the archive is so small that its turn comes again.
* **304**: hot articles whose list the client has.
* **CPU a request**: of all processes of the service. It hardly depends on what else the machine does, as the other figures do.
* **Free text**, a headline or a pasted paragraph: one after the other on one connection, none asked twice, against the encoder in process with the same texts. With the
  hashing encoder, which takes microseconds, this is the time of the search itself; the target is meant for a real one.
* **Beside free texts**: hot articles while 8 connections send free texts without pause, against the quiet before.
* **Memory**: PSS of both workers after known articles alone, against the bytes of vectors and served fields on disk (``dense.faiss``,
  ``rows.jsonl``). The finished lists are neither: their pages count as held, and their bytes only in a second row.

``--homes DIR`` uses ``DIR/synthetic-ARTICLES`` and ``DIR/real`` where they are there, and never writes to them.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import numpy as np
from _bench import ROOT, SEEDS, articles_of, folder_of, markdown, output_of, recommender, tell
from _service import Client, Service, mapped_of, memory_of, serving
from _synthetic import publish_synthetic
from _wrk import Load, Wrk

from recommender import compose, snapshot
from recommender.home import Home
from recommender.settings import load_settings

N_HOT = 20_000
N_FREE_CLIENTS = 8
N_PASTED = 80
SETTLING_SECONDS = 2.0  # until the other workers are ready as well
THREADS = load_settings(Path(os.devnull)).serve.threads
SERVED = ("dense.faiss", "rows.jsonl")
LISTS = ("lists.bin", "lists.offsets.npy")


def made(folder: Path, source: Path, n: int, seed: int) -> Path:
    """Return a home with a synthetic archive of ``n`` articles."""
    real, large = folder / "real", folder / f"synthetic-{n}"
    if not large.exists():
        tell(f"making an archive of {n:,} articles")
        output_of(recommender(real, "ingest", str(source)))
        output_of(recommender(real, "rebuild"))
        publish_synthetic(Home(large), snapshot.load(Home(real)), articles_of(source), n, seed=seed)
        for export in (real / "encoders").glob("*"):
            (large / "encoders").mkdir(exist_ok=True)
            (large / "encoders" / export.name).symlink_to(export.resolve())
    return large


@contextlib.contextmanager
def plain(kind: str, workers: int, n_bytes: int) -> Iterator[Service]:
    """Yield a service that does nothing."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    program = str(ROOT / "scripts" / "_plain_service.py")
    command = [sys.executable, program, kind, str(port), str(workers), str(THREADS), str(n_bytes)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield Service(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def path_of(article_id: str) -> str:
    return f"/v1/articles/{quote(article_id, safe='')}/related"


def zipf(ids: Sequence[str], n: int, chance: np.random.Generator) -> list[str]:
    """Return ``n`` ids by Zipf's law with exponent 1 over the whole archive."""
    weights = 1 / np.arange(1, len(ids) + 1)
    ranked = chance.permutation(len(ids))
    return [ids[ranked[at]] for at in chance.choice(len(ids), n, p=weights / weights.sum())]


def texts_of(real: Path, n: int, chance: random.Random) -> list[str]:
    """Return ``n`` free texts, each another: pieces of two headlines."""
    loaded = snapshot.load(Home(real))
    titles = [loaded.row(number).title.split() for number in range(len(loaded))]
    return [" ".join([*chance.choice(titles)[:5], *chance.choice(titles)[-4:], str(at)]) for at in range(n)]


def had_by_clients(port: int, ids: Sequence[str]) -> tuple[list[str], int]:
    """Return lines that ask whether lists are still what they are, and how many bytes a list has on average."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    lines, sizes = [], []
    for article_id in ids:
        connection.request("GET", path_of(article_id))
        response = connection.getresponse()
        sizes.append(len(response.read()))
        lines.append(f"{path_of(article_id)} {response.headers['ETag']}")
    connection.close()
    return lines, round(statistics.fmean(sizes))


def paragraphs_of(source: Path, n: int, chance: random.Random) -> list[str]:
    """Return ``n`` free texts as somebody pastes them, each another: 80 words of a story and of another one."""
    bodies = [words for each in articles_of(source) if len(words := each.text.split()) >= N_PASTED]
    half = N_PASTED // 2
    starts = ((chance.choice(bodies), chance.choice(bodies)) for _ in range(n))
    pieces = [(one[(at := chance.randrange(len(one) - half)) : at + half], other[:half]) for one, other in starts]
    return [" ".join([*one, *other, str(at)]) for at, (one, other) in enumerate(pieces)]


def kept_and_not(port: int) -> tuple[int, int]:
    """Return how many lists of known articles a worker had when they were asked for, and how many it took from the index or made."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/metrics")
    told = connection.getresponse().read().decode()
    connection.close()
    found = dict(re.findall(r'^recommender_kept_lists_total\{outcome="(\w+)"\} (\S+)$', told, re.MULTILINE))
    made = sum(float(found.get(outcome, 0)) for outcome in ("finished", "miss"))
    return int(float(found.get("hit", 0))), int(made)


class Rounds:
    """Loads that are put on in turn, several times over."""

    def __init__(self, connections: int, seconds: int) -> None:
        self._connections, self._seconds = connections, seconds
        self.found: dict[str, list[Load]] = {}
        self.cpu_us: dict[str, list[float]] = {}
        self.kept_shares: dict[str, list[float]] = {}

    def put(self, name: str, service: Service, lines: Sequence[str]) -> None:
        """Put a load on and note what came of it."""
        before = service.cpu_seconds()
        load = Wrk(service.port, lines, connections=self._connections, seconds=self._seconds).wait()
        self.cpu_us.setdefault(name, []).append(1e6 * (service.cpu_seconds() - before) / max(load.n_requests, 1))
        if load.n_bad:
            tell(f"{name}: {load.n_bad} of {load.n_requests} requests were not answered well")
        self.found.setdefault(name, []).append(load)

    def put_counted(self, name: str, service: Service, lines: Sequence[str]) -> None:
        """Put a load on the service, and note what share of its lists a worker had."""
        before = kept_and_not(service.port)
        self.put(name, service, lines)
        kept, made = (one - other for one, other in zip(kept_and_not(service.port), before, strict=True))
        self.kept_shares.setdefault(name, []).append(kept / max(kept + made, 1))

    def ratio(self, name: str, other: str, of: Callable[[Load], float]) -> float:
        """Return the median over the rounds of one load's figure against another's."""
        pairs = zip(self.found[name], self.found[other], strict=True)
        return statistics.median(of(one) / max(of(two), 1e-9) for one, two in pairs)

    def row(self, name: str, target: str) -> list[str]:
        """Return a row of the table; figures of each load are medians."""
        loads = self.found[name]
        figures = [statistics.median(of(load) for load in loads) for of in (_rate, _p50, _p99)]
        against = (
            [] if name == "empty Flask route" else [self.ratio(name, "empty Flask route", of) for of in (_rate, _p99)]
        )
        told = [f"{value:.2f} ×" for value in against] or ["1", "1"]
        cpu = f"{statistics.median(self.cpu_us[name]):.0f} µs"
        return [name, f"{figures[0]:,.0f}", *(f"{value:.1f} ms" for value in figures[1:]), cpu, *told, target]


def _rate(load: Load) -> float:
    return load.per_second


def _p50(load: Load) -> float:
    return load.p50_ms


def _p99(load: Load) -> float:
    return load.p99_ms


def known_articles(service: Service, ids: Sequence[str], given: argparse.Namespace) -> Rounds:
    """Put known articles to the service and to those that do nothing."""
    chance = np.random.default_rng(given.seed)
    hot = [path_of(article_id) for article_id in zipf(ids, N_HOT, chance)]
    other = [path_of(ids[at]) for at in chance.permutation(len(ids))]
    tell("warming up")
    Wrk(service.port, hot, connections=given.connections, seconds=given.warm_up).wait()
    had, n_bytes = had_by_clients(service.port, list(dict.fromkeys(zipf(ids, 500, chance))))
    rounds = Rounds(given.connections, given.seconds)
    with plain("flask", given.workers, n_bytes) as flask, plain("wsgi", given.workers, n_bytes) as wsgi:
        for number in range(given.rounds):
            tell(f"round {number + 1} of {given.rounds}")
            rounds.put_counted("known article, hot", service, hot)
            rounds.put("empty Flask route", flask, hot)
            rounds.put_counted("known article, each another", service, other)
            rounds.put("304, the client has it", service, had)
            rounds.put("bare WSGI function", wsgi, hot)
    return rounds


def beside_free_texts(
    service: Service, ids: Sequence[str], texts: Sequence[str], given: argparse.Namespace
) -> list[str]:
    """Return the row of known articles while free texts are sent."""
    hot = [path_of(article_id) for article_id in zipf(ids, N_HOT, np.random.default_rng(given.seed))]
    asked = [f"/v1/search?q={quote(text)}" for text in texts]
    ratios, seen = [], []
    for number in range(given.rounds):
        quiet = Wrk(service.port, hot, connections=given.connections, seconds=given.seconds).wait()
        part = asked[number :: given.rounds]
        noise = Wrk(service.port, part, connections=N_FREE_CLIENTS, seconds=given.seconds + 1, threads=1)
        time.sleep(0.5)
        loud = Wrk(service.port, hot, connections=given.connections, seconds=given.seconds).wait()
        free = noise.wait()
        ratios.append(loud.p99_ms / quiet.p99_ms)
        seen.append((quiet.p99_ms, loud.p99_ms, free.per_second))
    quiet_ms, loud_ms, per_second = (statistics.median(each) for each in zip(*seen, strict=True))
    what = f"p99 of hot articles beside {N_FREE_CLIENTS} clients' free texts ({per_second:,.0f} a second): {quiet_ms:.1f} → {loud_ms:.1f} ms"
    return [what, f"{statistics.median(ratios):.2f} ×", "< 3"]


def free_text(service: Service, home: Path, kind: str, texts: Sequence[str]) -> list[str]:
    """Return the row of free texts of a kind from end to end."""
    settings = load_settings(None, {"home": home})
    encoder = compose.open_encoder(Home(home), settings.encoder)
    encoder.encode(list(texts[:3]))
    client = Client(service.port)
    inside, outside = [], []
    for text in texts:
        began = time.perf_counter()
        encoder.encode([text])
        inside.append(1000 * (time.perf_counter() - began))
        reply = client.ask("GET", f"/v1/search?q={quote(text)}")
        if reply.status != 200 or "note" in reply.body:
            sys.exit(f"a free text was not answered: {reply.status} {str(reply.body)[:200]}")
        outside.append(1000 * reply.seconds)
    one, other = statistics.median(outside), statistics.median(inside)
    return [
        f"{kind} as a free text, end to end, p50 {one:.1f} ms, against the encoder's {other:.2f} ms",
        f"{one / other:.2f} ×",
        "≤ 1.3",
    ]


class Memory(NamedTuple):
    """What all workers hold together, in MB.

    Attributes:
        pss: everything; what several share counts once.
        own: what is in no file.
        index: pages of the snapshot's files.
        lists: those of the finished lists among them.
    """

    pss: float
    own: float
    index: float
    lists: float

    @classmethod
    def of(cls, pids: Sequence[int], folder: Path) -> Memory:
        """Return what processes hold now, with a snapshot in ``folder``."""
        files = {path.name for path in folder.iterdir()}
        held, mapped = [memory_of(pid) for pid in pids], [mapped_of(pid) for pid in pids]
        return cls(
            sum(each["Pss"] for each in held),
            sum(each["RssAnon"] for each in held),
            sum(share for each in mapped for name, share in each.items() if name in files),
            sum(share for each in mapped for name, share in each.items() if name in LISTS),
        )

    def told(self) -> str:
        """Return it in words."""
        return f"{self.pss:.0f} MB ({self.own:.0f} their own, {self.index:.0f} pages of the index, {self.lists:.0f} of these finished lists)"


def memory_rows(folder: Path, workers: int, ready: Memory, after: Memory) -> list[list[str]]:
    """Return the rows of memory: when the service was ready, and after known articles alone."""
    sizes = {path.name: path.stat().st_size / 2**20 for path in folder.iterdir()}
    served = sum(sizes[name] for name in SERVED)
    lists = sum(sizes.get(name, 0.0) for name in LISTS)
    what = f"PSS of {workers} workers without the model, {after.told()}, against vectors and served fields, {served:.0f} MB"
    return [
        [what, f"{after.pss / served:.2f} ×", "≤ 1.6"],
        [
            f"the same against vectors, served fields and finished lists, {served + lists:.0f} MB",
            f"{after.pss / (served + lists):.2f} ×",
            "",
        ],
        [f"PSS when they were ready, {ready.told()}, over an index of {sum(sizes.values()):.0f} MB", "", ""],
    ]


def measured(home: Path, real: Path, given: argparse.Namespace) -> None:
    """Print both tables."""
    live = snapshot.load(Home(home))
    ids, folder = live.dense.ids, Home(home).snapshots / live.name
    texts = texts_of(real, 400 + 200 * given.seconds * given.rounds, random.Random(given.seed))
    with serving(home, n_workers=given.workers) as service:
        ready = service.wait()
        time.sleep(SETTLING_SECONDS)
        at_first = Memory.of(service.workers(given.workers), folder)
        rounds = known_articles(service, ids, given)
        after = Memory.of(service.workers(given.workers), folder)
        header = ["", "a second", "p50", "p99", "CPU a request", "× Flask's rate", "× Flask's p99", "target"]
        targets = {
            "known article, hot": "≥ 1.0, p99 ≤ 1",
            "known article, each another": "≥ 0.5",
            "304, the client has it": "≥ 1.2",
        }
        names = [*targets, "empty Flask route", "bare WSGI function"]
        print(markdown(header, [rounds.row(name, targets.get(name, "")) for name in names]), end="\n\n", flush=True)
        tell("free texts")
        rows = [
            free_text(service, home, "a headline", texts[:200]),
            free_text(service, home, f"{N_PASTED} words", paragraphs_of(given.source, 100, random.Random(given.seed))),
            beside_free_texts(service, ids, texts[200:], given),
        ]
        kept, again = (
            f"{statistics.median(rounds.kept_shares[name]):.1%}"
            for name in ("known article, hot", "known article, each another")
        )
        rows += [
            *memory_rows(folder, given.workers, at_first, after),
            ["share of the hot lists that a worker had", kept, ""],
            ["share of the others that a worker had: the rest came from the index, or was made", again, ""],
            [f"from start to ready, {ready:.2f} s", "", "< 3 s"],
        ]
        print(markdown(["", "figure", "target"], rows), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=100_000, help="of the archive (default: %(default)s)")
    parser.add_argument("--source", type=Path, default=SEEDS, help="what it is made of (default: the sample corpus)")
    parser.add_argument("--model", default="hashing", help="encoder.model (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="(default: %(default)s)")
    parser.add_argument("--connections", type=int, default=16, help="of wrk (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=10, help="of each load (default: %(default)s)")
    parser.add_argument("--warm-up", type=int, default=60, help="seconds of hot articles before (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--homes", type=Path, help="keep the archives in this folder, and use those that are there")
    parser.add_argument("--seed", type=int, default=0, help="of the chance (default: %(default)s)")
    given = parser.parse_args()
    os.environ["RECOMMENDER_ENCODER__MODEL"] = given.model
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    with folder_of(given.homes) as folder:
        home = made(folder, given.source, given.articles, given.seed)
        measured(home, folder / "real", given)


if __name__ == "__main__":
    main()
