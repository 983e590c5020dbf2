from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults import Killed, Step, failing
from hypothesis import given, settings
from hypothesis import strategies as st
from newsroom import NOW

from recommender.article import Article
from recommender.copies import CopyFinder
from recommender.errors import NoSnapshotError, SnapshotError
from recommender.explain import TermCounter
from recommender.home import Home
from recommender.lexical import LexicalBuilder
from recommender.neighbours import Floors, Near, Own
from recommender.ready import packed
from recommender.snapshot import (
    FILES,
    FORMAT,
    Contents,
    Facts,
    Finished,
    Found,
    Row,
    Snapshot,
    former,
    load,
    publish,
    read_current,
    verify,
)
from recommender.vectors import Centres, normalise

DESCRIBED = {"encoder": {"name": "test"}, "counts": {}, "change": 7, "fit": {"at": "", "articles": 0, "change": 0}}
EVERY_FILE = (*FILES, "manifest.json")


def _row(number: int, **more: Any) -> Row:
    fields: dict[str, Any] = {
        "id": f"a{number:03d}",
        "title": f"Überschrift №{number} — «{number}»",
        "description": "",
        "url": f"https://www.lindenpost.example/{number}" if number % 2 else None,
        "image_url": None,
        "published_at": f"2025-03-{number % 28 + 1:02d}T09:00:00+00:00" if number % 3 else None,
        "section": ("sport", "world", None)[number % 3],
        "language": ("en", "de", None, "pt-br")[number % 4],
        "kind": "news",
        "stub": number % 5 == 0,
        "terms": ("Linden", str(number)),
    }
    return Row(**fields | more)


