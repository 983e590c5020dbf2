"""Trials: the index and its baselines put to the archive's own links, or to judgments from a file.

A trial is blind: the article's own links are neither shown nor looked at, and of the others only those of articles
published before it are known. What it measures is therefore what an editor would have been offered on the day.
"""

from recommender.trial.gate import Gate, Verdict
from recommender.trial.run import Trial, facts_of
from recommender.trial.score import measured
from recommender.trial.truth import Truth, truth_from_file, truth_from_links

__all__ = ["Gate", "Trial", "Truth", "Verdict", "facts_of", "measured", "truth_from_file", "truth_from_links"]
