"""A published index: immutable files, each with its sha256 in a manifest, made live by one rename.

``index/README.md`` specifies the format. A snapshot is loaded whole or refused.
"""

from recommender.snapshot.back import roll_back
from recommender.snapshot.contents import Contents, Facts, Fit, Row
from recommender.snapshot.current import NAME, Current, former, names, read_current, readable, write_current
from recommender.snapshot.entry import Entry, body_of, dates_of, n_words_of, row_of, seconds
from recommender.snapshot.files import FILES, FORMAT, State, state_of, verify
from recommender.snapshot.keep import Dropped, prune
from recommender.snapshot.listing import Published, published
from recommender.snapshot.live import Snapshot, load
from recommender.snapshot.overlay import Changes, Overlay
from recommender.snapshot.publish import Check, Find, Finish, Finished, Found, publish
from recommender.snapshot.view import View

__all__ = [
    "FILES",
    "FORMAT",
    "NAME",
    "Changes",
    "Check",
    "Contents",
    "Current",
    "Dropped",
    "Entry",
    "Facts",
    "Find",
    "Finish",
    "Finished",
    "Fit",
    "Found",
    "Overlay",
    "Published",
    "Row",
    "Snapshot",
    "State",
    "View",
    "body_of",
    "dates_of",
    "former",
    "load",
    "n_words_of",
    "names",
    "prune",
    "publish",
    "published",
    "read_current",
    "readable",
    "roll_back",
    "row_of",
    "seconds",
    "state_of",
    "verify",
    "write_current",
]
