"""The camera's parts of Data and Draw without a browser: what it sends is given by hand."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnnlab.data.datasets import own_pictures
from cnnlab.data.pictures.collecting import Collection
from cnnlab.data.pictures.version import Version
from cnnlab.drawings.strokes import LabelledDrawing
from cnnlab.jobs.job import running_jobs
from cnnlab.runs.run import Run
from cnnlab.ui.shell.drawings import text_of
from tests.data.pictures.photos import added, folder_of, photos, saved, scene
from tests.pages.driver import PAGES, button, canvas_of, checked, metrics, open_page, settled, texts
from tests.samples import SEVEN
from tests.trainings import train, wait_for_epoch

pytestmark = pytest.mark.slow


def frame_of(picture: Image.Image) -> str:
    return b64encode(saved(picture, "JPEG")).decode()


def open_way(way: str) -> AppTest:
    page = open_page("Data", dataset="mnist-sample")
    page.segmented_control(key="data.way").set_value(way)
    return checked(page.run())


def added_as(page: AppTest, name: str) -> Version:
    page.text_input(key="data.name").set_value(name).run()
    button(checked(page), "Add").click().run()
    settled(page)
    return own_pictures().version(name)


def shown(page: AppTest) -> dict[str, Any]:
    """What our component was given."""
    (component,) = page.get("bidi_component")
    content: dict[str, Any] = json.loads(component.proto.json)
    return content


def test_the_webcam_asks_for_two_classes_and_several_bursts() -> None:
    page = open_way("Webcam")
    assert "at least three bursts" in texts(page)
    assert [one["count"] for one in shown(page)["classes"]] == [0, 0]
    assert button(page, "Add").disabled


def recorded_of(*names: str) -> Collection:
    """Three bursts of each class."""
    recorded = Collection()
    for number, name in enumerate(names):
        recorded.rename(number, name)
        for burst in range(3):
            pictures = [scene(100 * number + 10 * burst + at) for at in range(4)]
            recorded.add_burst(number, [saved(picture) for picture in pictures], pictures[0])
    return recorded


def reopened(page: AppTest) -> AppTest:
    """Leave Data and come back."""
    page.switch_page(PAGES["Learn"]).run()
    page.switch_page(PAGES["Data"])
    return checked(page.run())


def test_what_the_webcam_recorded_becomes_a_data_set() -> None:
    page = open_way("Webcam")
    recorded = recorded_of("cup", "none")
    page.session_state["data.recorded"] = recorded
    page.run()
    assert shown(page)["waits"]
    assert "Missing: a name for the data set" in texts(page)
    page = reopened(page)
    assert page.segmented_control(key="data.way").value == "Webcam"
    assert page.expander[0].proto.expanded
    version = added_as(page, "things")
    assert page.segmented_control(key="data.way").value == "ZIP archive"
    assert not page.expander[0].proto.expanded
    assert not recorded.waits
    assert version.classes == ("cup", "none")
    assert version.train + version.test == 24
    assert not [line.value for line in page.warning if "burst" in str(line.value)]


def test_two_classes_of_one_name_are_told_beside_the_camera_and_not_added() -> None:
    page = open_way("Webcam")
    page.session_state["data.recorded"] = recorded_of("Mug", "mug")
    page.text_input(key="data.name").set_value("things").run()
    assert "Two classes are called “mug”" in shown(page)["error"]
    assert button(page, "Add").disabled
    assert "a name of its own for each class" in texts(page)


def test_drawings_become_a_data_set_that_draw_knows() -> None:
    page = open_way("Drawings")
    assert "two classes of 3 drawings" in texts(page)
    page.session_state["canvas"] = canvas_of(SEVEN)
    page.text_input(key="data.drawn.class").set_value("seven").run()
    button(checked(page), "Keep").click().run()
    assert "**seven**, 1 drawing" in texts(checked(page))
    bars = [LabelledDrawing(strokes=[[(0, number / 9), (1, 0)]], label="bar") for number in range(9)]
    sevens = [SEVEN.model_copy(update={"pen": 0.1 + number / 100}) for number in range(5)]
    page.session_state["teaching.kept"] = {text_of(one): "bar" for one in bars} | {
        text_of(one): "seven" for one in sevens
    }
    page.run()
    version = added_as(page, "signs")
    assert version.is_drawn
    assert (version.classes, version.shape) == (("bar", "seven"), (1, 28, 28))
    assert not page.expander[0].proto.expanded
    run = train(dataset=version.key, architecture="quick")
    drawn = open_page("Draw", run)
    assert drawn.segmented_control[0].options[0] == "Canvas"
    drawn.session_state["canvas"] = canvas_of(SEVEN)
    drawn.run()
    assert len(checked(drawn).metric) == 1


@pytest.fixture
def version(tmp_path: Path) -> Version:
    return added(folder_of(photos(("cup", "None"), each=12), tmp_path / "in"), own_pictures(), "things").version


@pytest.fixture
def things(version: Version) -> Run:
    return train(dataset=version.key, architecture="quick")


def test_a_network_of_photos_names_what_the_camera_sees(things: Run) -> None:
    page = open_page("Draw", things)
    assert page.segmented_control[0].options == ["Camera", "Picture"]
    assert shown(page) == {"side": 96, "number": 0, "answers": []}
    page.session_state["draw.live"] = {"frame": {"number": 7, "frame": frame_of(scene(0))}}
    page.run()
    content = shown(checked(page))
    assert content["number"] == 7
    (answer,) = content["answers"]
    assert answer["said"] in ("cup", "none of the classes", "Not sure")
    assert [bar["name"] for bar in answer["bars"]] == ["cup", "None"]
    assert sum(bar["share"] for bar in answer["bars"]) == pytest.approx(1, abs=1e-5)


def test_a_network_names_what_the_camera_sees_while_it_trains(version: Version) -> None:
    page = open_page("Train", dataset=version.key, architecture="quick", epochs="1000")
    button(page, "Train").click().run()
    (job,) = running_jobs()
    wait_for_epoch(job)
    page.switch_page(PAGES["Draw"]).run()
    page.session_state["draw.live"] = {"frame": {"number": 1, "frame": frame_of(scene(0))}}
    page.run()
    (answer,) = shown(checked(page))["answers"]
    assert "of 1000" in answer["sure"]
    job.stop()
    job.join()


@pytest.mark.parametrize("sent", [None, 3, {"number": "x", "frame": 5}, {"frame": "AAAA"}, {"number": [1]}])
def test_what_no_camera_sends_is_refused_in_plain_words(sent: object, things: Run) -> None:
    page = open_page("Draw", things)
    page.session_state["draw.live"] = {"frame": sent}
    page.run()
    assert not page.exception
    assert shown(page)["answers"] == []
    assert len(page.error) == isinstance(sent, dict)


def test_an_uploaded_picture_of_none_of_the_classes_is_named_so(things: Run) -> None:
    page = open_page("Draw", things)
    page.segmented_control[0].set_value("Picture").run()
    page.file_uploader(key="picture.file").set_value(("x.png", saved(scene(100)), "image/png")).run()
    assert len(metrics(checked(page))) == 1
