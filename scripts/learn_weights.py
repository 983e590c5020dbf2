#!/usr/bin/env python3
"""Make recommender/weights.json: the weights that the package ships, learned from editors' links before a split date.

    .venv/bin/python scripts/learn_weights.py --homes /tmp/homes > recommender/weights.json

Needs the extras ``model`` and ``onnx``, and the set ``digitalgov`` beside the project. What is learned from links published
before 2015-08-05: the weights of a story's question, and the calibrations of the floor. What is set by hand, and why:

* freshness 2.5 (the links alone would have 3.9) and the younger half-life of 60 days (they would have 30 or less): editors
  cannot link what is not written yet, so links alone push every later story down; the judged sample corpus, where later
  stories count, does not. Between 2.5 and 3.0 the earlier links are flat;
* the weights of a free text, .45 and .55: between .4 and .6 the earlier links are flat;
* half the dense weight for a language that the encoder was not trained on: finding the second half of an article by its
  first, mean reciprocal rank is best at a dense weight of .3 for English and .1 to .2 for Spanish, Italian and Dutch.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from _bench import DATA, data_sets, folder_of, opened, tell

from recommender.answer import options_of
from recommender.catalog import Catalog
from recommender.fusion import Curve, Model, Weights
from recommender.home import Home
from recommender.trial import truth_from_file
from recommender.trial.tune import described, tune_weights

SPLIT = datetime(2015, 8, 5, tzinfo=UTC)
START = Model(
    article=Weights(dense=0.5, lexical=0.5, votes=0.0, links=0.0, popularity=0.0, freshness=2.5),
    text=Weights(dense=0.45, lexical=0.55),
    curve=Curve(half_life_days=365.0, newer_half_life_days=60.0),
    unknown_language=0.5,
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--homes", type=Path, help="keep the homes here, so that a second run encodes nothing")
    arguments = parser.parse_args()
    links = next(each for each in data_sets(arguments.data) if each.name == "digitalgov")
    if (missing := links.missing()) or links.qrels is None:
        sys.exit(f"{links.name}: {missing}; nothing can be learned")
    with folder_of(arguments.homes) as homes:
        recommender, settings = opened(links, homes)
        recommender = recommender.with_model(START)
        snapshot = recommender.snapshot

        def articles():
            with Catalog(Home(settings.home).catalog) as catalog:
                yield from catalog.articles()

        tuning = tune_weights(
            recommender,
            truth_from_file(links.qrels, snapshot, before=SPLIT),
            truth_from_file(links.qrels, snapshot, since=SPLIT),
            articles,
            options_of(settings.ranking),
            from_nothing=True,
            fixed={"freshness": START.article.freshness},
        )
    for line in tuning.lines():
        tell(line)
    if tuning.note:
        sys.exit(tuning.note)
    model = replace(tuning.model, figures=described(SPLIT, tuning))
    print(json.dumps(model.as_dict(), indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
