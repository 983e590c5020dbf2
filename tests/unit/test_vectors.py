from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.vectors import Centres, Hit, Matrix, combine, mean_vector, normalise, positions, rounded


def _random(n: int, dim: int = 6, seed: int = 0) -> Matrix:
    """Return vectors of many lengths that do not point away from the origin evenly."""
    random = np.random.default_rng(seed)
    return (random.normal(0.5, 1.0, size=(n, dim)) * random.uniform(0.1, 9.0, size=(n, 1))).astype(np.float32)


def test_normalised_rows_have_unit_length_and_zeros_stay_zeros() -> None:
    matrix = _random(5)
    matrix[2] = 0

    unit = normalise(matrix)

    assert unit.dtype == np.float32
    assert np.linalg.norm(unit, axis=1) == pytest.approx([1, 1, 0, 1, 1], abs=1e-6)
    assert np.sum(unit * matrix, axis=1) == pytest.approx(np.linalg.norm(matrix, axis=1), rel=1e-5)


def test_normalising_takes_one_vector_and_none_and_any_number_type() -> None:
    assert normalise(np.array([3, 4])).tolist() == pytest.approx([0.6, 0.8])
    assert normalise(np.zeros((0, 4), np.float32)).shape == (0, 4)
    assert normalise(np.zeros(4, np.float32)).tolist() == [0, 0, 0, 0]


def test_normalising_leaves_what_it_was_given_alone() -> None:
    matrix = _random(3)
    before = matrix.copy()

    normalise(matrix)

    assert np.array_equal(matrix, before)


def test_a_view_counts_by_its_weight_and_not_by_its_length() -> None:
    first, second = np.array([10, 0, 0], np.float32), np.array([0, 0.1, 0], np.float32)

    assert combine([(0.3, first), (0.4, second)]).tolist() == pytest.approx([0.6, 0.8, 0.0])
    assert combine([(3, first), (4, second)]).tolist() == pytest.approx([0.6, 0.8, 0.0])
    assert combine([(0.2, second)]).tolist() == pytest.approx([0, 1, 0])


def test_a_view_of_zeros_adds_nothing() -> None:
    first, nothing = np.array([3, 4], np.float32), np.zeros(2, np.float32)

    assert combine([(0.1, first), (0.9, nothing)]).tolist() == pytest.approx([0.6, 0.8])
    assert combine([(1, nothing)]).tolist() == [0, 0]


def test_the_mean_is_of_directions() -> None:
    matrix = np.array([[100, 0], [0, 1]], np.float32)

    assert mean_vector(matrix).tolist() == pytest.approx([0.5**0.5, 0.5**0.5])
    assert mean_vector(np.array([[1, 0], [-2, 0]], np.float32)).tolist() == [0, 0]


def test_scores_are_rounded_to_six_decimals() -> None:
    assert rounded(Hit("a", 0.12345649)) == Hit("a", 0.123456)
    assert rounded(Hit("a", float(np.float32(0.5)))) == Hit("a", 0.5)


def _plainly_centred(vectors: Matrix, languages: list[str], shrinkage: float) -> list[list[float]]:
    """Do what the docstrings say, one vector at a time."""
    moved = []
    for vector, language in zip(vectors, languages, strict=True):
        of_language = [other for other, name in zip(vectors, languages, strict=True) if name == language]
        moved_vector = vector.astype(np.float64)
        if shrinkage > 0:
            centre = np.sum(of_language, axis=0, dtype=np.float64) / (len(of_language) + shrinkage)
            if np.linalg.norm(vector - centre) > 1e-3:
                moved_vector = vector - centre
        moved.append((moved_vector / np.linalg.norm(moved_vector)).tolist())
    return moved


@pytest.mark.parametrize("shrinkage", [0.0, 0.5, 10.0, 1e6])
@pytest.mark.parametrize(
    "languages", [["en"] * 9, ["en", "de", "en", "", "de", "en", "uk", "en", ""], list("abcdefghi")]
)
def test_centring_is_what_plain_arithmetic_gives(shrinkage: float, languages: list[str]) -> None:
    vectors = normalise(_random(9))

    centred = Centres.fit(vectors, languages, shrinkage).apply(vectors, languages)

    assert centred.dtype == np.float32
    assert centred == pytest.approx(np.array(_plainly_centred(vectors, languages, shrinkage)), abs=1e-5)


