"""The process that takes pages apart: it reads one question after the other from its standard input until that ends.

What a page does to a parser stays here: the process may use so much time of a processor for a page, and so much memory, and is
ended by the kernel beyond that. It opens no file and no socket.
"""

from __future__ import annotations

import json
import resource
import signal
import struct
import sys
from dataclasses import asdict
from typing import Any, BinaryIO

from recommender.errors import RecordError
from recommender.readers.page import container, site
from recommender.readers.page.announced import announced
from recommender.readers.page.extract import body_of, record_from_page

CPU_SECONDS = 2.0
MEMORY_BYTES = 400 * 2**20
HEADER = struct.Struct(">II")
"""Size of the JSON and of the bytes after it."""


def main() -> None:
    """Answer until there are no more questions."""
    for number in (signal.SIGINT, signal.SIGTERM):  # for the one who asks: without it there are no more questions
        signal.signal(number, signal.SIG_IGN)
    _warm_up()
    _bound_memory()
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    while (header := questions.read(HEADER.size)) and len(header) == HEADER.size:
        n_about, n_raw = HEADER.unpack(header)
        about, raw = json.loads(questions.read(n_about)), questions.read(n_raw)
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)  # nobody handles SIGPROF: it ends the process, whatever runs
        answer = _answer(about, raw)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(answers, answer)
        if "broken" in answer:
            return


def _warm_up() -> None:
    """Load what a page may need, so that none pays for it with its own seconds."""
    site.registered_domain("https://www.paper.example")
    container.load()


def _bound_memory() -> None:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        n_used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (n_used + MEMORY_BYTES, n_used + MEMORY_BYTES))


def _answer(about: dict[str, Any], raw: bytes) -> dict[str, Any]:
    try:
        if about["kind"] == "body":
            return {"body": asdict(body_of(raw.decode("utf-8", "surrogatepass"), url=about["url"]))}
        if about["kind"] == "markdown":
            from recommender.readers.exports.markdown import html_of

            return {"body": asdict(body_of(html_of(raw.decode("utf-8", "surrogatepass")), url=about["url"]))}
        if about["kind"] == "feeds":
            return {"feeds": [asdict(each) for each in announced(raw, about["url"], about["charset"])]}
        return {"record": record_from_page(raw, about["url"], about["charset"])}
    except RecordError as error:
        return {"refused": str(error)}
    except Exception as error:  # whatever a page does to a parser costs that page alone, and this process
        return {"broken": type(error).__name__}


def _send(answers: BinaryIO, answer: dict[str, Any]) -> None:
    text = json.dumps(answer).encode()
    answers.write(HEADER.pack(len(text), 0) + text)
    answers.flush()
