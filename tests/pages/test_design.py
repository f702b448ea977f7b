"""Design as AppTest runs it: begun, edited, broken, saved, compared, taken to Train."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cnnlab.data.datasets import DATASETS
from cnnlab.networks.architecture import Architecture, Draft, Place
from cnnlab.networks.designs import Shelf, from_link, read_design, to_link, write_design
from cnnlab.networks.edit import UndoStack, addable_layers
from cnnlab.networks.layers import Activation, Conv2d, Flatten, Layer, Linear, Parallel, SqueezeExcite
from cnnlab.networks.presets import PRESETS
from cnnlab.quantities import duration
from cnnlab.runs.store import runs_folder
from cnnlab.training.config import RunConfig
from cnnlab.training.epoch_time import Cost, Stopwatch
from cnnlab.ui.design.layer_stack import _act
from cnnlab.ui.inspect import INSIDE
from cnnlab.ui.shell.literal import literal
from tests.pages.driver import button, checked, drawn, metrics, new_session, open_page, open_view, texts
from tests.trainings import expects_one_thread, train

BRICKS = addable_layers()
FLAT_BRICKS = ("Batch norm, flat", "Flatten", "Linear", "Logits", "Softmax")
LOGITS = (Flatten(), Linear(out_features="classes"))


def opened(*layers: Layer, picked: Place = (0,)) -> AppTest:
    """The page with a network of these layers, then logits."""
    page = new_session(design=to_link(Draft(name="drawn", title="Drawn", layers=(*layers, *LOGITS))))
    page.session_state["design.picked"] = list(picked)
    page.switch_page("pages/Design.py")
    return page.run()


def layers_of(page: AppTest) -> tuple[Layer, ...]:
    return read_design(page.session_state["design.history"][0]).layers


def widget(kind: str, page: AppTest, name: str) -> Any:
    """The widget of the layer's form for the setting ``name``."""
    return getattr(page, kind)(key=f"design.layer.{version(page)}.{name}")


def version(page: AppTest) -> int:
    return int(page.session_state.get("design.version", 0))


def brick(page: AppTest, name: str) -> Any:
    return page.button(key=f"design.brick.{name}")


def test_it_begins_with_the_default_and_tells_what_it_costs() -> None:
    page = open_page("Design")
    told = metrics(page)
    assert told["Parameters"] == "203,690"
    assert told["Receptive field"] == "35×35 px"
    assert "class MyCompactBatchNormNet(nn.Module):" in page.code[0].value
    assert from_link(page.query_params["design"]).layers == PRESETS["compact"].layers


def test_a_setting_changes_shapes_costs_code_and_address_and_is_undone() -> None:
    page = checked(opened(Conv2d(out_channels=8)))
    before = dict(page.query_params)
    widget("number_input", page, "out_channels").set_value(12).run()
    assert layers_of(checked(page))[0] == Conv2d(out_channels=12)
    assert "nn.Conv2d(1, 12, kernel_size=3)" in page.code[0].value
    assert metrics(page)["Parameters"] == f"{12 * 9 + 12 + 12 * 26 * 26 * 10 + 10:,}"
    assert dict(page.query_params) != before
    button(page, "Undo").click().run()
    assert layers_of(checked(page))[0] == Conv2d(out_channels=8)
    assert widget("number_input", page, "out_channels").value == 8
    button(page, "Redo").click().run()
    assert layers_of(checked(page))[0] == Conv2d(out_channels=12)


def test_rows_and_columns_are_set_apart_and_joined_again() -> None:
    page = checked(opened(Conv2d(out_channels=8)))
    widget("toggle", page, "apart").set_value(True).run()
    widget("number_input", page, "kernel_size.1").set_value(5).run()
    assert layers_of(checked(page))[0] == Conv2d(out_channels=8, kernel_size=(3, 5))
    assert "3 − 1" not in texts(page)
    assert "columns (28 − 5 + 2·0)/1 + 1 = 24" in texts(page).replace("\\", "")
    widget("toggle", page, "apart").set_value(False).run()
    assert layers_of(checked(page))[0] == Conv2d(out_channels=8, kernel_size=3)


