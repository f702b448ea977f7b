"""The Draw page, driven without a browser."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from cnnlab.strokes import Drawing
from cnnlab.ui.views import DRAW
from tests.samples import SEVEN
from tests.test_pages import canvas_of, checked, metrics, open_page, texts, train


def test_draw_asks_up_to_four_runs_side_by_side() -> None:
    runs = [train(epochs=2, seed=seed) for seed in range(2)]
    page = open_page("Draw", runs[0])
    page.session_state["canvas"] = canvas_of(SEVEN)
    page.multiselect[0].set_value([run.id for run in runs]).run()
    assert len(checked(page).metric) == 2
    page.multiselect[0].set_value([]).run()
    assert "Choose a run" in texts(checked(page))


def test_draw_doubts_what_is_no_digit() -> None:
    page = open_page("Draw", train(epochs=2))
    page.session_state["canvas"] = canvas_of(Drawing(strokes=[[(0.5, 0.5)]], pen=0.2))
    page.run()
    (answer,) = checked(page).metric
    assert answer.label == "Not sure"
    assert answer.value.endswith("?")
    assert "blot" in answer.delta


@pytest.mark.parametrize("name", DRAW)
def test_draw_tells_why_in_every_view(name: str) -> None:
    page = open_page("Draw", train(epochs=2))
    page.session_state["canvas"] = canvas_of(SEVEN)
    page.run()
    page.segmented_control(key="draw.why").set_value(name).run()
    assert DRAW[name].question in texts(checked(page))


def test_a_challenge_asks_ten_times_and_tells_how_many_are_read_right() -> None:
    page = open_page("Draw", train(epochs=2))
    page.segmented_control[0].set_value("Challenge").run()
    page.button(key="challenge.begin").click().run()
    for number in range(1, 11):
        assert f"{number} of 10" in checked(page).get("progress")[0].proto.text
        assert page.button(key="challenge.next").disabled
        page.session_state["canvas"] = canvas_of(SEVEN.model_copy(update={"pen": 0.05 + 0.005 * number}))
        page.run()
        page.button(key="challenge.next").click().run()
    assert metrics(checked(page))["Read right"].endswith("of 10")
    assert page.dataframe
    page.button(key="challenge.keep").click().run()
    page.segmented_control[0].set_value("My drawings").run()
    assert "drawings** as you meant them" in texts(checked(page))


def test_draw_takes_pictures_for_networks_of_other_things(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(real_data))
    train(dataset="fashion-mnist", architecture="basic-cnn", validation_fraction=0.5, batch_size=1000)
    page = checked(open_page("Draw"))
    assert page.segmented_control[0].options == ["Picture"]
    buffer = BytesIO()
    Image.new("RGB", (90, 60), "white").save(buffer, "PNG")
    page.file_uploader(key="picture.file").set_value(("shirt.png", buffer.getvalue(), "image/png")).run()
    assert len(checked(page).metric) == 1
    page.file_uploader(key="picture.file").set_value(("shirt.png", b"no image", "image/png")).run()
    assert page.error[0].value
