"""What the soak holds every answer to, and the tally of what was asked."""

from __future__ import annotations

import http.client
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from urllib.parse import quote

from _service import Client, Reply


@dataclass
class Tally:
    """What was asked and answered; shared by all threads."""

    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    waits: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    faults: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    withdrawn: dict[str, float] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def fault(self, check: str, told: str) -> None:
        """Note that a check failed."""
        self.faults[check].append(told)

    def ask(
        self, client: Client, kind: str, status: int, method: str, path: str, body: bytes | None = None
    ) -> Reply | None:
        """Ask and check what holds of every answer; return it where it came and has the expected status."""
        try:
            reply = client.ask(method, path, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.fault("no connection fails", f"{kind}: {method} {path[:120]}: {error!r}")
            return None
        self.seconds[kind].append(reply.seconds)
        if reply.status != status:
            self.fault(
                "every status is the expected one",
                f"{kind}: {method} {path[:120]}: {reply.status} {str(reply.body)[:300]}",
            )
            return None
        for article_id in offered(reply):
            if reply.asked_at > self.withdrawn.get(article_id, float("inf")):
                self.fault("what is withdrawn is in no answer", f"{kind}: {path[:120]}: {article_id}")
        return reply

    def lists(self, client: Client, kind: str, path: str, body: bytes | None = None) -> Reply | None:
        """Ask for a list and check that it is well formed."""
        reply = self.ask(client, kind, 200, "GET" if body is None else "POST", path, body)
        if reply is not None and (problem := malformed(reply)):
            self.fault("every list is well formed", f"{kind}: {path[:120]}: {problem}")
        return reply


def offered(reply: Reply) -> list[str]:
    """Return the ids of the articles that an answer names: its list, or the suggestions of a refusal."""
    suggested = reply.body.get("error", {}).get("suggestions", ())
    return [each["id"] for each in reply.body.get("results", ())] + [each["article_id"] for each in suggested]


def malformed(reply: Reply) -> str | None:
    """Return what is wrong with a list, None for nothing."""
    results, query = reply.body.get("results"), reply.body.get("query")
    if not isinstance(results, list) or not isinstance(query, dict) or not reply.body.get("snapshot"):
        return "it lacks results, query or snapshot"
    if [each.get("rank") for each in results] != list(range(1, len(results) + 1)):
        return "its ranks are no row of numbers"
    if any(
        not each.get("title") or not each.get("reason") or not isinstance(each.get("score"), float) for each in results
    ):
        return "a story without title, reason or score"
    ids = [each.get("id") for each in results]
    return "a story twice, or under itself" if len({*ids, query.get("id")}) != len(ids) + 1 else None


def related(article_id: str) -> str:
    """Return the path of a story's list."""
    return f"/v1/articles/{quote(article_id, safe='')}/related"