def test_padding_is_a_number_or_a_word() -> None:
    page = checked(opened(Conv2d(out_channels=8)))
    widget("selectbox", page, "padding.choice").set_value("same").run()
    assert layers_of(checked(page))[0] == Conv2d(out_channels=8, padding="same")
    widget("selectbox", page, "padding.choice").set_value("number").run()
    assert layers_of(checked(page))[0] == Conv2d(out_channels=8, padding=1)


def test_channels_within_a_gate_take_the_place_of_the_reduction() -> None:
    page = checked(opened(Conv2d(out_channels=8), SqueezeExcite(reduction=2), picked=(1,)))
    choice = widget("selectbox", page, "squeezed.choice")
    assert (choice.value, choice.options) == (None, ["number", "by the reduction"])
    assert widget("number_input", page, "reduction").value == 2
    choice.set_value("number").run()
    widget("number_input", checked(page), "squeezed").set_value(3).run()
    assert layers_of(checked(page))[1] == SqueezeExcite(reduction=2, squeezed=3)
    assert "Reduction" not in texts(page)


@pytest.mark.parametrize("name", BRICKS)
def test_every_brick_is_added_behind_the_picked_layer_and_its_form_is_drawn(name: str) -> None:
    page = checked(opened(Conv2d(out_channels=8), Activation()))
    brick(page, name).click().run()
    assert not page.exception
    assert layers_of(page)[1] == BRICKS[name]
    assert page.session_state["design.picked"] == [1]


def test_a_name_that_pytorch_needs_is_refused_and_the_layer_stays() -> None:
    page = checked(opened(Conv2d(out_channels=8)))
    widget("text_input", page, "name").set_value("train").run()
    assert not page.exception
    assert "has a meaning of its own" in page.warning[0].value
    widget("text_input", page, "name").set_value("edges").run()
    assert layers_of(checked(page))[0].name == "edges"
    assert not page.warning


def test_what_does_not_fit_is_told_and_the_rest_stays_editable() -> None:
    page = opened(Conv2d(out_channels=8, kernel_size=64), Activation())
    assert not page.exception
    assert "conv1: kernel 64×64 does not fit its 28×28 input" in page.error[0].value.replace("\\", "")
    assert button(page, "Train this network").disabled
    widget("number_input", page, "kernel_size").set_value(5).run()
    assert not checked(page).error
    assert not button(page, "Train this network").disabled


def test_a_list_without_logits_or_layers_says_what_is_missing() -> None:
    page = opened()
    act(page, "remove", "1")
    assert "gives the logits" in page.error[0].value
    act(page, "remove", "0")
    assert "no layers yet" in page.warning[0].value
    assert not page.exception


def act(page: AppTest, what: str, place: str, target: str | None = None) -> AppTest:
    """What the layer list sends, which AppTest cannot draw."""
    state = {"design.stack": SimpleNamespace(action={"what": what, "place": place, "target": target})}
    for name in ("history", "picked", "version"):
        if f"design.{name}" in page.session_state:
            state[f"design.{name}"] = page.session_state[f"design.{name}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streamlit.session_state", state)
        _act()
    for name, value in state.items():
        if name != "design.stack":
            page.session_state[name] = value
    return page.run()


def test_the_list_moves_doubles_and_removes() -> None:
    page = checked(opened(Conv2d(out_channels=8), Activation()))
    act(page, "down", "0")
    assert [layer.kind for layer in layers_of(page)[:2]] == ["activation", "conv2d"]
    assert page.session_state["design.picked"] == [1]
    act(page, "up", "1")
    act(page, "duplicate", "0")
    assert [layer.kind for layer in layers_of(page)[:3]] == ["conv2d", "conv2d", "activation"]
    act(page, "remove", "0")
    act(page, "move", "0", "2")
    assert page.session_state["design.picked"] == [1]
    act(page, "undo", "1")
    act(page, "redo", "1")
    assert [layer.kind for layer in layers_of(checked(page))[:2]] == ["activation", "conv2d"]


@pytest.mark.parametrize("sent", ["", "x", "9.9.9", "-5", "1e9", "0.0.0.0.0.0"])
def test_a_place_that_is_none_changes_nothing(sent: str) -> None:
    page = checked(opened(Conv2d(out_channels=8), Activation()))
    before = layers_of(page)
    for what in ("pick", "up", "down", "remove", "duplicate", "move", "nonsense"):
        act(page, what, sent, sent)
        assert not page.exception
    assert layers_of(page) == before


