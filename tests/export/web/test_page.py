from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Error, Page, expect

from cnnlab.analysis.ood import read
from cnnlab.drawings.preprocess import prepared, stroke_ink
from cnnlab.drawings.strokes import Drawing
from cnnlab.export.portable import Portable
from cnnlab.export.web.page import html_page
from cnnlab.runs.run import Run
from cnnlab.runs.trained import test_split as images_of
from cnnlab.text import percent
from tests.export.web.pages import changed, opened, untrained, with_other_weights
from tests.samples import SEVEN

MOST_BYTES = 430_000  # of the default network, in 8 bits, with its doubt
HOSTILE = "</script><img src=x onerror=alert(1)>"
DRAWINGS: list[dict[str, Any]] = [
    {"strokes": SEVEN.strokes, "pen": SEVEN.pen},
    {"strokes": [[[0.5, 0.0], [0.1, 0.5], [0.5, 1.0], [0.9, 0.5], [0.5, 0.0]]]},
    {"strokes": [[[0.4, 0.0], [0.45, 0.5], [0.4, 1.0]]]},
    {"strokes": [[[0.0, 0.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.0], [0.5, 1.0]]]},
    {"strokes": [[[0.1, 0.1], [0.9, 0.2], [0.2, 0.8]]], "pen": 0.7},  # a blot
]
PREDICT = "async (inputs) => Promise.all(inputs.map((input) => window.cnnlab.predict(input)))"
HUGE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 90_000, 90_000) + bytes(99)
PIXELS = "paper.getContext('2d').getImageData(0, 0, 280, 280).data"
BLACK = f"{PIXELS}.every((tone, at) => at % 4 === 3 || !tone)"
SHOWN = """[...document.querySelectorAll("#said, #why, #spoken, .share")].map((each) => each.textContent).join("") +
  [...document.querySelectorAll("canvas:not(.example canvas)")].map((each) => each.toDataURL()) +
  document.querySelectorAll(".best").length"""
Weights = Literal["float32", "float16", "int8"]


def choose(page: Page, content: bytes) -> None:
    page.locator("#file").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": content})


def photo_of_one() -> bytes:
    """A dark stroke in the middle of a white sheet, wider than high."""
    sheet = Image.new("L", (28, 20), "white")
    ImageDraw.Draw(sheet).line([(14, 4), (14, 15)], width=2)
    file = BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("weights", ["float32", "float16", "int8"])
def test_drawings_get_the_apps_answers(
    new_page: Callable[..., Page], tmp_path: Path, packed: Portable, weights: Weights
) -> None:
    page, asked = opened(new_page, tmp_path / "page.html", html_page(packed, weights))
    found = page.evaluate(PREDICT, DRAWINGS)
    for drawing, there in zip(DRAWINGS, found, strict=True):
        steps = prepared(stroke_ink(Drawing.model_validate(drawing)))
        here = read(packed.trained, steps.image, packed.familiar, steps.suspicion)
        assert (there["class"], there["doubt"], there["sure"]) == (here.name, here.doubt, not here.doubt)
        precise = {"float32": 1e-5, "float16": 5e-3, "int8": 5e-2}[weights]
        assert there["probabilities"] == pytest.approx(here.probabilities, abs=precise)
    assert asked == [(tmp_path / "page.html").as_uri()]


@pytest.mark.parametrize(("weights", "most"), [("float16", 0), ("int8", 1)])
def test_rounded_weights_name_the_same_classes(
    new_page: Callable[..., Page],
    tmp_path: Path,
    packed: Portable,
    finished_run: Run,
    weights: Weights,
    most: int,
) -> None:
    content = html_page(packed, weights)
    images = images_of(finished_run).images[:300]
    page, _ = opened(new_page, tmp_path / "page.html", content)
    found = page.evaluate(PREDICT, [{"image": image.flatten().tolist()} for image in images])
    here = packed.trained.probabilities(images).argmax(1).tolist()
    others = sum(there["class"] != packed.trained.classes[best] for there, best in zip(found, here, strict=True))
    assert others <= most
    assert weights != "int8" or len(content) <= MOST_BYTES


