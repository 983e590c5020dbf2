"""Stories gathered from the web: pages, feeds and sitemaps into the catalog, and out of it again when their sites say they are gone.

Each source costs what is wrong with it and no more: a broken entry, page or sitemap is named, everything else goes in.
"""

from recommender.gather.crawl import Crawl, Pruning
from recommender.gather.feed import FOLLOW_LINKS, FollowLinks
from recommender.gather.follow import Follower, Round
from recommender.gather.listing import Globs
from recommender.gather.recognise import Kind
from recommender.gather.report import GatherReport
from recommender.gather.sources import FORMATS, Gatherer, Wanted

__all__ = [
    "FOLLOW_LINKS",
    "FORMATS",
    "Crawl",
    "FollowLinks",
    "Follower",
    "GatherReport",
    "Gatherer",
    "Globs",
    "Kind",
    "Pruning",
    "Round",
    "Wanted",
]
