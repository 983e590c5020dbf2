"""What docs/cms.md tells people to type, typed at a service."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from listening import KEY, listening

from recommender.catalog import Catalog
from recommender.home import Home
from recommender.settings import Settings

PAGE = (Path(__file__).parent.parent / "docs" / "cms.md").read_text(encoding="utf-8")


@pytest.fixture
def service(published: Settings) -> Iterator[str]:
    with listening(published) as url:
        yield url


def _ids(settings: Settings) -> set[str]:
    with Catalog(Home(settings.home).catalog) as catalog:
        return catalog.known(["2025-pier", "a", "b"])


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_every_command_of_the_page_does_what_it_says(service: str, published: Settings) -> None:
    put, withdraw, batch, shown = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)

    def run(command: str) -> tuple[int, str]:
        environment = {"SERVICE": service, "KEY": KEY, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            ["sh", "-c", command], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stdout

    assert '"outcome": "new"' in run(put)[1]
    assert '"outcome": "unchanged"' in run(put)[1]
    assert _ids(published) == {"2025-pier"}
    assert '"outcome": "withdrawn"' in run(withdraw)[1]
    assert '"unknown_article"' in run(withdraw)[1]
    assert '"new": 2' in run(batch)[1]
    assert _ids(published) == {"a", "b"}
    known = "https%3A%2F%2Fwww.lindenpost.example%2Fbusiness%2Fferry-strike"
    code, html = run(shown.replace("https%3A%2F%2Fpaper.example%2F2025%2Fpier", known))
    assert (code, html[:6]) == (0, "<aside")
    assert run(shown) == (22, "")  # curl's word for a status over 400


@pytest.fixture
def tell() -> Any:
    made: dict[str, Any] = {}
    exec(re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[0], made)
    waits: list[float] = []
    made["time"] = type("Clock", (), {"sleep": staticmethod(waits.append)})
    made["tell"].waits = waits
    return made["tell"]


def test_the_webhook_publishes_and_withdraws_and_may_do_both_again(
    service: str, published: Settings, tell: Any
) -> None:
    assert [tell(service, KEY, "2025-pier", {"title": "Pier"}) for _ in range(2)] == [201, 200]
    assert _ids(published) == {"2025-pier"}
    assert [tell(service, KEY, "2025-pier", None) for _ in range(2)] == [200, 404]
    assert tell(service, "wrong", "2025-pier", None) == 401
    assert tell(service, KEY, "2025-pier", {}) == 422
    assert tell.waits == []


def test_the_webhook_tries_again_where_nobody_answers(tell: Any) -> None:
    assert tell("http://127.0.0.1:9", KEY, "a", None, tries=4) == 0
    assert tell.waits == [1, 2, 4]
