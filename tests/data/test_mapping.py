"""Rows of a file that is mapped into memory."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cnnlab.data.batches import batches
from cnnlab.data.mapping import MappedRows
from cnnlab.data.splits import Split

HEAD = b"the head, of any length"
PAGE = 4096  # bytes
ROWS = torch.randint(0, 256, (40, 3, PAGE), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "rows").write_bytes(HEAD + ROWS.numpy().tobytes())
    return tmp_path / "rows"


@pytest.fixture
def mapped(path: Path) -> MappedRows:
    return MappedRows(path, torch.uint8, tuple(ROWS.shape), len(HEAD))


def in_memory(path: Path) -> int:
    """The kB of the file that this process holds."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.endswith(str(path)))
    return int(next(line for line in lines[at:] if line.startswith("Rss:")).split()[1])


def test_rows_are_what_the_file_has_behind_its_head(mapped: MappedRows) -> None:
    assert torch.equal(mapped.rows, ROWS)


def test_rows_of_wider_numbers_are_read(tmp_path: Path) -> None:
    halves = torch.arange(12).half().view(3, 4)
    (tmp_path / "halves").write_bytes(halves.numpy().tobytes())
    mapped = MappedRows(tmp_path / "halves", torch.float16, (3, 4))
    assert torch.equal(mapped.rows, halves)
    assert torch.equal(mapped.read(torch.tensor([2, 0])), halves[[2, 0]])


def test_a_file_that_is_too_short_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="buffer"):
        MappedRows(path, torch.uint8, (41, 3, PAGE), len(HEAD))


def test_rows_are_read_in_any_order_whether_they_were_foreseen_or_not(mapped: MappedRows) -> None:
    mapped.foresee(torch.tensor([39, 0]))
    for numbers in ([39, 0, 7, 7], [], [3]):
        assert torch.equal(mapped.read(torch.tensor(numbers, dtype=torch.long)), ROWS[numbers])


def test_a_file_that_became_shorter_is_told_of(path: Path, mapped: MappedRows) -> None:
    with path.open("r+b") as file:
        file.truncate(len(HEAD) + 5 * ROWS[0].nbytes - 1)
    assert torch.equal(mapped.read(torch.tensor([3])), ROWS[3:4])
    with pytest.raises(OSError, match="ends within row 4"):
        mapped.read(torch.tensor([4]))


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells what is in memory")
@pytest.mark.parametrize("generator", [None, torch.Generator()], ids=["in order", "shuffled"])
def test_an_epoch_leaves_nothing_of_the_file_in_memory(
    path: Path, mapped: MappedRows, generator: torch.Generator | None
) -> None:
    split = Split(mapped.rows, torch.arange(40), torch.arange(40).flip(0), mapped=mapped)
    for images, labels in batches(split, 1, generator):
        assert torch.equal(images, ROWS.flip(0)[labels])
    assert in_memory(path) == 0


@pytest.mark.parametrize("generator", [None, torch.Generator()], ids=["in order", "shuffled"])
def test_all_but_the_first_batch_are_foreseen(
    mapped: MappedRows, generator: torch.Generator | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreseen: list[int] = []
    monkeypatch.setattr(mapped, "foresee", lambda numbers: foreseen.extend(numbers.tolist()))
    split = Split(mapped.rows, torch.arange(40), torch.arange(40), mapped=mapped)
    read = [labels.tolist() for _, labels in batches(split, 16, generator)]
    assert foreseen == [label for labels in read[1:] for label in labels]