def test_without_the_kernel_it_answers_alike(new_page: Callable[..., Page], tmp_path: Path, packed: Portable) -> None:
    page, _ = opened(new_page, tmp_path / "page.html", html_page(packed))
    plain = page.evaluate(
        """async () => {
          const plain = await openAnswers(data, false)
          return { isFast: plain.network.isFast, difference: largestDifference(plain) }
        }"""
    )
    assert page.evaluate("answers.network.isFast")  # the page's policy lets the kernel in
    assert not plain["isFast"]
    assert plain["difference"] <= 1e-5


def test_one_draws_and_the_page_answers(new_page: Callable[..., Page], tmp_path: Path, packed: Portable) -> None:
    page, asked = opened(new_page, tmp_path / "page.html", html_page(packed), width=375)
    paper = page.locator("#paper")
    expect(page.locator("#status")).to_be_hidden()
    box = paper.bounding_box()
    assert box
    for number, (x, y) in enumerate([(0.3, 0.2), (0.7, 0.2), (0.6, 0.45), (0.45, 0.85)]):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
        if not number:
            page.mouse.down()
    page.mouse.up()
    expect(page.locator("#said")).to_have_text(re.compile("7"))
    expect(page.locator("#spoken")).to_have_text(re.compile("7"))
    assert page.locator("#bars li").count() == 10
    assert page.locator("#layers canvas").count() == 4
    assert page.evaluate("getComputedStyle(document.getElementById('paper')).touchAction") == "none"
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#said")).to_have_text("–")
    assert len(asked) == 1


def test_the_page_stays_still_under_a_finger(browser: Browser, tmp_path: Path, packed: Portable) -> None:
    (tmp_path / "page.html").write_bytes(html_page(packed))
    context = browser.new_context(viewport={"width": 375, "height": 600}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    page.evaluate("window.cnnlab.ready")
    box = page.locator("#paper").bounding_box()
    assert box
    finger = context.new_cdp_session(page)
    for number in range(12):
        point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] * (0.9 - number * 0.07)}
        kind = "touchMove" if number else "touchStart"
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator("#said")).to_have_text(re.compile("1"))
    assert page.evaluate("[scrollY, strokes.length]") == [0, 1]
    context.close()


def test_examples_are_there_for_the_keyboard(new_page: Callable[..., Page], tmp_path: Path, packed: Portable) -> None:
    page, _ = opened(new_page, tmp_path / "page.html", html_page(packed))
    example = page.get_by_role("button", name="Example: 3")
    example.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text(re.compile("3"))
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, canvas, video, input')]"
        ".filter((each) => !(each.textContent.trim() || each.getAttribute('aria-label') || "
        "each.closest('[aria-label]:not(section)'))).length"
    )
    assert unnamed == 0


def test_changed_weights_are_noticed(new_page: Callable[..., Page], tmp_path: Path, packed: Portable) -> None:
    page, _ = opened(new_page, tmp_path / "page.html", changed(html_page(packed), with_other_weights))
    expect(page.locator("#status")).to_have_text(re.compile("does not answer"))
    expect(page.get_by_role("button", name="Picture")).to_be_disabled()
    with pytest.raises(Error, match="does not answer"):
        page.evaluate(PREDICT, DRAWINGS)


