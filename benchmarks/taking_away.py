"""A network trained on MNIST as files: do they answer 10,000 test images and strangers' drawings as the app does?

It needs Chromium, and the real MNIST and pen drawings (CNNLAB_DATA).
"""

from __future__ import annotations

import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from io import BytesIO
from pathlib import Path
from statistics import quantiles
from typing import Any

import torch
from PIL import Image
from playwright.sync_api import Page, expect

from benchmarks.browsing import PATIENCE
from benchmarks.drawing import drawings
from cnnlab.analysis.ood import read
from cnnlab.drawings.preprocess import prepared, stroke_ink
from cnnlab.drawings.strokes import LabelledDrawing
from cnnlab.export.formats.exporting import Exported, Row, exported
from cnnlab.export.formats.table import EXPORTS
from cnnlab.export.portable import Portable
from cnnlab.export.web import html_page
from cnnlab.export.web.page import Weights
from cnnlab.jobs.job import Job
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import load_trained, seen_by, test_split
from cnnlab.training.config import RunConfig
from tests.browser.browsing import canvas, draw, launched
from tests.browser.server import server

TEST_IMAGES = 10_000
PAGES: tuple[Weights, ...] = ("float16", "int8")
AT_ONCE = 1000  # images in a message to the browser
SLOWLY_DRAWN = 60  # drawings, every tenth, whose moves are timed
PREDICT = "async (inputs) => Promise.all(inputs.map((input) => window.cnnlab.predict(input)))"


def measure(config: RunConfig | None = None) -> dict[str, Any]:
    """Train on MNIST, write every format, and ask each what the app was asked."""
    with tempfile.TemporaryDirectory() as folder:
        job = Job.start(config or RunConfig(dataset="mnist", epochs=3), RunStore(Path(folder)))
        job.join()
        *_, last = exported(job.run, list(EXPORTS), images=TEST_IMAGES)
        assert last.here
        rows = [last.here, *(file.row for file in last.files if file.row)]
        (script,) = [file for file in last.files if file.suffix == "py"]
        portable = Portable.of(job.run, "Benchmark")
        pages = {weights: _page(portable, weights) for weights in PAGES}
        return {
            "rows": [vars(row) for row in rows],
            "python_alike": _named_alike(job.run, script, Path(folder)),
            "drawings": len(drawings()),
            "pages": pages,
            "draw": _draw(job.run),
        }


