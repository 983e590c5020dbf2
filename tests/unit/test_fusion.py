from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import SettingsError
from recommender.fusion import (
    N_BEST,
    PARTS,
    SECONDS_A_DAY,
    TEXT,
    Calibration,
    Curve,
    Model,
    Signals,
    Spread,
    Weights,
    contributions,
    read_model,
    shipped,
)
from recommender.vectors import UNDATED

MANY = settings(deadline=None, max_examples=50)
NOW = 1_740_000_000
SEEDS = st.integers(0, 2**32 - 1)
COUNTS = st.floats(0, 1000)
SIGNED = st.floats(-1000, 1000)
DAYS = st.floats(1e-3, 1e5)


# --- the sum ---


def _signals(seed: int, n: int) -> Signals:
    generator = np.random.default_rng(seed)
    return Signals(
        dense=generator.normal(size=n),
        lexical=generator.normal(size=n),
        votes=generator.random(n),
        links=generator.choice([0.0, 0.5, 1.0], n),
        popularity=np.log1p(generator.integers(0, 9, n)),
        freshness=generator.random(n),
    )


@MANY
@given(SEEDS, st.integers(0, 20), st.builds(Weights, *[COUNTS] * 6))
def test_contributions_are_the_terms_of_the_sum_at_the_head_of_the_module(seed: int, n: int, weights: Weights) -> None:
    signals = _signals(seed, n)
    parts = contributions(signals, weights)
    assert parts.shape == (n, len(PARTS))
    for row in range(n):
        score = (
            weights.dense * signals.dense[row]
            + weights.lexical * signals.lexical[row]
            + weights.votes * math.sqrt(signals.votes[row])
            + weights.links * signals.links[row]
            + weights.popularity * signals.popularity[row]
            + weights.freshness * (signals.freshness[row] - 1)
        )
        assert parts[row].sum() == pytest.approx(score, abs=1e-9)


def test_each_part_stands_in_its_own_column() -> None:
    signals = Signals(*(np.array([value]) for value in (-0.5, 2.0, 0.25, 0.5, 3.0, 0.75)))
    (row,) = contributions(signals, Weights(1.0, 2.0, 3.0, 4.0, 5.0, 6.0)).tolist()
    assert dict(zip(PARTS, row, strict=True)) == {
        "dense": -0.5,
        "lexical": 4.0,
        "votes": 1.5,
        "links": 2.0,
        "popularity": 15.0,
        "freshness": -1.5,
    }


