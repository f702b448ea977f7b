"""The chapter that writes a training as a program, as AppTest runs it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.export.program import Program, program_of, to_script, without_helpers
from cnnlab.jobs.job import Job, running_jobs
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.designs import Shelf
from cnnlab.networks.presets import PRESETS
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import RunConfig
from cnnlab.training.recipes import RECIPES
from tests.pages.driver import button, checked, metrics, new_session, texts
from tests.samples import TINY

STEPS = ["Import", "Data", "Network", "Instantiate", "Loss and optimiser", "Train", "Plot"]
TRAINING = "learn.program.training"


def opened(recipe: str = "", run: str = "", **asked: str) -> AppTest:
    page = new_session(chapter="program")
    if recipe:
        page.query_params["recipe"] = recipe
    if run:
        page.query_params["run"] = run
    for name, value in asked.items():
        page.query_params[name] = value
    page.switch_page("pages/Learn.py")
    return checked(page.run())


def on_the_sample(page: AppTest, name: str) -> AppTest:
    return checked(page.selectbox(key=f"learn.program.dataset.recipe {name}").set_value("mnist-sample").run())


def address(page: AppTest) -> dict[str, str]:
    """What it asks for, but for the chapter and the run."""
    values = {name: value if isinstance(value, str) else value[0] for name, value in page.query_params.items()}
    return {name: value for name, value in values.items() if name not in ("chapter", "run")}


def codes(page: AppTest) -> list[str]:
    """The code of the seven steps, each before its helper functions."""
    return [code.value for code in page.code if code.language == "python"]


def as_shown(program: Program) -> list[str]:
    parts = [without_helpers(step.code)[::-1] for step in program.steps]
    return [code for step in parts for code in step if code]


@pytest.fixture(autouse=True)
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Only the embedded sample is here."""
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path_factory.mktemp("data")))


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.claim])
def test_a_link_opens_a_tutorials_program(name: str) -> None:
    page = opened(name)
    assert page.selectbox(key=TRAINING).value == f"recipe {name}"
    assert [heading.value for heading in page.header][:7] == [f"{n}. {title}" for n, title in enumerate(STEPS, 1)]
    assert codes(page) == as_shown(program_of(RECIPES[name].config))
    assert "is not on this machine yet" in texts(page)


def test_budget_seed_and_data_set_change_the_program_and_its_results() -> None:
    page = on_the_sample(opened("basic-cnn"), "basic-cnn")
    untrained = metrics(page)["Loss, untrained"]
    page.segmented_control(key="learn.program.epochs.recipe basic-cnn").set_value(1)
    page.number_input(key="learn.program.seed").set_value(5).run()
    changes = {"dataset": "mnist-sample", "epochs": 1, "seed": 5}
    assert codes(page) == as_shown(program_of(RECIPES["basic-cnn"].config.model_copy(update=changes)))
    assert metrics(page)["Loss, untrained"] != untrained
    files = [str(file) for file in page.get("download_button")]
    assert all(any(label in file for file in files) for label in ("Script", "Notebook", "Data file"))


def test_a_link_sets_data_budget_and_seed_and_what_is_set_is_a_link() -> None:
    page = opened("basic-cnn", dataset="mnist-sample", epochs="3", seed="7")
    changes = {"dataset": "mnist-sample", "epochs": 3, "seed": 7}
    config = RECIPES["basic-cnn"].config.model_copy(update=changes)
    assert codes(page) == as_shown(program_of(config))
    page.segmented_control(key="learn.program.epochs.recipe basic-cnn").set_value(1).run()
    page.number_input(key="learn.program.seed").set_value(8).run()
    asked = address(page)
    assert asked == {"recipe": "basic-cnn", "dataset": "mnist-sample", "epochs": "1", "seed": "8"}
    assert codes(opened(**asked)) == codes(page)


@pytest.mark.parametrize("asked", [{"recipe": "cake"}, {"recipe": "quick", "epochs": "-1"}])
def test_a_link_that_asks_for_what_cannot_be_is_told_of(asked: dict[str, str]) -> None:
    page = opened(**asked)
    assert "has a setting that does not exist" in page.toast[0].value
    assert len(codes(page)) == 9


