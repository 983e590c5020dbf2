"""Who may write over HTTP: keys of which only a sum is kept, in ``keys.json`` of the home."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recommender.errors import SettingsError

Scope = Literal["write", "desk"]


@dataclass(frozen=True, slots=True)
class Key:
    """A key, as it is kept: its name, what it opens, and the hex sha256 of the key itself."""

    name: str
    scope: Scope
    sha256: str


def read_keys(path: Path) -> tuple[Key, ...]:
    """Return the keys in a file; none where there is no file. Raises SettingsError where it cannot be read."""
    try:
        return tuple(Key(**fields) for fields in json.loads(path.read_bytes())["keys"])
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path}: cannot be read as keys ({error})") from error


def opened_by(keys: Iterable[Key], presented: str, scope: Scope) -> str | None:
    """Return the name of the key that was presented, None where none of them opens ``scope``; every key is compared."""
    given = hashlib.sha256(presented.encode("utf-8", "surrogatepass")).hexdigest()
    names = [key.name for key in keys if hmac.compare_digest(key.sha256, given) and key.scope == scope]
    return names[0] if names else None
