from __future__ import annotations

import re
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recommender.dense import DenseIndex, LayeredDense, as_scores, nearest
from recommender.errors import SnapshotError
from recommender.vectors import Hit, Matrix, Vector, normalise

MANY = settings(deadline=None, max_examples=60)
SEEDS = st.integers(0, 2**32 - 1)
DIM = 8


def _ids(n_rows: int) -> list[str]:
    return [f"story-{row:04d}" for row in range(n_rows)]


def _vectors(seed: int, n_rows: int) -> Matrix:
    """Return vectors whose lengths lie between a thousandth and a thousand."""
    generator = np.random.default_rng(seed)
    lengths = 10.0 ** generator.uniform(-3, 3, (n_rows, 1))
    return (generator.normal(size=(n_rows, DIM)) * lengths).astype(np.float32)


def _cosines(vectors: Matrix, query: Vector) -> NDArray[np.float64]:
    exact = vectors.astype(np.float64)
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(query.astype(np.float64))
    cosines: NDArray[np.float64] = exact @ query.astype(np.float64) / lengths
    return cosines


def _twins(seed: int, n_rows: int) -> Matrix:
    """Return few directions, each many times and at different lengths, so that most scores are ties."""
    generator = np.random.default_rng(seed)
    directions = np.eye(DIM, dtype=np.float32)[generator.integers(0, 3, n_rows)]
    return directions * 2.0 ** generator.integers(-3, 4, (n_rows, 1)).astype(np.float32)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("k", [1, 5, 50, 299, 300])
def test_ids_and_scores_are_those_of_brute_force_on_vectors_of_any_length(seed: int, k: int) -> None:
    vectors, query = _vectors(seed, 300), _vectors(seed + 1000, 1)[0]
    hits = DenseIndex.build(_ids(300), vectors).search(query, k)
    cosines = _cosines(vectors, query)
    best = np.argsort(-cosines)[:k]
    assert [hit.article_id for hit in hits] == [f"story-{row:04d}" for row in best]
    np.testing.assert_allclose([hit.score for hit in hits], cosines[best], atol=1e-5, rtol=0)


@MANY
@given(SEEDS, st.integers(1, 120), st.integers(1, 130), st.floats(0, 1))
def test_a_masked_search_is_brute_force_over_the_allowed_rows(seed: int, n_rows: int, k: int, share: float) -> None:
    vectors, query = _vectors(seed, n_rows), _vectors(seed + 1, 1)[0]
    allowed = np.random.default_rng(seed).random(n_rows) < share
    hits = DenseIndex.build(_ids(n_rows), vectors).search(query, k, allowed)
    cosines = {f"story-{row:04d}": float(cosine) for row, cosine in enumerate(_cosines(vectors, query)) if allowed[row]}
    assert len(hits) == min(k, len(cosines))
    assert [hit.score for hit in hits] == pytest.approx([cosines[hit.article_id] for hit in hits], abs=1e-5)
    left_out = cosines.keys() - {hit.article_id for hit in hits}
    assert len(left_out) == len(cosines) - len(hits)
    assert all(cosines[article_id] <= hits[-1].score + 1e-5 for article_id in left_out)


@MANY
@given(SEEDS, st.integers(1, 200), st.integers(1, 210))
def test_ties_are_broken_by_id_also_at_the_cut(seed: int, n_rows: int, k: int) -> None:
    vectors = _twins(seed, n_rows)
    query = np.array([3, 4, 0, 0, 0, 0, 0, 0], np.float32)
    hits = DenseIndex.build(_ids(n_rows), vectors).search(query, k)
    scores = np.round(_cosines(vectors, query), 6)
    assert (
        hits
        == sorted(
            (Hit(article_id, score) for article_id, score in zip(_ids(n_rows), scores.tolist(), strict=True)),
            key=lambda hit: (-hit.score, hit.article_id),
        )[:k]
    )


def test_a_tie_far_wider_than_the_cut_gives_the_lowest_ids() -> None:
    vectors = np.tile(np.array([[3, 4, 0, 0, 0, 0, 0, 0]], np.float32), (500, 1))
    vectors[250] = [0, 1, 0, 0, 0, 0, 0, 0]
    index = DenseIndex.build(_ids(500), vectors)
    query = np.array([0, 5, 0, 0, 0, 0, 0, 0], np.float32)
    assert index.search(query, 3) == [Hit("story-0250", 1.0), Hit("story-0000", 0.8), Hit("story-0001", 0.8)]