def test_a_damaged_file_is_noticed(new_page: Callable[..., Page], tmp_path: Path) -> None:
    def cut(data: dict[str, Any]) -> None:
        data["tensors"] = data["tensors"][: len(data["tensors"]) // 8 * 4]

    page, _ = opened(new_page, tmp_path / "page.html", changed(html_page(untrained(("cup", "pen"))), cut))
    expect(page.locator("#status")).to_have_text(re.compile("damaged"))


def test_names_of_strangers_stay_text(new_page: Callable[..., Page], tmp_path: Path) -> None:
    classes = (HOSTILE, "<!--<script>", "{{data}}", "\u2028\u202e& none")
    page, asked = opened(new_page, tmp_path / "page.html", html_page(untrained(classes, title=HOSTILE)))
    page.get_by_role("button", name=f"Example: {HOSTILE}").first.click()
    assert page.locator("#bars .name").all_text_contents() == list(classes)
    assert page.get_by_role("heading", level=1).text_content() == HOSTILE
    assert page.locator("img").count() == 0
    assert len(asked) == 1


def test_of_many_classes_the_likeliest_are_shown(new_page: Callable[..., Page], tmp_path: Path) -> None:
    page, _ = opened(new_page, tmp_path / "page.html", html_page(untrained(tuple(f"kind {n}" for n in range(50)))))
    page.get_by_role("button", name="Example: kind 0").first.click()
    expect(page.locator("#rest")).to_have_text("The 20 likeliest of 50 classes.")
    assert page.locator("#bars li").count() == 20


WRONG: list[tuple[object, str]] = [
    ([], "there is nothing drawn"),
    (None, "give strokes"),
    ([[]], "a stroke is a list of points"),
    ([[[0, "x"]]], "finite numbers"),
    ({"strokes": [[[0, 0], [1, 1]]], "pen": 0}, "pen's width"),
    ({"width": 4, "height": 4, "pixels": [0] * 5}, "no 4×4 picture"),
    ({"width": 0, "height": 4, "pixels": [0]}, "above zero"),
    ({"width": 4, "height": 4, "pixels": [255] * 16}, "the picture is blank"),
    ({"image": [0] * 9}, "1×28×28 = 784 numbers, not 9"),
]


def test_wrong_use_gets_a_sentence(new_page: Callable[..., Page], tmp_path: Path, packed: Portable) -> None:
    page, _ = opened(new_page, tmp_path / "page.html", html_page(packed))
    for wrong, sentence in WRONG:
        with pytest.raises(Error, match=sentence):
            page.evaluate("(input) => window.cnnlab.predict(input)", wrong)


def test_strokes_are_nothing_to_a_network_of_photos(new_page: Callable[..., Page], tmp_path: Path) -> None:
    page, _ = opened(new_page, tmp_path / "page.html", html_page(untrained(("cup", "pen"))))
    expect(page.locator("#paper")).to_be_hidden()
    with pytest.raises(Error, match="takes pictures, not strokes"):
        page.evaluate("window.cnnlab.predict([[[0, 0], [1, 1]]])")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"no picture at all" * 9, "no picture that this browser can read"),
        (HUGE, "90000×90000 pixels: choose one"),
    ],
)
def test_a_wrong_file_gets_a_sentence(
    new_page: Callable[..., Page], tmp_path: Path, content: bytes, sentence: str
) -> None:
    page, _ = opened(new_page, tmp_path / "page.html", html_page(untrained(("cup", "pen"))))
    expect(page.locator("#status")).to_be_hidden()
    choose(page, content)
    expect(page.locator("#problem")).to_have_text(re.compile(re.escape(sentence)))


def test_a_picture_lies_on_the_canvas_until_it_is_cleared(
    new_page: Callable[..., Page], tmp_path: Path, packed: Portable
) -> None:
    page, _ = opened(new_page, tmp_path / "page.html", html_page(packed))
    expect(page.locator("#status")).to_be_hidden()
    fresh = page.evaluate(SHOWN)
    choose(page, photo_of_one())
    expect(page.locator("#said")).not_to_have_text("–")
    tones = page.evaluate(f"[[20, 140], [140, 140], [140, 20]].map(([x, y]) => {PIXELS}[4 * (280 * y + x)])")
    assert tones == [255, 0, 0]  # paper, ink, and the canvas above a picture that is wider than high
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    page.get_by_role("button", name="Clear").click()
    assert page.evaluate(SHOWN) == fresh
    expect(page.get_by_role("button", name="Clear")).to_be_disabled()


def test_strokes_take_the_place_of_a_picture(new_page: Callable[..., Page], tmp_path: Path, packed: Portable) -> None:
    page, _ = opened(new_page, tmp_path / "page.html", html_page(packed))
    page.get_by_role("button", name="Example: 3").click()
    assert page.evaluate(BLACK) is False
    page.locator("#paper").click(position={"x": 100, "y": 100})
    page.get_by_role("button", name="Undo").click()
    assert page.evaluate(BLACK) is True


