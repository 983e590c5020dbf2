"""A list that was finished when the index was built, taken for what would be made now where that is the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from recommender.answer import Answer, Options, Recommendation, to_json
from recommender.editorial import Applied
from recommender.fusion import Model
from recommender.recommend.order import KeptCopy
from recommender.snapshot import View

_LINE = tuple(name for name in Recommendation.__slots__ if name != "details")
_FIRST = ("query", "results")


@dataclass(frozen=True, slots=True)
class FinishedList:
    """A finished list as it goes out.

    Attributes:
        body: the JSON of the contract, byte for byte what ``answer.to_json`` makes of the restored answer.
        ids: of the stories in it, in their order.
    """

    body: bytes
    ids: tuple[str, ...]


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
    return to_json(told).encode("utf-8", "surrogatepass")


def restored(raw: bytes, snapshot: str) -> Answer:
    """Return the answer that was kept as ``raw``."""
    told: dict[str, Any] = json.loads(raw.decode("utf-8", "surrogatepass"))
    results = tuple(Recommendation(**line) for line in told["results"])
    return Answer(told["query"], results, snapshot, told.get("empty_reason"), told.get("short_reason"))


def as_served(raw: bytes, snapshot: str) -> FinishedList | None:
    """Return the list that was kept as ``raw`` in the form of the contract, without writing it anew: the name is put in its place.

    None where the bytes are not those that this version would write, or are no text that can be sent.
    """
    try:
        told: dict[str, Any] = json.loads(raw.decode())
    except UnicodeDecodeError:  # half a character
        return None
    results = told["results"]
    rest = {name: told[name] for name in told if name not in _FIRST}
    end = f", {to_json(rest)[1:]}".encode() if rest else b"}"
    if not raw.endswith(end) or any(tuple(line) != _LINE for line in results):
        return None
    body = b"".join((raw[: -len(end)], _naming(snapshot), end))
    return FinishedList(body, tuple(line["id"] for line in results))


@lru_cache(maxsize=8)
def _naming(snapshot: str) -> bytes:
    return f', "snapshot": {to_json(snapshot)}'.encode()
