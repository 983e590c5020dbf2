"""Editors' links and the articles they lead to. The one owner of rapidfuzz.

A link is resolved by canonical url, else by the same headline, else (only where it has no url) by nearly the same
headline. What resolves to nothing becomes a stub. Everything here is a pure function of the whole archive, so it does not
matter in which order articles and links arrived.

Decided cases:

* **A headline that fits two articles** (a wire copy, a daily column): the youngest one that is not younger than the linking
  article, else the oldest younger one; undated ones last; then by id. An editor links what exists when the story goes out.
* **A link to its own article**: kept in the catalog, marked ``self``, counted nowhere. A headline that also fits another
  article leads to that one.
* **The same target twice under one article**: the first counts, the others are marked ``repeat``.
* **Headlines that differ in a number** ("day 3", "day 4") are different headlines, however alike.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from rapidfuzz import fuzz, process

from recommender.article import Article, Link
from recommender.text import digest, link_keys, title_key, url_key
from recommender.text import headline_keys as keys_of_headline

STUB_PREFIX = "stub:"
_MIN_NEAREST = 60
_MIN_FUZZY_CHARS = 12


Headline = tuple[str, str, datetime | None]
"""Id, title key and date of an article."""


class Archive(Protocol):
    """What a link may mean: the articles, looked up by address and by headline. The catalog is one."""

    def at_url(self, key: str) -> str | None:
        """Return the article at an address (a url key), of several the first by id; None for none."""
        ...

    def titled(self, key: str) -> list[Headline]:
        """Return the articles with this headline (a title key)."""
        ...

    def sharing(self, headline_keys: Sequence[str]) -> list[Headline]:
        """Return the articles whose headline has any of these keys (``text.headline_keys``)."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """What a resolver needs to know of an article."""

    article_id: str
    title: str
    url: str | None = None
    published_at: datetime | None = None


class Headlines:
    """An :class:`Archive` in memory."""

    def __init__(self, targets: Iterable[Target]) -> None:
        """Index headlines and addresses of every article."""
        self._by_url: dict[str, list[str]] = {}
        self._by_title: dict[str, list[Headline]] = defaultdict(list)
        self._by_key: dict[str, list[Headline]] | None = None
        for target in sorted(targets, key=lambda target: target.article_id):
            key = url_key(target.url) if target.url else None
            if key:
                self._by_url.setdefault(key, []).append(target.article_id)
            title = title_key(target.title)
            self._by_title[title].append((target.article_id, title, target.published_at))

    def at_url(self, key: str) -> str | None:
        """Return the article at an address, of several the first by id."""
        return next(iter(self.all_at_url(key)), None)

    def all_at_url(self, key: str) -> Sequence[str]:
        """Return the articles at an address, by id."""
        return self._by_url.get(key, ())

    def titled(self, key: str) -> list[Headline]:
        """Return the articles with this headline."""
        return self._by_title.get(key, [])

    def sharing(self, headline_keys: Sequence[str]) -> list[Headline]:
        """Return the articles whose headline has any of these keys."""
        if self._by_key is None:
            self._by_key = defaultdict(list)
            for title, same in self._by_title.items():
                for key in keys_of_headline(title):
                    self._by_key[key] += same
        found = {headline[0]: headline for key in headline_keys for headline in self._by_key.get(key, ())}
        return list(found.values())


class LayeredHeadlines:
    """An :class:`Archive` with a small one over it."""

    def __init__(self, base: Headlines, changed: Headlines, away: Container[str]) -> None:
        """Take the two.

        Args:
            base: the large one.
            changed: articles that are new or were replaced.
            away: ids of those of ``base`` that were replaced or are gone.
        """
        self._base, self._changed, self._away = base, changed, away

    def at_url(self, key: str) -> str | None:
        """Return the article at an address, of several the first by id."""
        left = (each for each in self._base.all_at_url(key) if each not in self._away)
        return min((*left, *self._changed.all_at_url(key)), default=None)

    def titled(self, key: str) -> list[Headline]:
        """Return the articles with this headline."""
        return [*self._left(self._base.titled(key)), *self._changed.titled(key)]

    def sharing(self, headline_keys: Sequence[str]) -> list[Headline]:
        """Return the articles whose headline has any of these keys."""
        return [*self._left(self._base.sharing(headline_keys)), *self._changed.sharing(headline_keys)]

    def _left(self, headlines: Iterable[Headline]) -> Iterator[Headline]:
        return (headline for headline in headlines if headline[0] not in self._away)


class LinkResolver:
    """Finds the article that a headline or an address means."""

    def __init__(self, archive: Archive, *, fuzzy_threshold: float) -> None:
        """Take what may be meant.

        Args:
            archive: every article.
            fuzzy_threshold: least similarity for two headlines to be one, 0 to 100 (normalised Indel).
        """
        self._archive = archive
        self._threshold = fuzzy_threshold

    def resolve(self, link: Link, published_at: datetime | None = None) -> tuple[str, str] | None:
        """Return (article id, method) for a link under an article of that date, None where nothing fits.

        The article under which the link stands is passed over as long as another fits.
        """
        key = url_key(link.url) if link.url else None
        at_url = self._archive.at_url(key) if key else None
        if at_url is not None:
            return at_url, "url"
        title = title_key(link.title)
        same = self._archive.titled(title) if title else []
        if same:
            return _choose(same, link.article_id, published_at), "title"
        near = self._near(title) if may_be_near(link, title) else []
        return (_choose(near, link.article_id, published_at), "fuzzy") if near else None

    def _near(self, title: str) -> list[Headline]:
        """Return the articles whose headlines are most alike ``title``, all of them that share the best score."""
        candidates = self._archive.sharing(link_keys(title))
        scores = alike(title, [key for _, key, _ in candidates], self._threshold)
        best = max(scores.values(), default=0.0)
        return [candidates[at] for at, score in scores.items() if score == best]


def alike(title: str, others: Sequence[str], threshold: float) -> dict[int, float]:
    """Return how alike a headline is to others (title keys), by their place; those below ``threshold``, 0 to 100, are left out.

    Headlines that differ in a number are not alike.
    """
    found = process.extract(title, others, scorer=fuzz.ratio, score_cutoff=threshold, limit=None)
    return {at: score for key, score, at in found if score and _numbers(key) == _numbers(title)}


def _choose(headlines: Sequence[Headline], from_id: str, published_at: datetime | None) -> str:
    others = [headline for headline in headlines if headline[0] != from_id] or headlines
    dated = [(instant, article_id) for article_id, _, instant in others if instant]
    if not dated:
        return min(article_id for article_id, _, _ in others)
    before = [row for row in dated if published_at is None or row[0] <= published_at]
    when = max(before)[0] if before else min(dated)[0]
    return min(article_id for instant, article_id in dated if instant == when)


def may_be_near(link: Link, title: str) -> bool:
    """Tell whether a link with this title key may mean an article whose headline is only nearly the same."""
    return not link.url and len(title) >= _MIN_FUZZY_CHARS


def _numbers(title: str) -> list[str]:
    return sorted(re.findall(r"\d+", title))


def stub_id(link: Link) -> str:
    """Return the id of the stub for an unresolved link: one headline is one stub, whoever links to it."""
    return STUB_PREFIX + digest(title_key(link.title) or link.url or link.title).hex()


def resolve_all(
    links: Iterable[Link], resolver: LinkResolver, published_at: Mapping[str, datetime | None]
) -> list[Link]:
    """Return the links with ``target_id`` and ``method`` set.

    Args:
        links: ordered by article and position.
        resolver: over the whole archive.
        published_at: date of each linking article.
    """
    resolved: list[Link] = []
    seen: set[str] = set()
    current: str | None = None
    for link in links:
        if link.article_id != current:
            current, seen = link.article_id, set()
        found = resolver.resolve(link, published_at.get(link.article_id))
        target_id, method = found or (stub_id(link), "stub")
        if target_id == link.article_id:
            method = "self"
        elif target_id in seen:
            method = "repeat"
        seen.add(target_id)
        resolved.append(replace(link, target_id=target_id, method=method))
    return resolved


def counts(link: Link) -> bool:
    """Tell whether a resolved link is an editor's judgment (no link to itself, none said twice)."""
    return link.target_id is not None and link.method not in ("self", "repeat")


