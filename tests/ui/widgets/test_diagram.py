from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.networks.presets import PRESETS
from tests.pages.driver import open_page
from tests.trainings import train

KEY = "shown"


def script(layers: list[dict[str, object]]) -> None:
    from cnnlab.networks.architecture import Draft  # noqa: PLC0415 - the script's own
    from cnnlab.ui.widgets.diagram import show_network  # noqa: PLC0415

    draft = Draft.model_validate({"name": "shown", "title": "Shown", "layers": layers})
    show_network(draft, (1, 28, 28), 10, "shown")


def shown(*layers: dict[str, Any], chosen: tuple[int, ...] | None = None) -> AppTest:
    page = AppTest.from_function(script, kwargs={"layers": list(layers)}, default_timeout=60)
    if chosen is not None:
        page.session_state[f"{KEY}.chosen"] = chosen
    page.run()
    assert not page.exception
    return page


def pictures(page: AppTest) -> list[dict[str, Any]]:
    return [data for element in page.get("bidi_component") if "svg" in (data := json.loads(element.proto.json))]


CONV = {"kind": "conv2d", "out_channels": 8}
BLOCK = {"kind": "residual", "body": [{"kind": "conv2d", "out_channels": 8, "padding": 1}]}
WIDE = {"kind": "conv2d", "out_channels": 8, "kernel_size": 40}


def test_the_picture_has_words_for_who_does_not_see_it() -> None:
    (picture,) = pictures(shown(CONV, BLOCK))
    assert (picture["alt"], picture["name"]) == ("Shown, 3 layers", "shown")
    assert 'data-place="1.0.0"' in picture["svg"]


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ((0,), "28 − 3 + 2·0"),
        ((1, 0, 0), "8·8·3·3 + 8 = 584"),
        ((2,), "does not fit"),
        ((3,), "unknown"),
        ((9,), "Click a layer"),
    ],
)
def test_the_chosen_layer_is_told_of(chosen: tuple[int, ...], told: str) -> None:
    page = shown(CONV, BLOCK, WIDE, CONV, CONV, chosen=chosen)
    (words,) = [element.value for element in (*page.markdown, *page.caption)]
    assert told in words.replace("\\", "")
    (picture,) = pictures(page)
    root = ElementTree.fromstring(picture["svg"])
    places = [group.get("data-place") for group in root.iter() if "selected" in group.get("class", "").split()]
    assert places == ([".".join(map(str, chosen))] if chosen != (9,) else [])


def test_train_draws_the_network_of_the_form() -> None:
    page = open_page("Train")
    page.selectbox(key="form.architecture").set_value("small-resnet").run()
    (picture,) = pictures(page)
    assert picture["name"] == "small-resnet"


def test_inside_draws_the_network_of_the_run() -> None:
    (picture,) = pictures(open_page("Inside", train(architecture="lenet-5", train_fraction=0.05)))
    assert picture["alt"].startswith(PRESETS["lenet-5"].title)
    assert "1×28×28" in picture["svg"]
