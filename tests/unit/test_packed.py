"""Compressed files and archives: what they hold is read in place, and bombs are refused."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
from exported import MARKDOWN, PICTURE, THUMBNAIL, ghost, wxr, wxr_item, zipped, zst

from recommender.errors import SourceError
from recommender.readers import Entry, read
from recommender.readers.exports import packed

LINES = b"".join(json.dumps({"id": f"a{n}", "title": f"Story {n}"}).encode() + b"\n" for n in range(5_000))


@pytest.mark.parametrize(("name", "raw"), [("a.jsonl.gz", gzip.compress(LINES)), ("a.jsonl.zst", zst(LINES))])
def test_a_compressed_file_is_read_as_what_it_holds(tmp_path: Path, name: str, raw: bytes) -> None:
    (tmp_path / name).write_bytes(raw)
    found = list(read(tmp_path / name))

    assert [each.article.id for each in found if each.article] == [f"a{n}" for n in range(5_000)]
    assert found[-1].offset_bytes <= len(raw)


def test_pictures_are_found_in_a_compressed_export_too(tmp_path: Path) -> None:
    (tmp_path / "a.xml.gz").write_bytes(gzip.compress(wxr(wxr_item(1, rest=THUMBNAIL), PICTURE)))

    assert [each.article.image_url for each in read(tmp_path / "a.xml.gz") if each.article] == [
        "https://paper.example/pier.jpg"
    ]


@pytest.mark.parametrize("pack", [gzip.compress, zst])
def test_a_compressed_file_that_was_cut_gives_what_stands_before(tmp_path: Path, pack: object) -> None:
    name = "a.jsonl.gz" if pack is gzip.compress else "a.jsonl.zst"
    (tmp_path / name).write_bytes(pack(LINES)[:-20])  # type: ignore[operator]
    found: list[Entry] = []
    with pytest.raises(SourceError, match="is damaged or cut after"):
        found.extend(read(tmp_path / name))
    assert len(found) > 1_000


def test_what_becomes_two_hundred_times_as_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_FREE_BYTES", 2**20)
    monkeypatch.setattr(packed.Unpacking.__init__, "__defaults__", (2**20,))
    (tmp_path / "bomb.jsonl.gz").write_bytes(gzip.compress(b" " * 2**24))

    with pytest.raises(SourceError, match="over 200 times as long"):
        list(read(tmp_path / "bomb.jsonl.gz"))


def test_members_of_a_zip_are_read_where_they_lie_and_a_bad_one_costs_itself(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(
        zipped(
            **{
                "one__json": ghost({}), "two/posts__xml": wxr(wxr_item(1)), "in__zip": b"", "in__csv__gz": b"", "a__png": b"",
                "../out__md": MARKDOWN.encode(), "/abs__md": MARKDOWN.encode(), "empty__csv": b"", ".hidden__md": b"", "p__md": MARKDOWN.encode(),
            }
        )
    )  # fmt: skip
    found = list(read(file))

    assert [each.article.title for each in found if each.article] == [
        "Ghost story 1",
        "Story number 1 of the harbour",
        "The pier: closed",
    ]
    assert {each.source.removeprefix(f"{file}: "): each.reason for each in found if each.reason} == {
        "in.zip": "is an archive within an archive; unpack it first",
        "in.csv.gz": "is an archive within an archive; unpack it first",
        "../out.md": "its name leads out of the archive",
        "/abs.md": "its name leads out of the archive",
        "empty.csv": "the file is empty",
    }
    assert [each.left_out.status for each in found if each.left_out] == ["files of other kinds"] * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip"]


def test_a_member_that_is_a_bomb_or_damaged_costs_itself(tmp_path: Path) -> None:
    raw = zipped(
        bomb__jsonl=b" " * 2**24, good__jsonl=b'{"title": "A"}\n', bad__jsonl=b'{"title": "A damaged one"}\n' * 50
    )
    at = raw.rindex(b"bad.jsonl", 0, raw.index(b"PK\x01\x02")) + 12
    (tmp_path / "a.zip").write_bytes(raw[:at] + b"\xff\xff\xff" + raw[at + 3 :])
    found = list(read(tmp_path / "a.zip"))

    assert [each.article.title for each in found if each.article] == ["A"]
    assert [each.source.rpartition(" ")[2] for each in found if each.reason] == ["bomb.jsonl", "bad.jsonl"]


def test_members_that_lie_over_each_other_are_a_bomb(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.csv", b"title\nA\n" * 100)
        archive.writestr("b.csv", b"title\nB\n")
        archive.infolist()[1].header_offset = 0
    (tmp_path / "a.zip").write_bytes(made.getvalue())

    assert [each.reason for each in read(tmp_path / "a.zip")] == [
        "its members lie over each other, as only a bomb's do"
    ]


@pytest.mark.parametrize(
    "raw",
    [b"", b"PK", b"no zip at all", zipped(a__csv=b"title\nA")[:-10], zipped(a__csv=b"title\nA")[40:]],
    ids=["nothing", "two letters", "no zip at all", "its end is missing", "its beginning is missing"],
)
def test_what_is_no_whole_zip_is_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(raw)
    found = list(read(tmp_path / "a.zip"))

    assert not [each for each in found if each.article]
    assert [each for each in found if each.reason]


def test_a_list_of_members_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    raw = bytearray(zipped(a__csv=b"title\nA"))
    at = raw.rindex(b"PK\x05\x06")
    raw[at + 12 : at + 16] = (64 * 2**20).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(raw)

    assert [each.reason for each in read(tmp_path / "a.zip")] == [
        "its list of members has 67,108,864 bytes, at most 33,554,432 are taken"
    ]
