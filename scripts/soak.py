#!/usr/bin/env python3
"""Runs the real service under a newsroom's whole day in a few minutes, and holds every answer to what is promised.

    .venv/bin/python scripts/soak.py --minutes 10 > soak.md

A home is made in a temporary folder, out of the data sets that are there or the sample corpus, and served on 127.0.0.1 with the
encoder that needs no model. Readers ask without a pause, writers write over HTTP with a key; an index is rebuilt beside the
service after one third and after two thirds of the time, the first one is rolled back between the two, and old ones are pruned.
The archive keeps its size, so memory should keep its own. It ends by itself, with exit code 1 where a check failed.

* **No request fails**: no connection, no status but the expected one, no list that is not well formed.
* **What is withdrawn** is in no answer that was asked for after the withdrawal was acknowledged, in any worker.
* **What is new** is on its own list, and on that of an old story about the same, within two seconds (``--patience``) of the acknowledgement, in every
  worker (six connections are asked).
* **Memory** of each worker in the first tenth of the time against the last tenth: within 5 %, held to that from five minutes on. The same load
  runs for some minutes before (``--warm-up``): until caches are filled, and as much is new over the index as there is at any time.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from _archive import enlarged, written_to
from _bench import ROOT, markdown, output_of, recommender, tell
from _checks import Tally
from _service import Client, Service, memory_of, open_files, serving
from _traffic import crowd
from tqdm import tqdm

CHECKS = (
    "no connection fails",
    "every status is the expected one",
    "every list is well formed",
    "every write has the expected outcome",
    "what is withdrawn is in no answer",
    "what is new is found in time",
    "the load goes on to the end",
    "every command beside the service ends well",
    "every worker lives to the end",
    "memory is flat",
)
SAMPLE_SECONDS = 2.0
FLAT_SHARE, FLAT_FROM_SECONDS = 0.05, 300.0
_SHOWN_FAULTS = 5


@dataclass
class Watch:
    """What is measured of the service every few seconds, one entry each time."""

    service: Service
    workers: Sequence[int]
    catalog: Path
    warm_up: float
    at: list[float] = field(default_factory=list)
    memory: dict[int, list[dict[str, float]]] = field(default_factory=dict)
    files: dict[int, list[int]] = field(default_factory=dict)
    wal: list[float] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)

    def look(self, client: Client, elapsed: float) -> None:
        """Take one sample. Raises OSError where a worker has ended."""
        live = client.ask("GET", "/v1/status").body["live"]
        wal = self.catalog.with_name("catalog.db-wal")
        for pid in self.workers:
            self.memory.setdefault(pid, []).append(memory_of(pid))
            self.files.setdefault(pid, []).append(open_files(pid))
        self.wal.append(wal.stat().st_size / 1e6 if wal.exists() else 0.0)
        self.changed.append(live["changed"])
        self.gone.append(live["gone"])
        self.waiting.append(live["waiting"])
        self.at.append(elapsed)

    def growth(self, pid: int, name: str) -> tuple[float, float]:
        """Return the median of a worker's memory in MB: of the first tenth after the warm-up, and of the last one."""
        held, at = np.array([sample[name] for sample in self.memory[pid]]), np.array(self.at)
        share = (at - self.warm_up) / max(1e-9, at[-1] - self.warm_up)
        early, late = held[(share >= 0) & (share <= 0.1)], held[share >= 0.9]
        return float(np.median(early if len(early) else held)), float(np.median(late if len(late) else held))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="of load (default: %(default)s)")
    parser.add_argument(
        "--warm-up", type=float, default=4.0, help="minutes of the same load before these (default: %(default)s)"
    )
    parser.add_argument("--articles", type=int, default=2000, help="of the archive (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes that answer (default: %(default)s)")
    parser.add_argument("--readers", type=int, default=2, help="how many (default: %(default)s)")
    parser.add_argument(
        "--think", type=float, default=0.0, help="seconds between a reader's questions (default: %(default)s)"
    )
    parser.add_argument("--writers", type=int, default=2, help="how many (default: %(default)s)")
    parser.add_argument(
        "--pause", type=float, default=0.1, help="seconds between a writer's writes (default: %(default)s)"
    )
    parser.add_argument(
        "--patience", type=float, default=2.0, help="seconds until a new story is found (default: %(default)s)"
    )
    parser.add_argument("--samples", type=Path, help="write the samples of memory into this JSON file")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that the service ends with it
    os.environ["RECOMMENDER_ENCODER__MODEL"] = "hashing"
    os.environ["RECOMMENDER_SERVE__WRITES_PER_MINUTE"] = "0"
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryDirectory(prefix="recommender-soak-") as folder:
        home = Path(folder) / "home"
        tell(f"making a home of {given.articles:,} articles")
        articles = enlarged(given.articles)
        output_of(recommender(home, "ingest", str(written_to(Path(folder) / "articles.jsonl", articles))))
        output_of(recommender(home, "rebuild"))
        key = output_of(recommender(home, "keys", "add", "soak", "--scope", "write")).strip()
        tally = Tally()
        with serving(home, n_workers=given.workers) as service:
            service.wait()
            watch = Watch(service, _workers(service, given.workers), home / "catalog.db", 60 * given.warm_up)
            load = crowd(
                tally,
                service.port,
                key,
                articles,
                n_readers=given.readers,
                n_writers=given.writers,
                think_seconds=given.think,
                pause_seconds=given.pause,
                patience_seconds=given.patience,
            )
            soak(tally, watch, load, home, seconds=60 * given.minutes)
    _judge_memory(tally, watch)
    print(report(tally, watch, n_articles=len(articles)))
    if given.samples:
        given.samples.write_text(json.dumps({"at": watch.at, "memory": watch.memory, "changed": watch.changed}))
    return 1 if tally.faults else 0


