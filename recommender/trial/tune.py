"""Weights learned anew from an archive's own links, and kept only where they beat the ones there are on later links."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from recommender.answer import Options
from recommender.article import Article
from recommender.disk import write_synced
from recommender.errors import EncoderDisabledError, EncoderMissingError, InputError
from recommender.evaluate import Bin, Difference, difference, reliability_lines, whose_text
from recommender.fusion import ANY_LANGUAGE, TEXT, Model, Weights
from recommender.measures import ndcg_at, recall_at
from recommender.recommend import Recommender
from recommender.trial.calibrate import MIN_LINKED, Pairs, article_pairs, fitted, reliabilities, text_pairs
from recommender.trial.learn import as_plain, choices, fit_weights
from recommender.trial.run import Trial, Watch
from recommender.trial.truth import Truth

MIN_QUESTIONS = 30
_PULL = 5.0
_PULL_TO_FORMER = 50.0
_MAX_P = 0.05
_MEASURES = (ndcg_at(5), recall_at(10))


@dataclass(frozen=True, slots=True)
class Tuning:
    """What learning gave.

    Attributes:
        model: the new one.
        former: the one there was.
        earlier, later: what was learned from, and what was checked on.
        figures: of both, by scope and measure, on the later links.
        gain: the new one's nDCG@5 against the former one's, any date.
        kept: whether it is worth keeping.
        reliability: what the new calibrations say of later pairs against what is so: of all articles (``*``), by
            language, of free texts (``text``).
        note: what could not be done, and why.
    """

    model: Model
    former: Model
    earlier: Truth
    later: Truth
    figures: Mapping[str, Mapping[str, Mapping[str, float]]]
    gain: Difference
    kept: bool
    reliability: Mapping[str, tuple[Bin, ...]] = field(default_factory=dict)
    note: str | None = None

    def lines(self) -> list[str]:
        """Return weights and figures as lines for a person."""
        new, old = as_plain(self.model.article), as_plain(self.former.article)
        told = [f"learned from {len(self.earlier.qrels)} articles, checked on {len(self.later.qrels)} later ones", ""]
        told.append(f"{'weight':<12}{'in use':>10}{'learned':>10}")
        told += [f"{name:<12}{old[name]:>10.3f}{new[name]:>10.3f}" for name in new]
        told += ["", f"{'later links':<24}{'in use':>10}{'learned':>10}"]
        for scope, by_name in self.figures.items():
            for measure in by_name["former"]:
                label = f"{scope.replace('_', ' ')}, {measure}"
                told.append(f"{label:<24}{by_name['former'][measure]:>10.3f}{by_name['tuned'][measure]:>10.3f}")
        gain = self.gain.difference
        told.append(f"gain {gain.mean:+.4f} nDCG@5 [{gain.low:+.4f}, {gain.high:+.4f}], p {self.gain.p_value:.3f}")
        for name, bins in self.reliability.items():
            told += ["", f"probability of an editor's link, later links, {whose_text(name)}", *reliability_lines(bins)]
        return told


def tune_weights(
    recommender: Recommender,
    earlier: Truth,
    later: Truth,
    articles: Callable[[], Iterator[Article]],
    options: Options,
    *,
    from_nothing: bool = False,
    fixed: Mapping[str, float] | None = None,
    watch: Watch = lambda stage, done, total, unit: None,
) -> Tuning:
    """Return weights and a calibration learned from the earlier links, and how they do on the later ones.

    Args:
        recommender: with the weights in use, towards which the new ones are drawn.
        earlier, later: links to learn from and to check on; the two must not overlap.
        articles: of the archive, with their texts.
        options: how lists are served.
        from_nothing: forget the former weights (for making the shipped ones).
        fixed: parts that are not learned, and their weights.
        watch: takes note of the progress.

    Raises:
        InputError: fewer than 30 questions on either side: too few to learn from or to tell better from worse.
    """
    for name, truth in (("before", earlier), ("after", later)):
        if len(truth.qrels) < MIN_QUESTIONS:
            raise InputError(
                f"only {len(truth.qrels)} articles with links were published {name} the split, at least {MIN_QUESTIONS} are "
                "needed; move --split, or wait until editors have set more links"
            )
    former = recommender.model
    found = choices(recommender, earlier.qrels, options, watch)
    prior = Weights(0.0, 0.0) if from_nothing else former.article
    weights = fit_weights(
        found,
        replace(prior, **(fixed or {})),
        strength=_PULL if from_nothing else _PULL_TO_FORMER,
        fixed=tuple(fixed or ()),
    )
    encoder = str(recommender.snapshot.manifest["encoder"]["name"])
    calibration = fitted(article_pairs(recommender, earlier.qrels, options, watch=watch))
    texts, note = _texts(recommender, earlier, later, articles, options, watch)
    if texts is not None and texts[0].n_linked >= MIN_LINKED:
        calibration[TEXT] = texts[0].fit()
    # A language without links enough goes with all of this archive, not with what was fitted elsewhere for it alone.
    before = former.calibrations.get(encoder, {})
    kept_of_before = {name: one for name, one in before.items() if name == TEXT or ANY_LANGUAGE not in calibration}
    calibrations = {**former.calibrations, encoder: {**kept_of_before, **calibration}}
    model = replace(former, article=weights, calibrations=calibrations)
    # Weights against weights: both lists are cut by the new floor, or a more lenient one would pass for better weights.
    trials = {
        name: Trial(recommender.with_model(each), later, articles, options=options)
        for name, each in (("former", replace(former, calibrations=calibrations)), ("tuned", model))
    }
    runs = {
        scope: {name: trial.ours(past_only=past_only) for name, trial in trials.items()}
        for scope, past_only in (("any_date", False), ("past_only", True))
    }
    held = reliabilities(
        model, encoder, article_pairs(recommender, later.qrels, options, watch=watch), texts[1] if texts else None
    )
    figures = {
        scope: {
            name: {measure.name: round(measure.mean(run, later.qrels), 4) for measure in _MEASURES}
            for name, run in by_name.items()
        }
        for scope, by_name in runs.items()
    }
    values = [_MEASURES[0].per_query(runs["any_date"][name], later.qrels) for name in ("tuned", "former")]
    gain = difference("former", *values)
    kept = gain.difference.mean > 0 and gain.p_value < _MAX_P
    return Tuning(model, former, earlier, later, figures, gain, kept, held, note)


def _texts(
    recommender: Recommender,
    earlier: Truth,
    later: Truth,
    articles: Callable[[], Iterator[Article]],
    options: Options,
    watch: Watch,
) -> tuple[tuple[Pairs, Pairs] | None, str | None]:
    """Return the free texts' pairs of both sides; or None, and why, where nothing can encode them here."""
    try:
        pairs = [text_pairs(recommender, truth.qrels, articles, options, watch=watch) for truth in (earlier, later)]
    except (EncoderDisabledError, EncoderMissingError) as error:
        return None, f"free texts keep the calibration that they had: {error}"
    return (pairs[0], pairs[1]), None


def write_model(model: Model, path: Path) -> None:
    """Write a model to a file by one rename, so that no reader sees half of it."""
    aside = path.with_name(f".{path.name}.tmp")
    write_synced(aside, json.dumps(model.as_dict(), indent=1, ensure_ascii=False).encode() + b"\n")
    aside.replace(path)


def described(split: datetime, tuning: Tuning) -> dict[str, Any]:
    """Return the figures that justify a model, as they are kept in its file."""
    return {
        "learned_from": {
            "source": tuning.earlier.source,
            "questions": len(tuning.earlier.qrels),
            "before": split.isoformat(),
        },
        "checked_on": {"source": tuning.later.source, "questions": len(tuning.later.qrels), "since": split.isoformat()},
        "figures": {scope: dict(by_name) for scope, by_name in tuning.figures.items()},
        "gain": asdict(tuning.gain),
        "reliability": {name: [asdict(one) for one in bins] for name, bins in tuning.reliability.items()},
    }
