from __future__ import annotations

import codecs
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import Event
from time import time

import pytest

from cnnlab.files import (
    ABANDONED,
    KEPT_BYTES,
    Guarded,
    atomic_file,
    atomic_write,
    bytes_below,
    clear_aside,
    exclusive,
    folder_aside,
    is_locked,
    lock,
    plain_json,
    read_parsed,
    through_file,
)
from tests.conftest import ROOT

DIE_WHILE_WRITING = """
import os, sys
from pathlib import Path
from cnnlab.files import atomic_file
with atomic_file(Path(sys.argv[1])) as part:
    part.write_text("half")
    os._exit(0)
"""


def test_many_writers_of_one_file_are_never_refused_and_never_half_read(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    texts = [json.dumps([writer] * 20_000) for writer in range(8)]
    atomic_write(path, texts[0])

    def write_and_read(writer: int) -> None:
        for _ in range(10):
            atomic_write(path, texts[writer])
            assert path.read_text() in texts

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write_and_read, range(8)))
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_written_comes_back_and_no_file_stays(tmp_path: Path) -> None:
    assert through_file(lambda file: file.write(b"archive"), tmp_path) == b"archive"
    assert not list(tmp_path.iterdir())


def test_a_failure_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_file(path) as part:
        part.write_text("half")
        raise KeyboardInterrupt
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"file": "old"}


def test_what_a_killed_writer_left_goes_once_it_is_old_and_nothing_else_does(tmp_path: Path) -> None:
    path, others = tmp_path / "file", tmp_path / "download.part"
    subprocess.run([sys.executable, "-c", DIE_WHILE_WRITING, str(path)], cwd=ROOT, check=True)
    (left,) = tmp_path.iterdir()
    others.touch()
    atomic_write(path, "new")
    assert left.exists()  # it might be at work
    for old in (left, others):
        os.utime(old, times=(time() - ABANDONED.total_seconds() - 1,) * 2)
    atomic_write(path, "new")
    assert sorted(tmp_path.iterdir()) == sorted([path, others])


def test_a_new_file_is_as_readable_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    atomic_write(tmp_path / "written", "")
    assert (tmp_path / "written").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_reading_and_writing_back_is_one_step(tmp_path: Path) -> None:
    path = tmp_path / "count"
    atomic_write(path, "0")

    def add(_: int) -> None:
        with exclusive(tmp_path):
            atomic_write(path, str(int(path.read_text()) + 1))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(12)))
    assert path.read_text() == "12"


@pytest.mark.parametrize(
    "content",
    [
        '{"ä": 1}'.encode(),
        codecs.BOM_UTF8 + '{"ä": 1}'.encode(),
        codecs.BOM_UTF16_LE + '{"ä": 1}'.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + '{"ä": 1}'.encode("utf-16-be"),
    ],
)
def test_json_is_read_behind_any_byte_order_mark(content: bytes) -> None:
    assert plain_json(content) == '{"ä": 1}'.encode()


def test_what_is_no_utf_16_behind_its_mark_is_no_json_either() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(plain_json(codecs.BOM_UTF16_LE + b"\x00\xd8\x01"))


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
from cnnlab.files import is_locked, lock
folder = Path({path!r})
reading, writing = os.pipe()
with lock(folder, RuntimeError()):
    child = os.fork()
    if not child:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
assert not is_locked(folder)
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


def test_a_guarded_file_refuses_long_reads() -> None:
    file = Guarded(BytesIO(b"0123456789"), 4, ValueError("too long"))
    assert (file.read(4), file.read()) == (b"0123", b"4567")
    with pytest.raises(ValueError, match="too long"):
        file.read(5)


def test_the_bytes_of_a_folder_are_those_of_all_its_files_links_not_followed(tmp_path: Path) -> None:
    assert bytes_below(tmp_path / "none") == 0
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(bytes(1000))
    (tmp_path / "a" / "b" / "two").write_bytes(bytes(5))
    assert bytes_below(tmp_path) == 1005
    (tmp_path / "link").symlink_to(tmp_path / "a", target_is_directory=True)
    assert bytes_below(tmp_path) < 2 * 1005


def test_a_file_of_several_names_takes_its_bytes_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "one").write_bytes(bytes(1000))
    (tmp_path / "b" / "own").write_bytes(bytes(5))
    os.link(tmp_path / "a" / "one", tmp_path / "b" / "one")
    assert bytes_below(tmp_path / "b") == 1005
    assert bytes_below(tmp_path / "a", tmp_path / "b") == bytes_below(tmp_path) == 1005


def test_a_folder_aside_goes_with_what_is_left_in_it(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), folder_aside(tmp_path) as aside:
        for name in ("moved", "left"):
            (aside / name).mkdir()
        (aside / "moved").rename(tmp_path / "moved")
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["moved"]


def test_what_a_killed_process_left_aside_goes_once_it_is_old_and_what_is_being_filled_stays(tmp_path: Path) -> None:
    (tmp_path / ".incoming-killed").mkdir()
    (tmp_path / ".incoming-young").mkdir()
    with folder_aside(tmp_path) as filled:
        for old in (tmp_path / ".incoming-killed", filled):
            os.utime(old, times=(time() - ABANDONED.total_seconds() - 1,) * 2)
        clear_aside(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {".incoming-young", filled.name}


def test_a_file_is_parsed_once_while_it_stays_as_it_is(tmp_path: Path) -> None:
    path, long_ago = tmp_path / "small", 1_700_000_000
    path.write_bytes(b"one")
    os.utime(path, (long_ago, long_ago))
    parsed = read_parsed(path, 10, bytearray)
    assert parsed == b"one"
    assert read_parsed(path, 10, bytearray) is parsed

    atomic_write(path, "two")
    os.utime(path, (long_ago, long_ago))
    assert read_parsed(path, 10, bytearray) == b"two"
    path.unlink()
    with pytest.raises(FileNotFoundError):
        read_parsed(path, 10, bytearray)


def test_a_file_that_was_just_written_or_is_large_is_parsed_each_time(tmp_path: Path) -> None:
    new, large = tmp_path / "new", tmp_path / "large"
    new.write_bytes(b"one")
    assert read_parsed(new, 10, bytearray) is not read_parsed(new, 10, bytearray)
    large.write_bytes(b"0" * (KEPT_BYTES + 1))
    os.utime(large, (1_700_000_000, 1_700_000_000))
    limit = 2 * KEPT_BYTES
    assert read_parsed(large, limit, bytearray) is not read_parsed(large, limit, bytearray)
    with pytest.raises(OSError, match="more than"):
        read_parsed(large, KEPT_BYTES, bytearray)
