"""When what is counted over the whole archive is counted anew, and when it is held fast.

While it is held fast a rebuild gives the very answers that a reader has by then: the snapshot before it, with what changed
since laid over it. A twentieth of the archive changed, and the counts are made anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from recommender import snapshot
from recommender.build.pages import Texts
from recommender.catalog import Catalog
from recommender.errors import SnapshotError
from recommender.home import Home
from recommender.snapshot import Fit
from recommender.text import base_language

MAX_SHARE_CHANGED = 0.05
_MANY_OF_A_NEW_LANGUAGE = 20


class HeldFit(NamedTuple):
    """A fit, and what the manifest says of when it was made."""

    fit: Fit
    made: Mapping[str, Any]


def held_fit(home: Home, catalog: Catalog, encoder: Mapping[str, Any], texts: Texts) -> HeldFit | None:
    """Return the live snapshot's fit, None where it is time for another one.

    Args:
        home, catalog: whose.
        encoder: what the next manifest says of its encoder; vectors of another one have other centres.
        texts: of the archive.
    """
    try:
        live = snapshot.load(home)
    except SnapshotError:
        return None
    made = live.manifest["fit"]
    n_changed = len(catalog.changed_since(made["change"]))
    if live.manifest["encoder"] != encoder or n_changed > MAX_SHARE_CHANGED * made["articles"]:
        return None
    known = live.fit.lexical.n_articles
    languages = Counter(base_language(language) for language in texts.languages.values())
    if any(n >= _MANY_OF_A_NEW_LANGUAGE and not known.get(language) for language, n in languages.items()):
        return None
    return HeldFit(live.fit, made)
