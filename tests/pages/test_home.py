from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.runs.example import add_example, example_id
from cnnlab.runs.run import Run
from cnnlab.runs.store import runs_folder
from tests.pages.driver import button, checked, new_session, open_page, texts
from tests.trainings import train

DOORS = ["Try it", "Learn it", "Build it"]


def subheadings(page: AppTest) -> list[str]:
    return [block.value for block in page.subheader]


def test_home_has_three_doors_and_the_latest_runs(listed_run: Run) -> None:
    page = open_page("Home", listed_run)
    assert subheadings(page) == [*DOORS, "Latest runs"]
    assert button(page, "Train a network now")


def test_the_latest_runs_have_a_row_for_repeats_and_no_word_for_what_is_unknown() -> None:
    for seed in range(2):
        train(train_fraction=0.05, seed=seed)
    train(train_fraction=0.2)
    (table,) = checked(open_page("Home")).dataframe
    assert sorted(table.value["Seeds"].dropna()) == [2]
    assert len(table.value) == 2
    assert table.proto.HasField("placeholder")  # else the browser writes None


def test_home_without_the_example_shows_digits() -> None:
    page = open_page("Home")
    assert subheadings(page) == DOORS
    assert not page.get("bidi_component")  # no canvas


@pytest.mark.parametrize("name", ["Home", "Inside", "Compare"])
def test_with_the_example_no_page_is_empty(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CNNLAB_EXAMPLE")
    add_example(runs_folder())
    page = checked(open_page(name))
    assert "No network has been trained yet" not in texts(page)
    if name == "Home":
        assert "What its layers find in your drawing" in texts(page)
    elif name == "Inside":
        assert page.selectbox[0].value == example_id()


def test_a_server_adds_the_example_at_its_first_page(monkeypatch: pytest.MonkeyPatch) -> None:
    from cnnlab.ui.shell import startup  # noqa: PLC0415 - as the page has it

    monkeypatch.delenv("CNNLAB_EXAMPLE")
    startup.get_ready.clear()
    checked(new_session().run())
    assert [path.name for path in runs_folder().iterdir()] == [example_id()]
