"""Ask a service what its own OpenAPI document says can be asked, and much that it says cannot, and hold every answer to it.

    scripts/fuzz_http.py --requests 10000              # serves a small archive of its own, and asks that
    scripts/fuzz_http.py --url http://127.0.0.1:8000   # asks a service that runs (it writes where --key is good)

Nothing may be answered with 500, or with what the document does not say; what is refused must be refused for a reason that the
document tells, or that no document can tell; what the document forbids must be refused. Exit 1 where anything was found.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi import checks as openapi

Call = Callable[[Any], Any]

CHECKS = (
    not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_headers_conformance,
    openapi.response_schema_conformance,
)
"""What is asked of every answer."""

NO_SCHEMA_CAN_TELL = re.compile(
    r"is not in this archive|is not before published_before|the query is empty|no article has the (id|address)"
    r"|is not an absolute http\(s\) address|is no date|is missing or empty|has neither title nor http"
    r"|leave it out|control characters or blanks|begins with 'stub:'|two slots have the name"
    r"|ask for \d+ stories together|is no BCP 47 tag|the body is empty|is not known; it is one of"
)
"""Why a request may be refused that is as the document says."""

ANYTHING = "q=the+a+of&k=200&floor=0&kind=any&stubs=0"
"""A search that finds whatever there is."""

_LINES = "application/x-ndjson"
_VALUE = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.lists(st.text(max_size=5), max_size=3)
_RECORD = st.dictionaries(
    st.sampled_from(["id", "title", "text", "url", "published_at", "tags", "kind", "read_more", "x"]), _VALUE
) | st.fixed_dictionaries({"id": st.text("abc", min_size=1, max_size=2), "title": st.text(min_size=1, max_size=20)})
_LINE = (_RECORD | _VALUE).map(json.dumps) | st.text(max_size=20)


@schemathesis.serializer(_LINES)
def lines(context: Any, value: Any) -> bytes:
    """Return a batch's body."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


schemathesis.openapi.media_type(_LINES, st.lists(_LINE, max_size=5).map(lambda each: "\n".join(each).encode()))


Known = Mapping[str, Sequence[str]]


def known_of(stories: Sequence[Mapping[str, Any]]) -> Known:
    """Return what an archive holds, by the names of the parameters that ask for it: no schema can guess it."""
    names = {"id": "id", "article_id": "id", "exclude": "id", "url": "url", "section": "section"}
    return {name: sorted({story[field] for story in stories if story[field]}) for name, field in names.items()}


def fuzz(schema: Any, call: Call, *, known: Known, requests: int, start: int = 0) -> tuple[Counter[str], list[str]]:
    """Ask every operation in turn, half of the requests right by the document and half wrong.

    Args:
        schema: a loaded document.
        call: sends a case and returns its response.
        known: what the archive holds; every other right request asks for that.
        requests: how many, about.
        start: of the random numbers.

    Returns:
        How many answers there were of each operation and status, and what was found.
    """
    load_all_checks()
    operations = [found.ok() for found in schema.get_all_operations()]
    operations.sort(key=lambda operation: operation.method.lower() == "delete")  # last: it empties the archive
    asking = [operation for operation in operations if _takes_anything(operation)]
    each = max(1, round(requests / (2 * len(asking))))
    counts: Counter[str] = Counter()
    found: list[str] = []
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _ask(operation, mode, call, known, each, start, counts, found)
    return counts, found


def _takes_anything(operation: Any) -> bool:
    """Tell whether there is more than one way to ask an operation."""
    raw = operation.definition.raw
    return bool(raw.get("parameters") or raw.get("requestBody"))


