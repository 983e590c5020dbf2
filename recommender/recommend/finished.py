"""A list that was finished when the index was built, taken for what would be made now where that is the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from recommender.answer import Answer, Options, Recommendation
from recommender.editorial import Applied
from recommender.fusion import Model
from recommender.recommend.order import KeptCopy
from recommender.snapshot import View


def made_with(options: Options, model: Model, keep_copy: KeptCopy) -> str:
    """Return what two finished lists of one state have in common where they were made in the same way; 64 hex digits."""
    weights = {name: value for name, value in asdict(model).items() if name != "figures"}
    return hashlib.sha256(repr((options, keep_copy, weights)).encode()).hexdigest()


def touched_by(applied: Applied, number: int, snapshot: View) -> bool:
    """Tell whether the desk's rules may say anything of the list of a row: they name something that is near it."""
    if applied.pinned or applied.section_boosts:
        return True
    rows = applied.blocked | applied.boosts.keys()
    near = snapshot.near(number) if rows else None
    return bool(rows) and (near is None or not rows.isdisjoint(near.rows.tolist()))


def stored(answer: Answer) -> bytes:
    """Return an answer as it is kept: its JSON, without the name of the snapshot."""
    told = answer.as_dict()
    del told["snapshot"]
    return json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")


def restored(raw: bytes, snapshot: str) -> Answer:
    """Return the answer that was kept as ``raw``."""
    told: dict[str, Any] = json.loads(raw.decode("utf-8", "surrogatepass"))
    results = tuple(Recommendation(**line) for line in told["results"])
    return Answer(told["query"], results, snapshot, told.get("empty_reason"), told.get("short_reason"))
