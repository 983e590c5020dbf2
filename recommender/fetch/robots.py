"""What a site asks of robots (RFC 9309). The one owner of protego."""

from __future__ import annotations

import math
from dataclasses import dataclass

from protego import Protego

MAX_BYTES = 512 * 2**10
"""RFC 9309 asks for 500 KiB at least; what stands behind is not read."""

MAX_DELAY_SECONDS = 600.0
_MAX_SITEMAPS = 1_000
_MAX_LINE_CHARS = 4096


@dataclass(frozen=True, slots=True)
class Rules:
    """What one site's robots.txt says to us.

    Attributes:
        parsed: the file; None where there is none and everything may be asked.
        agent: the product's name, as the file would spell it.
    """

    parsed: Protego | None
    agent: str

    def allow(self, url: str) -> bool:
        """Tell whether an address may be asked."""
        return self.parsed is None or bool(self.parsed.can_fetch(url, self.agent))

    @property
    def delay_seconds(self) -> float:
        """The pause between two requests that the site asks for, 0 to ``MAX_DELAY_SECONDS``."""
        delay = (self.parsed.crawl_delay(self.agent) if self.parsed else None) or 0.0
        return min(max(delay, 0.0), MAX_DELAY_SECONDS) if math.isfinite(delay) else 0.0

    @property
    def sitemaps(self) -> list[str]:
        """The sitemaps that the site names, in order."""
        named = dict.fromkeys(self.parsed.sitemaps) if self.parsed else {}
        return list(named)[:_MAX_SITEMAPS]


def parse_rules(raw: bytes, agent: str) -> Rules:
    """Return the rules in a robots.txt, whatever it holds; what cannot be read says nothing."""
    text = raw[:MAX_BYTES].decode("utf-8-sig", "replace")
    lines = (line for line in text.splitlines() if len(line) <= _MAX_LINE_CHARS)
    return Rules(Protego.parse("\n".join(lines)), agent)
