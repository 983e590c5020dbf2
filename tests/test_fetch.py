"""Fetching: what may be asked, what is taken, how politely; against a site of our own and a resolver of our own."""

from __future__ import annotations

import gzip
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from random import Random
from typing import Any

import brotli
import pytest
from website import Page, Website, website

from recommender.errors import FetchError, FetchRefusedError
from recommender.fetch import Fetcher, back_off_seconds, parse_rules, shown_url, target
from recommender.fetch.address import refusal_of
from recommender.settings import FetchSettings

BOUNDS: dict[str, Any] = {"delay_seconds": 0, "allow_private": True}


@pytest.fixture
def site() -> Iterator[Website]:
    with website() as made:
        yield made


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    with Fetcher(FetchSettings(**BOUNDS)) as made:
        yield made


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *(
            "255.255.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "240.0.0.1",
            "192.88.99.1",
            "::",
            "::1",
            "fe80::1%eth0",
            "fc00::1",
        ),
        *(
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "fec0::1",
        ),
        *("2001:db8::1", "2001::1", "3fff::1", "::7f00:1", "not an address", ""),
    ],
)
def test_what_is_not_open_to_everybody_is_not_asked(address: str) -> None:
    assert refusal_of(address, allow_private=False)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"]
)
def test_what_is_open_to_everybody_is_asked(address: str) -> None:
    assert refusal_of(address, allow_private=False) is None


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "::", "::ffff:169.254.169.254"]
)
def test_the_cloud_s_own_addresses_stay_closed_to_whoever_opens_the_house(address: str) -> None:
    assert refusal_of(address, allow_private=True)
    assert refusal_of("::ffff:127.0.0.1", allow_private=True) is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", "no http"),
        ("ftp://example.org/", "no http"),
        ("gopher://example.org/", "no http"),
        ("javascript:alert(1)", "no http"),
        ("//example.org/", "no http"),
        ("http://", "names no machine"),
        ("http:///path", "names no machine"),
        ("http://exa mple.org/", "names no machine"),
        ("http://example..org/", "names no machine"),
        ("http://[::1", "no address"),
        ("http://example.org:99999/", "no address"),
        ("http://example.org:x/", "no address"),
        ("http://example.org:22/", "port 22 is not among"),
        ("http://example.org:0/", "port 0"),
        ("http://editor:secret@example.org/", "user or password"),
        ("http://" + "a" * 5000, "at most 4,096"),
    ],
)
def test_an_address_that_is_none_is_refused_and_no_password_is_repeated(url: str, why: str) -> None:
    with pytest.raises(FetchRefusedError, match=why) as caught:
        target(url, ports=(80, 443))
    assert "secret" not in str(caught.value)


def test_an_address_is_written_as_a_request_can_hold_it() -> None:
    found = target("HTTP://Президент.РФ:80/новини/a b?q=ї&x=%20#там\r\nX: y")
    assert found.host == "xn--d1abbgf6aiiy.xn--p1ai"
    assert found.path.isascii()
    assert not set(found.path) & set(" \r\n#")
    assert shown_url("http://a:b@c.example/x\r\ny") == "http://…@c.example/xy"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_our_own_machine_is_not_asked_however_it_is_spelled(site: Website, host: str) -> None:
    port = int(site.url.rpartition(":")[2])
    with Fetcher(FetchSettings(delay_seconds=0, ports=(port,), robots=False)) as fetcher, pytest.raises(FetchError):
        fetcher.get(f"http://{host}:{port}/")
    assert site.asked == []


def test_a_redirect_into_the_house_is_refused_before_anything_is_asked_there(site: Website) -> None:
    """The first host counts as a public one; what it sends on to is not."""
    with website() as inside:
        port = int(site.url.rpartition(":")[2])
        inner = inside.put("/secret", "keys")
        site.put("/", "", status=302, headers={"Location": inner.replace("127.0.0.1", "inside.example")})
        looked: list[str] = []

        def resolver(host: str, port: int) -> Sequence[str]:
            looked.append(host)
            return ["10.0.0.7"] if host == "inside.example" else ["93.184.216.34"]

        ports = (port, int(inside.url.rpartition(":")[2]))
        with (
            _public(site, resolver, ports) as fetcher,
            pytest.raises(FetchRefusedError, match=r"10\.0\.0\.7 is inside"),
        ):
            fetcher.get(f"http://public.example:{port}/")
        assert looked == ["public.example", "inside.example"]
        assert inside.asked == []


