"""An archive of any size made of the articles that are on this machine, as records that ``recommender ingest`` takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from _bench import DATA, SEEDS, articles_of, data_sets

from recommender.article import Article

_APART = timedelta(days=60)  # further than two versions of one story that count as near-copies
_N_WORDS = 200


def enlarged(n: int) -> list[Article]:
    """Return ``n`` articles, in ascending order of id: real ones, and where these are too few the same again, dated earlier.

    They are those of the data sets that are there, else the sample corpus.
    """
    sources = [one.source for one in data_sets(DATA) if one.source.exists()]
    real = [article for source in sources or [SEEDS] for article in articles_of(source)]
    return sorted(islice(_again_and_again(real), n), key=lambda article: article.id)


def _again_and_again(real: Sequence[Article]) -> Iterator[Article]:
    yield from real
    turn = 0
    while real:
        turn += 1
        for article in real:
            yield replace(
                article,
                id=f"{article.id}-{turn}",
                url=f"{article.url}-{turn}" if article.url else None,
                published_at=article.published_at - turn * _APART if article.published_at else None,
            )


def record(article: Article) -> dict[str, Any]:
    """Return the record of an article."""
    told = asdict(article)
    for name in ("published_at", "modified_at"):
        told[name] = told[name].isoformat() if told[name] else None
    return {name: value for name, value in told.items() if value}


def as_jsonl(articles: Iterable[Article]) -> bytes:
    """Return articles as JSON lines."""
    return b"".join(json.dumps(record(article), ensure_ascii=False).encode() + b"\n" for article in articles)


def written_to(path: Path, articles: Iterable[Article]) -> Path:
    """Write articles into a JSONL file and return its path."""
    path.write_bytes(as_jsonl(articles))
    return path


def retold(article: Article, article_id: str, chance: Random) -> Article:
    """Return a new story about what another one is about: its words in another order, so that it is no copy."""
    words = f"{article.title} {article.description} {article.text}".split()[:_N_WORDS]
    title = article.title.split()
    chance.shuffle(words)
    chance.shuffle(title)
    return replace(
        article, id=article_id, title=" ".join(title), description="", text=" ".join(words), url=None, read_more=()
    )