@pytest.mark.parametrize("content", [b"", b"no picture at all", HUGE])
def test_after_a_wrong_file_nothing_is_left_of_the_picture_before(
    new_page: Callable[..., Page], tmp_path: Path, packed: Portable, content: bytes
) -> None:
    page, _ = opened(new_page, tmp_path / "page.html", html_page(packed))
    expect(page.locator("#status")).to_be_hidden()
    fresh = page.evaluate(SHOWN)
    choose(page, photo_of_one())
    expect(page.locator("#spoken")).not_to_be_empty()
    choose(page, content)
    expect(page.locator("#problem")).not_to_be_empty()
    assert page.evaluate(SHOWN) == fresh


def test_a_bar_is_at_once_as_long_as_its_figure_says(new_page: Callable[..., Page], tmp_path: Path) -> None:
    page, _ = opened(new_page, tmp_path / "page.html", html_page(untrained(("cup", "pen"))))
    expect(page.locator("#status")).to_be_hidden()
    told, long = page.evaluate(
        """() => {
          answerImage({ data: answers.examples[0].image })
          document.body.offsetWidth // the style before
          const share = data.classes.map((_, at) => (at ? 0.75 : 0.25))
          showBars(share, data.classes)
          const bars = [...document.querySelectorAll(".filled")]
          return [share, bars.map((bar) => bar.offsetWidth / bar.parentNode.offsetWidth)]
        }"""
    )
    assert long == pytest.approx(told, abs=0.01)


@pytest.mark.parametrize("width", [1440, 375])
def test_the_buttons_lie_in_one_row(
    new_page: Callable[..., Page], tmp_path: Path, packed: Portable, width: int
) -> None:
    page, _ = opened(new_page, tmp_path / "page.html", html_page(packed), width)
    buttons = page.locator(".board + .row button")
    tops = [box["y"] for button in buttons.all() if (box := button.bounding_box())]
    assert len(tops) == 4
    assert len(set(tops)) == 1
    assert buttons.evaluate_all("all => all.every((each) => each.scrollWidth <= each.clientWidth)")


def test_a_probability_is_written_as_the_app_does(new_page: Callable[..., Page], tmp_path: Path) -> None:
    page, _ = opened(new_page, tmp_path / "page.html", html_page(untrained(("cup", "pen"))))
    shares = [0, 0.0004, 0.976, 0.9994, 0.9995, 0.9996, 0.9999999, 1]
    assert page.evaluate("(shares) => shares.map(percent)", shares) == [percent(share) for share in shares]


def test_a_picture_is_answered(new_page: Callable[..., Page], tmp_path: Path) -> None:
    portable = untrained(("cup", "none"))
    page, _ = opened(new_page, tmp_path / "page.html", html_page(portable, "float32"))
    image = portable.examples.images[3]
    pixels = image.permute(1, 2, 0).flatten().tolist()
    there = page.evaluate("(input) => window.cnnlab.predict(input)", {"width": 16, "height": 16, "pixels": pixels})
    here = read(portable.trained, image[None], portable.familiar)
    assert (there["class"], there["doubt"]) == (here.name, here.doubt)
    assert there["probabilities"] == pytest.approx(here.probabilities, abs=1e-5)


def test_the_camera_is_answered(new_page: Callable[..., Page], tmp_path: Path) -> None:
    page, _ = opened(new_page, tmp_path / "page.html", html_page(untrained(("cup", "pen"))))
    page.get_by_role("button", name="Camera").click()
    expect(page.locator("#said")).to_have_text(re.compile("cup|pen"))
    page.get_by_role("button", name="Turn the camera off").click()
    expect(page.locator("#video")).to_be_hidden()


def test_people_are_answered_as_in_the_app(
    new_page: Callable[..., Page], tmp_path: Path, packed: Portable, real_data: Path
) -> None:
    drawings = json.loads((real_data / "pen_digits.json").read_text(encoding="utf-8"))[::5]
    page, _ = opened(new_page, tmp_path / "page.html", html_page(packed))
    found = page.evaluate(PREDICT, [drawing["strokes"] for drawing in drawings])
    images = torch.cat([prepared(stroke_ink(Drawing(strokes=drawing["strokes"]))).image for drawing in drawings])
    here = packed.trained.probabilities(images).argmax(1).tolist()
    assert [there["class"] for there in found] == [packed.trained.classes[best] for best in here]
