"""A network is taken away as a page, and answers from a disk as it did in the app."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cnnlab.analysis.ood import TrainingFeatures, read
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.drawings.strokes import Drawing
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import load_trained
from tests.browser.browsing import SEVEN
from tests.trainings import copied

LEANS = [-0.4 + 0.1 * step for step in range(10)]  # ten drawings of a seven


@pytest.fixture
def kept(runs: Path, finished_run: Run) -> Run:
    """One to look at, among those of the server."""
    return copied(finished_run, RunStore(runs))


def leaning(lean: float) -> list[list[tuple[float, float]]]:
    return [[(x + lean * (0.5 - y), y) for x, y in stroke] for stroke in SEVEN]


def test_a_page_answers_from_a_disk_as_the_app_does(
    address: str, kept: Run, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = new_page()
    page.goto(f"{address}/Train?run={kept.id}")
    page.get_by_role("button", name="Export").click()
    page.get_by_text("HTML page", exact=True).click()
    page.get_by_text("Report", exact=True).click()
    page.get_by_role("button", name="Create", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download HTML page").click()
    file = tmp_path / "network.html"
    download.value.save_as(file)

    away = new_page(375)
    asked: list[str] = []
    away.on("request", lambda request: asked.append(request.url))
    away.goto(file.as_uri())
    expect(away.get_by_text("Checked on 10 examples", exact=False)).to_be_visible()
    trained = load_trained(kept)
    familiar = TrainingFeatures.of(trained, data_of(kept), kept.config)
    for lean in LEANS:
        strokes = leaning(lean)
        there = away.evaluate("strokes => window.cnnlab.predict(strokes)", strokes)
        here = read(trained, prepare(stroke_ink(Drawing(strokes=strokes))), familiar)
        assert (there["class"], there["sure"]) == (here.name, not here.doubt)
        assert there["probabilities"] == pytest.approx(here.probabilities, abs=5e-3)

    with page.expect_download() as download:
        page.get_by_role("button", name="Download Report").click()
    download.value.save_as(tmp_path / "report.html")
    away.goto((tmp_path / "report.html").as_uri())
    expect(away.get_by_role("img", name="accuracy by epoch")).to_be_visible()
    assert away.evaluate("document.documentElement.scrollWidth") <= 375
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
