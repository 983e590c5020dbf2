#!/usr/bin/env python3
"""The offline rebuild for a scheduler (cron, systemd): log lines with times on stderr, an exit code, never two at once.

    .venv/bin/python scripts/rebuild_index.py --home /srv/news/index

Exit codes: 0 published; 1 refused or failed, the former snapshot is still live; 2 wrong arguments or settings;
75 another process is writing to this home: try again later (EX_TEMPFAIL); 130 interrupted.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path

from recommender.cli.write import run_rebuild
from recommender.errors import BusyError, RecommenderError, exit_code
from recommender.settings import load_settings

log = logging.getLogger("rebuild")

BUSY = 75
INTERRUPTED = 130
_LOG_SECONDS = 30


class LogStage:
    """Writes a line when a stage begins, every half minute, and when it ends, with rate and time left."""

    def __init__(self) -> None:
        self._stage = ""
        self._began = self._logged = 0.0

    def __call__(self, stage: str, done: int, total: int, unit: str) -> None:
        """Take note that ``done`` of ``total`` are finished."""
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._began, self._logged = stage, now, now
            log.info("%s: %s of %s %s", stage, f"{done:,}", f"{total:,}", unit)
        elif done >= total or now - self._logged >= _LOG_SECONDS:
            self._logged = now
            rate = done / max(now - self._began, 1e-9)
            left = (total - done) / max(rate, 1e-9)
            log.info("%s: %s of %s %s, %.1f a second, %d s left", stage, f"{done:,}", f"{total:,}", unit, rate, left)


def main(arguments: list[str] | None = None) -> int:
    """Run the rebuild and return the exit code."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--home", type=Path, help="folder of catalog and index")
    parser.add_argument("--config", type=Path, help="settings file")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    began = time.monotonic()
    try:
        report = run_rebuild(load_settings(given.config, {"home": given.home}), watch=LogStage(), tell=log.info)
    except BusyError as error:
        log.error("%s", error)
        return BUSY
    except RecommenderError as error:
        log.error("%s", error)
        return exit_code(error)
    except KeyboardInterrupt:
        log.error("interrupted; the former snapshot is still live, and vectors that were done are kept")
        return INTERRUPTED
    log.info(
        "published %s: %s articles, %s stubs, %s texts encoded, in %.1f s",
        report.snapshot,
        f"{report.n_articles:,}",
        f"{report.n_stubs:,}",
        f"{report.n_texts_encoded:,}",
        time.monotonic() - began,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
