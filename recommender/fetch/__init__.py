"""What lies on the web, fetched within bounds: the operator's act, from the command line only. The one owner of urllib3 and protego."""

from recommender.fetch.address import shown_url, target
from recommender.fetch.answer import Fetched
from recommender.fetch.client import Fetcher
from recommender.fetch.connection import Resolver
from recommender.fetch.manners import back_off_seconds
from recommender.fetch.robots import Rules, parse_rules

__all__ = ["Fetched", "Fetcher", "Resolver", "Rules", "back_off_seconds", "parse_rules", "shown_url", "target"]
