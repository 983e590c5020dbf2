from __future__ import annotations

import math
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recommender import lexical
from recommender.errors import SnapshotError
from recommender.lexical import FILES, MAX_QUERY_TERMS, LexicalBuilder, LexicalIndex, TermQuery
from recommender.lexical import builder as builder_module
from recommender.tokens import terms

MANY = settings(deadline=None, max_examples=15)
TOLERANCE = 1e-3
"""Weights are kept as float16: half a thousandth on either side of a product."""
NAMES = tuple(file.split(".")[1] for file in FILES)
LENGTHS = tuple(name for name in NAMES if name != "languages")
"""The arrays whose lengths say something of one another."""


class Story(NamedTuple):
    title: str
    body: str
    language: str | None = None


class Oracle:
    """The same scores from plain dicts: sublinear tf times smoothed idf, the headline twice, pairs within a part.

    A key is a language and one word or two: each language is a collection of its own. Words that stand in no story lengthen a
    text as if they stood in one.
    """

    def __init__(self, stories: Sequence[Story]) -> None:
        n_in = Counter(_base(story) for story in stories)
        bags = [self.bag(story) for story in stories]
        found = Counter(key for bag in bags for key in bag)
        self.idf = {
            key: math.log((1 + n_in[key[0]]) / (1 + number)) + 1
            for key, number in found.items()
            if (len(key) == 2 or number >= 2) and (n_in[key[0]] < 20 or number <= n_in[key[0]] / 2)
        }
        self.words = {key for key in found if len(key) == 2}
        self.languages = list(n_in)
        self.lengths = [self.weigh(bag)[1] for bag in bags]
        self.vectors = [self.unit(story) for story in stories]

    @staticmethod
    def bag(story: Story) -> Counter[tuple[str, ...]]:
        counts: Counter[tuple[str, ...]] = Counter()
        for part in (story.title, story.title, story.body):
            words = terms(part, story.language)
            counts.update((_base(story), word) for word in words)
            counts.update((_base(story), *pair) for pair in pairwise(words))
        return counts

    def weigh(self, bag: Mapping[Any, int]) -> tuple[dict[Any, float], float]:
        weights = {key: (1 + math.log(count)) * self.idf[key] for key, count in bag.items() if key in self.idf}
        rarest = max(self.idf.values(), default=0.0)
        strange = [
            (1 + math.log(count)) * rarest for key, count in bag.items() if len(key) == 2 and key not in self.words
        ]
        return weights, math.sqrt(sum(weight**2 for weight in (*weights.values(), *strange))) or 1.0

    def unit(self, story: Story) -> dict[Any, float]:
        weights, length = self.weigh(self.bag(story))
        return {key: weight / length for key, weight in weights.items()}

    def scores(self, query: Mapping[Any, float]) -> list[float]:
        return [sum(weight * vector.get(key, 0.0) for key, weight in query.items()) for vector in self.vectors]

    def scores_of_words(self, text: str) -> list[float]:
        asked = [self.unit(Story("", text, language)) for language in self.languages]
        mean = sum(self.lengths) / max(1, len(self.lengths))
        plain = [sum(column) for column in zip(*map(self.scores, asked), strict=True)]
        return [score * math.sqrt(length / mean) for score, length in zip(plain, self.lengths, strict=True)]


def _base(story: Story) -> str:
    return (story.language or "").split("-")[0]


def _build(stories: Sequence[Story], folder: Path | None = None) -> LexicalIndex:
    builder = LexicalBuilder()
    for story in stories:
        builder.add(story.title, story.body, story.language)
    if folder:
        builder.write(folder)
        return LexicalIndex.read(folder, len(stories))
    with tempfile.TemporaryDirectory() as made:
        builder.write(Path(made))
        return LexicalIndex.read(Path(made), len(stories))


def _ask(index: LexicalIndex, story: Story) -> TermQuery:
    return index.query_of_text(story.title, story.body, story.language)


def _archive(seed: int, n: int, n_words: int = 60) -> list[Story]:
    """Return stories of up to 60 words from a few that are common and many that are rare."""
    generator = np.random.default_rng(seed)

    def text(most: int) -> str:
        numbers = np.minimum(generator.zipf(1.3, int(generator.integers(0, most))), n_words)
        return " ".join(f"word{number}x" for number in numbers)

    return [Story(text(8), text(60), "en" if row % 3 else "nl") for row in range(n)]


