"""``follow``: feeds read again and again, beside a service or with one."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
from collections.abc import Iterable, Iterator
from random import Random

import click

from recommender.cli import INTERRUPTED
from recommender.cli.gather import follow_links_option, gatherer_of, private_option, seconds_now
from recommender.cli.rounds import Printer, Service
from recommender.fetch import Fetcher, shown_url
from recommender.gather import Follower, FollowLinks, Round
from recommender.home import Home
from recommender.settings import Settings, with_flags

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SERVER_ENDS_SECONDS = 15
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _seconds(ctx: click.Context, parameter: click.Parameter, value: str) -> float:
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([smhd]?)", value.strip())
    seconds = float(found[1]) * _UNITS[found[2] or "s"] if found else 0.0
    if not 1 <= seconds <= 30 * 86400:
        raise click.BadParameter(f"{value!r} is no time between 1 s and 30 d; write it like 60s, 5m or 1h")
    return seconds


@click.command()
@click.argument("feeds", nargs=-1, required=True, metavar="FEED...")
@click.option("--every", default="60s", callback=_seconds, help="Time between two readings of a feed (default: 60s).")
@click.option("--once", is_flag=True, help="Read each feed once and end; for a scheduler.")
@click.option(
    "--serve", is_flag=True, help="Run the HTTP service, too; the first index is built when the feeds were read."
)
@click.option("--port", type=int, help="With --serve: its port (default: 8000).")
@follow_links_option
@private_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a reading.")
@click.pass_obj
def follow(
    settings: Settings,
    /,
    feeds: tuple[str, ...],
    every: float,
    once: bool,
    serve: bool,
    port: int | None,
    follow_links: FollowLinks,
    allow_private: bool | None,
    as_json: bool,
) -> int:
    """Keep the archive fresh from feeds: read each again and again, until Ctrl-C or SIGTERM.

    Of a page the first feed is read that it announces. New and changed stories are written as they come, so that a running
    service has them in seconds. What was read, and when a feed is due, is kept in the home: after a restart it goes on. One such
    process at a time in one home.
    """
    if serve and once:
        raise click.UsageError("--serve keeps on; it takes no --once")
    if port is not None and not serve:
        raise click.UsageError("--port belongs to --serve")
    settings = with_flags(settings, {"fetch.allow_private": allow_private, "serve.port": port})
    home = Home(settings.home)
    stop = threading.Event()
    with home.follower(), Fetcher(settings.fetch, stop=stop) as fetcher, _ended_by_signals(stop, fetcher):
        follower = Follower(
            home,
            gatherer_of(settings, fetcher),
            feeds,
            every_seconds=every,
            follow_links=follow_links,
            clock=seconds_now,
            stop=stop,
            chance=Random(),
        )
        printer = Printer(as_json)
        if once:
            return 1 if _all(follower.once(), printer) else 0
        service = Service(settings, stop) if serve else None
        try:
            waiting = {shown_url(url) for url in feeds}
            for done in follower.run():
                printer(done)
                waiting.discard(shown_url(done.url))
                if service is not None and (not waiting or done.did_something):
                    service.start_when_ready()
        finally:
            printer.close()
            code = service.end() if service else 0
        return code


def _all(rounds: Iterable[Round], printer: Printer) -> bool:
    """Print every round, and return whether something went wrong in one."""
    wrong = False
    for done in rounds:
        printer(done)
        wrong = wrong or bool(done.problem or done.report.n_refused)
    printer.close()
    return wrong


@contextlib.contextmanager
def _ended_by_signals(stop: threading.Event, fetcher: Fetcher) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM set ``stop`` and end every connection; a second one ends the process as it stands.

    The handler only writes a byte, which a thread waits for: it runs in the midst of whatever may hold the locks that it needs.
    """
    reading, writing = os.pipe()
    former = {number: signal.signal(number, lambda *_: os.write(writing, b"x")) for number in _SIGNALS}

    def wait() -> None:
        while os.read(reading, 1) == b"x":
            if stop.is_set():
                os._exit(INTERRUPTED)
            stop.set()
            fetcher.close()

    waiting = threading.Thread(target=wait, daemon=True, name="signals")
    waiting.start()
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        os.write(writing, b".")
        waiting.join()
        os.close(reading)
        os.close(writing)
