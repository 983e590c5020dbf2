"""What ``follow`` prints, and the service that it runs beside itself."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from recommender.catalog import Outcome
from recommender.cli.gather import gathered
from recommender.cli.output import Bars, print_line, talk
from recommender.errors import SnapshotError
from recommender.fetch import shown_url
from recommender.gather import GatherReport, Round
from recommender.home import Home
from recommender.settings import Settings

_SERVER_ENDS_SECONDS = 15


class Printer:
    """Says what came of each reading: on a terminal a line that is written anew, and one that stays where something happened."""

    def __init__(self, as_json: bool) -> None:
        """Take whether a program reads it."""
        self._as_json = as_json
        self._tty = sys.stderr.isatty() and not as_json
        self._total = GatherReport()
        self._n_read = 0
        self._width = 0

    def __call__(self, done: Round) -> None:
        """Tell of one reading."""
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if self._as_json:
            print_line({"at": at, "feed": shown_url(done.url), **_told(done)})
            return
        self._n_read += 1
        self._total.add(done.report)
        if not self._tty or done.did_something or done.report.notes:
            self._wipe()
            talk(f"{at} {_line(done)}")
            for refusal in done.report.refused[:20]:
                talk(f"  refused: {refusal}")
            for article_id, why in done.report.withdrawn:
                talk(f"  withdrawn: {article_id} ({why})")
            for note in done.report.notes[:20]:
                talk(f"  {note}")
        if self._tty:
            self._write(f"{self._n_read:,} readings: {_counts(self._total)}; next in {done.next_seconds:.0f} s")

    def _write(self, line: str) -> None:
        self._wipe()
        click.echo(line, nl=False, err=True)
        self._width = len(line)

    def _wipe(self) -> None:
        if self._width:
            click.echo("\r" + " " * self._width + "\r", nl=False, err=True)
            self._width = 0

    def close(self) -> None:
        """End the line on the screen."""
        if self._width:
            click.echo(err=True)
            self._width = 0


def _counts(report: GatherReport) -> str:
    counted = {outcome.value: report.outcomes[outcome] for outcome in Outcome} | {"refused": report.n_refused}
    return ", ".join(f"{count:,} {name}" for name, count in counted.items())


def _line(done: Round) -> str:
    told = f"{shown_url(done.url)}: {done.problem or _counts(done.report)}"
    if done.report.n_waiting:
        told += f", {done.report.n_waiting:,} wait"
    if done.report.withdrawn:
        told += f", {len(done.report.withdrawn):,} withdrawn"
    return told + (f"; next in {done.next_seconds:.0f} s" if done.next_seconds else "")


def _told(done: Round) -> dict[str, Any]:
    report = done.report
    counted = {outcome.value: report.outcomes[outcome] for outcome in Outcome} | {"refused": report.n_refused}
    return {
        **counted,
        **gathered(report),
        "refusals": [asdict(refusal) for refusal in report.refused],
        "problem": done.problem,
        "next_seconds": round(done.next_seconds, 1),
    }


class Service:
    """The HTTP service as a process beside this one, begun when there is an index; the first one is built here."""

    def __init__(self, settings: Settings, stop: threading.Event) -> None:
        """Take the settings, and what ends everything."""
        self._settings = settings
        self._stop = stop
        self._home = Home(settings.home)
        self._process: subprocess.Popen[bytes] | None = None
        self._code = 0

    def start_when_ready(self) -> None:
        """Start it, once; end everything where it ends."""
        if self._process is None and self._has_index():
            port = str(self._settings.serve.port)
            config = click.get_current_context().find_root().params.get("config")
            general = ["--home", str(self._home.path), *(["--config", str(config)] if config else [])]
            command = [sys.executable, "-m", "recommender", *general, "serve", "--port", port]
            self._process = subprocess.Popen(command)
        elif self._process is not None and self._process.poll() is not None:
            talk(f"the service ended by itself (exit code {self._process.returncode})")
            self._code = 1
            self._stop.set()

    def _has_index(self) -> bool:
        if self._home.current.exists():
            return True
        if not self._home.catalog.exists():
            return False
        from recommender.cli.write import run_rebuild

        bars = Bars()
        try:
            run_rebuild(self._settings, watch=bars, tell=talk)
        except SnapshotError as error:
            talk(f"no index yet: {error}")
            return False
        finally:
            bars.close()
        return True

    def end(self) -> int:
        """End it, and return the exit code of the whole."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            self._process.wait(_SERVER_ENDS_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return self._code
