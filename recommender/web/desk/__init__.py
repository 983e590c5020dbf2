"""The desk at ``/desk``: where editors see what lists show and why, and have the last word. For holders of a key alone."""

from __future__ import annotations

from recommender.web.desk import acting, looking  # noqa: F401  (they add their routes)
from recommender.web.desk.door import desk

__all__ = ["desk"]