def _workers(service: Service, n: int) -> list[int]:
    """Return the workers' ids, when all of them have answered."""
    for _ in range(8 * n):
        Client(service.port).ask("GET", "/readyz")
    return service.workers(n)


def soak(tally: Tally, watch: Watch, load: Sequence[Callable[[], None]], home: Path, *, seconds: float) -> None:
    """Run the load for some time, with the commands beside it, and stop it."""
    began, seconds = time.monotonic(), watch.warm_up + seconds
    threads = [threading.Thread(target=_guarded(tally, run), daemon=True) for run in load]
    threads.append(
        threading.Thread(target=_guarded(tally, lambda: commands(tally, home, watch.warm_up, seconds)), daemon=True)
    )
    for thread in threads:
        thread.start()
    client = Client(watch.service.port)
    with tqdm(total=round(seconds), unit="s", desc="soak", file=sys.stderr) as bar:
        while (elapsed := time.monotonic() - began) < seconds:
            try:
                watch.look(client, elapsed)
            except (OSError, KeyError, ValueError) as error:
                tally.fault("every worker lives to the end", f"after {elapsed:.0f} s: {error!r}")
                break
            bar.update(round(elapsed) - bar.n)
            bar.set_postfix(faults=sum(map(len, tally.faults.values())), changed=watch.changed[-1])
            time.sleep(min(SAMPLE_SECONDS, seconds / 20))
    tally.stopping.set()
    for thread in threads:
        thread.join()


def _guarded(tally: Tally, run: Callable[[], None]) -> Callable[[], None]:
    def guarded() -> None:
        try:
            run()
        except Exception as error:
            tally.fault("the load goes on to the end", f"a thread ended: {error!r}")
            raise

    return guarded


def commands(tally: Tally, home: Path, warm_up: float, end: float) -> None:
    """Rebuild, roll back, rebuild and prune, as an editor's scheduler does; what is due when the time is over is left out."""
    began = time.monotonic()
    for share, command in (
        (1 / 3, ["rebuild"]),
        (0.5, ["rollback"]),
        (2 / 3, ["rebuild"]),  # so that as much lies over the index at the end as at the first look at the memory
        (0.8, ["prune", "--keep", "2"]),
    ):
        if tally.stopping.wait(max(0.0, warm_up + share * (end - warm_up) - (time.monotonic() - began))):
            return
        started = time.perf_counter()
        done = subprocess.run(recommender(home, *command), capture_output=True, text=True, check=False)
        tally.waits[f"recommender {command[0]}"].append(time.perf_counter() - started)
        if done.returncode:
            tally.fault(
                "every command beside the service ends well",
                f"{' '.join(command)}: {done.returncode}: {done.stderr[-300:]}",
            )