def test_a_name_that_means_another_machine_a_moment_later_gains_nothing(site: Website) -> None:
    """DNS rebinding: the name is resolved once a connection, and the very address that was checked is dialled."""
    port = int(site.url.rpartition(":")[2])
    site.pages["/"] = _closing("public")
    answers = iter([["93.184.216.34"], ["127.0.0.1"], ["93.184.216.34", "127.0.0.1"]])
    with _public(site, lambda host, port: next(answers), (port,)) as fetcher:
        assert fetcher.get(f"http://rebind.example:{port}/").body == b"public"
        with pytest.raises(FetchRefusedError, match=r"rebind\.example: 127\.0\.0\.1 is inside the house"):
            fetcher.get(f"http://rebind.example:{port}/")
        assert fetcher.get(f"http://rebind.example:{port}/").body == b"public"


def _public(site: Website, resolver: Any, ports: tuple[int, ...]) -> Any:
    """Return a fetcher for which 93.184.216.34 is our site, and which may dial nothing else."""
    import socket
    from unittest import mock

    real = socket.create_connection
    own = int(site.url.rpartition(":")[2])

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        assert address == ("93.184.216.34", own), f"{address} was dialled"
        return real(("127.0.0.1", own), timeout=timeout)

    class Patched:
        def __enter__(self) -> Fetcher:
            self._patch = mock.patch("recommender.fetch.connection.socket.create_connection", connect)
            self._patch.start()
            self._fetcher = Fetcher(FetchSettings(delay_seconds=0, ports=ports, robots=False), resolver=resolver)
            return self._fetcher

        def __exit__(self, *_: object) -> None:
            self._fetcher.close()
            self._patch.stop()

    return Patched()


def _closing(body: str) -> Any:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.wfile.write(
            f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )

    return answer


def test_redirects_are_followed_to_a_bound_and_never_in_a_circle(site: Website, fetcher: Fetcher) -> None:
    for number in range(9):
        site.put(f"/{number}", "", status=301, headers={"Location": f"/{number + 1}"})
    site.put("/9", "here")
    site.put("/round", "", status=302, headers={"Location": "/about"})
    site.put("/about", "", status=307, headers={"Location": "round#top"})
    assert fetcher.get(f"{site.url}/5").url == f"{site.url}/9"
    with pytest.raises(FetchRefusedError, match="over 5 times"):
        fetcher.get(f"{site.url}/0")
    with pytest.raises(FetchRefusedError, match="in a circle"):
        fetcher.get(f"{site.url}/round")


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "http://[", "http://a:b@127.0.0.1/", "http://169.254.169.254/latest"]
)
def test_a_redirect_to_what_may_not_be_asked_is_refused(site: Website, fetcher: Fetcher, location: str) -> None:
    site.put("/", "", status=302, headers={"Location": location})
    with pytest.raises(FetchRefusedError):
        fetcher.get(f"{site.url}/")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, gzip"])
def test_what_is_compressed_is_taken_within_bounds_and_a_bomb_is_not(site: Website, coding: str) -> None:
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}
    packed, bomb = b"a story", bytes(20_000_000)
    for each in coding.split(", "):
        packed, bomb = pack[each](packed), pack[each](bomb)
    site.put("/story", packed, headers={"Content-Encoding": coding})
    site.put("/bomb", bomb, headers={"Content-Encoding": coding})
    with Fetcher(FetchSettings(**BOUNDS, max_bytes=1_000_000)) as fetcher:
        assert fetcher.get(f"{site.url}/story").body == b"a story"
        tracemalloc.start()
        with pytest.raises(FetchRefusedError, match="over 1,000,000 bytes"):
            fetcher.get(f"{site.url}/bomb")
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
        tracemalloc.stop()


