"""A clock that goes backwards, in whatever is dated: publications, files and stories."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from newsroom import NOW, publish, settings_for, store, stories, wider_stories

from faults.checks import answers
from recommender import snapshot
from recommender.audit import audit
from recommender.home import Home
from recommender.readers import article_from_record
from recommender.recommend import Recommender
from recommender.settings import Settings
from recommender.web import create_app

BACKWARDS = [
    datetime(2031, 1, 1, tzinfo=UTC),
    NOW,
    datetime(1999, 12, 31, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
]


def _every_file(home: Home) -> Iterator[Path]:
    yield from (path for path in (home.path, *sorted(home.path.rglob("*"))))


def test_the_last_one_published_is_live_however_its_date_reads(settings: Settings) -> None:
    store(settings, stories())
    home = Home(settings.home)
    for now in BACKWARDS:
        publish(settings, now=now)
    assert snapshot.load(home).name == "s00000004"
    dates = [each.published_at for each in snapshot.published(home)]
    assert dates == ["1970-01-01T00:00:00+00:00", "1999-12-31T00:00:00+00:00", "2025-04-01T12:00:00+00:00"]
    with home.writer("a rollback"):
        assert snapshot.roll_back(home).name == "s00000003"


def test_files_of_any_age_are_the_same_files(home: Home) -> None:
    before = answers(home)
    for number, path in enumerate(_every_file(home)):
        os.utime(path, (0, 0) if number % 2 else (2**32, 2**32))
    assert (answers(home), audit(home).problems) == (before, [])
    publish(settings_for(home.path))
    with home.writer("a prune"):
        assert [each.name for each in snapshot.prune(home, 1)] == ["s00000002"]
    assert snapshot.names(home) == ["s00000004", "s00000003"]


def test_a_service_takes_a_new_snapshot_whose_file_is_older_than_the_former(published: Settings) -> None:
    client = create_app(published).test_client()
    assert client.get("/readyz").get_json()["snapshot"] == "s00000001"
    for number, age in enumerate((2**32, 1_000, 0), start=2):
        publish(published)
        os.utime(published.home / "CURRENT", (age, age))
        assert client.get("/readyz").get_json()["snapshot"] == f"s{number:08d}"


@pytest.mark.parametrize(
    "date", ["0001-01-01T00:00:00+00:00", "1969-12-31T23:59:59+00:00", "9999-12-31T23:59:59+00:00"]
)
def test_a_story_of_any_date_is_stored_published_and_asked(settings: Settings, date: str) -> None:
    story = article_from_record(
        {"id": "odd", "title": "Ferries stay in port again", "language": "en", "published_at": date}
    )
    store(settings, [*wider_stories(), story])
    publish(settings)
    assert audit(Home(settings.home)).problems == []
    recommender = Recommender.open(settings)
    for article_id in ("odd", "ferry-strike"):
        assert all(math.isfinite(found.score) for found in recommender.related(article_id).results)
