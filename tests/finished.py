"""An archive of 120 articles that keeps neighbours and finished lists, as only large ones do."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from newsroom import NOW, publish, settings_for

from recommender import fusion, snapshot
from recommender.article import Article, ReadMore
from recommender.home import Home
from recommender.recommend import evidence, find_neighbours, finish_lists, likeness, neighbourhood
from recommender.settings import IndexSettings, RankingSettings, Settings
from recommender.snapshot import Snapshot

N = 120
WORDS = [f"{start}{end}" for start in ("har", "fer", "cou", "sto", "bri", "tra", "mar", "wal") for end in
         ("bour", "ry", "ncil", "rm", "dge", "in", "ket", "king")]  # fmt: skip


def small_depths(patch: pytest.MonkeyPatch) -> None:
    """Keep and search so few that an archive of 160 is many times as large."""
    patch.setattr(evidence, "DEPTH", 16)
    patch.setattr(neighbourhood, "KEPT", 22)
    patch.setattr(neighbourhood, "_ENOUGH", 19)
    patch.setattr(neighbourhood, "_LOOKED_THROUGH", 60)
    for module in (fusion, likeness):
        patch.setattr(module, "N_BEST", 12)


def article(number: int, chance: Random) -> Article:
    language = chance.choices(["en", "de"], [4, 1])[0]
    about = chance.randrange(6)
    mine = WORDS[about * 8 : about * 8 + 24]
    return Article(
        id=f"a{number:03}",
        title=" ".join([*chance.sample(mine, 3), f"{number}"]),
        text=" ".join(chance.choices(mine, k=chance.randint(5, 60))),
        published_at=None if chance.random() < 0.05 else NOW - timedelta(days=chance.randrange(900)),
        language=language,
        section=chance.choice(["sea", "land", None]),
        kind=chance.choices(["news", "opinion", "sponsored"], [8, 1, 1])[0],
        read_more=tuple(
            ReadMore("", f"https://a.example/{chance.randrange(N)}")
            if chance.random() < 0.9
            else ReadMore("Never written")
            for _ in range(chance.choice([0, 0, 1, 2]))
        ),
        url=f"https://a.example/{number}",
    )


def settings_keeping(home: Path, **ranking: Any) -> Settings:
    made = settings_for(home)
    return made.model_copy(
        update={"index": IndexSettings(neighbours_from=0, processes=1), "ranking": RankingSettings(**ranking)}
    )


def published(made: Settings) -> Snapshot:
    watch = lambda *progress: None  # noqa: E731
    publish(
        made,
        neighbours=partial(find_neighbours, settings=made, watch=watch),
        lists=partial(finish_lists, settings=made, watch=watch),
    )
    return snapshot.load(Home(made.home))
