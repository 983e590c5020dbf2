"""What answers a command: the live snapshot with all that changed since."""

from __future__ import annotations

from pathlib import Path

from recommender.catalog import Catalog
from recommender.cli.output import talk
from recommender.home import Home
from recommender.recommend import Live, Recommender
from recommender.settings import Settings, with_flags


def opened(settings: Settings, preview: Path | None = None) -> Recommender:
    """Return the recommender, with the desk's rules from ``preview`` where one is named; what they do not find is told."""
    if preview is not None:
        settings = with_flags(settings, {"ranking.rules": preview})
    home = Home(settings.home)

    def text_of(article_id: str) -> str | None:
        with Catalog(home.catalog) as catalog:
            article = catalog.article(article_id)
        return article.text if article else None

    live = Live(settings, texts=text_of if home.catalog.exists() else None)
    recommender = live.get()
    if live.problem:
        talk(f"warning: {live.problem}")
    if waiting := live.status()["waiting"]:
        talk(f"{waiting:,} new or changed stories wait for their vectors; run: recommender rebuild")
    for place, reference in recommender.hand.unresolved:
        talk(f"{place}: {reference[:200]} is not in this index; the rule does nothing")
    return recommender