VOCABULARY = "ferry ferries strike striking port the of забастовка забастовки уряд урядом 北京大学 大学"
PROSE = st.lists(st.sampled_from(VOCABULARY.split()), max_size=25).map(" ".join)
LANGUAGES = st.sampled_from(["en", "en", "en-gb", "ru", "uk", None])
STORIES = st.lists(st.builds(Story, PROSE, PROSE, LANGUAGES), max_size=12)
ANY_STORY = st.builds(Story, *[st.text(st.characters(), max_size=40)] * 2, st.sampled_from(["en", "ar", "uk", None]))


# --- against brute force ---


@MANY
@given(STORIES)
def test_scores_are_the_cosines_of_brute_force(stories: list[Story]) -> None:
    index, oracle = _build(stories), Oracle(stories)
    for row, story in enumerate(stories):
        exact = oracle.scores(oracle.vectors[row])
        np.testing.assert_allclose(index.scores(index.query_of_row(row)), exact, atol=TOLERANCE, rtol=0)
        np.testing.assert_allclose(index.scores(_ask(index, story)), exact, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("n", [1, 2, 28, 29, 30, 31, 58, 60, 62, 120])
def test_scores_are_those_of_brute_force_on_either_side_of_twenty_articles_of_a_language(n: int) -> None:
    stories = _archive(n, n)
    index, oracle = _build(stories), Oracle(stories)
    for row in range(0, n, 1 + n // 12):
        exact = oracle.scores(oracle.vectors[row])
        np.testing.assert_allclose(index.scores(index.query_of_row(row)), exact, atol=TOLERANCE, rtol=0)


@MANY
@given(STORIES, st.builds(Story, PROSE, PROSE, LANGUAGES))
def test_a_text_from_outside_is_asked_with_what_the_archive_knows_of_it(stories: list[Story], text: Story) -> None:
    index, oracle = _build(stories), Oracle(stories)
    query, unit = _ask(index, text), oracle.unit(text)
    assert len(query.numbers) == len(unit)
    np.testing.assert_allclose(index.scores(query), oracle.scores(unit), atol=TOLERANCE, rtol=0)


def test_a_text_about_something_else_is_not_taken_for_its_few_known_words() -> None:
    index = _build([Story("", f"ferry strike port word{number}") for number in range(25)])
    plain, strange, common = (
        float(index.scores(index.query_of_text("", body, None))[3])
        for body in ("word3", "word3 sourdough oven", "word3 ferry strike port")
    )
    assert plain == pytest.approx(3**0.5 * strange, abs=1e-3)
    assert common == pytest.approx(plain, abs=1e-3)


@pytest.mark.parametrize(
    ("word", "tells"),
    [("harbours", True), ("ferry", False), ("council", False), ("tariff", False), ("", False), ("!", False)],
)
def test_a_word_tells_something_when_few_articles_of_its_language_have_it(word: str, tells: bool) -> None:
    bodies = [
        f"ferry word{number}" + " council" * (number % 3 == 0) + " harbour" * (number % 9 == 0) for number in range(90)
    ]
    index = _build([Story("", body, "en") for body in bodies])
    assert index.tells(word, "en") == tells
    assert not index.tells(word, "de")


@pytest.mark.parametrize(("n_with", "tells"), [(7, True), (8, False)])
def test_in_a_small_archive_seven_articles_are_few(n_with: int, tells: bool) -> None:
    index = _build([Story("", f"word{number}" + " ferry" * (number < n_with), "en") for number in range(16)])
    assert index.tells("ferry", "en") == tells


def test_in_an_empty_archive_no_word_tells_anything() -> None:
    assert not _build([]).tells("ferry", "en")


@MANY
@given(STORIES)
def test_an_articles_own_text_asks_with_the_terms_of_its_row(stories: list[Story]) -> None:
    index = _build(stories)
    for row, story in enumerate(stories):
        of_row, of_text = index.query_of_row(row), _ask(index, story)
        assert sorted(of_row.numbers) == sorted(of_text.numbers)
        weights = dict(zip(of_text.numbers.tolist(), of_text.weights.tolist(), strict=True))
        kept = [weights[number] for number in of_row.numbers.tolist()]
        np.testing.assert_allclose(of_row.weights, kept, rtol=TOLERANCE)


@MANY
@given(STORIES)
def test_a_query_names_the_strongest_first_and_ties_in_the_order_of_keys(stories: list[Story]) -> None:
    index = _build(stories)
    queries = [*map(index.query_of_row, range(len(stories))), *(_ask(index, story) for story in stories)]
    for query in queries:
        order = list(zip(-query.weights, query.numbers, strict=True))
        assert order == sorted(order)
        assert len(set(query.numbers.tolist())) == len(order)


@MANY
@given(STORIES, PROSE)
def test_a_free_text_is_asked_of_every_language_and_gives_back_the_square_root_of_a_rows_length(
    stories: list[Story], text: str
) -> None:
    index, oracle = _build(stories), Oracle(stories)
    query = index.query_of_words(text)
    assert query.short == bool(stories)
    exact = oracle.scores_of_words(text) if stories else []
    np.testing.assert_allclose(index.scores(query), exact, atol=3 * TOLERANCE, rtol=0)


def test_a_long_story_loses_less_to_a_short_one_when_the_query_is_short() -> None:
    filler = " ".join(f"filler{number}" for number in range(60))
    index = _build([Story("", f"ferry strike {filler}"), Story("", "ferry council plan")])
    plain, short = map(
        index.scores, (index.query_of_text("", "ferry strike", None), index.query_of_words("ferry strike"))
    )
    assert short[0] / short[1] > 1.5 * plain[0] / plain[1]


# --- what is kept ---


def _long_and_its_words() -> list[Story]:
    """Return a story that says word 0 once, word 1 twice and so on to word 319, and after it one story for each word."""
    body = " ".join(f"word{number}x" for number in range(320) for _ in range(number + 1))
    return [Story("", body), *(Story("", f"word{number}x") for number in range(320))]


@pytest.mark.parametrize("from_row", [True, False])
def test_a_query_is_cut_to_the_300_strongest_and_keeps_the_length_it_had_before(from_row: bool) -> None:
    stories = _long_and_its_words()
    index, oracle = _build(stories), Oracle(stories)
    query = index.query_of_row(0) if from_row else _ask(index, stories[0])
    assert len(query.numbers) == MAX_QUERY_TERMS == 300
    scores = index.scores(query)
    assert np.flatnonzero(scores[1:]).tolist() == list(range(20, 320))
    np.testing.assert_allclose(scores[21:], oracle.scores(oracle.vectors[0])[21:], rtol=2 * TOLERANCE)
    left_out = sum(oracle.vectors[0]["", f"word{number}x"] ** 2 for number in range(20))
    assert scores[0] == pytest.approx(1 - left_out, abs=TOLERANCE)


@pytest.mark.parametrize(
    ("n", "n_holding", "kept"), [(20, 10, True), (20, 11, False), (21, 11, False), (19, 19, True), (200, 101, False)]
)
def test_what_stands_in_over_half_of_twenty_articles_tells_nothing(n: int, n_holding: int, kept: bool) -> None:
    stories = [Story("", "harbour" if row < n_holding else "council") for row in range(n)]
    index = _build(stories)
    assert np.count_nonzero(index.scores(index.query_of_text("harbour", "", None))) == (n_holding if kept else 0)


def test_each_language_counts_its_own_articles_and_meets_no_other() -> None:
    english = [Story("", f"hand {'in' if row < 12 else 'out'}", "en-gb" if row % 2 else "en") for row in range(20)]
    dutch = [Story("", "hand in", "nl")] * 5
    index = _build([*english, *dutch])
    assert np.flatnonzero(index.scores(index.query_of_text("in", "", "en-us"))).tolist() == []
    assert np.flatnonzero(index.scores(index.query_of_text("out", "", "en-us"))).tolist() == list(range(12, 20))
    assert np.flatnonzero(index.scores(index.query_of_text("hand in", "", "nl"))).tolist() == list(range(20, 25))
    assert np.flatnonzero(index.scores(index.query_of_words("in out"))).tolist() == list(range(12, 25))
    assert len(index.query_of_text("hand in", "", "de").numbers) == 0


def test_a_pair_counts_from_two_articles_on_and_in_its_order_within_its_part() -> None:
    stories = [
        Story("alpha beta", "gamma"),
        Story("", "beta alpha"),
        Story("beta", "alpha beta"),
        Story("alpha", "beta"),
    ]
    index = _build(stories)
    assert [len(index.query_of_row(row).numbers) for row in range(4)] == [4, 2, 3, 2]


def test_a_headline_counts_twice() -> None:
    index = _build([Story("harbour", "council"), Story("council", "harbour")])
    scores = index.scores(index.query_of_text("harbour", "", None))
    assert scores[0] / scores[1] == pytest.approx(1 + math.log(2), rel=TOLERANCE)


# --- laws ---


@MANY
@given(STORIES, st.randoms(use_true_random=False))
def test_permuting_the_articles_permutes_the_scores_and_nothing_else(stories: list[Story], random: Any) -> None:
    order = random.sample(range(len(stories)), len(stories))
    straight, permuted = _build(stories), _build([stories[row] for row in order])
    for place, row in enumerate(order):
        one, other = straight.query_of_row(row), permuted.query_of_row(place)
        assert (one.numbers.tolist(), one.weights.tolist()) == (other.numbers.tolist(), other.weights.tolist())
        assert straight.scores(one)[order].tolist() == permuted.scores(other).tolist()


@MANY
@given(STORIES.filter(bool), st.data())
def test_an_exact_copy_scores_as_the_article_itself(stories: list[Story], data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(stories) - 1))
    stories = [*stories, stories[row]]
    index = _build(stories)
    for query in (*map(index.query_of_row, range(len(stories))), index.query_of_words(stories[row].body)):
        scores = index.scores(query)
        assert scores[row] == scores[-1]
    own = index.query_of_row(row)
    assert index.scores(own)[-1] == pytest.approx(1.0 if len(own.numbers) else 0.0, abs=TOLERANCE)


@MANY
@given(st.lists(ANY_STORY, max_size=8), ANY_STORY)
def test_any_text_at_all_is_taken_and_every_score_lies_between_none_and_one(stories: list[Story], text: Story) -> None:
    index = _build(stories)
    queries = [*map(index.query_of_row, range(len(stories))), _ask(index, text)]
    for query in queries:
        scores = index.scores(query)
        assert (scores.dtype, scores.shape) == (np.float32, (len(stories),))
        assert ((scores >= 0) & (scores <= 1 + TOLERANCE)).all()
    assert np.isfinite(index.scores(index.query_of_words(text.body))).all()


def test_an_empty_archive_answers_with_nothing() -> None:
    index = _build([])
    for query in (index.query_of_text("ferry strike", "", "en"), index.query_of_words("ferry strike")):
        assert (len(index), len(query.numbers), index.scores(query).shape) == (0, 0, (0,))


def test_one_article_scores_one_with_itself_and_none_with_other_words() -> None:
    index = _build([Story("Ferry strike", "Ferries stay in port", "en")])
    assert index.scores(index.query_of_row(0)) == pytest.approx([1.0], abs=TOLERANCE)
    assert index.scores(index.query_of_text("council", "", "en")).tolist() == [0.0]


@pytest.mark.parametrize("n", [1, 3, 150])
@pytest.mark.parametrize("text", ["", "… !", "a b"])
def test_articles_without_a_word_score_zero_with_everything(n: int, text: str) -> None:
    index = _build([Story(text, text, "en")] * n)
    assert index.scores(index.query_of_row(n - 1)).tolist() == [0.0] * n
    assert index.scores(index.query_of_words("ferry")).tolist() == [0.0] * n


def test_articles_of_words_that_all_share_score_zero_and_leave_the_others_alone() -> None:
    stories = [Story("the of and", "and the of", "en")] * 119 + [Story("the ferry", "and the ferry of it", "en")]
    index = _build(stories)
    assert len(index.query_of_row(0).numbers) == 0
    assert index.scores(index.query_of_row(0)).tolist() == [0.0] * 120
    assert index.scores(index.query_of_row(119)) == pytest.approx([0.0] * 119 + [1.0], abs=TOLERANCE)


# --- files ---


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("most", [0, 7, 300])
@pytest.mark.parametrize("n", [0, 1, 2, 40, 90])
def test_many_small_blocks_give_the_files_of_a_single_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n: int, most: int
) -> None:
    stories = [Story("", ""), *_archive(7, n)] if n else []
    folders = [tmp_path / "one", tmp_path / "again", tmp_path / "many"]
    for folder in folders:
        folder.mkdir()
        if folder.name == "many":
            monkeypatch.setattr(builder_module, "_MANY_POSTINGS", most)
        _build(stories, folder)
    one, again, many = map(_bytes, folders)
    assert sorted(one) == sorted(FILES)
    assert one == again == many


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lexical")
    _build(_archive(1, 40), folder)
    return folder


