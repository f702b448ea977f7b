"""The chapter "What a convolution does" as AppTest runs it."""

from __future__ import annotations

from io import BytesIO

import pytest
import torch
from PIL import Image
from streamlit.elements.lib import policies
from streamlit.testing.v1 import AppTest

from cnnlab.learn.filters import FILTERS, MEASURES, answers, fitted, part
from cnnlab.learn.sample_images import digits
from cnnlab.runs.run import Run
from tests.pages.driver import checked, metrics, open_chapter, texts

KEY = "learn.convolution"


def chapter() -> AppTest:
    return open_chapter("convolution")


def weights(page: AppTest) -> list[float]:
    fields = (page.number_input(key=f"{KEY}.weight.{row}.{column}") for row in range(3) for column in range(3))
    return [float(field.value or 0) for field in fields]


def pick(page: AppTest, name: str) -> AppTest:
    page.button_group(key=f"{KEY}.filter").set_value(name).run()
    return checked(page)


def share_told(page: AppTest) -> str:
    return next(value for label, value in metrics(page).items() if label.startswith("Correct, of"))


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_fills_the_grid_and_says_how_many_it_tells_apart(name: str) -> None:
    page = pick(chapter(), name)
    kernel = FILTERS[name].kernel
    assert weights(page) == pytest.approx(kernel.flatten().tolist())
    first, second = (MEASURES["mean"](answers(digits(label), fitted(kernel, 1))) for label in (1, 2))
    found = part(first, second)
    assert share_told(page) == f"{found.right / found.count:.1%}"
    assert FILTERS[name].about in texts(page)


def test_a_typed_weight_makes_the_filter_ones_own() -> None:
    page = chapter()
    page.number_input(key=f"{KEY}.weight.1.1").set_value(-4.5).run()
    assert checked(page).button_group(key=f"{KEY}.filter").value == "own"
    assert weights(page) == [-1, 0, 1, -1, -4.5, 1, -1, 0, 1]
    assert weights(pick(page, "vertical")) == [-1, 0, 1] * 3


def test_an_emptied_weight_becomes_zero() -> None:
    page = chapter()
    page.number_input(key=f"{KEY}.weight.0.0").set_value(None).run()
    assert checked(page).number_input(key=f"{KEY}.weight.0.0").value == 0
    assert weights(page) == [0, 0, 1, -1, 0, 1, -1, 0, 1]
    assert page.button_group(key=f"{KEY}.filter").value == "own"


def test_fields_filled_by_code_have_no_default_that_streamlit_warns_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "_shown_default_value_warning", False)  # it warns once in a process
    page = chapter()
    page.number_input(key=f"{KEY}.weight.1.1").set_value(2).run()
    pick(page, "blur")
    assert not policies._shown_default_value_warning


def test_relu_and_the_measure_change_what_is_counted() -> None:
    page = chapter()
    page.toggle(key=f"{KEY}.relu").set_value(True)
    page.button_group(key=f"{KEY}.measure").set_value("strongest").run()
    kernel = fitted(FILTERS["vertical"].kernel, 1)
    found = part(*(MEASURES["strongest"](answers(digits(label), kernel, True)) for label in (1, 2)))
    assert share_told(checked(page)) == f"{found.right / found.count:.1%}"


def test_other_digits_are_compared_and_equal_ones_are_not() -> None:
    page = chapter()
    page.selectbox(key=f"{KEY}.digit.First").set_value(7).run()
    assert "Does it tell 7 from 2?" in [heading.value for heading in checked(page).header]
    page.selectbox(key=f"{KEY}.digit.First").set_value(2).run()
    assert "Choose two different digits" in texts(checked(page))


@pytest.mark.parametrize("rectified", [False, True])
def test_what_is_said_of_the_strokes_of_1_and_2_is_what_is_measured(rectified: bool) -> None:
    page = chapter()
    page.toggle(key=f"{KEY}.relu").set_value(rectified).run()
    both = digits(1), digits(2)
    ink = [float(images.mean()) for images in both]
    upright, level = (
        [float(MEASURES["mean"](answers(images, fitted(FILTERS[name].kernel, 1), rectified)).mean()) for images in both]
        for name in ("vertical", "horizontal")
    )
    assert ink[0] < ink[1] and upright[0] < upright[1] and level[0] < level[1]  # a 2 has more of all
    assert upright[0] / upright[1] > 0.8 and level[0] / level[1] < 0.4
    told = f"is {upright[0]:.3f} to a 1 and {upright[1]:.3f} to a 2; of a horizontal-edge filter, {level[0]:.3f} and"
    assert told in texts(checked(page))


def test_an_8_is_spoken_of_as_it_is_said() -> None:
    page = chapter()
    page.selectbox(key=f"{KEY}.digit.First").set_value(8).run()
    assert "in an 8 and" in texts(checked(page))
    assert page.button_group(key=f"{KEY}.looks_at").options[0] == "First: an 8"
    assert "nearly all its edges are vertical" not in texts(page)


def test_a_colour_scene_has_three_channels_and_grey_has_one() -> None:
    page = chapter()
    page.button_group(key=f"{KEY}.source").set_value("Colour scene").run()
    assert "three sums are added" in texts(checked(page))
    page.toggle(key=f"{KEY}.colour").set_value(False).run()
    assert "three sums are added" not in texts(checked(page))


def test_an_upload_is_looked_at_and_a_bad_one_refused() -> None:
    page = chapter()
    page.button_group(key=f"{KEY}.source").set_value("Upload").run()
    assert "Choose an image file" in texts(page)
    buffer = BytesIO()
    Image.new("RGB", (300, 7), "orange").save(buffer, "PNG")
    page.file_uploader[0].set_value(("wide.png", buffer.getvalue(), "image/png")).run()
    assert "three sums are added" in texts(checked(page))
    page.file_uploader[0].set_value(("bad.png", b"no image", "image/png")).run()
    assert "not a readable image" in page.error[0].value
    assert not page.exception


def test_learned_filters_want_a_run_and_are_its_first_convolutions(listed_run: Run) -> None:
    page = pick(chapter(), "learned")
    count = len(next(tensor for tensor in listed_run.weights(2).values() if tensor.dim() == 4))
    number = page.number_input(key=f"{KEY}.learned.{listed_run.id}")
    assert number.label == f"Filter, 1 to {count}"
    first, second = (share_told(number.set_value(value).run() and page) for value in (1, 2))
    kernel = next(tensor for tensor in listed_run.weights(listed_run.judged_epoch).values() if tensor.dim() == 4)
    for value, told in ((1, first), (2, second)):
        found = part(*(MEASURES["mean"](answers(digits(label), fitted(kernel[value - 1], 1))) for label in (1, 2)))
        assert told == f"{found.right / found.count:.1%}"
    assert torch.isfinite(kernel).all()


def test_without_a_run_it_says_where_learned_filters_come_from() -> None:
    assert "No network has been trained yet" in texts(pick(chapter(), "learned"))


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [("weight.1.1", 101, "at most 100"), ("number.First.1", 406, "at least 1 and at most 405")],
)
def test_a_number_out_of_bounds_is_told_and_no_map_is_computed(field: str, value: int, told: str) -> None:
    page = open_chapter("convolution")
    page.number_input(key=f"{KEY}.{field}").set_value(value).run()
    assert f"It must be {told}." in texts(checked(page))
    assert not page.get("imgs")
