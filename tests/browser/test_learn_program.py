"""The chapter that writes a training as a program, in a real browser: linked to, trained by keys, taken home."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from cnnlab.data.readers import SAMPLE
from cnnlab.export.program import program_of, to_notebook, to_script
from cnnlab.runs.store import RunStore
from cnnlab.training.recipes import RECIPES
from tests.browser.browsing import choose


def test_a_linked_program_is_trained_by_keys_and_taken_home_on_a_phone(
    address: str, runs: Path, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = new_page(420)
    page.goto(f"{address}/Learn?chapter=program&recipe=classification-snippet")
    expect(page.get_by_text("7. Plot")).to_be_visible()
    choose(page, "Data set", "MNIST sample")
    expect(page.get_by_role("button", name="Data file")).to_be_visible()
    begin = page.get_by_role("button", name="Train it here")
    begin.focus()
    begin.press("Enter")
    expect(page.get_by_text("Training time")).to_be_visible()
    expect(page.get_by_role("button", name="Train it again")).to_be_enabled()
    expect(page.locator(".live-chart .main-svg").first).to_be_visible()
    run = RunStore(runs).all()[0]
    expect(page.get_by_test_id("stMetricValue").filter(has_text=f"{run.summary.test_accuracy:.1%}")).to_be_visible()
    main = page.get_by_test_id("stMain")
    assert main.evaluate("element => element.scrollWidth <= element.clientWidth")

    program = program_of(RECIPES["classification-snippet"].config.model_copy(update={"dataset": "mnist-sample"}))
    taken = {}
    for label in ("Script", "Notebook", "Data file"):
        with page.expect_download() as download:
            page.get_by_role("button", name=label, exact=True).click()
        taken[download.value.suggested_filename] = tmp_path / label
        download.value.save_as(tmp_path / label)
    assert taken[f"{program.name}.py"].read_text(encoding="utf-8") == to_script(program)
    assert json.loads(taken[f"{program.name}.ipynb"].read_text(encoding="utf-8")) == json.loads(to_notebook(program))
    assert taken[SAMPLE.name].read_bytes() == SAMPLE.read_bytes()