def _arrays(folder: Path) -> dict[str, NDArray[Any]]:
    return {name: np.load(folder / f"lexical.{name}.npy") for name in NAMES}


def test_a_written_index_is_mapped_back_as_the_same_index(written: Path) -> None:
    mapped, loaded = LexicalIndex.read(written, 40), LexicalIndex(_arrays(written), 40)
    assert len(mapped) == len(loaded) == 40
    assert not mapped._weights.flags.writeable  # an array that was read instead of mapped may be written
    for row in range(40):
        one, other = mapped.query_of_row(row), loaded.query_of_row(row)
        assert (one.numbers.tolist(), one.weights.tolist()) == (other.numbers.tolist(), other.weights.tolist())
        assert mapped.scores(one).tolist() == loaded.scores(other).tolist()


@pytest.mark.parametrize("ends", ["write", "fail", "close"])
def test_a_builder_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str) -> None:
    spool, index = tmp_path / "spool", tmp_path / "index"
    spool.mkdir()
    index.mkdir()
    monkeypatch.setattr(builder_module, "_MANY_POSTINGS", 0)
    builder = LexicalBuilder(spool)
    builder.add("Ferry strike", "", "en")
    assert [made.name.startswith(lexical.SPOOL_PREFIX) for made in spool.iterdir()] == [True]
    if ends == "close":
        builder.close()
    elif ends == "write":
        builder.write(index)
    else:
        with pytest.raises(FileNotFoundError, match="missing"):
            builder.write(index / "missing")
    assert not list(spool.iterdir())