def test_what_never_ends_is_left_at_the_bound(site: Website) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while True:
            handler.wfile.write(bytes(64 * 2**10))

    site.pages["/"] = endless
    with Fetcher(FetchSettings(**BOUNDS)) as fetcher, pytest.raises(FetchRefusedError, match="over 2,000,000 bytes"):
        fetcher.get(f"{site.url}/")


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b""]
)
def test_whoever_sends_a_byte_now_and_then_is_left_when_the_time_is_over(site: Website, head: bytes) -> None:
    stop = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(head)
        while not stop.wait(0.05):
            handler.wfile.write(b"x")

    site.pages["/"] = slow
    try:
        with (
            Fetcher(FetchSettings(**BOUNDS, total_seconds=0.5, read_seconds=0.4)) as fetcher,
            pytest.raises(FetchError, match=r"took over 0\.5 s"),
        ):
            fetcher.get(f"{site.url}/")
    finally:
        stop.set()


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", b"\x00" * 70_000]
)
def test_an_answer_that_is_none_is_an_error_that_may_pass(site: Website, fetcher: Fetcher, answer: bytes) -> None:
    def broken(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.wfile.write(answer)

    site.pages["/"] = broken
    with pytest.raises(FetchError) as caught:
        fetcher.get(f"{site.url}/")
    assert not isinstance(caught.value, FetchRefusedError)
    assert site.url in str(caught.value)


def test_a_page_that_is_still_the_same_is_not_sent_again(site: Website, fetcher: Fetcher) -> None:
    url = site.put("/", "a story", etag='"1"')
    first = fetcher.get(url)
    assert (first.status, first.body, first.etag) == (200, b"a story", '"1"')
    assert (first.media_type, first.charset) == ("text/html", "utf-8")
    again = fetcher.get(url, etag=first.etag, last_modified=first.last_modified)
    assert (again.status, again.body) == (304, b"")


def test_a_site_is_told_who_asks(site: Website) -> None:
    site.put("/", "a story")
    with Fetcher(FetchSettings(**BOUNDS, contact="desk@example.org")) as fetcher:
        fetcher.get(f"{site.url}/")
    assert {headers["user-agent"] for _, headers in site.asked} == {"newsroom-recommender (+desk@example.org)"}
    assert not {"cookie", "authorization", "referer"} & set(site.asked[-1][1])


def test_robots_txt_is_asked_once_and_obeyed_also_after_a_redirect(site: Website, fetcher: Fetcher) -> None:
    site.put("/robots.txt", "User-agent: *\nDisallow: /private/\n\nUser-agent: other\nDisallow: /\n", "text/plain")
    site.put("/story", "a story")
    site.put("/onward", "", status=302, headers={"Location": "/private/story"})
    site.put("/private/story", "secret")
    assert fetcher.get(f"{site.url}/story").body == b"a story"
    for path in ("/private/story", "/onward"):
        with pytest.raises(FetchRefusedError, match=r"robots\.txt keeps it"):
            fetcher.get(site.url + path)
    assert [path for path, _ in site.asked] == ["/robots.txt", "/story", "/onward"]


@pytest.mark.parametrize(
    ("status", "allowed"), [(404, True), (403, True), (410, True), (500, False), (503, False), (429, False)]
)
def test_a_site_without_robots_txt_is_open_and_one_that_cannot_tell_is_closed(
    site: Website, status: int, allowed: bool
) -> None:
    site.put("/robots.txt", "", status=status, headers={"Retry-After": "0"})
    site.put("/story", "a story")
    with Fetcher(FetchSettings(**BOUNDS), stop=_Hasty()) as fetcher:
        if allowed:
            assert fetcher.get(f"{site.url}/story").body == b"a story"
            return
        for _ in range(2):
            with pytest.raises(FetchError, match=rf"robots\.txt answers {status}") as caught:
                fetcher.get(f"{site.url}/story")
            assert not isinstance(caught.value, FetchRefusedError)
    assert [path for path, _ in site.asked] == ["/robots.txt"]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe\x00",
        b"User-agent: *\nDisallow: /" + b"*a" * 5000,
        b"\n" * 100_000,
        b"Crawl-delay: nan\nUser-agent",
    ],
)
def test_whatever_robots_txt_holds_it_is_read(text: bytes) -> None:
    rules = parse_rules(text, "newsroom-recommender")
    assert rules.allow("https://example.org/story")
    assert rules.delay_seconds == 0
    assert rules.sitemaps == []