@MANY
@given(SEEDS, st.integers(2, 120), st.integers(1, 119), st.booleans())
def test_one_more_hit_leaves_those_before_it_as_they_are(seed: int, n_rows: int, k: int, tied: bool) -> None:
    index = DenseIndex.build(_ids(n_rows), _twins(seed, n_rows) if tied else _vectors(seed, n_rows))
    query = np.array([3, 4, 0, 0, 0, 0, 0, 1], np.float32)
    assert index.search(query, k + 1)[:k] == index.search(query, k)


@MANY
@given(SEEDS, st.integers(1, 100), st.integers(1, 100))
def test_permuting_the_corpus_changes_no_score_and_no_neighbour(seed: int, n_rows: int, k: int) -> None:
    vectors, query = _vectors(seed, n_rows), _vectors(seed + 1, 1)[0]
    order = np.random.default_rng(seed).permutation(n_rows)
    straight = DenseIndex.build(_ids(n_rows), vectors).search(query, k)
    permuted = DenseIndex.build(_ids(n_rows), vectors[order]).search(query, k)
    assert [hit.score for hit in permuted] == pytest.approx([hit.score for hit in straight], abs=2e-6)
    back = [int(order[int(hit.article_id.removeprefix("story-"))]) for hit in permuted]
    cosines = _cosines(vectors, query)
    assert [cosines[row] for row in back] == pytest.approx([hit.score for hit in straight], abs=1e-5)


@MANY
@given(SEEDS, st.integers(1, 60), st.integers(0, 59))
def test_an_article_left_out_is_never_found_and_its_exact_copies_are(seed: int, n_copies: int, place: int) -> None:
    vectors = _vectors(seed, 60)
    vectors[:n_copies] = vectors[0]
    row = place % n_copies
    allowed = np.ones(60, np.bool_)
    allowed[row] = False
    index = DenseIndex.build(_ids(60), vectors)
    hits = index.search(index.vector(row), n_copies, allowed)
    copies = [f"story-{copy:04d}" for copy in range(n_copies) if copy != row]
    assert [hit.article_id for hit in hits[: n_copies - 1]] == copies
    assert [hit.score for hit in hits[: n_copies - 1]] == [1.0] * (n_copies - 1)
    assert f"story-{row:04d}" not in [hit.article_id for hit in index.search(index.vector(row), 60, allowed)]


@pytest.mark.parametrize("k", [4, 5, 1000, 10**9])
def test_a_k_beyond_the_archive_gives_every_article_once(k: int) -> None:
    index = DenseIndex.build(_ids(4), _vectors(1, 4))
    assert sorted(hit.article_id for hit in index.search(_vectors(2, 1)[0], k)) == _ids(4)


@pytest.mark.parametrize("k", [0, -1])
def test_a_k_below_one_gives_nothing(k: int) -> None:
    assert DenseIndex.build(_ids(4), _vectors(1, 4)).search(_vectors(2, 1)[0], k) == []


def test_nothing_is_found_for_zeros_behind_a_closed_mask_and_in_an_empty_index() -> None:
    index, query = DenseIndex.build(_ids(4), _vectors(1, 4)), _vectors(2, 1)[0]
    assert index.search(np.zeros(DIM, np.float32), 3) == []
    assert index.search(query, 3, np.zeros(4, np.bool_)) == []
    empty = DenseIndex.build([], np.zeros((0, DIM), np.float32))
    assert (len(empty), empty.dim, empty.search(query, 3)) == (0, DIM, [])


def test_an_article_without_a_vector_scores_zero_with_everything() -> None:
    vectors = np.zeros((2, DIM), np.float32)
    vectors[1, 0] = -2
    hits = DenseIndex.build(["empty", "other"], vectors).search(np.eye(DIM, dtype=np.float32)[0], 2)
    assert hits == [Hit("empty", 0.0), Hit("other", -1.0)]


def test_the_length_of_the_query_changes_nothing() -> None:
    index, query = DenseIndex.build(_ids(50), _vectors(1, 50)), _vectors(2, 1)[0]
    assert index.search(query * np.float32(1024), 50) == index.search(query, 50)


def test_a_search_leaves_query_and_vectors_as_they_were() -> None:
    vectors, query = _vectors(1, 20), _vectors(2, 1)[0]
    kept_vectors, kept_query = vectors.copy(), query.copy()
    DenseIndex.build(_ids(20), vectors).search(query, 5)
    assert (vectors == kept_vectors).all()
    assert (query == kept_query).all()


