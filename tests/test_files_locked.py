from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from cnnlab.files import is_locked, lock
from tests.conftest import ROOT

HOLD_AND_DIE = """
import os, sys
from pathlib import Path
from cnnlab.files import lock
with lock(Path(sys.argv[1]), RuntimeError()):
    os._exit(0)
"""
FORK_AND_LET_GO = """
import os
from pathlib import Path
from cnnlab.locks import hold, is_held
folder = Path({path!r})
reading, writing = os.pipe()
with lock(folder, RuntimeError()):
    child = os.fork()
    if not child:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
assert not is_held(folder)
os.write(writing, b"x")
os.waitpid(child, 0)
"""


def test_a_folder_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    with lock(tmp_path, RuntimeError("busy")):
        assert is_locked(tmp_path)
        with pytest.raises(RuntimeError, match="busy"), lock(tmp_path, RuntimeError("busy")):
            pass
    assert not is_locked(tmp_path)


def test_it_is_let_go_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inside"), lock(tmp_path, RuntimeError("busy")):
        raise ValueError("inside")
    assert not is_locked(tmp_path)


def test_a_process_that_dies_lets_go(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", HOLD_AND_DIE, str(tmp_path)], cwd=ROOT, check=True)
    assert (tmp_path / "lock").exists()
    assert not is_locked(tmp_path)


def test_looking_never_hinders_anybody(tmp_path: Path) -> None:
    """Eight look at a folder that nobody holds while one holds it again and again."""
    with lock(tmp_path, RuntimeError("busy")):
        pass
    ended = Event()

    def look(_: int) -> int:
        looks = 0
        while not ended.is_set():
            is_locked(tmp_path)
            looks += 1
        return looks

    with ThreadPoolExecutor(8) as pool:
        looking = pool.map(look, range(8))
        try:
            for _ in range(200):
                with lock(tmp_path, RuntimeError("a look was in the way")):
                    pass
        finally:
            ended.set()
        assert min(looking) > 0


def test_many_who_look_at_once_see_nobody_where_nobody_is(tmp_path: Path) -> None:
    with lock(tmp_path, RuntimeError("busy")):
        pass
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(lambda _: is_locked(tmp_path), range(2000)))


def test_a_look_leaves_no_trace(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_forked_child_does_not_hold_what_its_parent_let_go(tmp_path: Path) -> None:
    code = FORK_AND_LET_GO.format(path=str(tmp_path))
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_nobody_holds_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "nothing" / "here")