def _judge_memory(tally: Tally, watch: Watch) -> None:
    for pid in watch.workers if watch.at[-1] - watch.warm_up >= FLAT_FROM_SECONDS else ():
        early, late = watch.growth(pid, "VmRSS")
        if late > early * (1 + FLAT_SHARE):
            tally.fault("memory is flat", f"{early:.0f} MB in the first tenth, {late:.0f} MB at the end")


def report(tally: Tally, watch: Watch, *, n_articles: int) -> str:
    """Return the summary in Markdown."""
    seconds = watch.at[-1]
    parts = [
        f"# Soak: {n_articles:,} articles, {len(watch.workers)} workers, {seconds / 60:.1f} minutes, of them {watch.warm_up / 60:.1f} to warm up",
        f"{os.cpu_count()} cores; load average at the end {os.getloadavg()[0]:.1f}, that of others included.",
        markdown(
            ["check", "failed"],
            ([name, str(len(tally.faults[name])) if name in tally.faults else "never"] for name in CHECKS),
        ),
        *(f"- {name}: {told}" for name in CHECKS for told in tally.faults.get(name, ())[:_SHOWN_FAULTS]),
        markdown(["request", "n", "a second", "p50", "p99", "most"], _latencies(tally, seconds)),
        markdown(["time until", "n", "p50", "p99", "most"], _waits(tally)),
        markdown(["memory of a worker", "in the first tenth", "in the last", "growth", "most"], _memory(watch)),
        markdown(["of the service", "p50", "most", "at the end"], _gauges(watch)),
    ]
    return "\n\n".join(parts)


def _latencies(tally: Tally, seconds: float) -> Iterator[list[str]]:
    for kind, taken in sorted(tally.seconds.items()):
        p50, p99, most = 1000 * np.percentile(taken, [50, 99, 100])
        yield [
            kind,
            f"{len(taken):,}",
            f"{len(taken) / seconds:.1f}",
            f"{p50:.1f} ms",
            f"{p99:.1f} ms",
            f"{most:.0f} ms",
        ]
    total = sum(map(len, tally.seconds.values()))
    yield ["all", f"{total:,}", f"{total / seconds:.1f}", "", "", ""]


def _waits(tally: Tally) -> Iterator[list[str]]:
    for name, waited in sorted(tally.waits.items()):
        yield [name, f"{len(waited):,}", *(f"{value:.2f} s" for value in np.percentile(waited, [50, 99, 100]))]


def _memory(watch: Watch) -> Iterator[list[str]]:
    for number, pid in enumerate(watch.workers, 1):
        for name, meant in (("VmRSS", "resident"), ("RssAnon", "its own")):
            early, late = watch.growth(pid, name)
            most = max(sample[name] for sample in watch.memory[pid])
            yield [
                f"{number}, {meant}",
                f"{early:.0f} MB",
                f"{late:.0f} MB",
                f"{late / early - 1:+.1%}",
                f"{most:.0f} MB",
            ]


def _gauges(watch: Watch) -> Iterator[list[str]]:
    gauges = {f"open files, worker {number}": watch.files[pid] for number, pid in enumerate(watch.workers, 1)}
    gauges |= {
        "rows changed since the snapshot": watch.changed,
        "rows gone": watch.gone,
        "waiting for vectors": watch.waiting,
    }
    for name, values in gauges.items():
        yield [name, f"{np.median(values):.0f}", f"{max(values)}", f"{values[-1]}"]
    yield ["write-ahead log", *(f"{value:.1f} MB" for value in (np.median(watch.wal), max(watch.wal), watch.wal[-1]))]


if __name__ == "__main__":
    sys.exit(main())
