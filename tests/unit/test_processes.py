"""What processes do for each other."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOWERED = "import os; from recommender import processes; [processes.yield_to_others() for _ in '12']; print(os.nice(0))"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="priorities are read as Linux has them")
@pytest.mark.parametrize(("before", "after"), [(0, 10), (15, 15)])
def test_a_process_yields_to_others_once_and_is_never_raised(before: int, after: int) -> None:
    program = f"import os; os.nice({before} - os.nice(0)); {LOWERED}"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(told.stdout) == after