@MANY
@given(SEEDS, st.integers(0, 200))
def test_every_row_has_its_cosine_in_the_order_of_rows(seed: int, n_rows: int) -> None:
    vectors, query = _vectors(seed, n_rows), _vectors(seed + 1, 1)[0]
    cosines = DenseIndex.build(_ids(n_rows), vectors).cosines(normalise(query))
    assert (cosines.shape, cosines.dtype) == ((n_rows,), np.float32)
    np.testing.assert_allclose(cosines, _cosines(vectors, query), atol=1e-5, rtol=0)


@pytest.mark.parametrize("n_rows", [1, 7, 64, 1000])
def test_cosines_are_those_that_faiss_itself_searches_with_to_the_last_bit(n_rows: int) -> None:
    index, query = faiss.IndexFlatIP(DIM), normalise(_vectors(2, 1)[0])
    index.add(normalise(_vectors(1, n_rows)))
    found, rows = index.search(query[None, :], n_rows)
    assert DenseIndex(_ids(n_rows), index).cosines(query)[rows[0]].tolist() == found[0].tolist()


@MANY
@given(SEEDS, st.integers(1, 40), st.integers(0, 39))
def test_a_pair_has_one_cosine_to_the_last_bit_both_ways_and_in_any_company(seed: int, n_rows: int, row: int) -> None:
    vectors, row = _vectors(seed, n_rows), row % n_rows
    index = DenseIndex.build(_ids(n_rows), vectors)
    cosines = index.cosines(index.vector(row))
    assert cosines.tolist() == [float(index.cosines(index.vector(other))[row]) for other in range(n_rows)]
    fewer = DenseIndex.build(_ids(row), vectors[:row])
    assert fewer.cosines(index.vector(row)).tolist() == cosines[:row].tolist()


def test_zeros_have_a_cosine_of_zero_with_everything() -> None:
    assert DenseIndex.build(_ids(4), _vectors(1, 4)).cosines(np.zeros(DIM, np.float32)).tolist() == [0.0] * 4


CLOSE = st.integers(0, 40).map(lambda step: np.float32(0.5 + step * 0.2e-6))  # five of them round to one score


@MANY
@given(st.lists(st.tuples(CLOSE, st.booleans()), max_size=40), st.integers(-1, 45))
def test_the_nearest_rows_are_those_of_a_whole_sort_also_among_scores_that_round_to_one(
    rows: list[tuple[np.float32, bool]], k: int
) -> None:
    cosines = np.array([cosine for cosine, _ in rows], np.float32)
    allowed = np.array([is_allowed for _, is_allowed in rows], np.bool_)
    scores = as_scores(cosines)
    order = sorted(np.flatnonzero(allowed).tolist(), key=lambda row: (-scores[row], row))
    assert nearest(cosines, k, allowed).tolist() == order[: max(k, 0)]
    assert nearest(cosines, k).tolist() == nearest(cosines, k, np.ones(len(rows), np.bool_)).tolist()


def test_a_row_is_found_by_its_id_and_gives_a_copy_of_its_unit_vector() -> None:
    vectors = _vectors(1, 5)
    index = DenseIndex.build(_ids(5), vectors)
    assert [index.row_of(article_id) for article_id in _ids(5)] == [0, 1, 2, 3, 4]
    assert index.row_of("story-9999") is None
    vector = index.vector(3)
    np.testing.assert_allclose(vector, vectors[3] / np.linalg.norm(vectors[3]), atol=1e-6)
    vector[:] = 0
    assert index.vector(3).any()


@pytest.mark.parametrize("n_rows", [0, 1, 100])
def test_a_written_index_reads_back_as_the_same_index(tmp_path: Path, n_rows: int) -> None:
    index, query = DenseIndex.build(_ids(n_rows), _vectors(1, n_rows)), _vectors(2, 1)[0]
    index.write(tmp_path / "dense.faiss")
    again = DenseIndex.read(_ids(n_rows), tmp_path / "dense.faiss")
    assert (again.ids, again.dim, len(again)) == (index.ids, DIM, n_rows)
    assert again.search(query, 10) == index.search(query, 10)
    allowed = np.arange(n_rows) % 3 == 0
    assert again.search(query, 10, allowed) == index.search(query, 10, allowed)
    assert all((again.vector(row) == index.vector(row)).all() for row in range(n_rows))


