"""What a number field takes, said beside it; nothing else is trained in its place."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.jobs.job import running_jobs
from cnnlab.ui.widgets.bounds import between, is_within
from tests.pages.driver import button, open_page


@pytest.mark.parametrize(
    ("value", "schema", "told"),
    [
        (1, between(1, 1000), ""),
        (1000, between(1, 1000), ""),
        (0, between(1, 1000), "at least 1 and at most 1,000"),
        (1001, between(1, 1000), "at least 1 and at most 1,000"),
        (0.0, {"exclusiveMinimum": 0, "maximum": 10}, "more than 0 and at most 10"),
        (1.0, {"minimum": 0, "exclusiveMaximum": 1}, "at least 0 and less than 1"),
        (5, {}, ""),
    ],
)
def test_a_number_outside_is_told(
    value: float, schema: dict[str, float], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("streamlit.markdown", said.append)
    assert is_within(value, schema) == (not told)
    assert all(told in text for text in said)
    assert bool(said) == bool(told)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("learning_rate", 50.0),
        ("epochs", 0),
        ("weight_decay", 2.0),
        ("split_seed", -3),
    ],
)
def test_the_form_trains_nothing_in_place_of_a_wrong_number(field: str, value: float) -> None:
    page = open_page("Train")
    page.number_input(key=f"form.{field}").set_value(value).run()
    assert not page.exception
    assert "It must be" in _markdown(page)
    assert button(page, "Train").disabled


def test_a_wrong_number_typed_and_sent_with_the_click_trains_nothing() -> None:
    page = open_page("Train")
    page.number_input(key="form.epochs").set_value(0)
    button(page, "Train").click().run()
    assert not page.exception
    assert not running_jobs()
    assert button(page, "Train").disabled


def _markdown(page: AppTest) -> str:
    return "\n".join(block.value for block in page.markdown)


@pytest.mark.parametrize("key", ["sweep.trials", "form.weight_decay"])
def test_a_sweep_does_not_start_with_a_wrong_number(key: str) -> None:
    page = open_page("Sweep")
    page.number_input(key=key).set_value(-1).run()
    assert "It must be" in _markdown(page)
    assert button(page, "Start sweep").disabled


def test_a_design_shows_nothing_for_images_that_cannot_be() -> None:
    page = open_page("Design")
    page.number_input(key="design.batch").set_value(0).run()
    assert "It must be" in _markdown(page)
    assert "Train this network" not in [one.label for one in page.button]