def test_only_keeps_the_parts_that_it_names() -> None:
    weights = Weights(1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    assert weights.only("lexical", "freshness") == Weights(0.0, 2.0, freshness=6.0)
    assert weights.only() == Weights(0.0, 0.0)


# --- spread ---


@MANY
@given(SEEDS, st.integers(1, 600))
def test_a_spread_is_that_of_the_200_best(seed: int, n: int) -> None:
    scores = np.random.default_rng(seed).normal(size=n).astype(np.float32)
    best = sorted(scores.astype(float).tolist(), reverse=True)[:N_BEST]
    mean = sum(best) / len(best)
    deviation = math.sqrt(sum((score - mean) ** 2 for score in best) / len(best))
    kept = scores.copy()
    spread = Spread.of(scores)
    assert N_BEST == 200
    assert spread.mean == pytest.approx(mean, abs=1e-9)
    assert spread.deviation == pytest.approx(max(deviation, 1e-6), abs=1e-9)
    assert (scores == kept).all()


@pytest.mark.parametrize("n", [200, 201, 5000])
def test_what_is_not_among_the_best_does_not_move_the_spread(n: int) -> None:
    best = np.linspace(0.4, 0.9, 200)
    assert Spread.of(np.concatenate([np.full(n - 200, -1.0), best])) == Spread.of(best)


def test_the_spread_of_nothing_leaves_scores_as_they_are() -> None:
    assert Spread.of(np.zeros(0, np.float32)).z(np.array([0.5, -2.0])).tolist() == [0.5, -2.0]


def test_scores_that_are_all_alike_lie_in_the_middle() -> None:
    assert Spread.of(np.full(300, 0.3)).z(np.full(3, 0.3)) == pytest.approx([0, 0, 0], abs=1e-6)


def test_a_distance_is_counted_in_deviations_from_the_mean() -> None:
    assert Spread(0.4, 0.1).z(np.array([0.4, 0.6, 0.35], np.float32)) == pytest.approx([0.0, 2.0, -0.5], abs=1e-6)


# --- freshness ---


def _at(curve: Curve, *days_older: float, section_days: list[float] | None = None) -> list[float]:
    dates = np.array([NOW - round(days * SECONDS_A_DAY) for days in days_older], np.int64)
    lives = None if section_days is None else np.array(section_days)
    return [float(value) for value in curve.at(NOW, dates, lives)]


def test_a_story_falls_by_half_every_half_life_on_either_side() -> None:
    curve = Curve(half_life_days=100, newer_half_life_days=10)
    assert _at(curve, 0, 100, 200, 50) == pytest.approx([1, 0.5, 0.25, 0.5**0.5])
    assert _at(curve, -10, -20, -5) == pytest.approx([0.5, 0.25, 0.5**0.5])


def test_a_section_has_its_own_half_life_and_its_newer_side_is_scaled_alike() -> None:
    curve = Curve(half_life_days=100, newer_half_life_days=10, sections={"sport": 50})
    lives = [50.0, 50.0, 400.0, 400.0]
    assert _at(curve, 50, -5, 400, -40, section_days=lives) == pytest.approx([0.5] * 4)
    assert _at(curve, 7, -7, section_days=[100.0, 100.0]) == _at(curve, 7, -7)


def test_a_story_without_a_date_counts_a_quarter_and_beside_a_question_without_one_all_count_whole() -> None:
    dates = np.array([UNDATED, NOW, NOW - 10**9, UNDATED])
    assert Curve().at(NOW, dates).tolist()[::3] == [0.25, 0.25]
    assert Curve().at(UNDATED, dates).tolist() == [1.0] * 4
    assert Curve().at(NOW, dates[:0]).tolist() == []


@MANY
@given(
    st.builds(Curve, DAYS, DAYS), st.lists(st.floats(0, 40_000), max_size=30).map(sorted), st.sampled_from([1.0, -1.0])
)
def test_the_curve_lies_between_none_and_one_and_falls_with_every_day(
    curve: Curve, days: list[float], side: float
) -> None:
    values = _at(curve, *(side * age for age in days))
    assert all(0 <= value <= 1 for value in values)
    assert values == sorted(values, reverse=True)


# --- calibration ---


@MANY
@given(st.floats(-50, 50), COUNTS, COUNTS, st.lists(st.floats(-1, 1), min_size=1, max_size=30).map(sorted))
def test_a_probability_rises_with_either_cosine(
    intercept: float, dense: float, lexical: float, cosines: list[float]
) -> None:
    calibration = Calibration(intercept, dense, lexical)
    rising, same = np.array(cosines), np.full(len(cosines), 0.2)
    for found in (calibration.probability(rising, same), calibration.probability(same, rising)):
        assert ((found >= 0) & (found <= 1)).all()
        assert found.tolist() == sorted(found.tolist())


def test_a_probability_is_the_logistic_of_the_weighted_cosines() -> None:
    found = Calibration(-3.0, 4.0, 2.0).probability(np.array([0.5, 1.0]), np.array([0.5, 1.0]))
    assert found == pytest.approx([0.5, 1 / (1 + math.exp(-3))])


def test_a_calibration_is_that_of_the_language_or_of_every_other() -> None:
    german, other = Calibration(0, 1, 2), Calibration(3, 4, 5)
    model = Model(Weights(1, 1), Weights(1, 1), calibrations={"one": {"de": german, "*": other}, "two": {"de": german}})
    assert [model.calibration("one", language) for language in ("de", "uk", "")] == [german, other, other]
    assert [model.calibration("two", language) for language in ("de", "uk")] == [german, None]
    assert model.calibration("three", "de") is None


def test_a_free_text_has_a_calibration_of_its_own_or_none() -> None:
    of_texts, other = Calibration(0, 1, 2), Calibration(3, 4, 5)
    model = Model(Weights(1, 1), Weights(1, 1), calibrations={"one": {TEXT: of_texts, "*": other}, "two": {"*": other}})
    assert model.calibration("one", TEXT) == of_texts
    assert model.calibration("two", TEXT) is None


# --- weights of a question ---


@MANY
@given(st.builds(Weights, *[COUNTS] * 6), st.builds(Weights, *[COUNTS] * 6), st.floats(0, 1))
def test_of_an_unknown_language_a_share_of_the_dense_weight_goes_to_the_lexical_one(
    article: Weights, text: Weights, share: float
) -> None:
    model = Model(article, text, unknown_language=share)
    for known, is_article in ((article, True), (text, False)):
        assert model.weights(is_article=is_article, language_known=True) == known
        shifted = model.weights(is_article=is_article, language_known=False)
        assert shifted.dense == pytest.approx(share * known.dense)
        assert shifted.lexical >= known.lexical - 1e-9
        assert shifted.dense + shifted.lexical == pytest.approx(known.dense + known.lexical)
        rest = PARTS[2:]
        assert shifted.only(*rest) == known.only(*rest)


# --- the file ---

MODELS = st.builds(
    Model,
    article=st.builds(Weights, *[COUNTS] * 6),
    text=st.builds(Weights, *[COUNTS] * 6),
    curve=st.builds(Curve, DAYS, DAYS, st.dictionaries(st.text(max_size=8), DAYS, max_size=3)),
    unknown_language=st.floats(0, 1),
    calibrations=st.dictionaries(
        st.text(max_size=8),
        st.dictionaries(st.sampled_from(["*", "en", "uk"]), st.builds(Calibration, SIGNED, SIGNED, SIGNED)),
        max_size=3,
    ),
    figures=st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.lists(st.floats(0, 1)), max_size=3),
)