def test_an_index_writes_the_same_bytes_twice(tmp_path: Path) -> None:
    for name in ("one", "two"):
        DenseIndex.build(_ids(30), _vectors(1, 30)).write(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def _refused(path: Path, ids: list[str], message: str) -> None:
    with pytest.raises(SnapshotError, match=re.escape(message)):
        DenseIndex.read(ids, path)


@pytest.mark.parametrize("raw", [b"", b"no index at all", b"\x00" * 200], ids=["empty", "text", "zeros"])
def test_a_file_that_is_no_index_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "dense.faiss"
    path.write_bytes(raw)
    _refused(path, [], f"{path}: FAISS cannot read it")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    _refused(tmp_path / "dense.faiss", [], f"{tmp_path / 'dense.faiss'}: FAISS cannot read it")


@pytest.mark.parametrize("n_lost", [1, 4, 500])
def test_an_index_cut_off_is_refused(tmp_path: Path, n_lost: int) -> None:
    path = tmp_path / "dense.faiss"
    DenseIndex.build(_ids(50), _vectors(1, 50)).write(path)
    path.write_bytes(path.read_bytes()[:-n_lost])
    _refused(path, _ids(50), f"{path}: FAISS cannot read it")


@pytest.mark.parametrize("kind", ["Flat L2", "HNSW4,Flat", "IDMap,Flat", "PQ4x4"])
def test_another_kind_of_index_is_refused(tmp_path: Path, kind: str) -> None:
    factory, _, metric = kind.partition(" ")
    foreign = faiss.index_factory(DIM, factory, faiss.METRIC_L2 if metric else faiss.METRIC_INNER_PRODUCT)
    faiss.write_index(foreign, str(tmp_path / "dense.faiss"))
    _refused(tmp_path / "dense.faiss", [], f"{tmp_path / 'dense.faiss'}: is not an exact inner-product index")


@pytest.mark.parametrize("n_ids", [0, 2, 4])
def test_ids_and_vectors_of_different_number_are_refused(n_ids: int) -> None:
    message = f"the index has 3 vectors for {n_ids} ids; run: recommender rebuild"
    with pytest.raises(SnapshotError, match=f"^{re.escape(message)}$"):
        DenseIndex.build(_ids(n_ids), _vectors(1, 3))


@pytest.mark.parametrize("ids", [["b", "a", "c"], ["a", "c", "b"], ["a", "a", "b"], ["a", "b", "B"]])
def test_ids_that_do_not_ascend_are_refused(ids: list[str]) -> None:
    message = "the ids of the index are not ascending and unique; run: recommender rebuild"
    with pytest.raises(SnapshotError, match=f"^{re.escape(message)}$"):
        DenseIndex.build(ids, _vectors(1, 3))


def test_an_index_that_cannot_be_written_is_an_os_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "dense.faiss"
    with pytest.raises(OSError, match=f"^{re.escape(str(path))}: cannot be written: "):
        DenseIndex.build(_ids(3), _vectors(1, 3)).write(path)


@MANY
@given(SEEDS, st.lists(st.integers(0, 39), max_size=12))
def test_any_rows_have_their_vectors_and_cosines_the_scores_of_a_search(seed: int, rows: list[int]) -> None:
    vectors, query = _vectors(seed, 40), _vectors(seed + 1, 1)[0]
    index = DenseIndex.build(_ids(40), vectors)
    asked = np.array(rows, np.int64)

    found = index.vectors(asked)

    assert found.shape == (len(rows), DIM)
    assert all(np.array_equal(vector, index.vector(row)) for vector, row in zip(found, rows, strict=True))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-6)
    by_id = {hit.article_id: hit.score for hit in index.search(query, 40)}
    assert as_scores(index.cosines(normalise(query)))[asked].tolist() == [by_id[index.ids[row]] for row in rows]


@MANY
@given(seed=SEEDS, rows=st.lists(st.integers(0, 39), max_size=30))
def test_some_rows_have_the_cosines_of_all_to_the_last_bit_in_layers_too(seed: int, rows: list[int]) -> None:
    index = DenseIndex.build(_ids(40), _vectors(seed, 40))
    some, query = np.array(rows, np.int64), index.vector(seed % 40)
    changed = DenseIndex.build(["story-0", "story-0020", "story-1"], _vectors(seed + 1, 3))
    layered = LayeredDense(index, changed, np.array([40, *range(20), 41, *range(21, 37), 42, 38, 39]))
    for each in (index, layered):
        np.testing.assert_array_equal(each.cosines_of(query, some), each.cosines(query)[some])


def test_a_row_is_required_by_its_id() -> None:
    index = DenseIndex.build(_ids(3), _vectors(0, 3))

    assert [index.require_row(article_id) for article_id in _ids(3)] == [0, 1, 2]
    with pytest.raises(KeyError, match="nobody"):
        index.require_row("nobody")
