"""The Draw page, driven without a browser."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnlab.data.loading import load, load_test
from cnnlab.drawings.page import MAX_CHARACTERS
from cnnlab.drawings.strokes import Drawing
from cnnlab.runs.run import Run
from cnnlab.runs.summary import About
from cnnlab.ui.draw.why import VIEWS
from cnnlab.ui.shell.glossary_links import linked
from tests.drawings.photos import Paper, of_classes, photographed
from tests.pages.driver import PAGES, canvas_of, checked, metrics, new_session, open_page, texts
from tests.samples import SEVEN, lesson
from tests.trainings import train

pytestmark = pytest.mark.slow


def sheet(lines: list[list[int]], height: float = 60) -> bytes:
    """A photo's file with the sample's test digits on it."""
    test = load("mnist-sample").test
    inks = [of_classes(test, line, number) for number, line in enumerate(lines)]
    return photographed(inks, height, Paper(angle=4, shadow=0.7), np.random.default_rng(0)).jpeg


def test_draw_asks_up_to_four_runs_side_by_side() -> None:
    runs = [train(seed=seed, train_fraction=0.2) for seed in range(2)]
    page = open_page("Draw", runs[0])
    page.session_state["canvas"] = canvas_of(SEVEN)
    page.multiselect[0].set_value([run.id for run in runs]).run()
    assert len(checked(page).metric) == 2
    page.multiselect[0].set_value([]).run()
    assert "Choose a run" in texts(checked(page))


def test_the_address_keeps_which_runs_are_asked() -> None:
    runs = [train(seed=seed, train_fraction=0.2) for seed in range(3)]
    for run in runs:  # as runs of the same second are
        run.write_about(About(title="alike"))
    page = open_page("Draw", runs[0])
    page.multiselect[0].set_value([runs[0].id, runs[2].id]).run()
    again = new_session()
    for name, value in page.query_params.items():
        again.query_params[name] = value
    again.switch_page(PAGES["Draw"])
    assert checked(again.run()).multiselect[0].value == [runs[0].id, runs[2].id]
    stranger = new_session(runs=runs[0].id).switch_page(PAGES["Draw"])  # who has no run here, but a link
    assert checked(stranger.run()).multiselect[0].value == [runs[0].id]


def test_a_taught_run_is_asked_beside_the_one_it_came_from() -> None:
    parent = train(train_fraction=0.2)
    taught = train(parent=f"{parent.id}@1", lessons=[lesson()], train_fraction=0.1)
    assert open_page("Draw", taught).multiselect[0].value == [taught.id, parent.id]


def test_a_taught_run_that_cannot_be_shown_yet_is_asked_as_soon_as_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.ui.shell.catalogue.LOOKS_EVERY", 0.0)
    parent = train(train_fraction=0.2)
    taught = train(parent=f"{parent.id}@1", lessons=[lesson()], train_fraction=0.1)
    weights = (taught.folder / "weights").rename(taught.folder / "not-yet")
    page = open_page("Draw", parent)
    page.query_params["run"] = taught.id
    assert checked(page.run()).multiselect[0].value == [parent.id]
    weights.rename(taught.folder / "weights")
    assert checked(page.run()).multiselect[0].value == [taught.id, parent.id]


def test_an_example_is_drawn_with_a_click(listed_run: Run) -> None:
    page = open_page("Draw", listed_run)
    page.button(key="canvas.example.4").click().run()
    assert checked(page).metric[0].value == "4"


def test_draw_doubts_what_is_no_digit(listed_run: Run) -> None:
    page = open_page("Draw", listed_run)
    page.session_state["canvas"] = canvas_of(Drawing(strokes=[[(0.5, 0.5)]], pen=0.2))
    page.run()
    (answer,) = checked(page).metric
    assert answer.label == "Not sure"
    assert answer.value.endswith("?")
    assert "blot" in answer.delta


def test_draw_tells_why_in_every_view(listed_run: Run) -> None:
    page = open_page("Draw", listed_run)
    page.session_state["canvas"] = canvas_of(SEVEN)
    page.run()
    for name, view in VIEWS.items():
        page.segmented_control(key="draw.why").set_value(name).run()
        assert linked(view.question, name) in texts(checked(page))


def test_a_challenge_asks_ten_times_and_tells_how_many_are_read_right(listed_run: Run) -> None:
    page = open_page("Draw", listed_run)
    page.segmented_control[0].set_value("Challenge").run()
    page.button(key="challenge.begin").click().run()
    for number in range(1, 11):
        assert f"{number} of 10" in checked(page).get("progress")[0].proto.text
        assert page.button(key="challenge.next").disabled
        assert metrics(page)["Time"].endswith(" s")
        page.session_state["canvas"] = canvas_of(SEVEN.model_copy(update={"pen": 0.05 + 0.005 * number}))
        page.run()
        page.button(key="challenge.next").click().run()
    assert metrics(checked(page))["Read right"].endswith("of 10")
    assert page.dataframe
    page.button(key="challenge.keep").click().run()
    page.segmented_control[0].set_value("My drawings").run()
    assert "drawings** right" in texts(checked(page))


def test_a_photo_of_paper_is_asked_for_then_read_line_by_line_by_each_run() -> None:
    runs = [train(seed=seed, train_fraction=0.2) for seed in range(2)]
    page = open_page("Draw", runs[0])
    page.multiselect[0].set_value([run.id for run in runs]).run()
    page.segmented_control[0].set_value("Photo").run()
    assert "good light" in texts(checked(page))
    assert not page.code
    page.file_uploader(key="photo.file").set_value(("sheet.jpg", sheet([[3, 1], [4, 0, 7]]), "image/jpeg")).run()
    assert "5 characters in 2 lines" in texts(checked(page))
    assert len(page.code) == 2
    assert all(len(line.value) == len("3 1 / 4 0 7") and line.value[3:6] == " / " for line in page.code)
    table = page.dataframe[0].value
    assert list(table["#"]) == [1, 2, 3, 4, 5]
    assert table.shape[1] == 4
    assert all(re.match(r"\d\?? +\d+\.\d%", answer) for answer in table.iloc[:, 2:].to_numpy().flat)


def test_a_photo_without_digits_says_how_to_mend_it(listed_run: Run) -> None:
    page = open_page("Draw", listed_run)
    page.segmented_control[0].set_value("Photo").run()
    buffer = BytesIO()
    Image.new("RGB", (400, 300), "white").save(buffer, "PNG")
    for content in (buffer.getvalue(), b"no image"):
        page.file_uploader(key="photo.file").set_value(("sheet.png", content, "image/png")).run()
        assert not page.exception
        assert len(page.error) == 1
        assert "thick dark pen" in texts(page)
        assert not page.code


def test_only_the_first_characters_of_a_full_sheet_are_read(listed_run: Run) -> None:
    page = open_page("Draw", listed_run)
    page.segmented_control[0].set_value("Photo").run()
    full = sheet([list(range(10)) for _ in range(7)], height=36)
    page.file_uploader(key="photo.file").set_value(("sheet.jpg", full, "image/jpeg")).run()
    assert f"Only the first {MAX_CHARACTERS} of 70 characters" in texts(checked(page))
    assert len(page.dataframe[0].value) == MAX_CHARACTERS


def test_draw_takes_pictures_for_networks_of_other_things(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(real_data))
    train(dataset="fashion-mnist", architecture="basic-cnn", validation_fraction=0.5, batch_size=1000)
    page = checked(open_page("Draw"))
    page.segmented_control[0].set_value("Picture").run()
    buffer = BytesIO()
    Image.new("RGB", (90, 60), "white").save(buffer, "PNG")
    page.file_uploader(key="picture.file").set_value(("shirt.png", buffer.getvalue(), "image/png")).run()
    assert len(checked(page).metric) == 1
    assert "inverted" not in texts(page)
    buffer = BytesIO()
    Image.fromarray(255 - load_test("fashion-mnist").images[0, 0].numpy()).save(buffer, "TIFF")
    page.file_uploader(key="picture.file").set_value(("boot.tif", buffer.getvalue(), "image/tiff")).run()
    assert "The picture was inverted" in texts(checked(page))
    page.file_uploader(key="picture.file").set_value(("shirt.png", b"no image", "image/png")).run()
    assert page.error[0].value
