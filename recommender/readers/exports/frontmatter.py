"""Front matter (YAML, TOML or JSON) and settings files of Hugo and Jekyll, read without running or expanding anything."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from recommender.errors import RecordError, SourceError

MAX_CHARS = 65_536
EXTRA = "pip install 'newsroom-recommender[markdown]'"
_FENCED = re.compile(r"\ufeff?\s{0,100}(---|\+\+\+)[ \t]*\r?\n(.*?)^\1[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)


def parted(text: str) -> tuple[Mapping[str, Any], str] | None:
    """Return the front matter of a document, by names in lower case, and what stands below it; None where it has none.

    Raises:
        RecordError: the front matter cannot be read.
        SourceError: it is YAML, and the extra is not installed.
    """
    if text.lstrip("\ufeff \n\r\t").startswith("{"):
        return _json(text.lstrip("\ufeff \n\r\t"))
    fenced = _FENCED.match(text)
    if not fenced:
        return None
    return parsed(fenced[2], "yaml" if fenced[1] == "---" else "toml"), text[fenced.end() :]


def _json(text: str) -> tuple[Mapping[str, Any], str] | None:
    try:
        found, end = json.JSONDecoder().raw_decode(text[:MAX_CHARS])
    except (ValueError, RecursionError):
        return None
    return (_named(found), text[end:]) if isinstance(found, dict) else None


def parsed(text: str, form: str) -> Mapping[str, Any]:
    """Return a document of one mapping, by names in lower case. ``form`` is ``yaml``, ``toml`` or ``json``; raises as :func:`parted`."""
    if len(text) > MAX_CHARS:
        raise RecordError(f"the front matter has over {MAX_CHARS:,} characters")
    loads: dict[str, Callable[[str], Any]] = {"yaml": _yaml, "toml": tomllib.loads, "json": json.loads}
    try:
        found = loads[form](text)
    except RecursionError:
        raise RecordError("the front matter is nested too deep") from None
    except (ValueError, TypeError, OverflowError) as error:
        raise RecordError(f"the front matter is no {form.upper()}: {' '.join(str(error).split())[:200]}") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise RecordError("the front matter is no list of names and values")
    return _named(found)


def _named(found: Mapping[Any, Any]) -> Mapping[str, Any]:
    return {str(name).lower(): value for name, value in found.items()}


def _yaml(text: str) -> Any:
    loader = _loader()
    import yaml

    try:
        return yaml.load(text, Loader=loader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    except (AttributeError, KeyError, IndexError) as error:  # of its own resolvers, at words like "!!timestamp x"
        raise ValueError(type(error).__name__) from None


@cache
def _loader() -> Any:
    """Return the safe loader without aliases: with them a page of text means gigabytes."""
    try:
        import yaml
    except ImportError:
        raise SourceError(f"YAML front matter needs PyYAML and Markdown needs markdown-it-py: {EXTRA}") from None

    def compose_node(self: Any, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return yaml.SafeLoader.compose_node(self, parent, index)

    return type("Loader", (yaml.SafeLoader,), {"compose_node": compose_node})
