"""The read side: related stories for an article or a text, each with its reason. No model for a known article.

A :class:`Recommender` answers from one state of the archive; :class:`Live` holds the one that answers now.
"""

from recommender.recommend.finishing import finish_lists
from recommender.recommend.left_out import Inspected, LeftOut
from recommender.recommend.live import Live
from recommender.recommend.neighbourhood import find_neighbours
from recommender.recommend.preview import Tried
from recommender.recommend.recommender import Recommender

__all__ = ["Inspected", "LeftOut", "Live", "Recommender", "Tried", "find_neighbours", "finish_lists"]
