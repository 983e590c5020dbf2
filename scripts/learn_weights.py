#!/usr/bin/env python3
"""Make recommender/weights.json: the weights that the package ships, learned from editors' links before a split date.

    .venv/bin/python scripts/learn_weights.py --homes /tmp/homes > recommender/weights.json

Needs the extras ``model`` and ``onnx``, and the set ``digitalgov`` beside the project. What is learned from links published
before 2015-08-05: the weights of a story's question, and the calibration of the floor. What is set by hand, and why:

* freshness 3.0 (the links alone would have 3.9) and the younger half-life of 60 days (they would have 30 or less): editors
  cannot link what is not written yet, so links alone push every later story down; the judged sample corpus, where later
  stories count, does not;
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

import numpy as np
from _bench import DATA, data_sets, folder_of, output_of, tell
from _bench import recommender as command

from recommender.answer import options_of
from recommender.catalog import Catalog
from recommender.fusion import TEXT, Curve, Model, Weights
from recommender.home import Home
from recommender.recommend import Recommender
from recommender.settings import load_settings
from recommender.trial import truth_from_file
from recommender.trial.learn import fit_calibration
from recommender.trial.tune import described, tune_weights

SPLIT = datetime(2015, 8, 5, tzinfo=UTC)
START = Model(
    article=Weights(dense=0.5, lexical=0.5, votes=0.0, links=0.0, popularity=0.0, freshness=3.0),
    text=Weights(dense=0.45, lexical=0.55),
    curve=Curve(half_life_days=365.0, newer_half_life_days=60.0),
    unknown_language=0.5,
)


def with_text_calibration(model, recommender, qrels, articles, options):
    """Return the model with the calibration of free texts: titles, then standfirsts, of the linking articles as texts."""
    snapshot = recommender.snapshot
    dense, lexical, linked = [], [], []
    for article in articles():
        texts = [text for text in (article.title, article.description) if text]
        row = snapshot.dense.row_of(article.id)
        if article.id not in qrels or row is None:
            continue
        others = ~snapshot.columns.stub & (snapshot.columns.published_at <= snapshot.columns.published_at[row])
        others[row] = False
        taken = np.isin(np.arange(len(snapshot)), [snapshot.dense.row_of(target) or -1 for target in qrels[article.id]])
        for inquiry in recommender.learning_texts(texts, options):
            one, other = inquiry.cosines()
            dense.append(one[others])
            lexical.append(other[others])
            linked.append(taken[others].astype(float))
    calibration = fit_calibration(np.concatenate(dense), np.concatenate(lexical), np.concatenate(linked))
    encoder = str(snapshot.manifest["encoder"]["name"])
    fitted = {**model.calibrations[encoder], TEXT: calibration}
    return replace(model, calibrations={**model.calibrations, encoder: fitted})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--homes", type=Path, help="keep the homes here, so that a second run encodes nothing")
    arguments = parser.parse_args()
    links = next(each for each in data_sets(arguments.data) if each.name == "digitalgov")
    if (missing := links.missing()) or links.qrels is None:
        sys.exit(f"{links.name}: {missing}; nothing can be learned")
    with folder_of(arguments.homes) as homes:
        home = homes / links.name
        tell("ingest and rebuild (minutes the first time)")
        output_of(command(home, "ingest", str(links.source)))
        output_of(command(home, "rebuild"))
        settings = load_settings(None, {"home": home})
        recommender = Recommender.open(settings).with_model(START)
        snapshot = recommender.snapshot

        def articles():
            with Catalog(Home(home).catalog) as catalog:
                yield from catalog.articles()

        links_options = options_of(settings.ranking)
        tuning = tune_weights(
            recommender,
            truth_from_file(links.qrels, snapshot, before=SPLIT),
            truth_from_file(links.qrels, snapshot, since=SPLIT),
            articles,
            links_options,
            from_nothing=True,
            fixed={"freshness": START.article.freshness},
        )
        model = with_text_calibration(tuning.model, recommender, tuning.earlier.qrels, articles, links_options)
    for line in tuning.lines():
        tell(line)
    model = replace(model, figures=described(SPLIT, tuning))
    print(json.dumps(model.as_dict(), indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
