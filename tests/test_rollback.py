"""What is live, what was live before, and what stays: a history that survives whatever is done next."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from faults import Killed, Step, failing
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsroom import NOW, publish, settings_for, store, stories
from test_snapshot import DESCRIBED, _contents, _finished, _neighbours

from recommender import snapshot
from recommender.errors import NoSnapshotError, SnapshotError
from recommender.home import Home
from recommender.settings import Settings
from recommender.snapshot import FORMAT, State, former, load, names, prune, published, read_current, roll_back
from recommender.snapshot.current import next_name
from recommender.web import create_app


@pytest.fixture(autouse=True, scope="module")
def _quick_disk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


def _publish(home: Home, n: int = 1, **more: Any) -> str:
    for number in range(n):
        kept = {"keep": 9, "neighbours": _neighbours, "lists": _finished}
        name = snapshot.publish(home, _contents(seed=number), DESCRIBED, now=NOW, **(kept | more)).name
    return name


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with three snapshots."""
    home = Home(tmp_path / "home")
    _publish(home, 3)
    return home


def _live(home: Home) -> str:
    return load(home).name


def _damage(home: Home, name: str) -> None:
    path = home.snapshots / name / "names.json"
    path.write_bytes(path.read_bytes()[:-1])


def test_going_back_makes_live_what_was_live_before_and_twice_goes_two_back(home: Home) -> None:
    assert (roll_back(home).name, _live(home)) == ("s00000002", "s00000002")
    assert (roll_back(home).name, _live(home)) == ("s00000001", "s00000001")
    with pytest.raises(
        SnapshotError, match=r"no snapshot that was live before s00000001 is left, .*; run: recommender"
    ):
        roll_back(home)
    assert _live(home) == "s00000001"


def test_the_next_publication_gets_a_number_of_its_own_and_going_back_undoes_it(home: Home) -> None:
    roll_back(home)
    assert _publish(home) == "s00000004"
    assert former(home, "s00000004") == "s00000002"  # what was live before, not the next lower number
    assert roll_back(home).name == "s00000002"
    assert former(home, "s00000002") == "s00000001"


def test_what_was_left_by_going_back_can_be_had_back_by_its_name(home: Home) -> None:
    roll_back(home)
    assert roll_back(home, "s00000003").name == _live(home) == "s00000003"
    assert roll_back(home).name == "s00000002"
    assert roll_back(home, "s00000002").name == "s00000002"  # it is live already
    assert former(home, "s00000002") == "s00000001"


def test_a_jump_back_by_name_ends_the_history_there(home: Home) -> None:
    roll_back(home, "s00000001")
    assert former(home, "s00000001") is None
    _publish(home)
    assert former(home, "s00000004") == "s00000001"


@pytest.mark.parametrize("name", ["s00000009", "../home", "", ".tmp-s00000001", "s00000001/../s00000002"])
def test_a_name_that_is_no_snapshot_is_refused_with_those_that_are(home: Home, name: str) -> None:
    with pytest.raises(SnapshotError, match=r"there is no snapshot .*; there are s00000003, s00000002, s00000001$"):
        roll_back(home, name)
    assert _live(home) == "s00000003"


def test_a_damaged_snapshot_is_not_gone_back_to_and_another_is_named(home: Home) -> None:
    _damage(home, "s00000002")
    with pytest.raises(
        SnapshotError,
        match=r"names.json: has .* bytes, .* or: recommender rollback --to s00000001. Nothing was changed$",
    ):
        roll_back(home)
    assert _live(home) == "s00000003"
    assert roll_back(home, "s00000001").name == "s00000001"


def test_a_manifest_that_was_replaced_with_a_consistent_one_is_found(home: Home) -> None:
    path = home.snapshots / "s00000002" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"created_at": "2001-01-01"}), encoding="utf-8")
    with pytest.raises(SnapshotError, match="is not the manifest that was published"):
        roll_back(home)


def test_another_format_is_not_gone_back_to(home: Home) -> None:
    path = home.snapshots / "s00000002" / "manifest.json"
    current = json.loads(home.current.read_bytes())
    home.current.write_text(json.dumps({name: current[name] for name in ("snapshot", "manifest_sha256")}))
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"format": FORMAT - 1}), encoding="utf-8")
    with pytest.raises(SnapshotError, match=f"has format {FORMAT - 1}, this program reads {FORMAT}; run: recommender"):
        roll_back(home)


def test_what_a_check_raises_stops_going_back(home: Home) -> None:
    def refuse(candidate: snapshot.Snapshot) -> None:
        raise SnapshotError(f"{candidate.name} speaks another language")

    with pytest.raises(
        SnapshotError, match="s00000002 speaks another language, or: recommender rollback --to s00000001"
    ):
        roll_back(home, check=refuse)
    assert _live(home) == "s00000003"


