from __future__ import annotations

import numpy as np

from recommender.vectors import Centres, normalise


def test_the_mean_of_many_articles_does_not_depend_on_their_order() -> None:
    """More rows than are summed at once, and numbers whose float32 sum forgets the small ones."""
    vectors = np.ones((20_000, 2), np.float32)
    vectors[[0, 8191, 8192, 19_999]] = 1e8
    languages = ["en"] * len(vectors)
    centre = Centres.fit(vectors, languages, 1).matrix[0]
    np.testing.assert_allclose(centre, (4e8 + 19_996) / 20_001, rtol=1e-6)
    np.testing.assert_array_equal(Centres.fit(vectors[::-1], languages, 1).matrix[0], centre)


def test_a_vector_of_zeros_stays_zeros() -> None:
    centres = Centres(["en"], np.array([[0.6, 0.8]], np.float32))
    np.testing.assert_array_equal(centres.apply(np.zeros((1, 2), np.float32), ["en"]), [[0, 0]])


def test_an_archive_of_many_blocks_is_centred_row_by_row() -> None:
    generator = np.random.default_rng(2)
    vectors = normalise(generator.normal(size=(20_000, 3)).astype(np.float32))
    languages = generator.choice(["en", "uk", "fr"], len(vectors)).tolist()
    centres = Centres(["en", "uk"], np.array([[0.3, 0, 0], [0, 0.3, 0]], np.float32))
    taken = {"en": [0.3, 0, 0], "uk": [0, 0.3, 0], "fr": [0, 0, 0]}
    expected = normalise(vectors - np.array([taken[language] for language in languages], np.float32))
    np.testing.assert_allclose(centres.apply(vectors, languages), expected, atol=1e-6)
