#!/usr/bin/env python3
"""``kill -9`` at random moments of everything that writes, thousands of times; after each the home must be whole.

    .venv/bin/python scripts/crash_test.py --kills 3000

After every kill the home is opened, checked as `recommender verify` does, asked, and searched for every article whose write
was acknowledged before. Prints a table; exit code 1 where anything was lost or broken. ``tests/faults/`` is the harness.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from _bench import ROOT, markdown, tell
from tqdm import tqdm

sys.path.insert(0, str(ROOT / "tests"))

from faults.crash import Crasher, Tally
from faults.operations import OPERATIONS


def main(arguments: list[str] | None = None) -> int:
    """Run the kills and return the exit code."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--kills", type=int, default=3_000, metavar="N", help="how many (default: 3000)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments and of what is written (default: 1)")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="recommender-crash-") as folder:
        crasher = Crasher(Path(folder), given.seed)
        with tqdm(total=given.kills, unit="kill", file=sys.stderr) as bar:
            tally = crasher.run(given.kills, bar.update)
    print(_table(tally))
    for _, failure in tally.failures:
        tell(f"failure: {failure}")
    return 1 if tally.failures else 0


def _table(tally: Tally) -> str:
    counts = [
        (
            each.name,
            tally.kills[each.name],
            tally.in_the_act[each.name],
            tally.acknowledged[each.name],
            sum(name == each.name for name, _ in tally.failures),
        )
        for each in OPERATIONS
    ]
    total = ("all", *(sum(row[column] for row in counts) for column in range(1, 5)))  # type: ignore[misc]
    header = ("operation", "kills", "in the act", "acknowledged articles, all there", "failures")
    return markdown(
        header, [[f"{cell:,}" if isinstance(cell, int) else cell for cell in row] for row in (*counts, total)]
    )


if __name__ == "__main__":
    sys.exit(main())