def test_nothing_published_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    for act in (roll_back, partial(prune, keep=1)):
        with pytest.raises(NoSnapshotError, match="no index has been published here"):
            act(Home(tmp_path / "none"))
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_current_is_mended_by_naming_what_shall_be_live(home: Home) -> None:
    home.current.write_bytes(b"{")
    for act in (roll_back, partial(prune, keep=1)):
        with pytest.raises(SnapshotError, match="CURRENT: is damaged"):
            act(home)
    assert names(home) == ["s00000003", "s00000002", "s00000001"]
    assert roll_back(home, "s00000002").name == _live(home) == "s00000002"
    assert former(home, "s00000002") == "s00000001"
    assert next_name(home) == "s00000004"


def test_a_current_from_before_there_was_a_history_is_read(home: Home) -> None:
    told = json.loads(home.current.read_bytes())
    home.current.write_text(json.dumps({name: told[name] for name in ("snapshot", "manifest_sha256")}))
    assert read_current(home).former == ("s00000002", "s00000001")
    assert _publish(home) == "s00000004"
    assert read_current(home).former == ("s00000003", "s00000002", "s00000001")


def test_a_snapshot_that_is_gone_is_passed_over(home: Home) -> None:
    shutil.rmtree(home.snapshots / "s00000002")
    assert former(home, "s00000003") == "s00000001"
    assert roll_back(home).name == "s00000001"


def test_the_live_snapshot_and_the_one_before_it_are_never_dropped(home: Home) -> None:
    _publish(home, 2)
    roll_back(home, "s00000002")
    assert [each.name for each in prune(home, 1)] == ["s00000005", "s00000004", "s00000003"]
    assert names(home) == ["s00000002", "s00000001"]
    assert prune(home, 1) == []
    assert roll_back(home).name == "s00000001"


def test_the_highest_numbers_fill_up_what_is_kept(home: Home) -> None:
    _publish(home, 2)
    roll_back(home, "s00000002")
    assert [each.name for each in prune(home, 3)] == ["s00000004", "s00000003"]
    assert names(home) == ["s00000005", "s00000002", "s00000001"]


def test_dropping_tells_the_bytes_of_every_file(home: Home) -> None:
    size = sum(path.stat().st_size for path in (home.snapshots / "s00000001").iterdir())
    assert prune(home, 2) == [snapshot.Dropped("s00000001", size)]


def test_no_number_is_given_twice_when_the_youngest_is_dropped(home: Home) -> None:
    roll_back(home, "s00000001")
    prune(home, 1)
    assert names(home) == ["s00000001"]
    assert _publish(home) == "s00000004"


def test_the_number_of_a_publication_that_was_killed_before_it_went_live_stays_taken(home: Home) -> None:
    (home.snapshots / "s00000007").mkdir()
    prune(home, 2)
    assert names(home) == ["s00000003", "s00000002"]
    assert _publish(home) == "s00000008"


def test_publishing_keeps_what_rollback_needs(home: Home) -> None:
    roll_back(home, "s00000001")
    _publish(home, keep=3)
    assert names(home) == ["s00000004", "s00000003", "s00000001"]


@examples(deadline=None, max_examples=60)
@given(acts=st.lists(st.sampled_from(["publish", "back", "prune 1", "prune 3", "oldest", "youngest"]), max_size=12))
def test_the_history_is_a_stack_whatever_is_done(tmp_path_factory: pytest.TempPathFactory, acts: list[str]) -> None:
    """An oracle: a stack of names, and the set of those that are there. Snapshots are empty folders here."""
    home = Home(tmp_path_factory.mktemp("stack") / "home")
    home.snapshots.mkdir(parents=True)
    stack: list[str] = []
    there: set[str] = set()
    given_names: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot.back, "load", lambda home, name: name)
        patch.setattr(snapshot.back, "sha256", lambda path: "0" * 64)
        for act in ["publish", *acts]:
            if act == "publish":
                name = next_name(home)
                (home.snapshots / name).mkdir()
                snapshot.current.write_current(home, snapshot.current.taking_over(home, name, "0" * 64))
                given_names.append(name)
                there.add(name)
                stack.append(name)
            elif act.startswith("prune"):
                dropped = {each.name for each in prune(home, int(act[-1]))}
                assert not dropped & set(stack[-2:])
                there -= dropped
                stack = [name for name in stack if name in there]
                assert len(there) <= max(int(act[-1]), 2)
            elif act == "back" and len(stack) < 2:
                with pytest.raises(SnapshotError, match="nothing to go back to"):
                    roll_back(home)
            elif act == "back":
                stack.pop()
                roll_back(home)
            else:
                name = min(there) if act == "oldest" else max(there)
                stack = stack[: stack.index(name)] if name in stack else stack
                stack.append(name)
                roll_back(home, name)
            assert read_current(home).name == stack[-1]
            assert former(home, stack[-1]) == (stack[-2] if len(stack) > 1 else None)
            assert set(names(home)) == there
    assert given_names == sorted(set(given_names))


