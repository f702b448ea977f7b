"""A run in one's hands, in a real browser: paused, killed with its server and resumed, changed, branched."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path
from shutil import copy, copytree

from playwright.sync_api import Page, expect

from cnnlab.jobs.sweep import SweepStore
from cnnlab.runs.store import RunStore
from tests.browser.browsing import await_epoch, opened, start_training, stop_training
from tests.browser.server import ended, started
from tests.conftest import ROOT

FOLD = 900  # pixels from the top
# A page in another tab, whose notifications are kept for the test.
HIDDEN = """() => {
  Object.defineProperty(document, "hidden", { value: true, configurable: true })
  window.told = []
  window.Notification = class {
    static permission = "granted"
    constructor(head, { body }) { window.told.push(`${head}\n${body}`) }
  }
}"""


def test_a_training_is_paused_changed_continued_followed_by_another_and_branched(
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
    add_another(page)
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

    take_over(page)
    page.get_by_role("button", name="Branch", exact=True).click()
    page.get_by_role("button", name="Branch off", exact=True).click()
    expect(page.get_by_text("A branch of", exact=False)).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("button", name="Stop (keeps all epochs)")).to_be_visible()
    page.wait_for_function("document.querySelector('.live-chart')?.data?.some(line => line.name.includes('parent'))")
    await_epoch(page, 2)  # what is whole is judged
    stop_training(page)


def add_another(page: Page) -> None:
    """A short training is added, starts by itself, and is told of when it ends."""
    page.evaluate(HIDDEN)
    page.get_by_role("button", name="Tell me when it ends").click()
    expect(page.get_by_role("button", name="You will be told when it ends")).to_be_visible()
    epochs = page.get_by_label("Epochs", exact=True)
    epochs.fill("1")
    epochs.press("Tab")
    page.get_by_role("button", name="Add to queue").click()
    others = page.get_by_text("Your other trainings")
    expect(others).to_be_visible()
    page.wait_for_function("window.told.length")
    assert re.fullmatch(r"Training finished\n.*\nTest accuracy \d+\.\d%", page.evaluate("window.told.join()"))
    expect(others).to_be_hidden()
    expect(page.get_by_text("Processor, % of one core").first).to_be_visible()
    epochs.fill("1000")
    epochs.press("Tab")


def take_over(page: Page) -> None:
    """A second training has the page, and the first one's settings, wherever one goes meanwhile."""
    first, main = page.url, page.get_by_test_id("stMain")
    main.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("button", name="Stop (keeps all epochs)")).to_be_visible()
    assert page.url != first
    page.get_by_test_id("stSidebar").get_by_role("link", name="Inside").click()
    expect(page.get_by_text("trained so far", exact=False)).to_be_visible()
    expect(page.get_by_text(re.compile(r"training, \d+ ?%"))).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Train").click()
    expect(main.get_by_role("button", name="Add to queue")).to_be_enabled()
    page.reload()
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("1000")
    await_epoch(page, 2)
    stop_training(page)


def test_an_edit_of_the_source_leaves_a_training_running(tmp_path: Path, new_page: Callable[..., Page]) -> None:
    for name in ("app.py", "pages", "cnnlab", "static", ".streamlit"):
        (copytree if (ROOT / name).is_dir() else copy)(ROOT / name, tmp_path / name)
    process, url = started(
        tmp_path / "runs", root=tmp_path, CNNLAB_GRACE_SECONDS="60", STREAMLIT_SERVER_FILE_WATCHER_TYPE="watchdog"
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
            expect(page.get_by_text(re.compile(r"Epoch \d+ of 1000"))).to_be_visible()
        page.get_by_role("button", name="Pause").click()
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Stop it now").click()
        expect(page.get_by_test_id("stMetric").filter(has_text="Test accuracy")).to_be_visible()
        page.close()
    finally:
        told = ended(process)
    assert "Traceback" not in told, told
    assert statuses(tmp_path / "runs") == ["stopped"]


def statuses(runs: Path) -> list[str]:
    return [run.summary.status for run in RunStore(runs).all()]


def test_a_killed_servers_sweep_and_training_go_on_in_another_which_ctrl_c_ends_with_all_saved(
    tmp_path: Path, new_page: Callable[..., Page]
) -> None:
    process, url = started(tmp_path, CNNLAB_TRAININGS="2", CNNLAB_GRACE_SECONDS="60")
    try:
        page = new_page()
        start_training(page, url)
        page.close()
        page = new_page()
        start_sweep(page, url)
        page.close()
    finally:
        process.kill()
        process.communicate()
    (sweep,) = SweepStore(tmp_path).all()
    before = [trial.params for trial in sweep.trials]
    run = RunStore(tmp_path).all()[-1]  # the first
    done = len(run.history().epochs)
    assert sweep.status == run.summary.status == "interrupted"
    assert done >= 1

    process, url = started(tmp_path, CNNLAB_TRAININGS="2")
    try:
        page = new_page()
        continue_sweep(page, url)
        assert (sweep.status, sweep.ended) == ("finished", 6)
        assert [trial.params for trial in sweep.trials][: len(before)] == before

        page.goto(f"{url}/Train?run={run.id}")
        expect(page.get_by_text("was interrupted", exact=False)).to_be_visible()
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("button", name="Stop (keeps all epochs)")).to_be_visible()
        await_epoch(page, min(done + 2, 9))
        page.close()
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in process.communicate(timeout=60)[0]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert run.summary.status == "interrupted"
    assert [record["epoch"] for record in run.history().epochs] == list(range(1, len(run.history().epochs) + 1))
    assert len(run.history().epochs) > done


def start_sweep(page: Page, url: str) -> None:
    """Of six short trials, until some have ended."""
    page.goto(f"{url}/Sweep?architecture=quick&train_fraction=0.2")
    for label, value in (("Trials", "6"), ("Epochs each", "1")):
        page.get_by_label(label, exact=True).fill(value)
        page.get_by_label(label, exact=True).press("Tab")
    page.get_by_role("button", name="Start sweep").click()
    expect(page.get_by_text(re.compile(r"[1-5] of 6 trials"))).to_be_visible()


def continue_sweep(page: Page, url: str) -> None:
    """To its end, and see its trials drawn and compared."""
    page.goto(f"{url}/Sweep")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("6 of 6 trials")).to_be_visible()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    page.get_by_text("Slices", exact=True).click()
    expect(page.locator(".js-plotly-plot")).to_have_count(1)
    page.get_by_role("button", name="Compare its runs").click()
    expect(page.get_by_text(re.compile(r"of (7|8) runs"))).to_be_visible()  # the killed one may have got an epoch
