"""Where posts stand on a site, learned from those that are published, to find what is not published any more."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from recommender.text import canonical_url

_MOST = 4


@dataclass(frozen=True)
class Post:
    """A post: its address, its number, its name in addresses, its day (``2025-03-14``, as the site counts days)."""

    url: str | None
    number: str
    slug: str
    day: str


class Permalinks:
    """The patterns of a site's addresses, the latest ones."""

    def __init__(self) -> None:
        self._patterns: list[str] = []

    def learn(self, post: Post) -> None:
        """Take note of where a published post stands."""
        parts = _parts(post)
        if not post.url or not parts["slug"]:
            return
        site = urlsplit(post.url)
        segments = [_general(segment, parts) for segment in site.path.replace("{", "").replace("}", "").split("/")]
        if not any("{slug}" in each or "{number}" in each for each in segments):
            return
        pattern = f"{site.scheme}://{site.netloc}{'/'.join(segments)}"
        self._patterns = [pattern, *(each for each in self._patterns if each != pattern)][:_MOST]

    def of(self, post: Post) -> tuple[str, ...]:
        """Return the ids that a post has or had as an article."""
        parts = _parts(post)
        filled = [canonical_url(each.format(**parts)) for each in self._patterns if parts["slug"] and parts["year"]]
        return tuple(dict.fromkeys(each for each in (post.url, *filled) if each and len(each) <= 512))


def _parts(post: Post) -> dict[str, str]:
    year, month, day = post.day.split("-") if post.day.count("-") == 2 and post.day != "0000-00-00" else ("", "", "")
    slug = post.slug if "%" in post.slug else quote(post.slug)
    return {"slug": slug.lower(), "number": post.number, "year": year, "month": month, "day": day}


def _general(segment: str, parts: dict[str, str]) -> str:
    slug = parts["slug"]
    if slug in segment.lower():
        at = segment.lower().index(slug)
        return f"{segment[:at]}{{slug}}{segment[at + len(slug) :]}"
    for name in ("year", "month", "day", "number"):
        if parts[name] and segment.partition(".")[0] == parts[name]:
            return f"{{{name}}}{segment[len(parts[name]) :]}"
    return segment
