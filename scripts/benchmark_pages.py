"""How many pages a second go in: the test site again and again, from files, without embedding.

    scripts/benchmark_pages.py                 # 2,000 pages of about 10, 60 and 150 KB each: a row a size, a minute on two free cores
    scripts/benchmark_pages.py --pages 500 --processes 1

Run it on a quiet machine: "pages/s" is by the clock, from the first file to the last commit, the start of the processes that take pages apart
included. Where others use the machine as well, read the last two columns: the processor time of a page (this process and those it started) and
what two free cores would make of it. The first line tells how busy the machine was.

Each row reads other bytes for each page (addresses and a line of text differ), with the pages of ten templates in turn. The larger ones carry the
menus, cards and scripts that pages of real sites carry.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from recommender.catalog import Catalog
from recommender.home import Home
from recommender.ingest import Writer, ingest
from recommender.readers.page import pool

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from testsite import pages

BASE = "https://www.lindenpost.example"


def write(folder: Path, n_pages: int, filler: bytes) -> int:
    """Write pages into a folder and return their bytes."""
    stories = [page for page in pages(BASE) if not page.truth.refused]
    n_bytes = 0
    for number in range(n_pages):
        page = stories[number % len(stories)]
        own = page.truth.url.encode()
        html = (
            page.html.replace(own, own.rstrip(b"/") + b"-%d" % number)
            .replace(b"</body>", filler + b"</body>")
            .replace(b"</BODY>", filler + b"</BODY>")
        )
        (folder / f"{number:06}.html").write_bytes(html)
        n_bytes += len(html)
    return n_bytes


def filler(n_bytes: int) -> bytes:
    """Return what stands around stories on real sites: menus, cards, scripts."""

    def parts() -> Iterator[str]:
        size = number = 0
        while size < n_bytes:
            number += 1
            part = (
                f'<div class="card card--{number % 7}" data-id="{number}"><a class="card__link" href="/more/story-number-{number}-of-the-day"><img src="/img/{number}.webp" alt="" loading="lazy">'
                f'<span class="card__title">A headline of a story, number {number}</span></a></div>'
            )
            if number % 4 == 0:
                part += f'<script>window.q=window.q||[];q.push({{"slot":{number},"sizes":[[300,250],[728,90]]}});for(let i=0;i<3;i++){{q.push(i)}}</script>'
            size += len(part)
            yield part

    return f'<footer class="site-footer"><nav>{"".join(parts())}</nav></footer>'.encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=2_000, help="of each size (default: 2,000)")
    parser.add_argument(
        "--processes", type=int, default=pool.N_PROCESSES, help=f"that take pages apart (default: {pool.N_PROCESSES})"
    )
    asked = parser.parse_args()
    pool._pools[:] = [pool.Pool(asked.processes)]
    print(f"{os.cpu_count()} cores, {os.getloadavg()[0]:.1f} processes ran in the last minute\n")
    print("| pages | KB each | processes | taken | pages/s | CPU ms a page | pages/s of two free cores |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for n_filler in (0, 50_000, 140_000):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name, "pages")
            folder.mkdir()
            n_bytes = write(folder, asked.pages, filler(n_filler) if n_filler else b"")
            home = Home(Path(name, "home"))
            busy = cpu_seconds()
            with home.storing(), Catalog(home.catalog, write=True) as catalog:
                started = time.perf_counter()
                report = ingest([folder], Writer(catalog, fuzzy_threshold=90.0))
                seconds = time.perf_counter() - started
            pool.shared().end()  # a child's time is counted when it has ended
            per_page = (cpu_seconds() - busy) / asked.pages
            print(
                f"| {asked.pages:,} | {n_bytes / asked.pages / 1000:.0f} | {asked.processes} | {sum(report.outcomes.values()):,} "
                f"| {asked.pages / seconds:.0f} | {1000 * per_page:.1f} | {2 / per_page:.0f} |",
                flush=True,
            )


def cpu_seconds() -> float:
    """Return how long this process and its ended children have used a processor."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    main()