def _write(path: Path, raw: Any) -> Path:
    path.write_text(json.dumps(raw), encoding="utf-8")
    return path


@MANY
@given(model=MODELS)
def test_a_model_written_as_json_reads_back_as_the_same_model(
    tmp_path_factory: pytest.TempPathFactory, model: Model
) -> None:
    path = tmp_path_factory.getbasetemp() / "weights.json"
    assert read_model(_write(path, model.as_dict())) == model


def test_the_shipped_model_listens_to_every_part_of_a_story_and_to_both_cosines_of_a_text() -> None:
    model = shipped()
    assert all(getattr(model.article, name) > 0 for name in PARTS)
    assert model.text.dense > 0
    assert model.text.lexical > 0
    assert model.calibrations
    assert all(
        fitted.dense > 0 and fitted.lexical > 0
        for by_language in model.calibrations.values()
        for fitted in by_language.values()
    )
    assert shipped() is model


def _without(*path: str) -> Callable[[Any], Any]:
    def change(raw: Any) -> Any:
        at = raw
        for name in path[:-1]:
            at = at[name]
        del at[path[-1]]
        return raw

    return change


def _with(value: Any, *path: str) -> Callable[[Any], Any]:
    def change(raw: Any) -> Any:
        at = raw
        for name in path[:-1]:
            at = at[name]
        at[path[-1]] = value
        return raw

    return change


GOOD = Model(
    article=Weights(1.0, 1.0),
    text=Weights(1.0, 1.0),
    curve=Curve(sections={"sport": 30.0}),
    calibrations={"hashing": {"*": Calibration(-3.0, 4.0, 2.0)}},
).as_dict()
NUMBERS = (
    ("article", "dense"),
    ("text", "freshness"),
    ("curve", "half_life_days"),
    ("curve", "newer_half_life_days"),
    ("curve", "sections", "sport"),
    ("unknown_language",),
    ("calibrations", "hashing", "*", "intercept"),
)
NOT_NUMBERS = (math.nan, math.inf, -math.inf, "1", None, True, [1], {})


def _refused(path: Path, entry: str) -> None:
    with pytest.raises(SettingsError, match=f"^{re.escape(str(path))}: .*{re.escape(entry)}"):
        read_model(path)


def test_the_file_that_the_next_tests_spoil_is_good(tmp_path: Path) -> None:
    assert read_model(_write(tmp_path / "weights.json", GOOD)).as_dict() == GOOD


@pytest.mark.parametrize("path", NUMBERS, ids=".".join)
@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
def test_what_is_no_number_is_refused(tmp_path: Path, path: tuple[str, ...], value: Any) -> None:
    _refused(_write(tmp_path / "weights.json", _with(value, *path)(deepcopy(GOOD))), f"{'.'.join(path)} is ")


