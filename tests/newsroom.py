"""A small newsroom for the tests: a handful of stories with links, and the hands that store and publish them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recommender.article import Article
from recommender.build import BuildReport, rebuild
from recommender.catalog import Catalog
from recommender.encoder import Encoder, HashingEncoder
from recommender.home import Home
from recommender.ingest import Writer
from recommender.readers import article_from_record
from recommender.settings import EncoderSettings, LinkSettings, ServeSettings, Settings
from recommender.vectors import Matrix

NOW = datetime(2025, 4, 1, 12, tzinfo=UTC)
STUB_TITLE = "Minister promises a law on pilot boats"

RECORDS: tuple[dict[str, Any], ...] = (
    {
        "id": "ferry-vote",
        "title": "Ferry crews vote to strike over night shifts",
        "description": "Sailors of the harbour ferries want two men on every night crossing.",
        "text": "The ferry crews of Port Linden voted on Monday for a strike.\nThey ask for a second sailor at night.",
        "url": "https://www.lindenpost.example/business/ferry-vote",
        "published_at": "2025-03-10T09:00:00+00:00",
        "language": "en",
        "section": "business",
    },
    {
        "id": "ferry-strike",
        "title": "Ferries stay in port as strike begins",
        "description": "Commuters of the east bank wait for buses.",
        "text": "No ferry left the harbour on Friday, the first day of the strike.\nThe crews stood at the gates.",
        "url": "https://www.lindenpost.example/business/ferry-strike",
        "published_at": "2025-03-14T09:00:00+00:00",
        "language": "en",
        "section": "business",
        "read_more": [
            {"title": "The vote", "url": "http://lindenpost.example/business/ferry-vote/?utm_source=x"},
            "Council presents its plan for the old harbour",
            STUB_TITLE,
        ],
    },
    {
        "id": "ferry-deal",
        "title": "Ferry strike ends with a deal on night crews",
        "text": "The harbour company and the crews signed a deal on Thursday.\nFerries sail again from Saturday.",
        "url": "https://www.lindenpost.example/business/ferry-deal",
        "published_at": "2025-03-20T09:00:00+00:00",
        "language": "en",
        "section": "business",
        "read_more": ["Ferries stay in port as strike begins"],
    },
    {
        "id": "harbour-plan",
        "title": "Council presents its plan for the old harbour",
        "text": "Four hundred flats and a school are to stand where the grain silos stand today.",
        "published_at": "2025-02-01T09:00:00+00:00",
        "language": "en",
        "section": "politics",
    },
    {
        "id": "cup-final",
        "title": "Linden Rovers reach the cup final after penalties",
        "text": "The goalkeeper saved three penalties in front of eleven thousand spectators.",
        "published_at": "2025-03-15T20:00:00+00:00",
        "language": "en",
        "section": "sport",
    },
    {
        "id": "faehren",
        "title": "Streik: Ferries stay in port, Hafen ohne Schiffe",
        "text": "Am Freitag blieb der Hafen leer, denn die Besatzungen der Schiffe streiken seit dem Morgen.",
        "published_at": "2025-03-14T10:00:00+00:00",
        "language": "de",
        "section": "business",
        "read_more": ["Ferry crews vote to strike over night shifts"],
    },
    {
        "id": "undated",
        "title": "How a harbour ferry strike works: questions and answers",
        "text": "Who may strike, who pays the crews, and how long may the ferries stay in port?",
        "language": "en",
    },
)

_STORM = (
    "The storm off Port Linden kept every ferry in the harbour on Tuesday, the harbour company said.\n"
    "Waves of four metres broke over the eastern mole, and the coast guard closed the channel until Wednesday noon.\n"
    "Commuters of the east bank took the bridge, where cars stood for two hours in both directions."
)
MORE_RECORDS: tuple[dict[str, Any], ...] = (
    {
        "id": "ferry-column",
        "title": "Pay the night crews of the ferries, and be quick",
        "text": "A harbour lives by its crews. Whoever saves on the second sailor of a night ferry saves at the wrong end.",
        "published_at": "2025-03-12T09:00:00+00:00",
        "language": "en",
        "section": "opinion",
        "kind": "opinion",
        "tags": ["ferry", "comment"],
        "authors": ["Anna Berg"],
    },
    {
        "id": "storm",
        "title": "Storm keeps the ferries in the harbour",
        "text": f"{_STORM}\nOur reporter counted forty trucks before the gates.",
        "published_at": "2025-03-25T12:00:00+00:00",
        "language": "en",
        "section": "business",
        "tags": ["ferry", "weather"],
        "authors": ["Anna Berg", "Ole Holm"],
    },
    {
        "id": "storm-wire",
        "title": "Storm stops ferries at Port Linden",
        "text": _STORM,
        "published_at": "2025-03-25T08:00:00+00:00",
        "language": "en",
        "section": "business",
        "kind": "wire",
        "tags": ["weather"],
    },
)
"""An opinion, and a storm told twice: by the house and by an agency."""


def stories() -> list[Article]:
    """Return the seven stories: five English ones with a date, one German, one without date and section."""
    return [article_from_record(record) for record in RECORDS]


def wider_stories() -> list[Article]:
    """Return the seven stories and three of other kinds, with tags and authors."""
    return [*stories(), *(article_from_record(record) for record in MORE_RECORDS)]


def settings_for(home: Path, **encoder: Any) -> Settings:
    """Return settings for a home with the encoder that needs no model, which looks for a new snapshot at every request."""
    return Settings(
        home=home,
        encoder=EncoderSettings(**({"model": "hashing"} | encoder)),
        links=LinkSettings(),
        serve=ServeSettings(poll_seconds=0, max_body_bytes=20_000),
    )


def store(settings: Settings, articles: Iterable[Article]) -> None:
    """Write articles into the catalog."""
    home = Home(settings.home)
    with home.storing(), Catalog(home.catalog, write=True) as catalog:
        Writer(catalog, fuzzy_threshold=settings.links.fuzzy_threshold).upsert(articles, "test")


def withdraw(settings: Settings, ids: Iterable[str]) -> None:
    """Take articles out of the catalog."""
    home = Home(settings.home)
    with home.storing(), Catalog(home.catalog, write=True) as catalog:
        Writer(catalog, fuzzy_threshold=settings.links.fuzzy_threshold).withdraw(ids)


def publish(settings: Settings, encoder: Encoder | None = None, *, now: datetime = NOW, **more: Any) -> BuildReport:
    """Rebuild and publish."""
    home = Home(settings.home)
    with home.writer("a test"), Catalog(home.catalog, write=True) as catalog:
        return rebuild(home, catalog, encoder or HashingEncoder(), settings, now=now, **more)


def write_jsonl(path: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    """Write records, one a line, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


class RecordingEncoder(HashingEncoder):
    """The encoder without a model, which remembers every text that it was given, call by call."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    @property
    def texts(self) -> list[str]:
        return [text for call in self.calls for text in call]

    def encode(self, texts: Sequence[str]) -> Matrix:
        self.calls.append(list(texts))
        return super().encode(texts)
