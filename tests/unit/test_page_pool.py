"""Pages that keep a parser busy, fill memory or break it cost themselves alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import RecordError
from recommender.readers import article_from_page, body_from_html, find, read_pages
from recommender.readers.page import guard, in_parallel, pool

PAGE = b"<html><head><title>A ferry</title><meta property='og:type' content='article'></head><body><h1>A ferry</h1><p>It left.</p></body></html>"


@pytest.fixture
def one() -> Iterator[pool.Pool]:
    made = pool.Pool(1)
    yield made
    made.end()


def _ask(of: pool.Pool, raw: bytes = PAGE) -> str:
    return str(of.ask({"kind": "page", "url": None, "charset": None}, raw)["record"]["title"])


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<p " + " ".join(f"a{number}" for number in range(40_000)) + ">x", "over 1,000 attributes"),
        ("<p " + " ".join(f"a{number}='>'" for number in range(40_000)) + ">x", "over 1,000 attributes"),
        ('<p x="<" ' + " ".join(f"a{number}=1" for number in range(40_000)) + ">x", "over 1,000 attributes"),
        ("<div>" * 400 + "x", "over 250 deep"),
        ("x" * 2_200_000, "2,200,000 bytes"),
    ],
    ids=["attributes", "quoted", "quoted tag", "nested", "large"],
)
def test_what_is_made_to_keep_a_parser_busy_is_refused_before_it_does(html: str, reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        body_from_html(html)
    with pytest.raises(RecordError, match=reason):
        article_from_page(f"<title>A</title>{html}".encode()) if "bytes" not in reason else article_from_page(
            html.encode()
        )


@given(
    st.lists(
        st.sampled_from(["<p", "<A ", ">", '"', "'", "=", '="', "='", " a", " b ", "/", "<!--", "-->", "<script", "</script>", "\n", "<", "é"])
    ).map("".join)
)  # fmt: skip
def test_no_page_with_a_tag_of_many_attributes_passes_the_quick_look(html: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guard, "MAX_ATTRIBUTES", 2)
        tree = lxml.html.document_fromstring(f"<i>{html}</i>")
        if any(len(each.attrib) > 2 for each in tree.iter() if isinstance(each.tag, str)):
            assert guard.has_long_tag(html)
        try:
            guard.check_markup(html)
        except RecordError:
            assert guard.has_long_tag(html)


def test_a_page_that_takes_too_much_of_a_processor_is_given_up_and_the_next_one_is_read(
    one: pool.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_START", "import recommender.readers.page.child as child; child.CPU_SECONDS = 0.2\n"
                        "child.record_from_page = lambda raw, url, charset: [None for _ in iter(int, 1)]\n" + pool._START)  # fmt: skip
    with pytest.raises(RecordError, match="took over 2 seconds of a processor to read, and was given up"):
        _ask(one)
    monkeypatch.undo()

    assert _ask(one) == "A ferry"


def test_a_page_that_takes_too_long_is_given_up_and_the_next_one_is_read(
    one: pool.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "WALL_SECONDS", 0.5)
    monkeypatch.setattr(pool, "_START", "import time; time.sleep(600)")
    with pytest.raises(RecordError, match=r"took over 0\.5 seconds to read, and was given up"):
        _ask(one)
    monkeypatch.undo()

    assert _ask(one) == "A ferry"


def test_a_page_that_takes_too_much_memory_is_given_up_and_the_next_one_is_read(
    one: pool.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_START", "import recommender.readers.page.child as child\n"
                        "child.record_from_page = lambda raw, url, charset: bytearray(2**31)\n" + pool._START)  # fmt: skip
    with pytest.raises(RecordError, match="needs over 400 MiB of memory to read"):
        _ask(one)
    monkeypatch.undo()

    assert _ask(one) == "A ferry"


def test_a_page_that_breaks_its_reader_is_refused_and_the_next_one_is_read(
    one: pool.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_START", "import recommender.readers.page.child as child\n"
                        "child.record_from_page = lambda raw, url, charset: 1 / 0\n" + pool._START)  # fmt: skip
    with pytest.raises(RecordError, match=r"it broke the extractor \(ZeroDivisionError\); the others go on"):
        _ask(one)
    monkeypatch.undo()

    assert _ask(one) == "A ferry"


def test_a_process_that_is_killed_is_replaced(one: pool.Pool) -> None:
    assert _ask(one) == "A ferry"
    before = one.workers[0].pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    with pytest.raises(RecordError, match="exit code -9"):
        _ask(one)

    assert _ask(one) == "A ferry"
    assert one.workers[0].pid not in (None, before)


def test_pages_are_read_in_order_and_a_bad_one_costs_itself_alone(tmp_path: Path) -> None:
    for number in range(30):
        page = PAGE.replace(b"A ferry", b"Ferry %d" % number) if number % 7 else b"\x00\xff<"
        (tmp_path / f"{number:02}.html").write_bytes(page)

    read = [entries[0] for entries in read_pages(find(tmp_path).paths)]

    assert [Path(entry.source).stem for entry in read] == [f"{number:02}" for number in range(30)]
    assert [entry.article.title if entry.article else "refused" for entry in read] == [
        f"Ferry {number}" if number % 7 else "refused" for number in range(30)
    ]


def test_jobs_run_ahead_a_little_only_and_a_failing_one_fails_at_its_turn() -> None:
    asked: list[int] = []

    def job(number: int) -> int:
        if number == 5:
            raise ValueError("the fifth")
        return number

    answers = in_parallel(job, (asked.append(number) or number for number in range(1_000)))

    assert [next(answers) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert len(asked) < 30
    with pytest.raises(ValueError, match="the fifth"):
        next(answers)


KEPT = """
import os, sys, time
from recommender.readers.page import pool
one = pool.shared()
one.ask({"kind": "page", "url": None, "charset": None}, sys.stdin.buffer.read())
print(*[worker.pid for worker in one.workers if worker.pid], flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_one_that_asked(how: signal.Signals) -> None:
    asking = subprocess.Popen(
        [sys.executable, "-c", KEPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert asking.stdin is not None
    assert asking.stdout is not None
    asking.stdin.write(PAGE)
    asking.stdin.close()
    pids = [int(each) for each in asking.stdout.readline().split()]
    asking.send_signal(how)
    asking.wait()
    asking.stdout.close()
    for _ in range(1_200):
        if not any(Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids):
            break
        time.sleep(0.05)

    assert pids
    assert not any(Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids)
