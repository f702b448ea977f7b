from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cnnlab.holding import hold, is_held
from tests.conftest import ROOT

HOLD_AND_DIE = """
import os, sys
from pathlib import Path
from cnnlab.holding import hold
with hold(Path(sys.argv[1]), RuntimeError()):
    os._exit(0)
"""


def test_a_folder_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    with hold(tmp_path, RuntimeError("busy")):
        assert is_held(tmp_path)
        with pytest.raises(RuntimeError, match="busy"), hold(tmp_path, RuntimeError("busy")):
            pass
    assert not is_held(tmp_path)


def test_it_is_let_go_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inside"), hold(tmp_path, RuntimeError("busy")):
        raise ValueError("inside")
    assert not is_held(tmp_path)


def test_a_process_that_dies_lets_go(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", HOLD_AND_DIE, str(tmp_path)], cwd=ROOT, check=True)
    assert (tmp_path / "lock").exists()
    assert not is_held(tmp_path)


def test_nobody_holds_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "nothing" / "here")
