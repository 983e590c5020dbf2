"""Related stories for a news site: articles and editors' links in, lists with reasons out.

    from recommender import Recommender, load_settings

    recommender = Recommender.open(load_settings(None, {"home": Path("index")}))
    for story in recommender.related("2025-12-14-berlin").results:
        print(story.title, story.score, story.reason)

Names are imported when they are first used: serving a known article must not pay for what only a rebuild needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "Answer": "recommender.answer",
    "Article": "recommender.article",
    "Catalog": "recommender.catalog",
    "Filters": "recommender.rank",
    "Home": "recommender.home",
    "Options": "recommender.answer",
    "ReadMore": "recommender.article",
    "Recommendation": "recommender.answer",
    "Recommender": "recommender.recommend",
    "RecommenderError": "recommender.errors",
    "Settings": "recommender.settings",
    "article_from_record": "recommender.readers",
    "create_app": "recommender.web",
    "load_settings": "recommender.settings",
    "rebuild": "recommender.build",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'recommender' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