def _named_alike(run: Run, script: Exported, folder: Path) -> int:
    """Count pen drawings that the Python file, given them as pictures of paper, names as the app does."""
    path = folder / "predict.py"
    path.write_bytes(script.content)
    spec = spec_from_file_location("predict", path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    trained, alike = load_trained(run), 0
    for lesson in drawings():
        picture = Image.fromarray(255 - stroke_ink(lesson)).convert("RGB")
        buffer = BytesIO()
        picture.save(buffer, "PNG")
        path.with_suffix(".png").write_bytes(buffer.getvalue())
        there = module.predict(str(path.with_suffix(".png")))
        here = trained.probabilities(seen_by(run, picture).image)[0]
        alike += max(there, key=there.__getitem__) == trained.classes[int(torch.argmax(here))]
    return alike


def _page(portable: Portable, weights: Weights) -> dict[str, float]:
    """Open the HTML page; count what it answers as the app does, and time it while digits are drawn."""
    content = html_page(portable, weights)
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        file = Path(folder) / "page.html"
        file.write_bytes(content)
        page = browser.new_page()
        page.goto(file.as_uri())
        page.evaluate("window.cnnlab.ready")
        alike = _images_alike(page, portable)
        named, doubted = _drawings_alike(page, portable)
        times = _moved(page)
    return {
        "bytes": len(content),
        "images_alike": alike,
        "drawings_alike": named,
        "doubts_alike": doubted,
        **_waits(times),
    }


def _images_alike(page: Page, portable: Portable) -> int:
    assert portable.origin
    images = test_split(portable.origin).images[:TEST_IMAGES]
    here = portable.trained.probabilities(images).argmax(1)
    there = []
    for start in range(0, len(images), AT_ONCE):
        inputs = [{"image": image.flatten().tolist()} for image in images[start : start + AT_ONCE]]
        there += [portable.trained.classes.index(each["class"]) for each in page.evaluate(PREDICT, inputs)]
    return int((torch.tensor(there) == here).sum())


def _drawings_alike(page: Page, portable: Portable) -> tuple[int, int]:
    """Count the pen drawings with the app's class, and those with its doubt, each prepared by the page itself."""
    lessons = drawings()
    there = page.evaluate(PREDICT, [lesson.model_dump()["strokes"] for lesson in lessons])
    steps = [prepared(stroke_ink(lesson)) for lesson in lessons]
    here = [read(portable.trained, each.image, portable.familiar, each.suspicion) for each in steps]
    pairs = list(zip(there, here, strict=True))
    named = sum(found["class"] == reading.name for found, reading in pairs)
    return named, sum(found["doubt"] == reading.doubt for found, reading in pairs)


def _moved(page: Page) -> list[float]:
    """Draw digits on an exported page; return the milliseconds from each move of the pen to the answer shown."""
    box = page.locator("#paper").bounding_box()
    assert box
    page.evaluate("performance.clearMeasures()")
    for lesson in _some():
        page.get_by_role("button", name="Clear").evaluate("(button) => button.click()")
        for stroke in lesson.strokes:
            for number, (x, y) in enumerate(stroke):
                page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
                if not number:
                    page.mouse.down()
            page.mouse.up()
    return _durations(page, "answer")


def _draw(run: Run) -> dict[str, float]:
    """Draw digits on the page Draw; return how long the answers in the browser take."""
    expect.set_options(timeout=PATIENCE)
    with server(run.folder.parent, CNNLAB_GRACE_SECONDS="120") as address, launched() as browser:
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        page.goto(f"{address}/Draw?run={run.id}")
        expect(page.locator(".pen-why")).to_have_text("Draw: it answers while the pen moves.")
        for lesson in _some():
            draw(page, lesson.strokes)
            page.get_by_test_id("stMetricValue").wait_for()
            page.locator(".st-key-canvas-clear button").click()
            page.get_by_test_id("stMetricValue").wait_for(state="detached")
            expect(canvas(page)).to_have_count(1)
        times = _durations(page, "pen to answer")
    return _waits(times)


def _some() -> list[LabelledDrawing]:
    return drawings()[:: len(drawings()) // SLOWLY_DRAWN]


def _durations(page: Page, measured: str) -> list[float]:
    found: list[float] = page.evaluate(f"performance.getEntriesByName('{measured}').map((entry) => entry.duration)")
    return found


def _waits(times: list[float]) -> dict[str, float]:
    cuts = quantiles(times, n=20)
    return {"p50": cuts[9], "p95": cuts[-1], "moves": len(times)}


def table(figures: dict[str, Any]) -> str:
    """Write the figures as Markdown tables."""
    rows = [Row(**row) for row in figures["rows"]]
    files = [
        f"| {row.title} | {row.bytes / 1e3:,.0f} | {row.accuracy:.2%} ({low:.2%} to {high:.2%}) | "
        f"{row.agreed / row.images:.2%} | {row.milliseconds:.2f} |"
        for row in rows
        for low, high in [row.interval]
    ]
    head = "| file | kB | accuracy (95 %) | alike | ms an image |\n|---|---|---|---|---|"
    pages = [
        f"| {weights} | {page['bytes'] / 1e3:,.0f} | {page['images_alike'] / TEST_IMAGES:.2%} | "
        f"{page['drawings_alike']} | {page['doubts_alike']} | {page['p50']:.0f} | {page['p95']:.0f} |"
        for weights, page in figures["pages"].items()
    ]
    count, drawn = figures["drawings"], figures["draw"]
    pages_head = (
        f"| HTML page, weights | kB | alike | same class, of {count} drawings | same doubt | p50, ms | p95, ms |\n"
        "|---|---|---|---|---|---|---|"
    )
    said = (
        f"The Python file names {figures['python_alike']} of {count} pen drawings as the app does. On the page Draw it "
        f"takes p50 {drawn['p50']:.0f} ms, p95 {drawn['p95']:.0f} ms from a move of the pen to the answer "
        f"({drawn['moves']:,} moves)."
    )
    return "\n".join([head, *files, "", pages_head, *pages, "", said])


if __name__ == "__main__":
    print(table(measure()))
