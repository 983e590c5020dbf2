"""A published index: immutable files, each with its sha256 in a manifest, made live by one rename.

``index/README.md`` specifies the format. A snapshot is loaded whole or refused.
"""

from recommender.snapshot.contents import Contents, Facts, Row
from recommender.snapshot.files import FILES, FORMAT, verify
from recommender.snapshot.live import Snapshot, former, load, read_current, stored
from recommender.snapshot.publish import publish, seconds

__all__ = [
    "FILES",
    "FORMAT",
    "Contents",
    "Facts",
    "Row",
    "Snapshot",
    "former",
    "load",
    "publish",
    "read_current",
    "seconds",
    "stored",
    "verify",
]
