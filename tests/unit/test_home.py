from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from recommender.errors import BusyError, CatalogError
from recommender.home import Home


def test_the_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    home = Home(tmp_path / "new" / "home")

    with (
        home.writer("ingest"),
        pytest.raises(
            BusyError,
            match=rf"^{re.escape(str(home.path))}: process \d+, ingest since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC is writing "
            "here; wait for it, or end it, and try again$",
        ),
        home.writer("rebuild"),
    ):
        pass


def test_the_lock_is_free_after_its_holder_is_done_or_has_failed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with pytest.raises(RuntimeError, match="half way"), home.writer("a long purpose that leaves its words behind"):
        raise RuntimeError("half way")

    with home.writer("rebuild"):
        assert re.fullmatch(r"process \d+, rebuild since .* UTC", (tmp_path / "writer.lock").read_text())


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    code = (
        "import os, pathlib; from recommender.home import Home\n"
        f"with Home(pathlib.Path({str(tmp_path)!r})).writer('x'): os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9

    with Home(tmp_path).writer("rebuild"):
        assert (tmp_path / "writer.lock").exists()


def test_a_home_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(
            CatalogError, match=r"file/home: cannot be written \(Not a directory\); choose another with --home$"
        ),
        Home(tmp_path / "file" / "home").writer("ingest"),
    ):
        pass