def _contents(n: int = 12, seed: int = 0) -> Contents:
    random = np.random.default_rng(seed)
    vectors = normalise(random.normal(size=(n, 8)).astype(np.float32))
    edges = [(source, target) for source in range(n) for target in range(n) if source != target]
    chosen = random.permutation(len(edges))[: n // 2]
    links = np.array([edges[number] for number in chosen], np.int32).reshape(-1, 2)
    rows = [_row(number) for number in range(n)]
    centres = Centres.fit(vectors, [row.language or "" for row in rows], 10.0)
    lexical = LexicalBuilder()
    for row in rows:
        lexical.add(row.title, f"{row.id} ferry {' '.join(row.terms)}", row.language)
    return Contents(rows, vectors, links, _facts(n), lexical, centres, centres, TermCounter().counts())


def _facts(n: int) -> Facts:
    """Tags and authors, none, one or two of them; the last two rows are copies of each other."""
    tags = [("ferry", f"tag {number % 3}") for number in range(n)]
    authors = [("Ole Holm", "Anna Berg")[: number % 3] for number in range(n)]
    finder = CopyFinder()
    for number in range(n):
        finder.add(Article(str(number), f"Headline {number}"))
    copies = np.array([(n - 2, n - 1)] if n > 1 else [], np.int64).reshape(-1, 2)
    return Facts(tags, authors, list(range(n)), finder.signatures(), copies)


def _publish(home: Home, seed: int = 0, **more: Any) -> Snapshot:
    return publish(home, _contents(seed=seed), DESCRIBED, now=NOW, neighbours=_neighbours, lists=_finished, **more)


def _neighbours(candidate: Snapshot, folder: Path) -> Found:
    near = Near(np.array([1, 2], np.int64), *np.full((2, 2), 0.5, np.float32), Floors(0.4, 0.3, 0.4, 0.3))
    return Found([near] * len(candidate), Own())


def _finished(candidate: Snapshot, folder: Path) -> Finished:
    return Finished([packed(b"{}")] * len(candidate), "in some way")


def _live(home: Home) -> str:
    return load(home).name


@pytest.fixture(autouse=True, scope="module")
def _quick_disk() -> Iterator[None]:
    """What a disk does when it is asked to sync takes most of the time here and is not looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def _listed(pairs: Any, names: Sequence[str], n: int) -> list[tuple[str, ...]]:
    """Return the names of each row from (row, code) pairs."""
    return [tuple(names[code] for row, code in pairs if row == number) for number in range(n)]


@pytest.mark.parametrize("n", [0, 1, 12])
def test_what_was_published_is_what_is_loaded(home: Home, n: int) -> None:
    contents = _contents(n)
    published = publish(home, contents, DESCRIBED, now=NOW)
    for found in (published, load(home)):
        assert (found.name, len(found)) == ("s00000001", n)
        assert found.manifest["created_at"] == "2025-04-01T12:00:00+00:00"
        assert found.manifest["encoder"] == {"name": "test"}
        assert [found.row(number) for number in range(n)] == list(contents.rows)
        for number in range(n):
            assert np.allclose(found.dense.vector(number), contents.vectors[number], atol=1e-6)
            assert found.graph.linked_by(number) == [int(b) for a, b in contents.links if a == number]
            assert found.graph.linking_to(number) == sorted(int(a) for a, b in contents.links if b == number)
            assert bool(found.columns.stub[number]) == contents.rows[number].stub
        assert found.columns.n_words.tolist() == contents.facts.n_words
        assert found.columns.copies.tolist() == ([*[-1] * (n - 2), n - 2, n - 2] if n > 1 else [-1] * n)
        assert _listed(found.columns.tags, found.columns.tag_names, n) == contents.facts.tags
        assert _listed(found.columns.authors, found.columns.author_names, n) == contents.facts.authors
        assert len(found.lexical) == n
        for number in range(n):
            scores = found.lexical.scores(found.lexical.query_of_row(number))
            assert int(np.argmax(scores)) == number
        assert found.centres.languages == contents.centres.languages
        assert np.array_equal(found.centres.matrix, contents.centres.matrix)
        for number in range(n):
            assert found.rows_at(f"lindenpost.example/{number}") == ([number] if number % 2 else [])


def test_two_publications_of_one_content_are_the_same_to_the_last_byte(home: Home) -> None:
    assert _publish(home).manifest["files"] == _publish(home).manifest["files"]


def test_an_empty_home_says_what_to_do(home: Home) -> None:
    with pytest.raises(NoSnapshotError, match="no index has been published here; run: recommender ingest SOURCE, then"):
        load(home)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with two snapshots; whoever changes a byte puts it back."""
    home = Home(tmp_path_factory.mktemp("two") / "home")
    _publish(home, seed=1)
    _publish(home, seed=2)
    return home


@contextlib.contextmanager
def _changed(path: Path, change: Callable[[bytes], bytes]) -> Iterator[None]:
    raw = path.read_bytes()
    try:
        path.write_bytes(change(raw))
        yield
    finally:
        path.write_bytes(raw)


def _flipped(offset: int, bit: int) -> Callable[[bytes], bytes]:
    def change(raw: bytes) -> bytes:
        return raw[:offset] + bytes([raw[offset] ^ (1 << bit)]) + raw[offset + 1 :]

    return change


@settings(deadline=None, max_examples=100)
@given(
    file=st.sampled_from(EVERY_FILE), place=st.floats(min_value=0, max_value=1, exclude_max=True), bit=st.integers(0, 7)
)
def test_one_flipped_bit_anywhere_is_found(two: Home, file: str, place: float, bit: int) -> None:
    current = read_current(two)
    path = two.snapshots / current.name / file
    offset = int(place * path.stat().st_size)
    with _changed(path, _flipped(offset, bit)):
        assert [problem for problem in verify(path.parent, current.manifest_sha256) if str(path) in problem]
        with pytest.raises(SnapshotError, match=r"its sha256 differs.*; run: recommender rebuild"):
            load(two)
    assert verify(path.parent, current.manifest_sha256) == []


@settings(deadline=None, max_examples=100)
@given(place=st.floats(min_value=0, max_value=1, exclude_max=True), bit=st.integers(0, 7))
def test_a_damaged_manifest_is_told_about_and_never_crashes_where_no_sum_is_known(
    two: Home, place: float, bit: int
) -> None:
    folder = two.snapshots / "s00000002"
    path = folder / "manifest.json"
    with _changed(path, _flipped(int(place * path.stat().st_size), bit)):
        assert all(isinstance(problem, str) for problem in verify(folder))


def test_one_flipped_bit_in_current_is_refused_or_means_the_same(two: Home) -> None:
    current = two.current.read_bytes()
    n_refused = n_empty = 0
    for offset in range(len(current)):
        for bit in range(8):
            with _changed(two.current, _flipped(offset, bit)):
                try:
                    assert _live(two) == "s00000002"
                except SnapshotError as error:
                    n_refused += not isinstance(error, NoSnapshotError)
                    n_empty += isinstance(error, NoSnapshotError)
    assert n_empty == 0
    assert n_refused > 0.9 * 8 * len(current)


@pytest.mark.parametrize("file", EVERY_FILE)
@pytest.mark.parametrize("keep_share", [0.0, 0.5, 0.99])
def test_a_cut_file_is_refused(two: Home, file: str, keep_share: float) -> None:
    path = two.snapshots / "s00000002" / file
    with (
        _changed(path, lambda raw: raw[: int(keep_share * len(raw))]),
        pytest.raises(SnapshotError, match=r"were published|its sha256 differs"),
    ):
        load(two)


@pytest.mark.parametrize("file", EVERY_FILE)
def test_a_missing_file_is_refused(home: Home, file: str) -> None:
    folder = home.snapshots / _publish(home).name
    (folder / file).unlink()
    with pytest.raises(SnapshotError, match="No such file or directory"):
        load(home)


def test_a_missing_folder_is_refused_by_name(home: Home) -> None:
    shutil.rmtree(home.snapshots / _publish(home).name)
    with pytest.raises(SnapshotError, match=r"s00000001/manifest\.json: cannot be read .*; run: recommender rebuild"):
        load(home)


def test_another_format_is_refused_with_both_numbers(home: Home) -> None:
    path = home.snapshots / _publish(home).name / "manifest.json"
    raw = json.dumps(json.loads(path.read_bytes()) | {"format": FORMAT + 98}).encode()
    path.write_bytes(raw)
    home.current.write_text(
        json.dumps({"snapshot": "s00000001", "manifest_sha256": hashlib.sha256(raw).hexdigest()}), encoding="utf-8"
    )
    with pytest.raises(SnapshotError, match=f"has format {FORMAT + 98}, this program reads {FORMAT}; run"):
        load(home)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"s00000001",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        b'{"snapshot": 7, "manifest_sha256": "x"}',
        b'{"snapshot": "../../etc", "manifest_sha256": "x"}',
        b'{"snapshot": "s00000001/..", "manifest_sha256": "x"}',
        b'{"snapshot": "s00000001", "manifest_sha256": null}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_current_is_refused(home: Home, damage: bytes) -> None:
    _publish(home)
    home.current.write_bytes(damage)
    with pytest.raises(SnapshotError, match=r"CURRENT: is damaged .*; run: recommender rebuild"):
        load(home)
    assert _publish(home).name == "s00000002"
    assert _live(home) == "s00000002"


def test_files_of_two_snapshots_do_not_pass_for_one(home: Home) -> None:
    first = home.snapshots / _publish(home, seed=1).name
    second = home.snapshots / _publish(home, seed=2).name
    shutil.copyfile(first / "dense.faiss", second / "dense.faiss")
    with pytest.raises(SnapshotError, match=r"dense.faiss: was changed after it was published"):
        load(home)


@pytest.mark.parametrize("name", ["n_words", "signatures"])
def test_facts_of_other_rows_are_never_published(home: Home, name: str) -> None:
    _publish(home)
    short = dataclasses.replace(_facts(12), **{name: getattr(_facts(11), name)})
    with pytest.raises(SnapshotError, match=r"s00000002: its files do not belong together; run: recommender rebuild"):
        publish(home, dataclasses.replace(_contents(), facts=short), DESCRIBED, now=NOW)
    assert _live(home) == "s00000001"


def test_terms_of_other_rows_are_never_published(home: Home) -> None:
    _publish(home)
    short = dataclasses.replace(_contents(), lexical=_contents(11).lexical)
    with pytest.raises(SnapshotError, match="the lexical index does not belong to these rows; run: recommender rebuil"):
        publish(home, short, DESCRIBED, now=NOW)
    assert _live(home) == "s00000001"


def test_a_former_snapshot_is_found_and_loaded_by_its_name(two: Home) -> None:
    assert former(two, "s00000002") == "s00000001"
    assert former(two, "s00000001") is None
    assert (load(two, "s00000001").name, load(two).name) == ("s00000001", "s00000002")
    with pytest.raises(SnapshotError, match=r"s00000007/manifest\.json: cannot be read"):
        load(two, "s00000007")


def test_what_a_check_raises_stops_the_publication(home: Home) -> None:
    _publish(home)

    def refuse(candidate: Snapshot) -> None:
        assert candidate.name.endswith("s00000002")
        raise SnapshotError("the neighbours are wrong")

    with pytest.raises(SnapshotError, match="the neighbours are wrong"):
        _publish(home, seed=1, check=refuse)
    assert _live(home) == "s00000001"
    assert not (home.snapshots / "s00000002").exists()
    assert _publish(home, seed=1).name == "s00000002"


def test_three_snapshots_stay_and_older_ones_go(home: Home) -> None:
    for seed in range(5):
        _publish(home, seed=seed)
    assert sorted(path.name for path in home.snapshots.iterdir()) == ["s00000003", "s00000004", "s00000005"]
    _publish(home, keep=1)
    assert sorted(path.name for path in home.snapshots.iterdir()) == ["s00000005", "s00000006"]


def test_an_open_snapshot_answers_after_its_files_are_gone(home: Home) -> None:
    held = _publish(home)
    before = [(held.row(number), held.dense.vector(number).tolist()) for number in range(len(held))]
    for seed in range(1, 5):
        _publish(home, seed=seed)
    assert not (home.snapshots / held.name).exists()
    assert [(held.row(number), held.dense.vector(number).tolist()) for number in range(len(held))] == before


def test_a_folder_that_cannot_be_written_is_named_and_the_former_snapshot_stays(home: Home) -> None:
    home.path.mkdir()
    home.snapshots.write_text("a file where a folder is expected", encoding="utf-8")
    with pytest.raises(
        SnapshotError, match=r"home: the snapshot could not be written .*; recommender status says which one is live"
    ):
        _publish(home)


def _publish_failing(home: Home, step: Step) -> bool:
    """Publish with one call failing, and tell whether it went through all the same."""
    with failing(step):
        try:
            _publish(home, seed=step.at)
        except (Killed, SnapshotError):
            return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [Killed, partial(OSError, 28, "No space left on device")])
def test_a_crash_at_any_step_leaves_a_whole_snapshot_live_and_the_next_publication_works(
    home: Home, error: Callable[[], BaseException], after: bool
) -> None:
    failed: set[str] = set()
    live = _publish(home).name
    for at in range(1_000):
        step = Step(at, error, after)
        went_through = _publish_failing(home, step)
        # The new snapshot is live from the rename of CURRENT on, and not a step before.
        former, live = live, _live(home)
        assert (live > former) == step.switched, f"call {at}, {step.failed}"
        if step.failed is None:
            assert went_through
            break
        failed.add(step.failed)
        former, live = live, _publish(home, seed=99).name
        assert live == _live(home) > former
        assert not list(home.snapshots.glob(".tmp-*"))
        assert len(list(home.snapshots.iterdir())) <= 3
    assert failed == {"mkdir", "rename", "replace", "fsync", "open", "unlink", "rmdir"}