def test_branches_are_added_removed_and_filled() -> None:
    page = checked(opened(Parallel(paths=((Conv2d(out_channels=8, padding=1),), ()))))
    button(page, "Add a branch").click().run()
    page.session_state["design.picked"] = [0, 2, -1]
    page.run()
    assert "path3" in texts(page)
    brick(page, "Activation").click().run()
    assert layers_of(checked(page))[0].chains["path3"] == (Activation(),)


def test_images_of_any_size_are_designed_for_but_not_trained() -> None:
    page = open_page("Design")
    page.selectbox(key="design.dataset").set_value("own").run()
    for name, value in (("channels", 5), ("height", 40), ("width", 17), ("classes", 7)):
        page.number_input(key=f"design.{name}").set_value(value).run()
    assert "# x: (N, 5, 40, 17)" in checked(page).code[0].value
    assert "nn.Linear(480, 7)" in page.code[0].value or ", 7)" in page.code[0].value
    assert button(page, "Train this network").disabled


def test_a_design_is_saved_opened_offered_on_train_and_deleted() -> None:
    page = checked(opened(Conv2d(out_channels=8), Activation()))
    page.button_group(key="design.beside").set_value("Save and share").run()
    page.text_input(key=f"design.keep.{version(page)}.title").set_value("Mine <b>too</b>")
    button(page, "Save").click().run()
    shelf = Shelf(runs_folder())
    assert shelf.names() == ["mine-b-too-b"]
    assert shelf.load("mine-b-too-b").title == "Mine <b>too</b>"
    assert "Mine <b>too</b>" in checked(open_page("Train")).selectbox(key="form.architecture").options
    page = open_page("Design")
    page.selectbox(key=f"design.from.{version(page)}").set_value("saved: mine-b-too-b").run()
    assert layers_of(checked(page))[0] == Conv2d(out_channels=8)
    button(page, "Undo").click().run()
    assert layers_of(checked(page)) == PRESETS["compact"].layers


def test_a_design_that_was_replaced_or_deleted_is_told_of_and_brought_back() -> None:
    shelf = Shelf(runs_folder())
    others = Draft.model_validate(PRESETS["quick"].model_dump() | {"name": "mine", "title": "Others"})
    shelf.save(others)
    page = checked(opened(Conv2d(out_channels=8), Activation()))
    page.button_group(key="design.beside").set_value("Save and share").run()
    page.text_input(key=f"design.keep.{version(page)}.title").set_value("Mine").run()
    button(page, "Save again").click().run()
    assert "It replaced another design of this name" in texts(checked(page))
    assert shelf.load("mine").title == "Mine"
    button(page, "Restore it").click().run()
    assert shelf.load("mine") == others
    assert [button.label for button in checked(page).button].count("Restore it") == 0
    page.session_state["design.delete.open"] = True
    button(page, "Delete mine for everyone").click().run()
    assert shelf.names() == []
    assert not page.session_state["design.delete.open"]  # a second click would delete another
    (deleted,) = [box for box in page.selectbox if box.label.startswith("Deleted or replaced")]
    assert re.match(r"\d\d \w{3} [\d:]{8}, mine", deleted.options[0])
    button(page, "Restore").click().run()
    assert shelf.load("mine") == others
    assert [toast.value for toast in checked(page).toast] == [literal("Restored: mine.")]


def test_two_designs_stand_side_by_side() -> None:
    page = open_page("Design")
    page.button_group(key="design.beside").set_value("Compare").run()
    page.selectbox(key="design.other").set_value("Quick net").run()
    table = checked(page).dataframe[0].value
    assert table.loc["Parameters", "My Compact batch-norm net"] == "203,690"
    assert table.loc["Parameters", "Quick net"] != "203,690"


def test_a_design_stands_beside_one_of_the_same_title() -> None:
    page = new_session(design=to_link(PRESETS["quick"]))
    page.switch_page("pages/Design.py").run()
    page.button_group(key="design.beside").set_value("Compare").run()
    page.selectbox(key="design.other").set_value("Quick net").run()
    assert len(checked(page).dataframe[0].value.columns) == 3


