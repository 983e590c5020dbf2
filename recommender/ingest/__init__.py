"""Sources into the catalog: every good record goes in, every bad one is named."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from recommender.ingest.embedding import encode_missing, missing_views
from recommender.ingest.intake import Intake, Withdrawn, Written
from recommender.ingest.writer import Writer, with_language

if TYPE_CHECKING:
    from recommender.ingest.sources import IngestReport, Refusal, accepted, article_of, ingest

__all__ = [
    "IngestReport",
    "Intake",
    "Refusal",
    "Withdrawn",
    "Writer",
    "Written",
    "accepted",
    "article_of",
    "encode_missing",
    "ingest",
    "missing_views",
    "with_language",
]


def __getattr__(name: str) -> Any:
    """Import what reads sources when it is asked for: who asks for a list should not wait for parsers of feeds and pages."""
    if name not in __all__:
        raise AttributeError(f"module 'recommender.ingest' has no attribute {name!r}")
    return getattr(import_module("recommender.ingest.sources"), name)
