"""Trains the network that comes with the app: python -m benchmarks.make_example, about a minute on 2 cores.

It needs the real MNIST beside the embedded sample (CNNLAB_DATA), whose 10,000 test images judge it for its card.
"""

from __future__ import annotations

from pathlib import Path
from shutil import copytree, rmtree
from tempfile import TemporaryDirectory

from benchmarks.drawing import PLACED_PEN, drawings, hits, readable
from cnnlab.export.formats.table import EXPORTS
from cnnlab.export.portable import Portable
from cnnlab.jobs.job import Job
from cnnlab.networks.presets import PRESETS
from cnnlab.runs.example import FOLDER, TAG
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About
from cnnlab.runs.trained import judge, load_trained
from cnnlab.training.config import RunConfig

KEPT = (1, 5, 15)  # epochs whose weights stay besides the last: 119 kB each
LEFT_OUT = ("checkpoint.safetensors", "heldout.safetensors", "lock", "looks.jsonl")


def main() -> None:
    """Train, judge, and replace the example."""
    config = RunConfig(architecture=PRESETS["quick"])
    with TemporaryDirectory() as folder:
        job = Job.start(config, RunStore(Path(folder)))
        job.join()
        _thin_out(job.run)
        job.run.write_about(About(title="Example: a small network", tags=(TAG,), note=_note(job.run)))
        card, _ = EXPORTS["md"].write(Portable.of(job.run, job.run.title))
        for name in LEFT_OUT:
            (job.run.folder / name).unlink(missing_ok=True)
        rmtree(FOLDER, ignore_errors=True)
        copytree(job.run.folder, FOLDER / job.run.id)
        (FOLDER / "card.md").write_bytes(card)


def _thin_out(run: Run) -> None:
    for epoch in run.epochs():
        if epoch not in (*KEPT, run.summary.epoch):
            (run.folder / "weights" / f"epoch-{epoch:03d}.safetensors").unlink()


def _note(run: Run) -> str:
    """Say how good it is on images that come without the app."""
    mnist, lessons = judge(run, "mnist"), readable(drawings())
    read = hits(load_trained(run), lessons, PLACED_PEN, 180, (0.5, 0.5))
    return (
        f"It comes with the app. Of MNIST's own {sum(mnist.support):,} test images it names {mnist.accuracy:.2%}, of "
        f"{len(lessons)} digits that 30 people drew with a pen {read}. Its weights are kept after a few epochs."
    )


if __name__ == "__main__":
    main()