def _ask(
    operation: Any,
    mode: GenerationMode,
    call: Call,
    known: Known,
    n: int,
    start: int,
    counts: Counter[str],
    found: list[str],
) -> None:
    try:
        strategy = operation.as_strategy(generation_mode=mode)
    except Exception as error:  # nothing can be wrong about it
        counts[f"{operation.label}: no {mode.value} case ({type(error).__name__})"] += 1
        return
    seen: set[str] = set()

    @seed(start)
    @settings(
        max_examples=n,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def ask(case: Any) -> None:
        if mode is GenerationMode.POSITIVE and sum(counts.values()) % 2:
            _fill(case, known, sum(counts.values()))
        response = call(case)
        counts[f"{operation.label} {response.status_code}"] += 1
        for problem in problems(case, response, mode):
            kind = f"{operation.label} {problem[:60]}"
            if kind not in seen:
                seen.add(kind)
                found.append(f"{operation.label}: {problem}\n    {_told(case)}\n    {response.text[:300]}")

    try:
        ask()
    except Exception as error:
        if "Unsatisfiable" not in type(error).__name__:
            raise
        counts[f"{operation.label}: no {mode.value} case"] += 1


def _fill(case: Any, known: Known, at: int) -> None:
    """Let a case ask for what the archive holds."""
    body = case.body if isinstance(case.body, dict) else {}
    slots = [slot for slot in body.get("slots", ()) if isinstance(slot, dict)]
    for told in (case.path_parameters, case.query, body, *slots):
        for name in set(told or ()) & {*known, "tag", "author"}:
            if known.get(name):
                value = known[name][at % len(known[name])]
                told[name] = [value] if isinstance(told[name], list) else value
            else:
                del told[name]


def problems(case: Any, response: Any, mode: GenerationMode) -> Iterator[str]:
    """Yield what is wrong with an answer."""
    checks = list(CHECKS)
    if mode is GenerationMode.NEGATIVE and response.status_code not in (413, 414):  # refused unread
        checks.append(openapi.negative_data_rejection)
    try:
        case.validate_response(response, checks=checks)
    except BaseExceptionGroup as group:
        told = (f"{type(each).__name__}: {each}".replace("\n", " ")[:400] for each in group.exceptions)
        # A text that is too long as it is sent may have the length that is taken when it is cleaned.
        yield from (each for each in told if "violates `maxLength`" not in each)
    accepted = mode is GenerationMode.POSITIVE and case.media_type != _LINES
    if accepted and response.status_code in (400, 422) and response.content:
        for line in response.json()["error"]["message"].splitlines():
            if not NO_SCHEMA_CAN_TELL.search(line):
                yield f"refused although the document allows it: {line[:200]}"


def _told(case: Any) -> str:
    parts = [f"{name}={getattr(case, name)!r}"[:400] for name in ("path_parameters", "query", "headers", "body")]
    return " ".join(parts)


@contextlib.contextmanager
def serving() -> Iterator[tuple[str, str]]:
    """Yield the address of a service over a small archive of its own, and a key that may write."""
    with tempfile.TemporaryDirectory() as place, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        program = [sys.executable, "-m", "recommender", "--home", f"{place}/home"]
        environment = os.environ | {"RECOMMENDER_ENCODER__MODEL": "hashing"}
        environment |= {f"RECOMMENDER_SERVE__{name}_PER_MINUTE": "0" for name in ("WRITES", "WRONG_KEYS")}
        seeds = Path(__file__).parent.parent / "seeds"
        for command in (["ingest", str(seeds)], ["rebuild"]):
            subprocess.run([*program, *command], env=environment, check=True, capture_output=True)
        made = [*program, "keys", "add", "fuzz", "--scope", "write"]
        key = subprocess.run(made, env=environment, check=True, capture_output=True, text=True).stdout.split()[0]
        with Path(place, "log").open("wb") as log:
            serve = [*program, "serve", "--port", str(port)]
            process = subprocess.Popen(serve, env=environment, stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}/readyz")
            yield f"http://127.0.0.1:{port}", key
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
            log_text = Path(place, "log").read_text(encoding="utf-8")
            if "unforeseen" in log_text:
                print(log_text[-3_000:], file=sys.stderr)


def _wait(url: str) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--url", help="a service that runs; one is started where none is given")
    parser.add_argument("--key", default="", help="a key that may write there")
    asked = parser.parse_args()
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        url, key = (asked.url, asked.key) if asked.url else stack.enter_context(serving())
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        headers = {"Authorization": f"Bearer {key}"} if key else {}

        def call(case: Any) -> Any:
            return case.call(base_url=url, headers=headers if asks_for_key(case) else {})

        with urllib.request.urlopen(f"{url}/v1/search?{ANYTHING}") as answer:
            known = known_of(json.load(answer)["results"])
        counts, found = fuzz(schema, call, known=known, requests=asked.requests, start=asked.seed)
    for name, n in sorted(counts.items()):
        print(f"{n:6,}  {name}")
    print(f"{sum(counts.values()):6,}  in {time.monotonic() - started:.0f} s")
    for each in found:
        print(each)
    print(f"{len(found)} found")
    return 1 if found else 0


def asks_for_key(case: Any) -> bool:
    """Tell whether a case asks what a key is needed for."""
    return bool(case.operation.definition.raw.get("security"))


if __name__ == "__main__":
    sys.exit(main())
