"""A home as one file, and back: everything that cannot be made again, checked member by member.

The file is a plain tar that any ``tar`` reads. Its first member, ``backup.json``, names every other one with size and
sha256; restoring takes exactly these and nothing else. ``index/README.md`` specifies the format.
"""

from recommender.backup.restore import Restored, restore
from recommender.backup.sources import SMALL_BYTES
from recommender.backup.write import BackedUp, back_up

__all__ = ["SMALL_BYTES", "BackedUp", "Restored", "back_up", "restore"]