def test_a_design_goes_to_train_with_its_images() -> None:
    page = checked(opened(Conv2d(out_channels=9), Activation()))
    page.selectbox(key="design.dataset").set_value("usps").run()
    page.number_input(key="design.batch").set_value(64).run()
    button(page, "Train this network").click().run()
    form = page.session_state
    assert (form["form.architecture"], form["form.dataset"], form["form.batch_size"]) == ("drawn", "usps", 64)
    network = Architecture.model_validate_json(form["form.own_network"])
    assert network.layers[0] == Conv2d(out_channels=9)
    train_page = page.switch_page("pages/Train.py").run()
    for _ in range(2):  # the drawing on that page has a state of its own
        assert checked(train_page).selectbox(key="form.architecture").value == "drawn"
        assert "Drawn" in train_page.selectbox(key="form.architecture").options
        train_page.run()


def test_a_damaged_link_falls_back_to_the_default() -> None:
    page = new_session(design="damaged")
    page.switch_page("pages/Design.py")
    assert layers_of(checked(page.run())) == PRESETS["compact"].layers
    assert "cannot be read" in page.toast[0].value


def test_an_uploaded_design_is_opened_or_refused() -> None:
    page = open_page("Design")
    page.button_group(key="design.beside").set_value("Save and share").run()
    draft = Draft(name="sent", title="Sent", layers=LOGITS)
    page.file_uploader[0].set_value(("sent.json", write_design(draft).encode(), "application/json")).run()
    assert layers_of(checked(page)) == LOGITS
    page.file_uploader[0].set_value(("bad.json", json.dumps({"layers": "<b>"}).encode(), "application/json")).run()
    assert not page.exception
    assert page.error[0].value.startswith("This is not a design") or "no design" in page.error[0].value
    assert layers_of(page) == LOGITS


def test_a_network_of_every_brick_is_trained_and_looked_into() -> None:
    maps = [brick for name, brick in BRICKS.items() if name not in FLAT_BRICKS]
    flat = [BRICKS[name] for name in ("Linear", "Batch norm, flat", "Activation", "Logits", "Softmax")]
    layers = (Conv2d(out_channels=16, padding=1), *(layer for layer in maps if layer.kind != "adaptive-pool2d"))
    network = Architecture(name="all", title="All", layers=(*layers, Flatten(), *flat))
    run = train(architecture=network.model_dump(), train_fraction=0.02)
    page = open_page("Inside", run)
    for view in INSIDE:
        open_view(page, view)
        assert drawn(checked(page)) or page.info or view == "Ideal image"
    checked(open_page("Train", run))


def test_the_time_of_an_epoch_is_estimated_and_then_compared_with_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    stopwatch = Stopwatch(measure=lambda piece: Cost(step=0.002, judged=0.0))
    monkeypatch.setattr("cnnlab.ui.widgets.epoch_timing._stopwatch", lambda: stopwatch)
    expects_one_thread(monkeypatch)
    page = checked(opened(Conv2d(out_channels=8), Activation()))
    assert metrics(page)["Time per epoch"] == "…"
    assert "Measuring the time" in texts(page)
    network = Architecture(name="x", title="x", layers=layers_of(page))
    stopwatch.want("test", network, RunConfig(), DATASETS["mnist-sample"])
    assert len(list(stopwatch.measurements())) == 5  # four layers and the rest
    page.run()
    steps = 4050 / 128
    assert metrics(checked(page))["Time per epoch"] == duration(5 * 0.002 * steps)
    assert "No run has measured it yet" in texts(page)
    run = train(architecture=network.model_dump(), epochs=2)
    st.cache_data.clear()
    page.run()
    truth = (run.summary.seconds or 0) / 2
    assert f"Measured in 1 run: {duration(truth)} an epoch" in texts(page).replace("\\", "")


def test_the_history_of_a_session_survives_as_plain_text() -> None:
    page = open_page("Design")
    history = UndoStack(*page.session_state["design.history"])
    assert isinstance(history.present, str)
    assert history.past == ()


def test_a_saved_design_that_is_damaged_is_left_out() -> None:
    shelf = Shelf(runs_folder())
    shelf.save(Draft(name="good", title="Good", layers=LOGITS))
    Path(shelf.folder / "bad.json").write_text("{")
    page = open_page("Design")
    options = page.selectbox(key=f"design.from.{version(page)}").options
    assert "saved: good" in options
    assert "saved: bad" not in options
