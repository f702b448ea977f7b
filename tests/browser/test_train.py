"""A run in one's hands, in a real browser: paused, killed with its server and resumed, changed, branched."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path
from shutil import copy, copytree

from playwright.sync_api import Page, expect

from cnnlab.runs.store import RunStore
from tests.browser.browsing import await_epoch, opened, start_training, stop_training
from tests.browser.server import ended, server, started
from tests.conftest import ROOT

FOLD = 900  # pixels from the top


def test_a_training_is_paused_changed_continued_and_branched(
    address: str, runs: Path, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.set_viewport_size({"width": 1440, "height": FOLD})
    start_training(page, address)
    page.locator(".live-chart").nth(2).wait_for()
    curve, classes = page.locator(".live-chart").first.bounding_box(), page.locator(".live-chart").nth(2).bounding_box()
    answers = page.locator(".tile")
    expect(answers).to_have_count(8)
    expect(answers.first.locator(".share")).to_have_text(re.compile(r"\d+%"))
    assert curve
    assert curve["y"] < 420
    assert classes
    assert classes["y"] + classes["height"] <= FOLD
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused: Epoch", exact=False)).to_be_visible()
    page.reload()
    expect(page.get_by_text("Paused: Epoch", exact=False)).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Pause")).to_be_enabled()
    rate = opened(page.get_by_role("button", name="Learning rate"), page.get_by_label("From the next step"))
    rate.fill("0.0005")
    rate.press("Tab")
    page.get_by_role("button", name="Set", exact=True).click()
    page.wait_for_function("document.querySelector('.live-chart')?.layout?.shapes?.length === 1")
    stop_training(page)
    parent = RunStore(runs).open(page.url.partition("run=")[2].partition("&")[0])
    assert [change["learning_rate"] for change in parent.history().rates] == [0.0005]

    page.get_by_role("button", name="Branch", exact=True).click()
    page.get_by_role("button", name="Branch off", exact=True).click()
    expect(page.get_by_text("A branch of", exact=False)).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("button", name="Stop (keeps all epochs)")).to_be_visible()
    page.wait_for_function("document.querySelector('.live-chart')?.data?.some(line => line.name.includes('parent'))")
    await_epoch(page, 2)  # what is whole is judged
    stop_training(page)


def test_an_edit_of_the_source_leaves_a_training_running(tmp_path: Path, new_page: Callable[..., Page]) -> None:
    for name in ("app.py", "pages", "cnnlab", "static", ".streamlit"):
        (copytree if (ROOT / name).is_dir() else copy)(ROOT / name, tmp_path / name)
    process, url = started(
        tmp_path / "runs", root=tmp_path, CNNLAB_GRACE_SECONDS="60", STREAMLIT_SERVER_FILE_WATCHER_TYPE="poll"
    )
    try:
        page = new_page()
        start_training(page, url)
        for edited in ("jobs/job", "training/history", "training/loop", "ui/shell/session", "ui/train/progress"):
            path = tmp_path / "cnnlab" / f"{edited}.py"
            path.write_text(path.read_text().replace("Stop (keeps all epochs)", "Stop it now") + "\n# edited\n")
        while not page.get_by_role("button", name="Stop it now").count():  # Streamlit looks once in a while
            page.get_by_role("link", name="Home").click()
            page.get_by_test_id("stSidebar").get_by_role("link", name="Train").click()
            expect(page.get_by_text("of 1000", exact=False)).to_be_visible()
        page.get_by_role("button", name="Pause").click()
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Stop it now").click()
        expect(page.get_by_test_id("stMetric").filter(has_text="Test accuracy")).to_be_visible()
        page.close()
    finally:
        told = ended(process)
    assert "Traceback" not in told, told
    assert statuses(tmp_path / "runs") == ["stopped"]


def test_ctrl_c_ends_the_server_with_the_training_saved(tmp_path: Path, new_page: Callable[..., Page]) -> None:
    process, url = started(tmp_path)
    try:
        page = new_page()
        start_training(page, url)
        page.close()
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in process.communicate(timeout=60)[0]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert statuses(tmp_path) == ["interrupted"]


def statuses(runs: Path) -> list[str]:
    return [run.summary.status for run in RunStore(runs).all()]


def test_a_run_whose_server_was_killed_is_resumed_with_one_click(tmp_path: Path, new_page: Callable[..., Page]) -> None:
    process, url = started(tmp_path)
    try:
        page = new_page()
        start_training(page, url)
        page.close()
    finally:
        process.kill()
        process.communicate()
    (run,) = RunStore(tmp_path).all()
    done = len(run.history().epochs)
    assert statuses(tmp_path) == ["interrupted"]
    assert done >= 1
    with server(tmp_path) as url:
        page = new_page()
        page.goto(f"{url}/Train?run={run.id}")
        expect(page.get_by_text("was interrupted", exact=False)).to_be_visible()
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("button", name="Stop (keeps all epochs)")).to_be_visible()
        await_epoch(page, min(done + 2, 9))
        stop_training(page)
        page.close()
    assert statuses(tmp_path) == ["stopped"]
    assert [record["epoch"] for record in run.history().epochs] == list(range(1, len(run.history().epochs) + 1))
