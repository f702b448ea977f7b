"""The pages as AppTest runs them: empty, running, finished."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from shutil import copytree
from threading import Event
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import streamlit as st
import torch
from PIL import Image
from streamlit.errors import StreamlitMissingAuthlibError
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest

from benchmarks.fake_trials import Clock, FakeTrials
from cnnlab import threads
from cnnlab.analysis.attribution import METHODS
from cnnlab.analysis.label_errors import margins, read_held_out, suspected_errors
from cnnlab.charts import comparison as charts_comparison
from cnnlab.data.datasets import DATASETS
from cnnlab.data.loading import load
from cnnlab.data.spec import DatasetError
from cnnlab.data.torchvision_compat import imagenet_names
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.drawings.strokes import Drawing
from cnnlab.evaluation.metrics import Answers
from cnnlab.jobs.executor import Local
from cnnlab.jobs.job import Job, running_jobs
from cnnlab.jobs.queue import TrainingQueue
from cnnlab.jobs.search import Step, search
from cnnlab.jobs.sweep import Sweep, SweepStore
from cnnlab.jobs.sweep_config import SweepConfig
from cnnlab.jobs.worker import Part
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import BatchNorm1d, Flatten, Linear
from cnnlab.palette import PALETTE
from cnnlab.pretrained.table import BACKBONES
from cnnlab.runs.archive import pack
from cnnlab.runs.run import Run, write_aside
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.runs.summary import About
from cnnlab.runs.trained import load_trained
from cnnlab.training.config import RunConfig
from cnnlab.training.history import to_line
from cnnlab.training.recipes import DEFAULT, RECIPES
from cnnlab.ui.draw.why import VIEWS
from cnnlab.ui.inspect import EVALUATE, INSIDE, Look, View, label_errors
from cnnlab.ui.shell.glossary_links import linked
from cnnlab.ui.sweep import watch
from cnnlab.ui.views.view import Picked
from tests.conftest import ROOT
from tests.pages.driver import (
    PAGES,
    TIMEOUT,
    button,
    canvas_of,
    checked,
    drawn,
    metrics,
    new_session,
    open_page,
    open_view,
    set_by_code,
    texts,
)
from tests.samples import EPOCH, SEVEN, lesson
from tests.trainings import records, train, wait_for_epoch, wait_until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_runs_says_what_to_do(name: str) -> None:
    assert {"Sweep": "Start sweep", "Design": "Select a layer", "Data": "Licence"}.get(name, "Train") in texts(
        open_page(name)
    )


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_strangers_nothing_where_the_server_has_a_login(
    name: str, listed_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamlit.user_info.get_secrets_auth_section", lambda: {"cookie_secret": "for this test"})
    page = new_session(run=listed_run.id)
    if name != "Home":
        page.switch_page(PAGES[name])
    checked(page.run())
    assert [button.label for button in page.button] == ["Log in"]
    assert listed_run.title not in texts(page)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_drawn_again_moves_nothing_under_a_persons_hand(name: str, listed_run: Run) -> None:
    assert set_by_code(open_page(name, listed_run).run()) == []


def test_a_page_that_draws_itself_again_moves_nothing_under_a_persons_hand(training: tuple[AppTest, Job]) -> None:
    page, job = training
    page.switch_page(PAGES["Inside"]).run()
    wait_until(job, lambda: len(job.history.epochs) > 1)
    page.run()
    toggle = next(toggle for toggle in page.toggle if toggle.label == "Follow")
    toggle.set_value(False).run()
    assert set_by_code(page.run()) == []


def test_a_login_that_cannot_work_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise StreamlitMissingAuthlibError

    monkeypatch.setattr("streamlit.user_info.get_secrets_auth_section", lambda: {"cookie_secret": "for this test"})
    monkeypatch.setattr(st, "login", missing)
    page = new_session().run()
    button(page, "Log in").click().run()
    assert not page.exception
    assert "Authlib" in page.error[0].value


@pytest.fixture
def logged_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Opens a page of a server with a login, for whom the provider says who they are."""
    monkeypatch.setattr("streamlit.user_info.get_secrets_auth_section", lambda: {"cookie_secret": "for this test"})

    monkeypatch.setattr(st, "secrets", {"auth": {"client_id": "for this test"}})

    def open_as(name: str, allowed: str, **claims: object) -> AppTest:
        monkeypatch.setenv("CNNLAB_ALLOWED", allowed)
        monkeypatch.setattr("streamlit.user_info._get_user_info", lambda: {"is_logged_in": True, **claims})
        page = new_session()
        if name != "Home":
            page.switch_page(PAGES[name])
        return page.run()

    return open_as


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_accounts_of_strangers_a_refusal_and_a_way_out(
    name: str, logged_in: Callable[..., AppTest]
) -> None:
    page = logged_in(name, "@school.org", email="eve@evilschool.org", email_verified=True)
    assert not page.exception
    assert [button.label for button in page.button] == ["Log out"]
    assert [block.value for block in page.title] == ["CNN Lab"]
    assert "has no access" in page.error[0].value
    assert not page.sidebar.button


def test_a_page_shows_the_allowed_what_there_is(logged_in: Callable[..., AppTest]) -> None:
    page = checked(logged_in("Train", "@school.org", email="Ada@School.org", email_verified=True))
    assert [button.label for button in page.sidebar.button] == ["Log out"]
    assert button(page, "Train")


def test_without_a_list_nobody_comes_in_and_the_server_says_what_to_set(logged_in: Callable[..., AppTest]) -> None:
    page = logged_in("Home", "", email="ada@school.org", email_verified=True)
    assert "CNNLAB_ALLOWED" in page.error[0].value
    assert [button.label for button in page.button] == ["Log out"]


def test_a_list_without_a_login_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_ALLOWED", "@school.org")
    page = new_session().run()
    assert "no login" in page.error[0].value
    assert not page.button


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_a_finished_run(name: str, listed_run: Run) -> None:
    page = open_page(name, listed_run)
    assert "No network has been trained yet" not in texts(page)
    assert not page.warning


def test_each_page_opens_while_its_run_trains(training: tuple[AppTest, Job]) -> None:
    _, job = training
    for name in PAGES:
        page = open_page(name, job.run)
        told = any("training," in block.value for block in page.sidebar.markdown)
        assert told or (name == "Train" and page.button(key="stop")), name


def test_the_menu_tells_of_the_sessions_training_also_beside_another_run(
    training: tuple[AppTest, Job], listed_run: Run
) -> None:
    page, _ = training
    page.query_params["run"] = listed_run.id
    page.switch_page(PAGES["Evaluate"]).run()
    assert any("training," in block.value for block in checked(page).sidebar.markdown)


def test_a_view_in_the_address_is_seen_first_and_can_be_left(listed_run: Run) -> None:
    page = new_session()
    page.query_params.update({"run": listed_run.id, "view": "Calibration"})
    page.switch_page(PAGES["Evaluate"]).run()
    assert EVALUATE["Calibration"].question.split(",")[0] in texts(checked(page))
    open_view(page, "Robustness")
    assert linked(EVALUATE["Robustness"].question, "Robustness") in texts(checked(page))
    assert "drawn at random" not in texts(page)  # all 500 are asked


def test_a_group_opens_its_first_view_and_older_links_find_theirs(listed_run: Run) -> None:
    page = open_page("Evaluate", listed_run, view="Labels")  # the name in older links
    assert page.session_state["evaluate.view"] == "Label errors"
    assert page.segmented_control(key="evaluate.group").value == "Trust"
    page.segmented_control(key="evaluate.group").set_value("Results").run()
    assert checked(page).segmented_control(key="evaluate.view").value == "Each class"
    page.segmented_control(key="evaluate.view").set_value("Mistakes").run()
    assert EVALUATE["Mistakes"].question in texts(checked(page))
    open_view(page, "Calibration")
    assert EVALUATE["Calibration"].question in texts(checked(page))


