"""The file of what a run takes of its machine: a line a second, thinned out where a training takes hours."""

from __future__ import annotations

from cnnlab.files import atomic_write, read_limited
from cnnlab.runs.run import MAX_READ, Run
from cnnlab.training.resources import MOST, Sample, from_lines, to_line

NAME = "resources.jsonl"


def read_samples(run: Run) -> list[Sample]:
    """Return a run's samples; none where the file is missing, damaged or too long, because the run itself is intact."""
    try:
        return from_lines(read_lines(run))
    except OSError:
        return []


def read_lines(run: Run) -> list[str]:
    """Return the lines of a run's file, and what follows the last line's end. Raises OSError."""
    return read_limited(run.folder / NAME, MAX_READ[NAME]).decode("utf-8-sig", errors="replace").split("\n")


class ResourceLog:
    """The samples of a run, in memory and on disk, which go on where an earlier training of it ended."""

    def __init__(self, run: Run) -> None:
        self.samples = read_samples(run)
        self.seconds_apart = 1  # of two samples from now on
        self._path = run.folder / NAME
        self._is_whole = False  # the file on disk: a kill may have left half a line

    def add(self, sample: Sample) -> None:
        """Append a sample; where there are MOST, every second one goes first. Raises OSError."""
        if len(self.samples) >= MOST:
            self.samples[:] = self.samples[1::2]
            self.seconds_apart *= 2
            self._is_whole = False
        self.samples.append(sample)
        if self._is_whole:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{to_line(sample)}\n")
        else:
            atomic_write(self._path, "".join(f"{to_line(each)}\n" for each in self.samples))
            self._is_whole = True
