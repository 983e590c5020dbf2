"""A published index: immutable files, each with its sha256 in a manifest, made live by one rename.

``index/README.md`` specifies the format. A snapshot is loaded whole or refused.
"""

from recommender.snapshot.back import roll_back
from recommender.snapshot.contents import Contents, Facts, Row
from recommender.snapshot.current import NAME, Current, former, names, read_current, readable, write_current
from recommender.snapshot.files import FILES, FORMAT, State, state_of, verify
from recommender.snapshot.keep import Dropped, prune
from recommender.snapshot.listing import Published, published
from recommender.snapshot.live import Snapshot, load
from recommender.snapshot.publish import publish, seconds

__all__ = [
    "FILES",
    "FORMAT",
    "NAME",
    "Contents",
    "Current",
    "Dropped",
    "Facts",
    "Published",
    "Row",
    "Snapshot",
    "State",
    "former",
    "load",
    "names",
    "prune",
    "publish",
    "published",
    "read_current",
    "readable",
    "roll_back",
    "seconds",
    "state_of",
    "verify",
    "write_current",
]