@pytest.mark.parametrize("path", NUMBERS, ids=".".join)
@pytest.mark.parametrize("value", [1e5 + 1, -1001, 1e300, 10**300], ids=["large", "negative", "huge", "huge integer"])
def test_a_number_out_of_range_is_refused(tmp_path: Path, path: tuple[str, ...], value: float) -> None:
    message = f"{'.'.join(path)} is {value!r}, out of range"
    _refused(_write(tmp_path / "weights.json", _with(value, *path)(deepcopy(GOOD))), message)


def test_an_integer_beyond_every_float_is_refused(tmp_path: Path) -> None:
    _refused(_write(tmp_path / "weights.json", _with(10**400, "article", "dense")(deepcopy(GOOD))), "article.dense")


@pytest.mark.parametrize("value", [-0.001, 1000.5])
@pytest.mark.parametrize("name", PARTS)
def test_a_weight_lies_between_none_and_a_thousand(tmp_path: Path, name: str, value: float) -> None:
    raw = _with(value, "article", name)(deepcopy(GOOD))
    _refused(_write(tmp_path / "weights.json", raw), f"article.{name} is {value}, out of range")


@pytest.mark.parametrize("path", NUMBERS[2:5], ids=".".join)
@pytest.mark.parametrize("value", [0, -1, 0.0009])
def test_a_half_life_is_longer_than_nothing(tmp_path: Path, path: tuple[str, ...], value: float) -> None:
    _refused(_write(tmp_path / "weights.json", _with(value, *path)(deepcopy(GOOD))), f"{'.'.join(path)} is {value}")


@pytest.mark.parametrize(
    "path",
    [
        *((name,) for name in GOOD),
        *(("curve", name) for name in GOOD["curve"]),
        ("article", "votes"),
        ("text", "dense"),
        ("calibrations", "hashing", "*", "lexical"),
    ],
    ids=".".join,
)
def test_a_missing_entry_is_refused(tmp_path: Path, path: tuple[str, ...]) -> None:
    entry = path[0] if path[0] in ("article", "text") else "calibrations.hashing.*" if len(path) > 2 else path[-1]
    _refused(_write(tmp_path / "weights.json", _without(*path)(deepcopy(GOOD))), entry)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("article",), {}),
        (("text",), []),
        (("article", "colour"), 1.0),
        (("calibrations", "hashing", "*"), {"dense": 1.0}),
        (("format",), 2),
        (("format",), "1"),
        (("format",), None),
        (("format",), True),
        (("unknown_language",), 1.5),
        (("figures",), []),
        (("curve",), [["half_life_days", 1], ["newer_half_life_days", 1], ["sections", {}]]),
        (("curve", "half_life_weeks"), 1.0),
        (("wieghts",), {}),
        (("article",), 3),
        (("article",), None),
        (("article",), list(GOOD["article"])),
        (("curve",), 3),
        (("curve", "sections"), []),
        (("calibrations",), []),
        (("calibrations", "hashing"), []),
        (("calibrations", "hashing", "*"), 1),
        (("figures",), 3),
    ],
    ids=repr,
)
def test_an_entry_of_the_wrong_kind_is_refused(tmp_path: Path, path: tuple[str, ...], value: Any) -> None:
    entry = path[0] if path in (("article", "colour"), ("wieghts",)) else path[-1] if path[-1] != "*" else "hashing.*"
    _refused(_write(tmp_path / "weights.json", _with(value, *path)(deepcopy(GOOD))), entry)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"no weights",
        b"\xff\xfe",
        b"null",
        b"3",
        b"[]",
        b'"format"',
        b"NaN",
        b"[" * 100_000,
        b'{"format":' * 100_000,
        b'{"format": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda raw: repr(raw[:12]),
)
def test_a_file_that_is_no_json_object_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "weights.json"
    path.write_bytes(raw)
    with pytest.raises(SettingsError, match=rf"^{re.escape(str(path))}: is no file of weights \(.*\); make one with: "):
        read_model(path)


def test_deep_nesting_below_an_entry_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    text = json.dumps(GOOD).replace('"figures": {}', '"figures": ' + '{"a":' * 100_000 + "1" + "}" * 100_000)
    path.write_text(text, encoding="utf-8")
    _refused(path, "is no file of weights")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    _refused(tmp_path / "missing.json", "cannot be read: No such file or directory")
    _refused(tmp_path, "cannot be read: Is a directory")
