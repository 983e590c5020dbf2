"""All posting lists of a question summed at once, held to the sums of one list after the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from recommender.lexical import NOTHING_ASKED, LexicalBuilder, LexicalIndex, TermQuery

WORDS = tuple(f"{first}{last}" for first in ("har", "fer", "bri", "sto", "kar") for last in ("bour", "ry", "dge", "lm"))
N_ROWS = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the files of an index over sixty stories of few words, so that most lists are long."""
    folder = tmp_path_factory.mktemp("lexical")
    builder, chance = LexicalBuilder(folder), np.random.default_rng(1)
    for row in range(N_ROWS):
        title, body = (" ".join(chance.choice(WORDS, n)) for n in (4, 30))
        builder.add(title, body, ("en", "de")[row % 2])
    builder.write(folder)
    return folder


def _list_by_list(folder: Path, query: TermQuery) -> NDArray[np.float32]:
    """Return the sums of the posting lists, one list after the other."""
    offsets, rows, weights = (np.load(folder / f"lexical.{name}.npy") for name in ("offsets", "rows", "weights"))
    scores = np.zeros(N_ROWS, np.float32)
    for number, weight in zip(query.numbers, query.weights, strict=True):
        for at in range(offsets[number], offsets[number + 1]):
            scores[rows[at]] += np.float32(weights[at]) * weight
    return scores


@pytest.mark.parametrize("row", range(0, N_ROWS, 7))
def test_all_lists_at_once_sum_to_what_they_sum_to_one_by_one_to_the_last_bit(folder: Path, row: int) -> None:
    index = LexicalIndex.read(folder, N_ROWS)
    for query in (index.query_of_row(row), index.query_of_text("Harbour ferry", "a storm at the bridge", "en")):
        assert len(query.numbers)
        assert index.scores(query).tolist() == _list_by_list(folder, query).tolist()


def test_a_story_has_a_cosine_of_one_with_itself_and_none_with_another_language(folder: Path) -> None:
    index = LexicalIndex.read(folder, N_ROWS)
    scores = index.scores(index.query_of_row(4))
    assert scores.dtype == np.float32
    assert scores[4] == pytest.approx(1, abs=1e-3)
    assert not scores[1::2].any()
    assert (scores[::2] > 0).sum() > 20


def test_who_asks_for_nothing_finds_nothing(folder: Path) -> None:
    assert LexicalIndex.read(folder, N_ROWS).scores(NOTHING_ASKED).tolist() == [0.0] * N_ROWS
