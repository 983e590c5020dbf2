"""The soak in small: the real service, readers and writers, and an index rebuilt meanwhile, for a few seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of workers from /proc")
def test_a_short_soak_finds_no_fault(tmp_path: Path) -> None:
    size = [
        "--minutes=0.3",
        "--warm-up=0.1",
        "--articles=150",
        "--readers=1",
        "--writers=1",
        "--pause=0.3",
        "--patience=30",
    ]
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "soak.py"), *size],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    asked = {line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("| ")}
    assert asked >= {
        "related",
        "related, by url",
        "search",
        "unknown id",
        "PUT, new",
        "POST, a batch",
        "recommender rebuild",
    }
    assert list(tmp_path.iterdir()) == []
