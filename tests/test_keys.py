"""Keys for writing over HTTP: made, kept as sums, checked, changed and taken back."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
import test_cli
from hypothesis import given
from hypothesis import strategies as st
from test_cli import Command

from recommender import keys
from recommender.errors import InputError, KeysError
from recommender.home import Home
from recommender.keys import Keys, add_key, read_keys, remove_keys

command, ready, source = test_cli.command, test_cli.ready, test_cli.source
NOW = datetime(2025, 4, 1, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def test_a_key_opens_its_scope_and_no_other(path: Path) -> None:
    write, desk = add_key(path, "cms", "write", now=NOW), add_key(path, "desk-tool", "desk", now=NOW)
    held = Keys(path)
    assert held.check(write, "write") == "cms"
    assert held.check(desk, "desk") == "desk-tool"
    assert held.check(write, "desk") is None
    assert held.check(desk, "write") is None
    assert held.check(write, "any") is None


def test_the_file_holds_a_sum_and_never_the_key_and_its_owner_alone_may_read_it(path: Path) -> None:
    former = os.umask(0)
    try:
        made = add_key(path, "cms", "write", now=NOW)
    finally:
        os.umask(former)
    assert len(made) == len("nrk_") + 43  # 32 bytes
    raw = path.read_text()
    assert made not in raw
    assert made.removeprefix("nrk_") not in raw
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (kept,) = read_keys(path)
    assert kept == keys.Key("cms", "write", hashlib.sha256(made.encode()).hexdigest(), "2025-04-01T12:00:00+00:00")
    assert [each.name for each in path.parent.iterdir()] == ["keys.json"]


def test_a_left_over_that_others_may_read_does_not_become_the_file(path: Path) -> None:
    (path.parent / ".keys.json.tmp").write_text("left over")
    (path.parent / ".keys.json.tmp").chmod(0o666)
    add_key(path, "cms", "write", now=NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_keys_of_a_name_are_good_at_once_and_the_older_one_can_be_taken_back(path: Path) -> None:
    old, new = (add_key(path, "cms", "write", now=NOW) for _ in range(2))
    other = add_key(path, "desk", "desk", now=NOW)
    held = Keys(path)
    assert old != new
    assert held.check(old, "write") == held.check(new, "write") == "cms"
    with pytest.raises(InputError, match=r"^cms has 2 keys already; .* recommender keys remove cms --older$"):
        add_key(path, "cms", "write", now=NOW)

    assert remove_keys(path, "cms", older=True) == 1

    assert held.check(old, "write") is None
    assert held.check(new, "write") == "cms"
    with pytest.raises(InputError, match=r"^cms has one key alone; without --older it is removed$"):
        remove_keys(path, "cms", older=True)
    assert remove_keys(path, "cms") == 1
    assert held.check(new, "write") is None
    assert held.check(other, "desk") == "desk"
    with pytest.raises(InputError, match=r"^there is no key of 'cms'; there are keys of: desk$"):
        remove_keys(path, "cms")


def test_a_name_has_keys_of_one_scope(path: Path) -> None:
    add_key(path, "cms", "write", now=NOW)
    with pytest.raises(InputError, match=r"^cms has a key of scope write; take another name for scope desk$"):
        add_key(path, "cms", "desk", now=NOW)


@pytest.mark.parametrize("name", ["", " ", "a b", "../x", "-x", "ü", "x" * 65, "a\n", "nul\x00"])
def test_a_name_is_one_plain_word(path: Path, name: str) -> None:
    with pytest.raises(InputError, match="is no name for a key"):
        add_key(path, name, "write", now=NOW)
    assert not path.exists()


def test_a_scope_is_one_of_two(path: Path) -> None:
    with pytest.raises(InputError, match=r"^'read' is no scope; scopes are write, desk$"):
        add_key(path, "cms", "read", now=NOW)


@given(presented=st.text())
def test_nothing_else_is_a_key(presented: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("keys") / "keys.json"
    made = add_key(place, "cms", "write", now=NOW)
    held = Keys(place)
    (kept,) = read_keys(place)
    for each in (presented, made[:-1], f"{made} ", made.lower(), kept.sha256, "\udcff"):
        assert held.check(each, "write") is None


def test_every_key_is_compared_whichever_it_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [add_key(path, f"name-{number}", "write", now=NOW) for number in range(3)]
    compared: list[tuple[str, str]] = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return one == other

    held = Keys(path)
    monkeypatch.setattr("hmac.compare_digest", compare)
    for presented in (*made, "none of them"):
        compared.clear()
        held.check(presented, "write")
        assert [one for one, _ in compared] == [key.sha256 for key in read_keys(path)]


def test_the_file_is_read_again_when_it_has_changed_and_only_then(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    n_read = 0
    read = keys.read_keys

    def counting(path: Path) -> tuple[keys.Key, ...]:
        nonlocal n_read
        n_read += 1
        return read(path)

    monkeypatch.setattr(keys, "read_keys", counting)
    held = Keys(path)
    assert held.check("x", "write") is None
    made = add_key(path, "cms", "write", now=NOW)
    n_read = 0
    assert [held.check(made, "write") for _ in range(3)] == ["cms"] * 3
    assert n_read == 1
    path.unlink()
    assert held.check(made, "write") is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o755])
def test_a_file_that_others_may_read_opens_nothing_and_the_mend_is_named(path: Path, mode: int) -> None:
    made = add_key(path, "cms", "write", now=NOW)
    held = Keys(path)
    assert held.check(made, "write") == "cms"
    path.chmod(mode)
    for _ in range(2):
        with pytest.raises(
            KeysError, match=rf"keys\.json: others may read or write it \(mode {mode:o}\); run: chmod 600 "
        ):
            held.check(made, "write")
    path.chmod(0o600)
    assert held.check(made, "write") == "cms"


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b"\xff", b'{"format": 1, "keys": []}', b"[" * 100_000])
def test_a_damaged_file_opens_nothing_and_is_not_written_over(path: Path, damage: bytes) -> None:
    made = add_key(path, "cms", "write", now=NOW)
    path.write_bytes(damage)
    with pytest.raises(KeysError, match=r"keys\.json: is damaged \(.*\); remove it and add every key anew"):
        Keys(path).check(made, "write")
    with pytest.raises(KeysError, match="is damaged"):
        add_key(path, "other", "write", now=NOW)
    assert path.read_bytes() == damage


def test_a_sum_that_was_put_in_by_hand_is_found_out(path: Path) -> None:
    add_key(path, "cms", "write", now=NOW)
    fields = json.loads(path.read_bytes())
    fields["keys"][0]["sha256"] = hashlib.sha256(b"mine").hexdigest()
    path.write_text(json.dumps(fields))
    with pytest.raises(KeysError, match="its own sha256 differs"):
        Keys(path).check("mine", "write")


def test_a_full_disk_leaves_the_keys_as_they_were(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = add_key(path, "cms", "write", now=NOW)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeysError, match=r"could not be written \(No space left on device\); the keys are as they were"):
        add_key(path, "other", "write", now=NOW)
    assert Keys(path).check(made, "write") == "cms"


def test_the_commands_add_list_and_remove(command: Command, environment: Path) -> None:
    added = command("keys", "add", "cms", "--scope", "write")
    assert added.code == 0
    assert added.err == "this is the key of cms for scope write; keep it now, it is not shown again\n"
    second = command("keys", "add", "cms", "--scope", "write", "--json").data
    held = Keys(Home(environment).keys)
    assert held.check(added.out.strip(), "write") == held.check(second["key"], "write") == "cms"
    assert command("keys", "add", "cms", "--scope", "write").code == 1

    listed = command("keys", "list")
    assert [line.split()[:2] for line in listed.out.splitlines()] == [["cms", "write"]] * 2
    assert added.out.strip() not in listed.out
    assert [each["name"] for each in command("keys", "list", "--json").data] == ["cms", "cms"]
    assert command("keys", "remove", "cms", "--older").out == "1 removed\n"
    assert held.check(second["key"], "write") == "cms"
    assert command("keys", "remove", "cms", "--json").data == {"name": "cms", "removed": 1}
    assert command("keys", "list").err.startswith("there are no keys; run: recommender keys add")


@pytest.mark.parametrize("arguments", [["add", "cms"], ["add", "cms", "--scope", "read"], ["add"], ["drop"]])
def test_wrong_usage_is_told(command: Command, environment: Path, arguments: list[str]) -> None:
    assert command("keys", *arguments).code == 2
    assert not environment.exists()


def test_without_a_home_nothing_is_listed_or_removed_and_none_is_made(command: Command, environment: Path) -> None:
    assert command("keys", "list").code == 0
    done = command("keys", "remove", "cms")
    assert (done.code, done.err) == (1, "error: there is no key of 'cms'; there are keys of: none\n")
    assert not environment.exists()


def test_keys_are_changed_while_a_rebuild_runs_and_by_one_process_at_a_time(
    command: Command, environment: Path
) -> None:
    with Home(environment).writer("a test"):
        assert command("keys", "add", "cms", "--scope", "write").code == 0
    with Home(environment).keyholder():
        done = command("keys", "add", "other", "--scope", "write")
        assert (done.code, "a change of keys since" in done.err) == (1, True)


def test_a_backup_holds_no_keys_and_a_restore_leaves_them(ready: Command, environment: Path, tmp_path: Path) -> None:
    made = ready("keys", "add", "cms", "--scope", "write").out.strip()
    copy = ready("backup", tmp_path / "copy.tar", "--json").data
    assert "keys.json" not in copy["members"]
    assert ready("restore", tmp_path / "copy.tar", "--force").code == 0
    assert Keys(Home(environment).keys).check(made, "write") == "cms"
    shutil.rmtree(environment)
    assert ready("restore", tmp_path / "copy.tar").code == 0
    assert not Home(environment).keys.exists()
