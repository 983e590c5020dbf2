"""Hundreds of requests made from the document, right and wrong ones, and every answer held to it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from newsroom import NOW, publish, settings_for, store, wider_stories

from recommender import keys
from recommender.home import Home
from recommender.settings import Settings
from recommender.web import create_app

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))

pytestmark = pytest.mark.slow

REQUESTS = 600


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    made = settings_for(tmp_path / "home")
    store(made, wider_stories())
    publish(made)
    return made


def test_every_answer_is_what_the_document_says(home: Settings) -> None:
    import schemathesis
    from fuzz_http import ANYTHING, asks_for_key, fuzz, known_of

    key = keys.add_key(Home(home.home).keys, "fuzz", "write", now=NOW)
    app = create_app(home)
    stories = app.test_client().get(f"/v1/search?{ANYTHING}").get_json()["results"]
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)

    def call(case: Any) -> Any:
        plain = {"Accept-Encoding": "identity"}  # nothing unpacks what does not come over a wire
        return case.call(headers=plain | ({"Authorization": f"Bearer {key}"} if asks_for_key(case) else {}))

    counts, found = fuzz(schema, call, known=known_of(stories), requests=REQUESTS)
    app.extensions["recommender.live"].stop()

    assert not found, "\n".join(found)
    assert sum(counts.values()) >= REQUESTS * 0.8
    answered = {name.rsplit(" ", 1)[0] for name in counts if name.endswith((" 200", " 201"))}
    assert len(answered) >= 12