def test_a_reload_finds_the_training_that_goes_on() -> None:
    page = opened("basic-cnn", dataset="mnist-sample", epochs="900", seed="3")
    button(page, "Train it here").click().run()
    (job,) = running_jobs()
    reloaded = opened(run=job.run.id, **address(page))
    assert button(reloaded, "Stop (keeps all epochs)")
    reloaded.number_input(key="learn.program.seed").set_value(4).run()
    assert "with seed 3" in texts(reloaded)
    job.stop()
    job.join()


def test_training_it_is_an_ordinary_run_and_its_numbers_stay() -> None:
    page = on_the_sample(opened("basic-cnn"), "basic-cnn")
    page.segmented_control(key="learn.program.epochs.recipe basic-cnn").set_value(1).run()
    assert "to see its curves here" in texts(page)
    button(page, "Train it here").click().run()
    for job in running_jobs():
        job.join()
    (run,) = RunStore(runs_folder()).all()
    checked(page.run())
    assert run.config == RECIPES["basic-cnn"].config.model_copy(update={"dataset": "mnist-sample", "epochs": 1})
    assert metrics(page)["Test accuracy"] == f"{run.summary.test_accuracy:.1%}"
    assert "to see its curves here" not in texts(page)
    other = on_the_sample(opened("basic-cnn"), "basic-cnn")  # a new session, which finds the run of the same config
    other.segmented_control(key="learn.program.epochs.recipe basic-cnn").set_value(1).run()
    assert metrics(other)["Test accuracy"] == f"{run.summary.test_accuracy:.1%}"


def test_while_another_training_goes_on_this_one_waits() -> None:
    job = Job.start(RunConfig(architecture=TINY, epochs=1000), RunStore(runs_folder()))
    page = opened("basic-cnn")
    assert not button(page, "Train it here").disabled  # another session's
    button(on_the_sample(page, "basic-cnn"), "Train it here").click().run()
    page.number_input(key="learn.program.seed").set_value(9).run()
    assert button(page, "Train it here").disabled
    assert "Wait until it ends, or stop it" in texts(page)
    job.stop()


def test_a_saved_design_is_a_program_whatever_it_is_called() -> None:
    title = 'My """ <b>net</b>'
    own = Architecture.model_validate({**PRESETS["quick"].model_dump(), "name": "mine", "title": title})
    Shelf(runs_folder()).save(own)
    page = opened()
    page.selectbox(key=TRAINING).set_value("design mine").run()
    assert any("class MyBNetB(nn.Module)" in code for code in codes(checked(page)))
    assert codes(opened(design="mine")) == codes(page)
    assert "recipe" not in page.query_params


def test_a_run_is_a_program_with_its_curves(listed_run: Run) -> None:
    page = opened()
    page.selectbox(key=TRAINING).set_value(f"run {listed_run.id}").run()
    assert codes(checked(page)) == as_shown(program_of(listed_run.config))
    assert metrics(page)["Test accuracy"] == f"{listed_run.summary.test_accuracy:.1%}"


def test_what_a_run_says_of_its_precision_is_no_markdown(listed_run: Run) -> None:
    listed_run.write_summary(listed_run.summary.model_copy(update={"precision": "![x](http://stranger.invalid/x.png)"}))
    page = opened()
    page.selectbox(key=TRAINING).set_value(f"run {listed_run.id}").run()
    assert "stranger" in texts(checked(page))
    assert "![x](" not in texts(page)


def test_a_run_that_took_turns_says_why_it_is_no_program(listed_run: Run) -> None:
    listed_run.write_summary(listed_run.summary.model_copy(update={"rates_set": 1}))
    page = opened()
    page.selectbox(key=TRAINING).set_value(f"run {listed_run.id}").run()
    assert not page.exception
    assert "set by hand" in page.error[0].value


def test_a_seed_out_of_bounds_is_told_and_no_program_is_written() -> None:
    page = opened("basic-cnn")
    page.number_input(key="learn.program.seed").set_value(2**32).run()
    assert "It must be at least 0 and at most 4,294,967,295." in texts(checked(page))
    assert not codes(page)


def test_what_is_shown_is_what_the_script_has() -> None:
    page = opened("conv2d-tour")
    script = to_script(program_of(RECIPES["conv2d-tour"].config))
    assert all(code in script for code in codes(page))