def leave() -> None:
    """As Streamlit tells of a choice whose control has gone with the page that was left."""
    import streamlit as st  # noqa: PLC0415 - a script of its own, without this file's imports

    from cnnlab.ui.inspect import INSIDE  # noqa: PLC0415
    from cnnlab.ui.inspect.page import _open_first  # noqa: PLC0415
    from cnnlab.ui.shell.state import view_of  # noqa: PLC0415

    view_of("inside").put("Attribution")
    _open_first(INSIDE, "inside")
    st.markdown(view_of("inside").get())


def test_a_page_that_is_left_opens_no_other_view() -> None:
    assert texts(checked(AppTest.from_function(leave, default_timeout=TIMEOUT).run())) == "Attribution"


@pytest.mark.parametrize("page_name", ["Inside", "Evaluate"])
def test_a_view_that_is_not_there_is_told(page_name: str, listed_run: Run) -> None:
    page = new_session()
    page.query_params.update({"run": listed_run.id, "view": "Nothing"})
    page.switch_page(PAGES[page_name]).run()
    assert [warning.value for warning in checked(page).warning] == [
        ("This link has a view that does not exist: choose one below.")
    ]


def test_robustness_says_when_it_asks_a_part_of_the_test_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.evaluation.corruptions.IMAGES", 100)
    page = open_page("Evaluate", train(train_fraction=0.1), view="Robustness")
    assert "of 500, drawn at random" in texts(checked(page))


def test_home_trains_the_default_with_one_click() -> None:
    page = open_page("Home")
    page.button[0].click().run()
    (job,) = running_jobs()
    job.stop()
    job.join()
    assert job.config == RECIPES[DEFAULT].config
    assert checked(page).title[0].value == "Train"


def test_train_shows_the_judged_figures_of_a_finished_run(listed_run: Run) -> None:
    shown = metrics(open_page("Train", listed_run))
    assert shown["Test accuracy"] == f"{listed_run.summary.test_accuracy:.1%}"
    assert shown["Validation accuracy"] == f"{listed_run.summary.validation_accuracy:.1%}"


def test_train_shows_progress_and_stops_when_asked(training: tuple[AppTest, Job]) -> None:
    page, job = training
    page.run()
    assert "Learning rate" in metrics(page)
    page.button(key="stop").click().run()
    job.join()
    assert job.state == "stopped"
    checked(page.run())
    assert not [button for button in page.button if button.key == "stop"]


def test_a_reloaded_page_finds_its_training_by_the_address(training: tuple[AppTest, Job]) -> None:
    _, job = training
    reloaded = open_page("Train", job.run)
    assert reloaded.button(key="stop")