@given(st.permutations(range(30)))
@settings(deadline=None, max_examples=50)
def test_the_order_of_articles_does_not_matter(order: list[int]) -> None:
    vectors = normalise(_random(30))
    languages = [("en", "de", "")[number % 3] for number in range(30)]
    centres = Centres.fit(vectors, languages, 10.0)

    permuted = Centres.fit(vectors[order], [languages[number] for number in order], 10.0)

    assert permuted.languages == centres.languages == ("", "de", "en")
    assert permuted.matrix == pytest.approx(centres.matrix, abs=1e-7)


def test_more_articles_than_one_step_takes_have_the_mean_of_all() -> None:
    vectors = normalise(_random(10_000, dim=3))

    centres = Centres.fit(vectors, ["en"] * 10_000, 10.0)

    assert centres.matrix[0] == pytest.approx(vectors.sum(axis=0, dtype=np.float64) / 10_010, abs=1e-6)


def test_every_block_of_a_large_archive_is_centred_alike() -> None:
    vectors = normalise(_random(17_000, dim=3))
    languages = [("en", "de")[number % 2] for number in range(17_000)]
    centres = Centres.fit(vectors, languages, 10.0)

    plain = normalise(vectors - centres.matrix[[centres.languages.index(language) for language in languages]])
    assert centres.apply(vectors, languages) == pytest.approx(plain, abs=1e-5)


def test_centring_leaves_what_it_was_given_alone_and_zeros_at_zero() -> None:
    vectors = normalise(_random(4))
    vectors[1] = 0
    before = vectors.copy()

    centred = Centres.fit(vectors, ["en"] * 4, 1.0).apply(vectors, ["en"] * 4)

    assert np.array_equal(vectors, before)
    assert not centred[1].any()
    assert np.linalg.norm(centred[[0, 2, 3]], axis=1) == pytest.approx([1, 1, 1], abs=1e-6)


def test_no_shrinkage_means_no_centres_and_vectors_as_they_are() -> None:
    vectors = _random(4)
    centres = Centres.fit(vectors, ["en", "en", "de", ""], 0)

    assert centres.languages == ()
    assert centres.matrix.shape == (0, 6)
    assert centres.apply(vectors, ["en", "en", "de", ""]) == pytest.approx(normalise(vectors))


def test_the_single_article_of_an_archive_keeps_its_direction() -> None:
    vector = normalise(_random(1))

    for shrinkage in (1e-9, 10.0):
        assert Centres.fit(vector, ["en"], shrinkage).apply(vector, ["en"]) == pytest.approx(vector, abs=1e-5)


def test_copies_that_are_their_languages_centre_keep_their_direction() -> None:
    vectors = np.repeat(normalise(_random(1)), 50, axis=0)

    assert Centres.fit(vectors, ["en"] * 50, 1e-6).apply(vectors, ["en"] * 50) == pytest.approx(vectors, abs=1e-5)


def test_a_language_not_seen_keeps_its_vectors() -> None:
    vectors = normalise(_random(6))
    centres = Centres.fit(vectors, ["en"] * 3 + ["de"] * 3, 10.0)

    moved = centres.apply(vectors[:2], ["fr", "en"])

    assert moved[0] == pytest.approx(vectors[0], abs=1e-6)
    assert moved[1] != pytest.approx(vectors[1], abs=1e-3)


def test_an_empty_archive_has_no_centres() -> None:
    nothing = np.zeros((0, 6), np.float32)

    assert Centres.fit(nothing, [], 10.0).apply(nothing, []).shape == (0, 6)


def test_centres_and_languages_are_of_one_length() -> None:
    with pytest.raises(ValueError, match=r"^2 languages for 1 centres$"):
        Centres(["en", "de"], _random(1))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6)), max_size=12))
@settings(deadline=None, max_examples=60)
def test_positions_are_those_of_one_span_after_the_other(spans: list[tuple[int, int]]) -> None:
    starts = np.array([start for start, _ in spans], np.int64)
    sizes = np.array([size for _, size in spans], np.int64)

    found = positions(starts, starts + sizes)

    assert found.dtype == np.int64
    assert found.tolist() == [at for start, size in spans for at in range(start, start + size)]
