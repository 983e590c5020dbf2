"""What ``test_encoder.py`` leaves open about views: how often the encoder is asked, and what a recipe may change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from newsroom import RecordingEncoder

from recommender.article import Article
from recommender.encoder import HashingEncoder, Recipe, View, article_vector, encode_views
from recommender.text import digest

STORY = Article("a", "Ferry strike", "Commuters wait", " ".join(f"harbour{number}" for number in range(95)))


def test_all_texts_of_all_views_are_encoded_in_one_call_in_their_order() -> None:
    encoder = RecordingEncoder()
    views = [*Recipe(chunk_words=30).views(STORY), View(1.0, digest("other"), ("other",))]

    encode_views(views, encoder.encode)

    assert encoder.calls == [[text for view in views for text in view.texts]]
    assert len(encoder.texts) == 6


def test_the_vector_of_a_view_is_the_mean_direction_of_its_texts_however_long_each_vector_is() -> None:
    view = View(1.0, digest("a", "b"), ("a", "b"))

    vectors = encode_views([view], lambda texts: np.array([[9, 0], [0, 0.1]], np.float32))

    assert vectors[view.digest] == pytest.approx([0.5**0.5, 0.5**0.5], abs=1e-6)


@given(
    weights=st.tuples(*[st.floats(0.01, 1)] * 3),
    chunk_words=st.integers(10, 200),
    max_chunks=st.integers(1, 9),
    n_words=st.integers(0, 500),
)
@settings(deadline=None, max_examples=60)
def test_a_recipe_decides_the_pieces_and_loses_no_word_within_its_limit(
    weights: tuple[float, float, float], chunk_words: int, max_chunks: int, n_words: int
) -> None:
    body = [f"word{number}" for number in range(n_words)]
    article = Article("a", "Title", text=" ".join(body))

    views = Recipe(*weights, chunk_words, max_chunks).views(article)

    seen = [word for view in views[1:] for text in view.texts for word in text.split()]
    assert seen == body[: len(seen)]
    assert len(seen) >= min(n_words, chunk_words * max_chunks)
    assert all(len(view.texts) <= max_chunks for view in views)
    assert [view.weight for view in views] == [weights[0], weights[2]][: len(views)]


def test_other_weights_ask_for_no_new_encoding_and_other_chunks_for_the_body_alone() -> None:
    digests = [view.digest for view in Recipe(chunk_words=30).views(STORY)]

    assert [view.digest for view in Recipe(0.5, 0.1, 0.4, chunk_words=30).views(STORY)] == digests
    rechunked = [view.digest for view in Recipe(chunk_words=40).views(STORY)]
    assert [old == new for old, new in zip(digests, rechunked, strict=True)] == [True, True, False]


def test_all_weights_times_ten_are_the_same_vector() -> None:
    views = Recipe().views(STORY)
    vectors = encode_views(views, HashingEncoder().encode)
    tenfold = [View(10 * view.weight, view.digest, view.texts) for view in views]

    assert article_vector(tenfold, vectors) == pytest.approx(article_vector(views, vectors), abs=1e-6)


def test_a_manifest_names_every_part_of_a_recipe() -> None:
    recipe = Recipe(0.1, 0.2, 0.7, 50, 3)

    assert Recipe(**recipe.as_dict()) == recipe  # type: ignore[arg-type]
    assert set(recipe.as_dict()) == {
        "title_weight",
        "description_weight",
        "body_weight",
        "chunk_words",
        "max_chunks",
    }