def test_a_second_session_sees_nothing_of_the_first_ones_training(
    training: tuple[AppTest, Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, job = training
    assert job.run.epochs()
    session_id = "streamlit.runtime.caching.cache_resource_api.get_session_id_or_throw"
    monkeypatch.setattr(session_id, lambda: "another session")  # all of AppTest's are one
    other = open_page("Train")
    assert not [button for button in other.button if button.key == "stop"]
    assert "No network has been trained yet" in texts(open_page("Compare"))


def test_switching_pages_keeps_the_training_and_what_was_typed(training: tuple[AppTest, Job]) -> None:
    page, job = training
    page.switch_page(PAGES["Inside"]).run()
    assert job.is_running
    checked(page.switch_page(PAGES["Train"]).run())
    assert page.button(key="stop")
    assert page.number_input(key="form.epochs").value == 1000


def test_a_failed_training_says_why() -> None:
    run = train(learning_rate=10.0, optimizer="sgd", architecture="fashion-part-3", schedule="constant", momentum=0.99)
    page = new_session(run=run.id)
    page.switch_page(PAGES["Train"]).run()
    assert "lower the learning rate" in page.error[0].value


def test_a_failed_training_names_settings_as_the_form_does() -> None:
    layers = (Flatten(), Linear(out_features=4), BatchNorm1d(), Linear(out_features="classes"))
    run = train(batch_size=1, architecture=Architecture(name="normed", title="Normed", layers=layers))
    assert run.summary.error.startswith("batch_size: ")
    page = new_session(run=run.id)
    page.switch_page(PAGES["Train"]).run()
    assert page.error[0].value.startswith("Batch size")


def test_settings_that_do_not_fit_are_refused_before_training() -> None:
    page = open_page("Train")
    page.selectbox(key="form.dataset").set_value("usps")
    page.selectbox(key="form.architecture").set_value("fashion-part-3").run()
    assert "conv4" in page.error[0].value
    assert button(page, "Train").disabled
    assert not [found for found in page.button if found.label == "Find a learning rate"]


def test_the_learning_rate_finders_suggestion_goes_into_the_form_and_belongs_to_its_settings() -> None:
    page = open_page("Train")
    page.selectbox(key="form.architecture").set_value("basic-cnn").run()
    button(page, "Find a learning rate").click().run()
    join_background()
    checked(page.run())
    assert len(page.get("plotly_chart")) == 1
    (use,) = [found for found in page.button if found.label.startswith("Use ")]
    checked(use.click().run())
    assert page.number_input(key="form.learning_rate").value == pytest.approx(float(use.label.removeprefix("Use ")))
    assert button(page, use.label).disabled
    page.selectbox(key="form.optimizer").set_value("sgd").run()
    assert not page.get("plotly_chart")
    assert not running_jobs()


def test_a_finder_waits_for_the_trainings_and_a_second_click_starts_no_second(monkeypatch: pytest.MonkeyPatch) -> None:
    turns, waits = TrainingQueue(1), Event()
    monkeypatch.setattr("cnnlab.jobs.worker.training_queue", turns)
    turns.take("a training", lambda: False)
    wait_for = turns._moved.wait_for

    def wait(condition: Callable[[], bool]) -> None:
        waits.set()
        wait_for(condition)

    monkeypatch.setattr(turns._moved, "wait_for", wait)
    page = open_page("Train")
    page.selectbox(key="form.architecture").set_value("basic-cnn").run()
    button(page, "Find a learning rate").click().run()
    (work,) = computing()
    waits.wait()
    button(checked(page), "Find a learning rate").click().run()
    assert computing() == [work]
    assert page.get("progress")[0].proto.text == "Waiting for other trainings: number 1 in the queue"
    work.end()
    work.join()
    assert not checked(page.run()).get("plotly_chart")


def test_one_session_trains_one_network_however_often_its_button_is_clicked() -> None:
    page = open_page("Home")
    for label in ("Train a network now", "See your training", "See your training"):
        button(checked(page.switch_page(str(ROOT / "app.py")).run()), label).click().run()
        (job,) = running_jobs()
        assert checked(page).title[0].value == "Train"
        assert page.query_params["run"] in (job.run.id, [job.run.id])


def test_a_second_click_that_interrupts_the_first_finds_what_that_one_began(monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page("Train")
    with monkeypatch.context() as patch:
        patch.setattr("cnnlab.ui.shell.session._taken", interrupted_script)
        button(page, "Train").click().run()
    (job,) = running_jobs()
    button(page, "Train").click().run()
    assert running_jobs() == [job]
    assert page.query_params["run"] in (job.run.id, [job.run.id])


def branch_twice(parent: str) -> None:
    from cnnlab.training.config import RunConfig  # noqa: PLC0415 - a script of its own, without this file's imports
    from cnnlab.ui.shell import session  # noqa: PLC0415

    branch = RunConfig.model_validate({"parent": parent, "seed": 7, "epochs": 1000})
    assert session.start(branch) is session.start(branch)


def test_a_branch_asked_for_twice_is_one_training_though_it_takes_its_parents_split(listed_run: Run) -> None:
    checked(AppTest.from_function(branch_twice, default_timeout=TIMEOUT, args=(f"{listed_run.id}@1",)).run())
    (job,) = running_jobs()
    assert job.config.held_out_by == listed_run.config.held_out_by != job.config.seed


def interrupted_script(_: Job) -> None:
    raise StopException


def test_a_session_that_looks_at_another_run_finds_its_training(training: tuple[AppTest, Job], listed_run: Run) -> None:
    page, job = training
    page.query_params["run"] = listed_run.id
    page.run()
    assert button(page, "Add to queue")
    assert "Your other trainings" in texts(checked(page))
    button(page, "Show").click().run()
    assert page.query_params["run"] in (job.run.id, [job.run.id])
    assert "Your other trainings" not in texts(checked(page))
    assert running_jobs() == [job]


def test_a_finder_that_gets_no_data_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = open_page("Train")
    page.selectbox(key="form.dataset").set_value("mnist").run()

    def refuse(*arguments: object, **options: object) -> None:
        raise DatasetError("MNIST is not here")

    monkeypatch.setattr("cnnlab.jobs.worker.fetch", refuse)
    button(page, "Find a learning rate").click().run()
    join_background()
    assert "MNIST is not here" in page.run().error[0].value


def test_a_second_training_becomes_the_sessions(training: tuple[AppTest, Job]) -> None:
    page, first = training
    button(page, "Stop (keeps all epochs)").click().run()
    first.join()
    button(checked(page.run()), "Train").click().run()
    (second,) = running_jobs()
    assert page.query_params["run"] in (second.run.id, [second.run.id])
    assert button(checked(page), "Add to queue")
    assert button(page, "Stop (keeps all epochs)")


def test_a_page_opened_on_a_run_has_its_settings_in_the_form() -> None:
    page = open_page("Train", train(learning_rate=0.02, optimizer="sgd", architecture="lenet-5", train_fraction=0.1))
    assert page.number_input(key="form.learning_rate").value == pytest.approx(0.02)
    assert page.selectbox(key="form.optimizer").value == "sgd"
    assert page.selectbox(key="form.architecture").value == "lenet-5"


def test_a_branch_leaves_the_form_to_the_run_at_its_root() -> None:
    root = train(learning_rate=0.02, architecture="lenet-5", train_fraction=0.1)
    branch = train(
        parent=f"{root.id}@1", lessons=[lesson()], learning_rate=0.0001, architecture="lenet-5", train_fraction=0.1
    )
    page = open_page("Train", branch)
    assert page.number_input(key="form.learning_rate").value == pytest.approx(0.02)
    assert page.selectbox(key="form.architecture").value == "lenet-5"
    button(page, "Train").click().run()
    (job,) = running_jobs()
    assert job.config == root.config
    RunStore(runs_folder()).delete(root.id)
    page = open_page("Train", branch)
    assert page.number_input(key="form.learning_rate").value == RunConfig().learning_rate


def test_a_recipe_fills_in_the_form() -> None:
    page = open_page("Train")
    page.selectbox(key="form.recipe").set_value("seven-step-mnist").run()
    assert page.selectbox(key="form.dataset").value == "mnist"
    assert page.number_input(key="form.batch_size").value == 32
    assert page.number_input(key="form.learning_rate").value == pytest.approx(3e-4)


def test_inside_draws_each_view_of_each_epoch() -> None:
    run = train(epochs=2, train_fraction=0.2)
    page = open_page("Inside", run)
    for view in [
        name for name in INSIDE if name != "Blame"
    ]:  # which draws mistakes alone, and none of an untrained network
        shown = drawn(checked(open_view(page, view)))
        assert shown or view == "Ideal image", view  # which waits for its button
        choose_other_epoch(page, run)
        assert len(drawn(checked(page))) == len(shown), view


def choose_other_epoch(page: AppTest, run: Run) -> None:
    """Of the untrained network and that of epoch 2, the one that is not shown."""
    slider = page.select_slider(key=f"explore.epoch.{run.id}")
    slider.set_value(0 if slider.value else 2).run()


SOFTMAX = {
    "name": "softmax",
    "title": "S",
    "layers": [{"kind": "flatten"}, {"kind": "linear", "out_features": "classes"}],
}


@pytest.mark.parametrize("architecture", ["lenet-5", "small-resnet", SOFTMAX], ids=["tanh", "blocks", "no convolution"])
def test_inside_copes_with_every_kind_of_network(architecture: object) -> None:
    page = open_page("Inside", train(architecture=architecture, train_fraction=0.05))
    for view in INSIDE:
        assert drawn(checked(open_view(page, view))) or page.info, view


@pytest.fixture(scope="module")
def dead_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A network whose ReLUs died of too high a rate: its features are the same for every image."""
    layers = [
        {"kind": "conv2d", "out_channels": 4, "kernel_size": 5, "stride": 3},
        {"kind": "activation"},
        {"kind": "flatten"},
        {"kind": "linear", "out_features": "classes"},
    ]
    config = {
        "architecture": {"name": "dead", "title": "Dead", "layers": layers},
        "epochs": 3,
        "train_fraction": 0.2,
        "normalise": "unit",
        "augmentation": "none",
        "optimizer": "sgd",
        "momentum": 0,
        "nesterov": False,
        "schedule": "constant",
        "learning_rate": 3,
    }
    job = Job.start(RunConfig.model_validate(config), RunStore(tmp_path_factory.mktemp("dead")))
    job.join()
    assert job.run.summary.test_accuracy == pytest.approx(0.1)
    return job.run


@pytest.mark.usefixtures("few_corrupted")
def test_every_view_copes_with_a_network_that_died(dead_run: Run) -> None:
    copytree(dead_run.folder, runs_folder() / dead_run.id)
    for name, views in (("Inside", INSIDE), ("Evaluate", EVALUATE)):
        page = open_page(name, dead_run)
        for view in views:
            open_view(page, view)
            assert ("They lie on one point" in texts(checked(page))) == (view == "Embedding"), view


@pytest.mark.parametrize("side", [32, 112])
def test_inside_copes_with_large_colour_images(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = np.random.default_rng(side)

    def read(folder: Path) -> tuple[Any, ...]:
        pictures = (draws.integers(0, 256, (count, 3, side, side), np.uint8) for count in (20, 10))
        first, second = pictures
        return first, np.arange(20) % 10, second, np.arange(10)

    shape, sizes = (3, side, side), (20, 10)
    spec = replace(DATASETS["cifar10"], name=f"colours-{side}", shape=shape, sizes=sizes, fetch=None, read=read)
    monkeypatch.setitem(DATASETS, spec.name, spec)
    page = open_page("Inside", train(dataset=spec.name, architecture="small-resnet", augmentation="none"))
    for view in INSIDE:
        open_view(page, view)
        assert drawn(checked(page)) or page.info


def test_inside_looks_at_a_run_that_trains(training: tuple[AppTest, Job]) -> None:
    page, job = training
    page.switch_page(PAGES["Inside"]).run()
    for view in INSIDE:
        checked(open_view(page, view))
    assert job.is_running


def test_inside_changes_nothing_of_a_training_it_looks_at() -> None:
    fields = {"epochs": 4, "train_fraction": 0.2, "architecture": "seven-step-mnist", "batch_size": 64}
    alone = train(**fields)
    job = Job.start(RunConfig.model_validate(fields), RunStore(runs_folder()), threads=1)
    wait_for_epoch(job)
    page = open_page("Inside", job.run)
    looks = 0
    for view in [*INSIDE] * 3:
        if not job.is_running:
            break
        open_view(page, view)
        looks += 1
    job.join()
    assert looks >= 2
    assert records(job.run.history()) == records(alone.history())


def test_inside_shows_the_images_that_are_misread() -> None:
    page = open_page("Inside", train(epochs=2, train_fraction=0.2), view="Layer by layer")
    page.toggle(key="inside.wrong").set_value(True).run()
    assert page.selectbox(key="inside.class").value == "any class"
    (verdict,) = [text.value for text in checked(page).markdown if "The network says" in text.value]
    true, said = verdict.split("**")[1::2]  # the bold words
    assert true != said


def test_inside_takes_an_upload_and_refuses_what_is_no_image(listed_run: Run) -> None:
    page = open_page("Inside", listed_run, view="Attribution")
    page.segmented_control(key="inside.source").set_value("Upload").run()
    assert "Choose an image file" in texts(checked(page))
    buffer = BytesIO()
    Image.fromarray(255 - load("mnist-sample").test.images[0, 0].numpy()).resize((90, 90)).save(buffer, "PNG")
    page.file_uploader(key="inside.upload").set_value(("digit.png", buffer.getvalue(), "image/png")).run()
    assert "Your image" in texts(checked(page))
    page.file_uploader(key="inside.upload").set_value(("digit.png", b"no image", "image/png")).run()
    assert page.error[0].value


def test_inside_looks_at_what_was_drawn(listed_run: Run) -> None:
    page = open_page("Draw", listed_run)
    page.switch_page(PAGES["Inside"]).run()
    open_view(page, "Attribution")
    page.segmented_control(key="inside.source").set_value("Drawing").run()
    assert "You have not drawn anything yet" in texts(checked(page))
    page.session_state["canvas"] = canvas_of(SEVEN)
    page.switch_page(PAGES["Draw"]).run()
    page.switch_page(PAGES["Inside"]).run()
    page.segmented_control(key="inside.source").set_value("Drawing").run()
    assert "Your drawing" in texts(checked(page))


def test_the_images_in_a_loop_are_counted_by_class_and_cleared(listed_run: Run) -> None:
    page = open_page("Inside", listed_run, view="Embedding")
    assert "draw a loop around points" in texts(page)
    labels = load("mnist-sample").test.labels
    page.session_state["inside.looped"] = [0, 1, 2, 700]  # as a loop leaves it, with another count of images
    page.run()
    assert "**3 images in the loop.**" in texts(checked(page))
    for label in set(labels[:3].tolist()):
        assert f"{label}: {(labels[:3] == label).sum()}" in texts(page)
    button(page, "Clear").click().run()
    assert "in the loop" not in texts(checked(page))


def test_inside_is_not_sure_of_a_picture_of_anything(listed_run: Run) -> None:
    page = open_page("Inside", listed_run, view="Layer by layer")
    page.segmented_control(key="inside.source").set_value("Upload").run()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    file = BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    page.file_uploader[0].set_value(("noise.png", file.getvalue(), "image/png")).run()
    assert "**Not sure**" in texts(checked(page))
    assert "The closest class is" in texts(page)
    open_view(page, "Attribution")
    (why,) = [box for box in checked(page).selectbox if box.label == "Explain class"]
    assert not [name for name in why.options if "%" in name]


def test_inside_plays_from_the_first_epoch_to_the_last() -> None:
    run = train(epochs=3, train_fraction=0.05)
    page = open_page("Inside", run)
    slider = f"explore.epoch.{run.id}"
    assert page.select_slider(key=slider).value == 3
    button(page, "Play").click().run()
    seen: list[Any] = [page.select_slider(key=slider).value]
    while seen[-1] < 3 and len(seen) < 10:
        seen.append(checked(page.run()).select_slider(key=slider).value)
    assert seen == sorted(seen)
    assert seen[0] <= 2
    assert button(page.run(), "Play")  # it has stopped by itself


def test_the_slider_steps_over_epochs_that_were_not_kept() -> None:
    run = train(epochs=3, train_fraction=0.05)
    run.delete_weights([2])
    page = new_session(run=run.id)
    page.session_state[f"explore.epoch.{run.id}"] = 2  # which was there while it trained
    page.switch_page(PAGES["Inside"]).run()
    slider = checked(page).select_slider(key=f"explore.epoch.{run.id}")
    assert (slider.options, slider.value) == (["0", "1", "3"], 1)
    page = open_page("Train", run)
    assert page.select_slider(key=f"branch.epoch.{run.id}").options == ["0", "1", "3"]


@pytest.mark.parametrize("method", METHODS)
def test_each_attribution_is_drawn_for_two_classes_and_checked_against_random_weights(
    method: str, listed_run: Run
) -> None:
    page = open_page("Inside", listed_run, view="Attribution")
    page.selectbox(key="inside.method").set_value(method).run()
    (other,) = [box for box in page.selectbox if box.label == "compared with"]
    other.select_index(2).run()
    assert len(checked(page).get("plotly_chart")) == 4
    assert "rank correlation" in texts(page)


def test_the_network_that_a_run_started_from_can_be_asked_with_its_own_thousand_classes() -> None:
    backbone = BACKBONES["lite0"]
    start = {"architecture": backbone.network(64), "start": backbone.name, "normalise": backbone.normalise}
    run = train(**start, learn_from="linear1", augmentation="none", train_fraction=0.02, epochs=1)
    page = open_page("Inside", run)
    assert "explore.published" not in {toggle.key for toggle in page.toggle}  # no question of Filters
    open_view(page, "Layer by layer")
    page.toggle(key="explore.published").set_value(True).run()
    assert "published" in texts(checked(page))
    (verdict,) = [text.value for text in page.markdown if "published network says" in text.value]
    assert verdict.split("**")[3] in imagenet_names()
    open_view(page, "Attribution")
    (why,) = [box for box in checked(page).selectbox if box.label == "Explain class"]
    assert len(why.options) == 1000


@pytest.fixture
def few_corrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Robustness asks about a fifth of the test images."""
    monkeypatch.setattr("cnnlab.evaluation.corruptions.IMAGES", 100)


@pytest.mark.usefixtures("few_corrupted")
def test_evaluate_draws_each_view_of_each_epoch() -> None:
    run = train(epochs=2, train_fraction=0.2)
    page = open_page("Evaluate", run)
    for view in EVALUATE:
        assert drawn(checked(open_view(page, view))) or page.data_editor, view
        choose_other_epoch(page, run)
        assert drawn(checked(page)) or page.data_editor, view


@pytest.mark.usefixtures("few_corrupted")
def test_evaluate_looks_at_a_run_that_trains(training: tuple[AppTest, Job]) -> None:
    page, job = training
    page.switch_page(PAGES["Evaluate"]).run()
    for view in EVALUATE:
        checked(open_view(page, view))
    assert job.is_running


def test_evaluate_leads_on_to_the_reason_of_its_most_frequent_mistake() -> None:
    page = open_page("Evaluate", train(train_fraction=0.1))
    (why,) = [found for found in page.button if found.label.startswith("See why it reads")]
    why.click().run()
    assert checked(page).title[0].value == "Inside"
    assert page.session_state["inside.view"] == "Attribution"
    true = why.label.split(" ")[4]
    assert page.selectbox(key="inside.class").value == true


def test_evaluate_tells_what_the_run_was_judged_by(listed_run: Run) -> None:
    page, summary = open_page("Evaluate", listed_run), listed_run.summary
    assert metrics(page)["Accuracy"] == f"{summary.test_accuracy:.1%}"
    table = page.dataframe[0].value
    assert table["Accuracy"].tolist() == pytest.approx(list(summary.per_class.values()))
    assert table["Images"].tolist() == list(summary.support.values())


def test_evaluate_opens_the_images_of_a_cell_and_each_of_them_on_inside() -> None:
    run = train(train_fraction=0.2)
    page = open_page("Evaluate", run, view="Confusion")
    page.session_state["evaluate.cell"] = 0  # as a click on the first cell leaves it
    page.session_state["evaluate.image"] = 3
    page.run()
    assert "0 read as 0" in texts(checked(page))
    assert "Test image 4" in texts(page)
    button(page, "Attribution").click().run()
    assert "Can this map be trusted?" in texts(checked(page))
    assert page.segmented_control(key="inside.group").value == "Why"
    assert "Test image 4, a" in texts(page)


@pytest.mark.parametrize("kind", ["confident mistakes", "unsure but right", "largest losses"])
def test_evaluate_shows_the_images_it_finds_hard(kind: str) -> None:
    page = open_page("Evaluate", train(train_fraction=0.1), view="Mistakes")
    page.segmented_control(key="evaluate.kind").set_value(kind).run()
    assert len(checked(page).get("plotly_chart")) == 1


def labels_page(run: Run, which: str) -> AppTest:
    page = open_page("Evaluate", run, view="Label errors")
    page.segmented_control(key="evaluate.labels").set_value(which).run()
    return checked(page)


@pytest.mark.parametrize("which", ["test images", "validation images"])
def test_evaluate_lists_the_images_whose_label_is_contradicted(which: str) -> None:
    run = train(train_fraction=0.1)
    data = load("mnist-sample", run.config.validation_fraction, run.config.seed)
    split = data.test if which == "test images" else data.validation
    found = load_trained(run).answers(split)
    page = labels_page(run, which)
    table = page.data_editor[0].value
    assert table.index.tolist() == suspected_errors(found)[:60].tolist()
    assert table["label"].tolist() == [str(label) for label in found.labels[table.index]]
    assert table["answer"].tolist() == [str(answer) for answer in found.named[table.index]]
    assert table["picture"].str.startswith("data:image/png").all()
    assert not table["verdict"].notna().any()
    sure = int((margins(found) > 0.5).sum())
    assert f"{(~found.hits).sum():,} of {len(split):,} {which}" in texts(page)
    assert f"50% for {sure:,}" in texts(page)


def test_a_verdict_stays_with_its_image_across_views_and_epochs() -> None:
    run = train(train_fraction=0.1, epochs=2)
    page = labels_page(run, "test images")
    editor = page.data_editor[0]
    index = editor.value.index[1]
    assert editor.key
    page.session_state[editor.key] = {
        "edited_rows": {1: {"verdict": "looks wrong"}},
        "added_rows": [],
        "deleted_rows": [],
    }  # as a choice in the second row leaves it
    page.run()
    open_view(page, "Calibration")
    open_view(page, "Label errors")
    table = checked(page).data_editor[0].value
    assert table["verdict"].dropna().to_dict() == {index: "looks wrong"}
    page.select_slider(key=f"explore.epoch.{run.id}").set_value(1).run()
    table = checked(page).data_editor[0].value
    assert table["verdict"].dropna().to_dict() == ({index: "looks wrong"} if index in table.index else {})
    page.segmented_control(key="evaluate.labels").set_value("validation images").run()
    assert not checked(page).data_editor[0].value["verdict"].notna().any()


def test_a_verdict_on_fewer_images_is_none_on_all(listed_run: Run) -> None:
    all_of_them, fewer = (label_errors._verdicts(listed_run, "test images", count) for count in (500, 300))
    all_of_them[3] = "looks wrong"
    assert fewer == {}
    assert label_errors._verdicts(listed_run, "test images", 500) == {3: "looks wrong"}


def test_a_network_that_contradicts_no_label_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = load("mnist-sample").test.labels.numpy()
    agreed = Answers(np.eye(10)[labels], labels, tuple("0123456789"))
    monkeypatch.setattr("cnnlab.ui.inspect.label_errors.answers", lambda *arguments: agreed)
    page = labels_page(train(train_fraction=0.1), "test images")
    assert "None: " in texts(page)
    assert not page.data_editor


def test_training_images_are_judged_by_networks_that_did_not_see_them() -> None:
    run = train(train_fraction=0.05)
    page = labels_page(run, "training images")
    assert "in all" in texts(page)
    assert not page.data_editor
    button(page, "Train 3 networks").click().run()
    label_errors._works()[run.id].join()
    table = checked(page.run()).data_editor[0].value
    found = read_held_out(run)
    assert found
    assert table.index.tolist() == suspected_errors(found)[:60].tolist()
    assert "of 4,500 training images" in texts(page)
    assert not [found for found in page.button if found.label == "Train 3 networks"]
    assert labels_page(run, "training images").data_editor  # the run has kept it


def test_a_branch_is_not_asked_about_training_images_that_its_parent_saw() -> None:
    root = train(architecture="lenet-5", train_fraction=0.1)
    branch = train(parent=f"{root.id}@1", architecture="lenet-5", train_fraction=0.1)
    page = labels_page(branch, "training images")
    assert "learned from the training images" in texts(page)
    assert not [found for found in page.button if found.label == "Train 3 networks"]


def test_held_out_networks_can_be_cancelled(training: tuple[AppTest, Job]) -> None:
    _, job = training
    job.stop()
    job.join()
    page = labels_page(job.run, "training images")
    button(page, "Train 3 networks").click().run()
    button(checked(page), "Cancel").click().run()
    work = label_errors._works()[job.run.id]
    work.join()
    assert work.is_cancelled
    assert button(checked(page.run()), "Train 3 networks")
    assert not page.data_editor


def test_held_out_networks_that_fail_say_why_and_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run = train(train_fraction=0.05)
    page = labels_page(run, "training images")

    def refuse(*arguments: object, **options: object) -> None:
        raise DatasetError("MNIST is not here")

    with monkeypatch.context() as patch:
        patch.setattr("cnnlab.analysis.label_errors.network_for", refuse)
        button(page, "Train 3 networks").click().run()
        label_errors._works()[run.id].join()
    page.run()
    assert "MNIST is not here" in page.error[0].value
    button(page, "Train 3 networks").click().run()
    label_errors._works()[run.id].join()
    assert checked(page.run()).data_editor


def test_draw_names_what_is_on_the_canvas(listed_run: Run) -> None:
    page = open_page("Draw", listed_run)
    page.session_state["canvas"] = canvas_of(SEVEN)
    page.run()
    assert metrics(checked(page))["The network says"] == "7"
    page.switch_page(PAGES["Home"]).run()
    page.switch_page(PAGES["Draw"]).run()
    assert metrics(checked(page))["The network says"] == "7"
    page.button(key="canvas.clear").click().run()
    assert "The network says" not in metrics(checked(page))


def show_view(view: "View", look: "Look") -> None:  # noqa: UP037, a script of its own, without this file's imports
    view.show(look)


def view_of(run: Run, name: str, drawing: Drawing) -> AppTest:
    picked = Picked(prepare(stroke_ink(drawing)), "Your drawing", drawing)
    look = Look(run, load_trained(run), run.epochs(), picked)
    return checked(AppTest.from_function(show_view, default_timeout=TIMEOUT, args=(VIEWS[name], look)).run())


@pytest.mark.parametrize("name", VIEWS)
def test_each_view_of_draw_looks_at_a_drawing(name: str, finished_run: Run) -> None:
    assert drawn(view_of(finished_run, name, SEVEN))


BARS = Drawing(strokes=[[(0.1 + 0.3 * bar, 0.1), (0.1 + 0.3 * bar, 0.9)] for bar in range(3)], pen=0.1)


@pytest.mark.parametrize(
    ("drawing", "erased", "pieces"), [(SEVEN, "pieces of strokes", 6), (BARS, "strokes", 3)], ids=["one", "three"]
)
def test_each_stroke_or_piece_is_listed_the_strongest_first(
    drawing: Drawing, erased: str, pieces: int, finished_run: Run
) -> None:
    page = view_of(finished_run, "Strokes", drawing)
    assert page.segmented_control[0].value == erased
    table = page.dataframe[0].value
    assert sorted(table["No."]) == list(range(1, pieces + 1))
    assert table["For it, nats"].is_monotonic_decreasing
    (other,) = page.selectbox
    checked(other.select_index(1).run())
    assert not page.dataframe[0].value["For it, nats"].equals(table["For it, nats"])


def test_strokes_are_not_told_of_a_dot_nor_of_an_image_that_was_not_drawn(finished_run: Run) -> None:
    page = view_of(finished_run, "Strokes", Drawing(strokes=[[(0.5, 0.5)]]))
    assert "only one short stroke" in texts(page)
    assert not page.dataframe
    look = Look(finished_run, load_trained(finished_run), [2], Picked(torch.zeros(1, 1, 28, 28).byte(), "A test image"))
    page = checked(AppTest.from_function(show_view, default_timeout=TIMEOUT, args=(VIEWS["Strokes"], look)).run())
    assert "Only canvas drawings" in texts(page)


def test_the_nearest_images_vote_and_say_how_near_they_are(finished_run: Run) -> None:
    page = view_of(finished_run, "Nearest images", SEVEN)
    shown = metrics(page)
    assert 0 < float(shown["Distance of the nearest"]) < 1.5
    assert shown["More unusual than"].endswith("%")
    assert "4,050 [training images]" in texts(page)


def test_training_images_that_cannot_be_had_are_told(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise DatasetError("MNIST is not here")

    monkeypatch.setattr("cnnlab.ui.views.nearest.reference", refuse)
    look = Look(finished_run, load_trained(finished_run), [2], Picked(torch.zeros(1, 1, 28, 28).byte(), "A test image"))
    page = AppTest.from_function(show_view, default_timeout=TIMEOUT, args=(VIEWS["Nearest images"], look)).run()
    assert "MNIST is not here" in page.error[0].value


def test_a_large_training_set_is_searched_in_part(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.ui.views.cached.REFERENCE_IMAGES", 100)
    st.cache_resource.clear()
    assert ", evenly chosen among 4,050" in texts(view_of(finished_run, "Nearest images", SEVEN))
    st.cache_resource.clear()


def test_the_smallest_change_turns_the_answer_into_the_chosen_class(finished_run: Run) -> None:
    page = view_of(finished_run, "Smallest change", SEVEN)
    for chosen in (0, 5):
        (target,) = page.selectbox
        checked(target.select_index(chosen).run())
        before, after = (text.value for text in page.markdown if "read as" in text.value)
        answer, other = (trained_class(text) for text in (before, after))
        assert other == page.selectbox[0].value
        assert answer != other
        assert float(metrics(page)["Size of the change"]) > 0


def trained_class(told: str) -> int:
    """The class in "read as **7 (98.0%)**"."""
    return int(told.replace("\\", "").split("read as **")[1].split(" ")[0])


def test_where_no_change_is_found_it_is_told(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: Part[object] = Part(1.0, None)
    monkeypatch.setattr(
        "cnnlab.ui.views.smallest_change.smallest_change", lambda *arguments: (one for one in [nothing])
    )
    st.cache_resource.clear()
    assert "no change was found" in texts(view_of(finished_run, "Smallest change", SEVEN))
    st.cache_resource.clear()


def compare(view: str = "Curves") -> AppTest:
    page = open_page("Compare")
    page.segmented_control(key="compare.view").set_value(view).run()
    return checked(page)


def tick(page: AppTest, *runs: Run) -> AppTest:
    """As ticking their rows leaves it."""
    page.session_state["compare.chosen"] = {None: [run.id for run in runs]}
    return checked(page.run())


def listed(page: AppTest) -> pd.DataFrame:
    table: pd.DataFrame = page.dataframe[0].value
    return table


def test_compare_puts_two_runs_classes_side_by_side() -> None:
    good, worse = train(epochs=2), train(train_fraction=0.05)
    table = compare("Each class").dataframe[1].value
    assert list(table.iloc[:, 3]) == pytest.approx(list(worse.summary.per_class.values()))
    assert list(table.iloc[:, 4]) == pytest.approx(list(good.summary.per_class.values()))
    assert table["Difference, points"].tolist() == pytest.approx(((table.iloc[:, 4] - table.iloc[:, 3]) * 100).tolist())
    assert (table["p"].str.removeprefix("< ").astype(float) < 0.05).any()


def test_compare_says_whether_a_difference_is_more_than_chance() -> None:
    good, worse = train(epochs=2), train(train_fraction=0.05)
    page = compare("Which is better?")
    assert "These two networks differ. Whether their settings do is not known" in texts(page)
    (row,) = page.dataframe[1].value.to_dict("records")
    told = [run.summary.test_accuracy or 0 for run in (worse, good)]
    assert row["Difference, points"] == pytest.approx(100 * (told[1] - told[0]))
    assert row["Images"] == 500


def test_compare_finds_no_evidence_between_a_run_and_its_repetition() -> None:
    for _ in range(2):
        train(train_fraction=0.2)
    assert "No evidence of a difference" in texts(compare("Which is better?"))


def test_compare_tests_every_pair_of_several_runs() -> None:
    runs = [train(train_fraction=0.2, seed=seed) for seed in range(3)]
    page = tick(compare("Which is better?"), *runs)
    table = page.dataframe[1].value
    assert table[["One", "Other"]].apply(tuple, axis=1).is_unique
    assert len(table) == 3
    page.segmented_control(key="compare.view").set_value("Each class").run()
    assert checked(page).dataframe[1].value.shape == (10, 4)


def test_compare_tells_only_what_was_set_differently() -> None:
    train(train_fraction=0.2), train(train_fraction=0.2, learning_rate=0.02)
    table = compare("Settings").dataframe[1].value
    assert list(table.index) == ["Learning rate"]
    assert sorted(table.iloc[0]) == ["0.01", "0.02"]


def test_compare_shows_the_images_on_which_two_runs_differ_and_opens_them_in_either() -> None:
    good, worse = train(epochs=2), train(train_fraction=0.05)
    page = compare("Each class")
    page.session_state["compare.image"] = 3  # as a click leaves it
    page.run()
    assert texts(checked(page)).count("Test image 4") == 2
    page.button(key=f"open.Attribution.{good.id}").click().run()
    assert checked(page).title[0].value == "Inside"
    assert page.selectbox(key="inside.run.None").value == good.id
    assert "Test image 4, a" in texts(page)
    assert worse.id != good.id


@pytest.mark.parametrize("axis", ["epoch", "step", "seconds"])
def test_compare_overlays_curves_and_joins_repeats(axis: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []

    def overlaid(curves: dict[str, pd.DataFrame], metric: str, axis: str, *more: Any) -> go.Figure:
        drawn.append((metric, axis, {name: rows["runs"].max() for name, rows in curves.items()}))
        return charts_comparison.overlaid_curves(curves, metric, axis, *more)

    monkeypatch.setattr("cnnlab.charts.overlaid_curves", overlaid)
    for seed in range(2):
        train(train_fraction=0.2, epochs=2, seed=seed)
    train(train_fraction=0.2, epochs=2, seed=2, learning_rate=0.02)
    page = compare()
    page.segmented_control(key="compare.axis").set_value(axis).run()
    drawn.clear()
    checked(page.run())
    assert [(metric, shown.startswith(axis), list(runs.values())) for metric, shown, runs in drawn] == [
        ("loss", True, [1, 1]),
        ("accuracy", True, [1, 1]),
    ]
    drawn.clear()
    checked(page.toggle(key="compare.joined").set_value(True).run())
    joined = drawn[-1][2]
    assert sorted(joined.values()) == [1, 2]
    assert any("2 seeds" in name for name in joined)


@pytest.mark.parametrize("view", ["Cost", "Hyperparameters"])
def test_compare_draws_all_listed_runs(view: str) -> None:
    for rate in (0.005, 0.01, 0.02):
        train(train_fraction=0.2, learning_rate=rate)
    page = compare(view)
    assert len(page.get("plotly_chart")) == 1
    assert "3 runs" in texts(page)
    page.text_input(key="compare.search").set_value("nothing like it").run()
    assert not checked(page).get("plotly_chart")
    assert "0 of 3 runs" in texts(page)


def test_compare_lists_what_search_and_filters_leave() -> None:
    train(train_fraction=0.2), train(train_fraction=0.2, architecture="quick"), train(train_fraction=0.1)
    page = compare()
    assert len(listed(page)) == 3
    page.text_input(key="compare.search").set_value("quick").run()
    assert listed(checked(page))["Network"].tolist() == ["Quick net"]
    page.text_input(key="compare.search").set_value("").run()
    page.multiselect(key="compare.filters").set_value(["Fraction of training images used", "Network"]).run()
    page.multiselect(key="compare.filter.Fraction of training images used").set_value([0.2]).run()
    assert len(listed(page)) == 2
    page.multiselect(key="compare.filter.Network").set_value(["Quick net"]).run()
    assert len(listed(checked(page))) == 1


def test_compared_runs_are_called_by_what_tells_them_apart() -> None:
    runs = [train(train_fraction=0.1), train(train_fraction=0.1, learning_rate=0.0123456)]
    page = compare("Which is better?")
    (row,) = page.dataframe[1].value.to_dict("records")
    assert (row["One"], row["Other"]) == ("learning rate 0.0123", "learning rate 0.01")
    runs[0].write_about(About(title="Mine"))
    (row,) = checked(page.run()).dataframe[1].value.to_dict("records")
    assert (row["One"], row["Other"]) == ("Lean net, MNIST sample", "Mine")


def test_a_ticked_run_is_opened_to_go_on_with_it() -> None:
    older, _ = (train(seed=seed, train_fraction=0.1) for seed in range(2))
    page = compare()
    assert button(page, "Open").disabled  # both are ticked
    button(tick(page, older), "Open").click().run()
    assert checked(page).title[0].value == "Train"
    assert older.id in page.query_params["run"]
    assert button(page, "Branch off")


def test_compare_keeps_what_is_ticked_in_the_address() -> None:
    runs = [train(train_fraction=0.1, seed=seed) for seed in range(3)]
    page = new_session(compare=f"{runs[0].id},nothing")
    page.switch_page(PAGES["Compare"]).run()
    assert "selected: 1" in texts(checked(page))
    assert "Some runs in this link" in page.warning[0].value
    button(page, "Clear selection").click().run()
    assert "Select one run to see it" in texts(checked(page))


def test_a_stopped_run_says_how_far_it_came_and_which_epoch_was_better() -> None:
    stopped = train(epochs=2, architecture="quick", train_fraction=0.2)
    stopped.rewind(0)
    epochs = [replace(EPOCH, epoch=epoch, validation_accuracy=1 / epoch, per_class=(0.5,) * 10) for epoch in (1, 2)]
    stopped.append_history(list(map(to_line, epochs)))
    stopped.save_weights(1, stopped.weights(0))
    stopped.save_weights(2, stopped.weights(0))
    stopped.write_summary(stopped.summary.model_copy(update={"status": "stopped", "epoch": 2}))
    write_aside(stopped.folder / "config.json", stopped.config.model_copy(update={"epochs": 45}).model_dump_json())
    page = compare()
    assert listed(page)["State"].tolist() == ["stopped, 2 of 45"]
    assert "epoch 1 was better on validation" in texts(page)
    button(page, "Look inside").click().run()
    assert checked(page).title[0].value == "Inside"
    assert page.select_slider(key=f"explore.epoch.{stopped.id}").value == 1


def test_a_run_gets_a_title_tags_a_note_and_a_pin() -> None:
    older, newer = train(train_fraction=0.2), train(train_fraction=0.1)
    page = tick(compare(), older)
    (title,) = [box for box in page.text_input if box.label == "Title"]
    title.set_value("<b>Mine</b>")
    page.text_area[0].set_value("good one")
    (colour,) = [box for box in page.selectbox if box.label == "Colour in charts"]
    colour.set_value(PALETTE[6])
    (pinned,) = [box for box in page.checkbox if box.label.startswith("Pinned")]
    pinned.check()
    button(page, "Save").click().run()
    about = older.about
    assert (about.title, about.note, about.pinned, about.colour) == ("<b>Mine</b>", "good one", True, PALETTE[6])
    table = listed(checked(page))
    titles = ["<b>Mine</b>", "Lean net, 1 epoch, 10% of the images, no label smoothing"]
    assert table["Title"].tolist() == titles  # the pinned one comes first, though older
    assert table["Colour"].str.startswith("data:image/png").tolist() == [True, False]
    assert newer.about.title == ""


def test_deleted_runs_come_back() -> None:
    runs = [train(train_fraction=0.2), train(train_fraction=0.1)]
    page = compare()
    button(page, "Delete").click().run()
    assert "No network has been trained yet" in texts(checked(page))
    button(page, "Undo").click().run()
    assert len(listed(checked(page))) == 2
    assert "selected: 2" in texts(page)
    page = tick(page, runs[0])
    button(page, "Delete").click().run()
    assert len(listed(checked(page))) == 1
    restored = next(box for box in page.multiselect if box.label.startswith("Deleted"))
    restored.set_value([runs[0].id]).run()
    button(page, "Restore").click().run()
    assert len(listed(checked(page))) == 2


def test_each_run_tells_what_it_takes_on_disk_and_is_deleted_for_good() -> None:
    run, kept = train(train_fraction=0.1), train(train_fraction=0.1)
    page = compare()
    assert listed(page)["Disk, MB"].tolist() == pytest.approx([kept.summary.disk_bytes / 1e6] * 2)
    page = tick(page, run)
    button(page, "Delete").click().run()
    next(box for box in page.multiselect if box.label.startswith("Deleted")).set_value([run.id]).run()
    button(page, "Delete for good").click().run()
    assert page.success[0].value == "1 run deleted for good\\."
    assert not RunStore(runs_folder()).deleted()
    assert "Undo" not in {found.label for found in checked(page).button}


def test_an_archive_of_runs_is_imported_and_a_bad_one_refused() -> None:
    run = train(train_fraction=0.1)
    packed = BytesIO()
    pack([run], packed)
    store = RunStore(runs_folder())
    page = compare()
    store.delete(run.id)
    page = open_page("Compare")
    page.file_uploader[0].set_value(("runs.zip", packed.getvalue(), "application/zip")).run()
    button(page, "Import").click().run()
    assert len(listed(checked(page))) == 1
    page.file_uploader[0].set_value(("runs.zip", b"no archive", "application/zip")).run()
    button(page, "Import").click().run()
    assert "not a whole ZIP archive" in page.error[0].value.replace("\\", "")


def test_runs_are_handed_on_to_tensorboard() -> None:
    run = train(train_fraction=0.1)
    page = compare()
    button(page, "Write for TensorBoard").click().run()
    checked(page)
    assert list((runs_folder() / ".tensorboard" / run.id).glob("events.out.tfevents.*"))


def sweep_page(**fields: Any) -> tuple[AppTest, Sweep]:
    base = {"architecture": "quick", "epochs": 1, "train_fraction": 0.1}
    asked = {"base": base, "space": {"momentum": {"low": 0.5, "high": 0.9}}, "trials": 2, **fields}
    return open_page("Sweep"), SweepStore(runs_folder()).create(SweepConfig.model_validate(asked))


def test_why_a_sweep_cannot_start_is_told_beside_its_button() -> None:
    page = open_page("Sweep")
    page.multiselect(key="sweep.search").set_value(["momentum"]).run()
    assert "no effect" in page.error[0].value
    assert button(page, "Start sweep").disabled
    elements = [element.type for element in page.columns[1]]
    assert elements.index("error") < elements.index("multiselect")


def test_a_sweep_is_started_from_the_form_and_shown() -> None:
    page = open_page("Sweep")
    assert "press **Start sweep**" in texts(page)
    page.selectbox(key="form.architecture").set_value("quick")
    page.number_input(key="sweep.epochs").set_value(1)
    page.number_input(key="sweep.trials").set_value(3)
    page.multiselect(key="sweep.search").set_value(["learning_rate", "optimizer"]).run()
    assert not {"form.learning_rate", "form.optimizer", "form.epochs"} & {
        box.key for box in (*page.number_input, *page.selectbox)
    }
    button(page, "Start sweep").click().run()
    assert button(page, "Start sweep").disabled
    (sweep,) = SweepStore(runs_folder()).all()
    assert set(sweep.config.space) == {"learning_rate", "optimizer"}
    assert (sweep.config.base.epochs, sweep.config.base.architecture.name) == (1, "quick")
    join_background()
    checked(page.run())
    assert (sweep.status, sweep.ended) == ("finished", 3)
    table = page.dataframe[0].value
    assert table["Validation"].tolist() == [trial.value for trial in sweep.trials]
    assert metrics(page)["Best validation accuracy"] == f"{sweep.study.best_value:.1%}"
    assert "at most, judged by your fastest runs" in texts(page)
    button(page, "Compare its runs").click().run()
    assert checked(page).title[0].value == "Compare"
    assert len(listed(page)) == 3


def test_a_sweep_is_stopped_and_goes_on() -> None:
    page, sweep = sweep_page(trials=3)
    page.run()
    button(page, "Continue").click().run()
    button(page, "Stop").click().run()
    join_background()
    assert sweep.has_room
    for trials in (3, 4):  # what was asked for, then one more
        checked(page.run())
        if trials == 4:
            page.number_input(key="sweep.more").set_value(1)
        button(page, "Continue").click().run()
        join_background()
        assert sweep.ended == sweep.config.trials == trials


def test_trials_that_run_at_once_are_listed_with_their_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Local, "queue", TrainingQueue(2))
    page, sweep = sweep_page(trials=4, base={"architecture": "quick", "optimizer": "sgd", "epochs": 4})
    assert "2 at once" in texts(page)
    assert "Stopping weak trials early saves about" in texts(page)
    clock = Clock()
    steps = search(sweep, FakeTrials(clock.read, clock.wait, slots=2))
    while clock.now < 2.5:
        step = next(steps)
    monkeypatch.setitem(watch._board(), sweep.id, AtWork(step))
    checked(page.run())
    listed = page.dataframe[0].value
    assert listed["Trial"].tolist() == [0, 1]
    assert listed["State"].tolist() == ["running"] * 2
    assert [len(curve) for curve in listed["Curve"]] == [2, 2]
    assert listed["Validation"].tolist() == [curve[-1] for curve in listed["Curve"]]
    assert button(page, "Stop")
    steps.close()


@dataclass
class AtWork:
    """A sweep's worker, as a page sees it."""

    latest: Step
    is_running: bool = True

    def cancel(self) -> None:
        """Do nothing."""


def test_a_sweep_is_found_by_its_address() -> None:
    store = SweepStore(runs_folder())
    config = SweepConfig.model_validate({"space": {"momentum": {"low": 0.5, "high": 0.9}}})
    sweeps = [store.create(config) for _ in range(2)]
    for sweep in sweeps:
        page = new_session(sweep=sweep.id)
        page.switch_page(PAGES["Sweep"]).run()
        assert checked(page).selectbox(key="sweep.chosen").value == sweep.id


def test_a_sweep_is_drawn_in_each_view() -> None:
    page, sweep = sweep_page(trials=6, space={"learning_rate": {"low": 0.00001, "high": 0.05, "log": True}})
    for _ in search(sweep):
        pass
    page.run()
    for view in ("History", "Curves", "Importance", "Slices"):
        page.segmented_control(key="sweep.view").set_value(view).run()
        assert len(checked(page).get("plotly_chart")) == 1, view


def test_what_cannot_be_searched_is_told_before_the_start() -> None:
    page = open_page("Sweep")
    page.multiselect(key="sweep.search").set_value(["learning_rate"]).run()
    page.number_input(key="sweep.learning_rate.from").set_value(0.5)
    page.number_input(key="sweep.learning_rate.to").set_value(0.1).run()
    assert "is empty" in page.error[0].value
    assert button(page, "Start sweep").disabled


def computing() -> list[threads.WorkerThread]:
    return [each for each in list(threads._working) if not each.is_left]


def join_background() -> None:
    for work in list(threads._working):
        work.join()


@pytest.mark.parametrize("name", ["Inside", "Evaluate", "Draw", "Compare"])
@pytest.mark.parametrize("content", [b"", b"\xff" * 64, None])
def test_a_page_tells_of_damaged_weights(name: str, content: bytes | None) -> None:
    run = train(train_fraction=0.2)
    path = run.folder / "weights" / "epoch-001.safetensors"
    if content is None:
        weights = run.weights(1)
        run.save_weights(1, {key: (tensor * torch.nan).to(tensor.dtype) for key, tensor in weights.items()})
    else:
        path.write_bytes(content)
    page = new_session(run=run.id)
    page.switch_page(PAGES[name])
    page.run()
    assert not page.exception
    if name != "Compare":  # whose curves need no weights
        assert "the weights of epoch 1" in texts(page) or "no readable weights of epoch 1" in texts(page)


def test_train_tells_of_a_run_whose_summary_is_damaged(listed_run: Run) -> None:
    (listed_run.folder / "summary.json").write_text('{"forecast": {"accuracy": 2}}')
    page = new_session(run=listed_run.id)
    page.switch_page(PAGES["Train"])
    page.run()
    assert not page.exception
    assert "its summary\\.json is damaged" in texts(page)


@pytest.mark.parametrize(
    ("damaged", "told"), [("weights", "has no weights"), ("config.json", "config.json is damaged")]
)
def test_inside_tells_of_a_run_that_is_damaged_while_it_is_open(damaged: str, told: str, listed_run: Run) -> None:
    page = open_page("Inside", listed_run)
    for path in (listed_run.folder / "weights").iterdir() if damaged == "weights" else ():
        path.unlink()
    if damaged == "config.json":
        (listed_run.folder / damaged).write_text("{")
    page.run()
    assert not page.exception
    assert told in texts(page).replace("\\", "")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_leaves_out_a_run_of_an_unknown_data_set(name: str) -> None:
    run = train(train_fraction=0.2)
    path = run.folder / "config.json"
    path.write_text(path.read_text().replace("mnist-sample", "unheard-of"))
    open_page(name, run)
