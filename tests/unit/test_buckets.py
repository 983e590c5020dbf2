from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.web import buckets
from recommender.web.address import client
from recommender.web.buckets import Buckets


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_full_bucket_is_taken_at_once_and_then_one_at_a_time(clock: Clock) -> None:
    table = Buckets(clock=clock)
    assert [table.take("a", 3) for _ in range(3)] == [0, 0, 0]
    assert table.take("a", 3) == pytest.approx(20)
    clock.now += 19
    assert table.take("a", 3) == pytest.approx(1)
    clock.now += 1
    assert table.take("a", 3) == 0
    assert table.take("a", 3) == pytest.approx(20)


def test_who_is_refused_does_not_wait_longer_for_asking_again(clock: Clock) -> None:
    table = Buckets(clock=clock)
    assert [table.take("a", 1) for _ in range(50)] == pytest.approx([0, *(60,) * 49])
    clock.now += 60
    assert table.take("a", 1) == 0


def test_one_does_not_pay_for_another(clock: Clock) -> None:
    table = Buckets(clock=clock)
    assert [table.take(who, 1) for who in ("a", "b", "ключ", "\ud800")] == [0, 0, 0, 0]
    assert all(table.take(who, 1) > 0 for who in ("a", "b", "ключ", "\ud800"))


@given(st.integers(1, 50), st.lists(st.floats(0, 30), max_size=120))
def test_never_more_than_two_buckets_are_taken_within_a_minute(per_minute: int, pauses: list[float]) -> None:
    clock = Clock()
    table = Buckets(clock=clock)
    taken: list[float] = []
    for pause in pauses:
        clock.now += pause
        if not table.take("a", per_minute):
            taken.append(clock.now)
    for at, first in enumerate(taken):
        assert sum(1 for later in taken[at:] if later < first + 60) <= 2 * per_minute


def test_those_who_share_a_file_count_together(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "limits"
    buckets.make(file)
    one, other = Buckets(file, clock=clock), Buckets(file, clock=clock)
    assert [one.take("a", 2), other.take("a", 2)] == [0, 0]
    assert one.take("a", 2) > 0
    assert other.take("a", 2) > 0


def test_a_crowd_does_not_make_the_table_grow_and_nobody_is_refused_for_it(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "limits"
    buckets.make(file)
    size = file.stat().st_size
    table = Buckets(file, clock=clock)
    for _ in range(600):
        table.take("greedy", 600)
    assert all(table.take(str(number), 600) == 0 for number in range(100_000))
    assert file.stat().st_size == size
    assert table.take("greedy", 600) > 0, "whoever owes most is remembered longest"


def test_the_file_holds_no_names(tmp_path: Path) -> None:
    file = tmp_path / "limits"
    buckets.make(file)
    Buckets(file).take("203.0.113.77", 5)
    assert b"203.0.113.77" not in file.read_bytes()


def _from(connected: str, told: str | None = None, *, proxies: int = 0) -> str:
    environ = {"REMOTE_ADDR": connected} | ({} if told is None else {"HTTP_X_FORWARDED_FOR": told})
    return client(environ, proxies)


def test_no_header_is_believed_where_no_proxy_is_trusted() -> None:
    assert _from("192.0.2.1", "203.0.113.9") == "192.0.2.1"


@pytest.mark.parametrize(
    ("told", "proxies", "address"),
    [
        ("203.0.113.9", 1, "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", 1, "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9, 10.0.0.2", 2, "203.0.113.9"),
        ("6.6.6.6,6.6.6.6,203.0.113.9 ,10.0.0.2", 2, "203.0.113.9"),
        ("203.0.113.9:4711", 1, "203.0.113.9"),
        ("[2001:db8:1:2:3::4]:443", 1, "2001:db8:1:2::/64"),
        ("203.0.113.9", 2, "10.0.0.1"),  # fewer than there are proxies: nobody of ours has written it
        ("unknown", 1, "10.0.0.1"),
        ("", 1, "10.0.0.1"),
        (None, 1, "10.0.0.1"),
        ("6.6.6.6, " + "x" * 100_000, 1, "10.0.0.1"),
    ],
)
def test_only_what_our_own_proxies_wrote_is_believed(told: str | None, proxies: int, address: str) -> None:
    assert _from("10.0.0.1", told, proxies=proxies) == address


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::2%eth1"),
    ],
)
def test_addresses_of_one_household_are_one(one: str, other: str) -> None:
    assert _from(one) == _from(other)


def test_addresses_of_two_are_two() -> None:
    assert len({_from(one) for one in ("2001:db8:1:2::1", "2001:db8:1:3::1", "192.0.2.1", "192.0.2.2")}) == 4


@given(st.text(max_size=80), st.text(max_size=200), st.integers(0, 3))
def test_whatever_stands_there_is_some_address(connected: str, told: str, proxies: int) -> None:
    assert isinstance(_from(connected, told, proxies=proxies), str)