def _refused(arrays: Mapping[str, NDArray[Any]], n_rows: int) -> None:
    message = "the lexical index does not belong to these rows; run: recommender rebuild"
    with pytest.raises(SnapshotError, match=f"^{re.escape(message)}$"):
        LexicalIndex(arrays, n_rows)


@pytest.mark.parametrize("name", LENGTHS)
def test_an_array_of_another_length_is_refused(written: Path, name: str) -> None:
    arrays = _arrays(written)
    longer = np.concatenate([arrays[name], arrays[name][-1:] + 1])
    longer_with_the_same_end = np.concatenate([arrays[name], arrays[name][-1:]])
    for other in (longer, longer_with_the_same_end, arrays[name][:-1], arrays[name][1:], arrays[name][:1]):
        _refused(arrays | {name: other.astype(arrays[name].dtype)}, 40)


@pytest.mark.parametrize("name", LENGTHS)
def test_an_empty_array_is_refused(written: Path, name: str) -> None:
    arrays = _arrays(written)
    _refused(arrays | {name: arrays[name][:0]}, 40)


@pytest.mark.parametrize("n_rows", [0, 39, 41])
def test_an_index_of_other_rows_is_refused(written: Path, n_rows: int) -> None:
    _refused(_arrays(written), n_rows)
    with pytest.raises(SnapshotError, match=r"^the lexical index does not belong to these rows; run: "):
        LexicalIndex.read(written, n_rows)


def _pickled(path: Path) -> None:
    np.save(path, np.array([{}], object), allow_pickle=True)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    "spoil",
    [
        Path.unlink,
        lambda path: path.write_bytes(b"no array at all"),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes()[:40]),
        _pickled,
        lambda path: path.write_bytes(b""),
    ],
    ids=["missing", "text", "cut", "cut in its head", "pickle", "empty"],
)
def test_a_file_that_is_no_array_is_refused(written: Path, tmp_path: Path, file: str, spoil: Any) -> None:
    for name, raw in _bytes(written).items():
        (tmp_path / name).write_bytes(raw)
    spoil(tmp_path / file)
    with pytest.raises(SnapshotError, match=f"^{re.escape(str(tmp_path))}: the lexical index cannot be read: "):
        LexicalIndex.read(tmp_path, 40)
