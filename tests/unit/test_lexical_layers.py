"""A small index over a large one answers as an index built anew under the same fit, to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.lexical import Document, LayeredIndex, LexicalBuilder, LexicalFit, LexicalIndex, TermQuery, index_of

WORDS = ["ferry", "harbour", "strike", "crew", "night", "council", "plan", "silo", "storm", "wave", "bridge", "omicron"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
STORIES = st.tuples(TEXTS, TEXTS, st.sampled_from(["en", "de", None]))
ARCHIVES = st.dictionaries(st.sampled_from("abcdefgh"), STORIES, max_size=8)


def _built(stories: Mapping[str, tuple[str, str, str | None]], folder: Path, fit: LexicalFit | None) -> LexicalIndex:
    folder.mkdir()
    builder = LexicalBuilder(folder, fit)
    for _, story in sorted(stories.items()):
        builder.add(*story)
    builder.write(folder)
    return LexicalIndex.read(folder, len(stories))


def _same(one: TermQuery, other: TermQuery) -> bool:
    return (
        one.keys.tolist() == other.keys.tolist()
        and one.weights.tolist() == other.weights.tolist()
        and one.short == other.short
    )


@given(ARCHIVES, ARCHIVES, st.sets(st.sampled_from("abcdefgh")), STORIES)
@settings(deadline=None, max_examples=200)
def test_layers_answer_as_one_index_built_anew(
    tmp_path_factory: Any,
    before: dict[str, tuple[str, str, str | None]],
    changes: dict[str, tuple[str, str, str | None]],
    gone: set[str],
    asked: tuple[str, str, str | None],
) -> None:
    folder = tmp_path_factory.mktemp("index")
    base = _built(before, folder / "base", None)
    after = {key: story for key, story in {**before, **changes}.items() if key not in gone}
    small = sorted(changes.keys() - gone)
    places = {key: len(base) + at for at, key in enumerate(small)}
    at_base = {key: at for at, key in enumerate(sorted(before))}
    place = np.array([places.get(key, at_base.get(key, -1)) for key in sorted(after)], np.int64)

    anew = _built(after, folder / "anew", base.fit)
    alone = [index_of([Document.of(*changes[key])], base.fit) for key in small]
    layers = LayeredIndex(base, LexicalIndex.joined(alone, base.fit, np.arange(len(alone))), place)

    assert len(layers) == len(anew)
    pairs = [(layers.query_of_row(row), anew.query_of_row(row)) for row in range(len(anew))]
    pairs += [(layers.query_of_text(*asked), anew.query_of_text(*asked))]
    pairs += [(layers.query_of_words(asked[1]), anew.query_of_words(asked[1]))]
    for of_layers, of_anew in pairs:
        assert _same(of_layers, of_anew)
        assert layers.scores(of_layers).tolist() == anew.scores(of_anew).tolist()
    ones, every = np.ones(len(anew), np.float32), np.arange(len(anew))
    assert layers.stretched(ones, every).tolist() == anew.stretched(ones, every).tolist()
    words = layers.query_of_words(asked[1])
    assert layers.stretched(layers.scores(replace(words, short=False)), every).tolist() == layers.scores(words).tolist()
    for word in WORDS:
        assert layers.tells(word, "en") == anew.tells(word, "en")


def test_a_fit_outlives_what_it_was_counted_on(tmp_path: Path) -> None:
    stories = {name: (f"ferry {name}", "harbour strike", "en") for name in ("alpha", "beta", "gamma")}
    base = _built(stories, tmp_path / "base", None)
    empty = _built({}, tmp_path / "empty", base.fit)
    again = _built(stories, tmp_path / "again", empty.fit)

    assert [again.query_of_row(row).weights.tolist() for row in range(3)] == [
        base.query_of_row(row).weights.tolist() for row in range(3)
    ]
    assert again.fit.n_articles == {"en": 3}
