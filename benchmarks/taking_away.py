"""Files of a network trained on MNIST: do they answer 10,000 test images and strangers' drawings as the app does?"""

from __future__ import annotations

import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from io import BytesIO
from pathlib import Path
from typing import TypedDict

import torch
from PIL import Image

from benchmarks.drawing import drawings
from cnnlab.drawings.preprocess import stroke_ink
from cnnlab.export.formats.exporting import Exported, Row, exported
from cnnlab.export.formats.table import EXPORTS
from cnnlab.jobs.job import Job
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import load_trained, seen_by
from cnnlab.training.config import RunConfig

TEST_IMAGES = 10_000


class Figures(TypedDict):
    """How the files answer."""

    rows: list[Row]  # the network itself first
    drawings: int
    alike: int  # of them, named by the Python file as by the app


def measure(config: RunConfig | None = None) -> Figures:
    """Train on MNIST, write every format, and ask each what the app was asked."""
    with tempfile.TemporaryDirectory() as folder:
        job = Job.start(config or RunConfig(dataset="mnist", epochs=3), RunStore(Path(folder)))
        job.join()
        *_, last = exported(job.run, list(EXPORTS), images=TEST_IMAGES)
        assert last.here
        rows = [last.here, *(file.row for file in last.files if file.row)]
        (script,) = [file for file in last.files if file.suffix == "py"]
        alike = _named_alike(job.run, script, Path(folder))
    return Figures(rows=rows, drawings=len(alike), alike=sum(alike))


def _named_alike(run: Run, script: Exported, folder: Path) -> list[bool]:
    """Tell for each pen drawing, as a picture on paper, whether the Python file names it as the app does."""
    path = folder / "predict.py"
    path.write_bytes(script.content)
    spec = spec_from_file_location("predict", path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    trained, alike = load_trained(run), []
    for lesson in drawings():
        picture = Image.fromarray(255 - stroke_ink(lesson)).convert("RGB")
        buffer = BytesIO()
        picture.save(buffer, "PNG")
        path.with_suffix(".png").write_bytes(buffer.getvalue())
        there = module.predict(str(path.with_suffix(".png")))
        here = trained.probabilities(seen_by(run, picture).image)[0]
        alike.append(max(there, key=there.__getitem__) == trained.classes[int(torch.argmax(here))])
    return alike


def table(figures: Figures) -> str:
    """Write the figures as a Markdown table."""
    rows = [
        f"| {row.title} | {row.bytes / 1e3:,.0f} | {row.accuracy:.2%} ({low:.2%} to {high:.2%}) | "
        f"{row.agreed / row.images:.2%} | {row.milliseconds:.2f} |"
        for row in figures["rows"]
        for low, high in [row.interval]
    ]
    head = "| file | kB | accuracy (95 %) | alike | ms an image |\n|---|---|---|---|---|"
    said = f"{figures['alike']} of {figures['drawings']} pen drawings are named alike by the Python file."
    return "\n".join([head, *rows, "", said])


if __name__ == "__main__":
    print(table(measure()))
