"""The chapter of small machines as AppTest runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.networks.layers import MODULES
from cnnlab.ui.learn.machines import MACHINES
from tests.pages.driver import button, checked, open_chapter, texts


def figures(page: AppTest) -> Iterator[dict[str, Any]]:
    for element in page.get("plotly_chart"):
        yield json.loads(element.proto.spec)


def numbers(page: AppTest) -> list[Any]:
    """What the grids show, cell by cell."""
    return [figure["data"][0]["text"] for figure in figures(page) if figure["data"][0]["type"] == "heatmap"]


@pytest.fixture
def page() -> AppTest:
    return open_chapter("machines")


def feed(page: AppTest, machine: str) -> AppTest:
    return checked(page.segmented_control(key="learn.chosen.machine").set_value(machine).run())


@pytest.mark.parametrize("machine", MACHINES)
def test_each_machine_is_drawn_with_its_line_of_pytorch(page: AppTest, machine: str) -> None:
    feed(page, machine)
    assert page.code[0].value.startswith(("nn.", "loss = nn."))
    assert page.get("plotly_chart")
    assert not page.warning


def test_a_machine_is_opened_by_its_address() -> None:
    page = open_chapter("machines", machine="dropout")
    assert page.code[0].value == "nn.Dropout(0.5).train()"


def test_an_address_of_no_machine_is_told() -> None:
    page = open_chapter("machines", machine="nonsense")
    assert [warning.value for warning in page.warning] == [
        "This link has a choice that does not exist: showing the first one."
    ]


@pytest.mark.parametrize(("kind", "module"), [("Largest", "MaxPool2d"), ("Average", "AvgPool2d")])
def test_a_pool_steps_through_its_windows(page: AppTest, kind: str, module: str) -> None:
    page.segmented_control(key="learn.machines.pooling.kind").set_value(kind).run()
    assert page.code[0].value == f"nn.{module}(kernel_size=2, stride=2)"
    for place in (2, 6, 9):
        page.slider(key="learn.machines.pooling.place.(3, 3)").set_value(place).run()
        row, column = divmod(place - 1, 3)
        output = numbers(checked(page))[1][row][column]
        assert f"is **{output}**" in texts(page) or f"/ 4 = **{output}**" in texts(page)


def test_an_adaptive_pool_gives_the_size_it_is_asked_for(page: AppTest) -> None:
    page.segmented_control(key="learn.machines.pooling.kind").set_value("Average, adaptive").run()
    assert "**Output**, 1×1" in texts(page)
    page.slider(key="learn.machines.pooling.Output size").set_value(4).run()
    assert page.code[0].value == "nn.AdaptiveAvgPool2d(4)"
    assert "**Output**, 4×4" in texts(checked(page))


def test_the_window_and_its_largest_number_are_those_shown(page: AppTest) -> None:
    fed, out = numbers(page)
    window = [fed[row][column] for row in (0, 1) for column in (0, 1)]
    assert f"The largest of {', '.join(window)} is **{out[0][0]}**." in texts(page)
    values = [float(text.replace("−", "-")) for text in window]
    assert max(values) == float(out[0][0].replace("−", "-"))


def test_arguments_that_pytorch_refuses_are_told_with_their_reason(page: AppTest) -> None:
    page.slider(key="learn.machines.pooling.Padding, px").set_value(2).run()
    assert "half its" in page.warning[0].value
    page.slider(key="learn.machines.pooling.Kernel, px").set_value(4).run()
    assert not checked(page).warning


def test_buttons_fill_in_numbers_and_these_stay_while_another_machine_is_fed(page: AppTest) -> None:
    first = numbers(page)[0]
    button(page, "Random numbers").click().run()
    assert numbers(page)[0] != first
    button(page, "A piece of a digit").click().run()
    digit = numbers(page)[0]
    assert {float(text) for row in digit for text in row} <= {number / 100 for number in range(101)}
    feed(page, "flatten")
    feed(page, "pooling")
    assert numbers(page)[0] == digit


def test_every_activation_shows_its_curve_and_the_numbers_on_it(page: AppTest) -> None:
    feed(page, "activation")
    shown = set()
    for function, name in MODULES.items():
        checked(page.segmented_control(key="learn.machines.activation.function").set_value(function).run())
        assert page.code[0].value == f"nn.{name}()"
        (rows,) = numbers(page)
        shown.add(str(rows))
    assert len(shown) == len(MODULES) - 1  # below 6, ReLU6 is ReLU


def test_feeding_batches_moves_the_running_statistics_and_only_while_training(page: AppTest) -> None:
    feed(page, "batch_norm")

    def fed() -> list[float]:
        """The first channel's running mean so far."""
        chart = next(figure for figure in figures(page) if figure["data"][0].get("name") == "channel 0")
        return list(np.asarray(chart["data"][0]["y"]))

    assert len(fed()) == 1
    for _ in range(3):
        button(page, "Feed this batch").click().run()
    moved = fed()
    assert len(moved) == 4
    assert len(set(moved)) == 4
    page.segmented_control(key="learn.machines.norm.mode").set_value("Evaluation").run()
    assert "the running values" in texts(page)
    button(page, "Feed this batch").click().run()
    assert fed()[-1] == moved[-1]
    button(page, "Reset").click().run()
    assert len(fed()) == 1


def test_dropout_fed_twice_differs_in_training_and_not_in_evaluation(page: AppTest) -> None:
    feed(page, "dropout")
    _, once, again = numbers(page)
    assert once != again
    button(page, "New random draw").click().run()
    assert numbers(page)[1] not in (once, again)
    page.segmented_control(key="learn.machines.dropout.mode").set_value("Evaluation").run()
    given, once, again = numbers(page)
    assert given == once == again


@pytest.mark.parametrize("start", range(4))
def test_flatten_tells_where_a_number_goes(page: AppTest, start: int) -> None:
    feed(page, "flatten")
    page.segmented_control(key="learn.machines.flatten.start").set_value(start).run()
    page.slider(key="learn.machines.flatten.number.(2, 2, 3, 3)").set_value(32).run()
    place = {0: "1·18 + 1·9 + 1·3 + 2 = **32**", 1: "1·9 + 1·3 + 2 = **14**", 2: "1·3 + 2 = **5**", 3: "2 = **2**"}
    assert place[start] in texts(checked(page))


def test_softmax_follows_its_logits_label_temperature_and_smoothing(page: AppTest) -> None:
    feed(page, "softmax")
    told = [texts(page)]
    page.slider(key="learn.machines.softmax.logit.0").set_value(-3.0).run()
    told.append(texts(page))
    page.segmented_control(key="learn.machines.softmax.label").set_value("3").run()
    told.append(texts(page))
    page.select_slider(key="learn.machines.softmax.temperature").set_value(5.0).run()
    told.append(texts(page))
    page.slider(key="learn.machines.softmax.smoothing").set_value(0.2).run()
    told.append(texts(page))
    assert page.code[0].value == "loss = nn.CrossEntropyLoss(label_smoothing=0.2)(logits / 5, label)"
    button(page, "Random numbers").click().run()
    told.append(texts(checked(page)))
    losses = [text.split("Loss **")[1].split("**")[0] for text in told]
    assert len(set(losses)) == len(losses)