def test_the_list_tells_of_every_snapshot_what_its_manifest_says(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "home")
    store(settings, stories())
    for _ in range(3):
        publish(settings)
    home = Home(settings.home)
    _damage(home, "s00000002")
    (home.snapshots / "s00000001" / "manifest.json").write_text("[]", encoding="utf-8")
    (home.snapshots / "s00000009").mkdir()
    last, live, second, first = published(home)
    assert (live.name, live.live, live.former, live.state, live.problem) == (
        "s00000003",
        True,
        False,
        State.WHOLE,
        None,
    )
    assert (live.published_at, live.articles, live.stubs) == ("2025-04-01T12:00:00+00:00", 7, 1)
    assert (live.encoder, live.score) == ("hashing@1", None)
    assert live.bytes == sum(path.stat().st_size for path in (home.snapshots / "s00000003").iterdir())
    assert (second.name, second.former, second.state, second.articles) == ("s00000002", True, State.DAMAGED, 7)
    assert "names.json: has " in str(second.problem)
    assert (first.state, first.published_at, first.encoder) == (State.DAMAGED, None, None)
    assert (last.name, last.state, last.bytes) == ("s00000009", State.DAMAGED, 0)


def test_a_snapshot_of_another_format_is_listed_as_such(home: Home) -> None:
    path = home.snapshots / "s00000001" / "manifest.json"
    told = json.loads(home.current.read_bytes())
    home.current.write_text(json.dumps({name: told[name] for name in ("snapshot", "manifest_sha256")}))
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"format": 1}), encoding="utf-8")
    listed = published(home)[-1]
    assert (listed.name, listed.state) == ("s00000001", State.OTHER_FORMAT)
    assert str(listed.problem).endswith(f"has format 1, this program reads {FORMAT}")


def _while_reading(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something once when a reader has looked at CURRENT and not yet at the files that it names."""
    verify, acts = snapshot.live.verify, [act]

    def slow(folder: Path, manifest_sha256: str | None = None) -> list[str]:
        if acts:
            acts.pop()()
        return verify(folder, manifest_sha256)

    monkeypatch.setattr(snapshot.live, "verify", slow)


def test_a_reader_whose_snapshot_is_dropped_takes_the_one_that_is_live_by_now(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace_and_drop() -> None:
        _publish(home, 2)
        prune(home, 1)

    _while_reading(monkeypatch, replace_and_drop)
    assert load(home).name == "s00000005"
    assert names(home) == ["s00000005", "s00000004"]


@pytest.mark.parametrize("file", [*snapshot.FILES, "manifest.json"])
def test_a_snapshot_that_goes_between_any_two_files_is_given_up_for_the_next(
    home: Home, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    def go_half() -> None:
        _publish(home)
        (home.snapshots / "s00000003" / file).unlink()

    _while_reading(monkeypatch, go_half)
    assert load(home).name == "s00000004"


def test_a_snapshot_that_is_damaged_and_still_live_is_refused_at_once(home: Home) -> None:
    _damage(home, "s00000003")
    with pytest.raises(SnapshotError, match="were published; run: recommender rebuild"):
        load(home)


def test_the_service_keeps_what_it_has_when_a_new_snapshot_goes_under_its_feet_and_looks_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(settings, stories())
    publish(settings)
    home, client = Home(settings.home), create_app(settings).test_client()
    assert client.get("/readyz").json == {"status": "ready", "snapshot": "s00000001"}
    publish(settings)
    whole = home.snapshots / "s00000002"
    with monkeypatch.context() as patch:
        _while_reading(patch, lambda: whole.rename(home.snapshots / "away"))
        answer = client.get("/readyz")
        assert (answer.status_code, answer.get_json()["snapshot"]) == (200, "s00000001")
    (home.snapshots / "away").rename(whole)
    publish(settings)
    assert client.get("/readyz").json == {"status": "ready", "snapshot": "s00000003"}


def test_the_service_takes_a_snapshot_that_was_gone_back_to(settings: Settings) -> None:
    store(settings, stories())
    publish(settings)
    publish(settings)
    client = create_app(settings).test_client()
    assert client.get("/readyz").json == {"status": "ready", "snapshot": "s00000002"}
    roll_back(Home(settings.home))
    assert client.get("/readyz").json == {"status": "ready", "snapshot": "s00000001"}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [Killed, partial(OSError, 28, "No space left on device")])
@pytest.mark.parametrize("act", [roll_back, partial(prune, keep=2)])
def test_a_crash_at_any_step_of_going_back_or_dropping_leaves_a_working_home(
    home: Home, act: Callable[[Home], Any], error: Callable[[], BaseException], after: bool, tmp_path: Path
) -> None:
    _publish(home, 2)
    failed: set[str] = set()
    for at in range(1_000):
        again = Home(tmp_path / f"copy-{at}")
        shutil.copytree(home.path, again.path)
        step = Step(at, error, after)
        with failing(step), contextlib.suppress(Killed, SnapshotError):
            act(again)
        live = _live(again)
        assert live == ("s00000004" if act is roll_back and step.switched else "s00000005"), f"call {at}, {step.failed}"
        assert all(each.state is State.WHOLE for each in published(again) if each.live or each.former)
        assert former(again, live) is not None
        if step.failed is None:
            break
        failed.add(step.failed)
        assert _publish(again) == "s00000006"
        assert not list(again.snapshots.glob(".tmp-*"))
        assert roll_back(again).name == live
    assert (
        failed == {"open", "fsync", "replace"} if act is roll_back else {"open", "fsync", "rename", "unlink", "rmdir"}
    )