def stubs(links: Iterable[Link], languages: Mapping[str, str | None]) -> list[Article]:
    """Return the stubs that resolved links lead to, by id.

    A stub has the title and the url of the first link to it, and the language of the article that stands there.
    """
    made: dict[str, Article] = {}
    for link in links:
        if link.method != "stub" or link.target_id is None:
            continue
        known = made.get(link.target_id)
        if known is None:
            made[link.target_id] = Article(
                link.target_id, link.title, url=link.url, language=languages.get(link.article_id)
            )
        elif known.url is None and link.url:
            made[link.target_id] = replace(known, url=link.url)
    return [made[article_id] for article_id in sorted(made)]


def nearest(key: str, titles: Sequence[str], ids: Sequence[str], n: int) -> list[int]:
    """Return the positions of the up to ``n`` articles whose headline or id is most like ``key``, best first; none far off.

    A headline is compared by the words that it shares, an id letter by letter; of both, a piece is enough.

    Args:
        key: a title key.
        titles, ids: title keys of each article's headline and id, of one length.
        n: at most so many.
    """
    best: dict[int, float] = {}
    for column, scorer in ((titles, fuzz.token_set_ratio), (ids, fuzz.partial_ratio)):
        for _, score, position in process.extract(key, column, scorer=scorer, limit=n, score_cutoff=_MIN_NEAREST):
            best[position] = max(score, best.get(position, 0.0))
    return sorted(best, key=lambda position: (-best[position], position))[:n]
