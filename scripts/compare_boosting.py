#!/usr/bin/env python3
"""Would trees rank better than the sum that ships? Six weights against monotone boosted trees over the same six parts.

    .venv/bin/python scripts/compare_boosting.py --homes /tmp/homes

Needs the extras ``model``, ``onnx`` and ``bench``, and the set ``digitalgov`` beside the project. All learn from the choices
of editors before 2015-08-05 and order those made since, any date and the past alone; the candidates of a question, its targets
among them, are the same for all. Trees see what the weights see, may only rise with each part, and learn the odds of a link;
their size is chosen by questions left out of the earlier choices, never by the later ones.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from _bench import DATA, data_sets, folder_of, markdown, opened
from sklearn.ensemble import HistGradientBoostingClassifier

from recommender.answer import options_of
from recommender.evaluate import difference
from recommender.fusion import PARTS, Values, Weights
from recommender.trial import truth_from_file
from recommender.trial.learn import Choice, choices, fit_weights

SPLIT = datetime(2015, 8, 5, tzinfo=UTC)
SIZES = [(n_trees, n_leaves) for n_trees in (50, 150) for n_leaves in (4, 8, 16)]
Scorer = Callable[[Values], Values]


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
        options = options_of(settings.ranking)
        earlier, later = (
            choices(recommender, truth_from_file(links.qrels, recommender.snapshot, **span).qrels, options)
            for span in ({"before": SPLIT}, {"since": SPLIT})
        )
    shipped = recommender.model.article
    n_trees, n_leaves = min(SIZES, key=lambda size: -left_out(earlier, size))
    systems: dict[str, Scorer] = {
        "the weights that ship": linear(shipped),
        "six weights, all learned": linear(fit_weights(earlier, Weights(0.0, 0.0), strength=5.0)),
        f"monotone trees ({n_trees} of {n_leaves} leaves)": boosted(earlier, n_trees, n_leaves),
        "free trees of that size": boosted(earlier, n_trees, n_leaves, monotone=False),
    }
    values = {name: gains(scorer, later) for name, scorer in systems.items()}
    reference = next(iter(values.values()))
    rows: list[Sequence[str]] = []
    for name, found in values.items():
        apart = difference("", found, reference).difference
        told = "" if found is reference else f"{apart.mean:+.3f} [{apart.low:+.3f}, {apart.high:+.3f}]"
        rows.append([name, f"{np.mean(list(found.values())):.3f}", told])
    print(markdown(["", f"nDCG@5 over {len(later)} later choices", "difference [95 %]"], rows))
    return 0


def linear(weights: Weights) -> Scorer:
    factors = np.array([getattr(weights, name) for name in PARTS])
    return lambda signals: signals @ factors


def boosted(found: Sequence[Choice], n_trees: int, n_leaves: int, *, monotone: bool = True) -> Scorer:
    trees = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=n_trees,
        max_leaf_nodes=n_leaves,
        min_samples_leaf=50,
        l2_regularization=5.0,
        monotonic_cst=[int(monotone)] * len(PARTS),
        random_state=0,
    )
    trees.fit(np.concatenate([each.signals for each in found]), np.concatenate([each.taken for each in found]))
    return trees.decision_function


def left_out(found: Sequence[Choice], size: tuple[int, int], n_folds: int = 4) -> float:
    """Return the mean nDCG@5 of trees of a size over choices that they did not learn from."""
    values = []
    for fold in range(n_folds):
        # A question's two choices, any date and the past alone, stand beside each other: blocks keep them together.
        fold_of = np.arange(len(found)) * n_folds // len(found)
        scorer = boosted([each for each, of in zip(found, fold_of, strict=True) if of != fold], *size)
        values += gains(scorer, [each for each, of in zip(found, fold_of, strict=True) if of == fold]).values()
    return float(np.mean(values))


def gains(scorer: Scorer, found: Sequence[Choice], k: int = 5) -> dict[str, float]:
    """Return nDCG@5 of each choice by its number; every target counts alike."""
    discount = 1 / np.log2(np.arange(2, k + 2))
    values = {}
    for number, choice in enumerate(found):
        order = np.argsort(-np.round(scorer(choice.signals), 6), kind="stable")[:k]
        got = float(choice.taken[order] @ discount[: len(order)])
        values[str(number)] = got / float(discount[: int(choice.taken.sum())].sum())
    return values


if __name__ == "__main__":
    sys.exit(main())