class _Hasty(threading.Event):
    """Time that passes as soon as somebody waits; notes how long they would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []
        self.now = 1000.0

    def wait(self, timeout: float | None = None) -> bool:
        if timeout:
            self.waits.append(timeout)
            self.now += timeout
        return self.is_set()


def _polite(site: Website, **bounds: Any) -> tuple[Fetcher, _Hasty]:
    hasty = _Hasty()
    settings = FetchSettings(allow_private=True, **bounds)
    return Fetcher(settings, stop=hasty, clock=lambda: hasty.now, chance=Random(1)), hasty


def test_a_host_gets_its_pauses_the_longer_one_of_ours_and_its_own(site: Website) -> None:
    site.put("/story", "a story")
    fetcher, hasty = _polite(site, delay_seconds=2)
    for _ in range(3):
        fetcher.get(f"{site.url}/story")
    assert hasty.waits == [2, 2, 2]  # robots.txt is a request like others
    site.put("/robots.txt", "User-agent: newsroom-recommender\nCrawl-delay: 7\n", "text/plain")
    fetcher.close()
    fetcher, hasty = _polite(site, delay_seconds=2)
    for _ in range(3):
        fetcher.get(f"{site.url}/story")
    assert hasty.waits == [2, 7, 7]
    fetcher.close()


def test_retry_after_is_heeded_and_a_long_one_is_not_waited_for(site: Website) -> None:
    site.put("/busy", "", status=503, headers={"Retry-After": "120"})
    site.put("/closed", "", status=429, headers={"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"})
    site.put("/odd", "", status=503, headers={"Retry-After": "soon; \x80"})
    fetcher, hasty = _polite(site, delay_seconds=0, robots=False)
    assert fetcher.get(f"{site.url}/busy").status == 503
    fetcher.get(f"{site.url}/odd")
    assert 120 <= hasty.waits[-1] <= 132
    fetcher.get(f"{site.url}/closed")
    with pytest.raises(FetchError, match="asks to be left alone for another"):
        fetcher.get(f"{site.url}/busy")
    fetcher.close()


def test_back_off_doubles_to_an_hour_and_is_never_the_same() -> None:
    chance = Random(3)
    waits = [back_off_seconds(n, chance) for n in range(40)]
    assert waits[0] == 0
    assert all(2.0**n / 2 <= waits[n] <= 2.0**n for n in range(1, 11))
    assert all(1800 <= wait <= 3600 for wait in waits[13:])
    assert len(set(waits)) == len(waits)


def test_an_end_is_heeded_at_once_also_by_whoever_waits_at_a_silent_host(site: Website) -> None:
    asked, stop = threading.Event(), threading.Event()

    def silent(handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        stop.wait(30)

    site.pages["/"] = silent
    fetcher = Fetcher(FetchSettings(**BOUNDS, robots=False), stop=stop)
    failures: list[FetchError] = []

    def fetch() -> None:
        try:
            fetcher.get(f"{site.url}/")
        except FetchError as error:
            failures.append(error)

    thread = threading.Thread(target=fetch)
    thread.start()
    assert asked.wait(10)
    fetcher.close()
    thread.join(10)
    stop.set()
    assert not thread.is_alive()
    assert failures


def test_two_threads_ask_one_host_one_after_the_other(site: Website) -> None:
    inside: list[int] = []
    most: list[int] = []

    def count(handler: BaseHTTPRequestHandler) -> None:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.02)
        inside.pop()
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    site.pages["/"] = count
    with Fetcher(FetchSettings(**BOUNDS, robots=False)) as fetcher:
        threads = [threading.Thread(target=fetcher.get, args=(f"{site.url}/",)) for _ in range(6)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(20)
    assert most == [1] * 6


def test_nothing_of_the_web_room_can_fetch() -> None:
    """Fetching is the operator's act: no import leads from what answers strangers to what asks them."""
    import subprocess
    import sys

    program = "import sys, recommender.web.server, recommender.web.writing; print([n for n in sys.modules if 'recommender.fetch' in n or 'recommender.gather' in n or n == 'urllib3'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_page_of_the_test_site_is_what_it_says(site: Website) -> None:
    site.pages["/x"] = Page(b"1", "text/plain", headers={"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"})
    with Fetcher(FetchSettings(**BOUNDS)) as fetcher:
        assert fetcher.get(f"{site.url}/x").last_modified == "Thu, 01 Jan 2026 00:00:00 GMT"
