"""How a network's HTML page compares with the app: answers, sizes, speed; printed as it goes.

python -m benchmarks.exporting RUN, with a run of the default network on MNIST: about eight minutes on 2 cores. It needs
Chromium, and CNNLAB_DATA with MNIST and the pen drawings.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, get_args

import torch
from playwright.sync_api import Browser, Page

from cnnlab.analysis.ood import read
from cnnlab.drawings.preprocess import Preparation, prepared, stroke_ink
from cnnlab.drawings.strokes import Drawing
from cnnlab.export.portable import Portable
from cnnlab.export.web import html_page
from cnnlab.networks import backbones
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.build import build
from cnnlab.networks.layers import Linear
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.runs.trained import test_split
from tests.browser.browsing import launched
from tests.export.web.engine import Case, drawn, open_engine, worst_difference

NETWORKS = 250  # that are drawn; some do not fit their images
AT_ONCE = 1000  # images or drawings
BACKBONES = ("lite0", "mobilenet_v3_small", "resnet18")  # larger ones do not fit in a message to the browser
PREDICT = "async (inputs) => Promise.all(inputs.map((input) => window.cnnlab.predict(input)))"
LATENCIES = "performance.getEntriesByName('answer').map((entry) => entry.duration)"
Weights = Literal["float32", "float16", "int8"]


def main(run: str) -> None:
    """Measure networks of all kinds, then the run's page."""
    portable = Portable.of(RunStore(runs_folder()).open(run), "Benchmark")
    with launched() as browser:
        _networks(browser)
        for weights in get_args(Weights):
            _page(browser, portable, weights)


def _networks(browser: Browser) -> None:
    page = open_engine(browser.new_page())
    cases = drawn(NETWORKS)
    for with_kernel in (True, False):
        worst = worst_difference(page, cases, with_kernel)
        print(f"{len(cases)} drawn networks, kernel {with_kernel}: worst difference of a probability {worst:.1e}")
    for name in BACKBONES:
        layers = (*getattr(backbones, name)(), Linear(out_features="classes"))
        network = build(Architecture(name="large", title="Large", layers=layers), (3, 64, 64), 5)
        print(f"{name} at 64 px: {worst_difference(page, [Case.of(network, (3, 64, 64))], with_kernel=True):.1e}")
    page.close()


def _page(browser: Browser, portable: Portable, weights: Weights) -> None:
    content = html_page(portable, weights)
    print(f"{weights}: {len(content):,} bytes")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_bytes(content)
        page = browser.new_page()
        page.goto(file.as_uri())
        page.evaluate("window.cnnlab.ready")
        _images(page, portable)
        _drawings(page, portable)
        _latency(page)
        page.close()


def _images(page: Page, portable: Portable) -> None:
    """Compare the class of each test image."""
    images = test_split(RunStore(runs_folder()).open(portable.run)).images
    here = portable.trained.probabilities(images).argmax(1)
    others = 0
    for start in range(0, len(images), AT_ONCE):
        inputs = [{"image": image.flatten().tolist()} for image in images[start : start + AT_ONCE]]
        found = [portable.trained.classes.index(each["class"]) for each in page.evaluate(PREDICT, inputs)]
        others += int((torch.tensor(found) != here[start : start + AT_ONCE]).sum())
    print(f"  another class for {others} of {len(images):,} test images")


def _drawings(page: Page, portable: Portable) -> None:
    """Compare class, probabilities and doubt of each pen drawing, prepared by the page and by the app."""
    path = Path(os.environ["CNNLAB_DATA"]) / "pen_digits.json"
    strokes = [drawing["strokes"] for drawing in json.loads(path.read_text(encoding="utf-8"))]
    found = page.evaluate(PREDICT, strokes)
    steps: list[Preparation] = [prepared(stroke_ink(Drawing(strokes=each))) for each in strokes]
    here = [read(portable.trained, each.image, portable.familiar, each.suspicion) for each in steps]
    pairs = list(zip(found, here, strict=True))
    apart = [
        max(abs(one - other) for one, other in zip(there["probabilities"], reading.probabilities, strict=True))
        for there, reading in pairs
    ]
    same = sum(there["class"] == reading.name for there, reading in pairs)
    doubted = sum(there["doubt"] == reading.doubt for there, reading in pairs)
    print(f"  same class for {same} of {len(pairs)} pen drawings, same doubt for {doubted}")
    print(
        f"  a probability differs by more than 0.001 for {sum(each > 1e-3 for each in apart)}, at most {max(apart):.1e}"
    )


def _latency(page: Page) -> None:
    """Draw for a while, and take the time from each move of the pen to the answer shown."""
    box = page.locator("#paper").bounding_box()
    assert box
    page.evaluate("performance.clearMeasures()")
    for _ in range(4):
        page.get_by_role("button", name="Clear").evaluate("(button) => button.click()")
        for number, (x, y) in enumerate([(0.3, 0.2), (0.7, 0.2), (0.6, 0.45), (0.45, 0.85)]):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=20)
            if not number:
                page.mouse.down()
        page.mouse.up()
    times = torch.tensor(page.evaluate(LATENCIES))
    median, late = times.quantile(torch.tensor([0.5, 0.95])).tolist()
    print(f"  from pen to answer: median {median:.0f} ms, 95 % within {late:.0f} ms ({len(times)} moves)")


if __name__ == "__main__":
    main(*sys.argv[1:])
