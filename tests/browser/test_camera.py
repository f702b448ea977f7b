"""The camera in a real browser: pictures recorded, trained on and named live; and what is said where it cannot be."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Dialog, Page, expect

from tests.browser.browsing import await_verdict
from tests.data.pictures.photos import saved, scene

HELD = 700  # ms
REFUSALS = {
    "NotAllowedError": "does not let this page use the camera",
    "NotFoundError": "No camera was found",
    "NotReadableError": "Another program uses the camera",
}
NO_CAMERA = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })"
# Clicks as the camera's next picture is on its way, which Streamlit puts into one message with the click.
CLICK_AS_IT_LOOKS = """button => {
  const original = HTMLCanvasElement.prototype.toDataURL
  HTMLCanvasElement.prototype.toDataURL = function (...kind) {
    HTMLCanvasElement.prototype.toDataURL = original
    queueMicrotask(() => button.click())
    return original.apply(this, kind)
  }
}"""
REFUSE = """name => {
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', name) }
}"""


def open_webcam(page: Page, address: str) -> None:
    page.goto(f"{address}/Data")
    page.get_by_text("Add your own pictures").click()
    page.get_by_text("Webcam", exact=True).click()


def turn_on(page: Page) -> None:
    page.get_by_role("button", name="Turn the camera on").click()


def record(page: Page, name: str, burst: int) -> None:
    button = page.get_by_role("button", name=f"Hold to record {name}")
    card = page.locator(".recorder-class").filter(has=button)
    button.hover()
    page.mouse.down()
    page.wait_for_timeout(HELD)
    page.mouse.up()
    expect(card.locator(".recorder-thumb")).to_have_count(burst)


def test_what_the_camera_recorded_is_trained_on_and_named_live(
    address: str, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = new_page()
    open_webcam(page, address)
    turn_on(page)
    for number, name in enumerate(("cup", "none"), 1):
        page.get_by_label(f"Name of class {number}").fill(name)
        page.get_by_label(f"Name of class {number}").press("Enter")
    page.get_by_role("button", name="Hold to record cup").click()
    expect(page.get_by_text("Too short to keep")).to_be_visible()
    record(page, "cup", 1)
    expect(page.get_by_text("Too short to keep")).to_be_hidden()
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.evaluate("location.reload()")
    page.wait_for_timeout(HELD)
    assert asked == ["beforeunload"]
    record(page, "cup", 2)
    expect(page.get_by_text("Once two classes have 5 pictures each")).to_be_visible()
    record(page, "none", 1)
    expect(page.locator(".recorder-seen .live-said")).to_have_text(re.compile("cup|none|Not sure"))  # no training yet
    page.get_by_role("button", name="Remove last burst").first.click()
    expect(page.locator(".recorder-thumb")).to_have_count(2)
    page.locator("video").evaluate("video => { window.track = video.srcObject.getTracks()[0] }")
    page.get_by_label("Name", exact=True).fill("My things")
    page.get_by_label("Name", exact=True).press("Tab")
    main = page.get_by_test_id("stMain")
    expect(main.get_by_role("button", name="Add", exact=True)).to_be_enabled()
    main.get_by_role("button", name="Add", exact=True).evaluate(CLICK_AS_IT_LOOKS)
    expect(page.get_by_text("test pictures are from the same burst as training pictures", exact=False)).to_be_visible()
    assert page.evaluate("window.track.readyState") == "ended"

    page.reload()  # nothing waits any more
    assert asked == ["beforeunload"]
    page.goto(f"{address}/Train?recipe=transfer&dataset=my-things&epochs=2")
    main.get_by_role("button", name="Train", exact=True).click()
    await_verdict(page)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Draw").click()
    turn_on(page)
    expect(page.locator(".live-said")).to_have_text(re.compile("cup|none of the classes|Not sure"))
    expect(page.locator(".live-pace")).to_have_text(re.compile(r"\d+\.\d answers a second"))
    page.locator("video").evaluate("video => { window.track = video.srcObject.getTracks()[0] }")
    page.get_by_text("Picture", exact=True).evaluate(CLICK_AS_IT_LOOKS)
    (tmp_path / "cup.png").write_bytes(saved(scene(3)))
    page.locator("input[type=file]").set_input_files(tmp_path / "cup.png")
    expect(page.get_by_test_id("stMetricValue")).to_be_visible()
    assert page.evaluate("window.track.readyState") == "ended"


def test_why_there_is_no_camera_is_said_and_keys_record_as_a_pointer_does(
    address: str, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    open_webcam(page, address)
    error = page.locator(".camera-error")
    page.evaluate("() => { window.original = navigator.mediaDevices.getUserMedia }")
    for name, told in REFUSALS.items():
        page.evaluate(REFUSE, name)
        turn_on(page)
        expect(error).to_contain_text(told)
    hold = page.get_by_role("button", name="Hold to record class 1")
    expect(hold).to_be_disabled()
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = window.original }")
    turn_on(page)
    expect(error).to_be_empty()
    expect(hold).to_be_enabled()
    hold.focus()
    page.keyboard.down(" ")
    page.wait_for_timeout(HELD)
    page.keyboard.up(" ")
    expect(page.locator(".recorder-thumb")).to_have_text(re.compile(r"×([3-9]|1\d)"))
    page.get_by_role("button", name="Turn the camera off").click()
    page.evaluate(NO_CAMERA)
    turn_on(page)
    expect(error).to_contain_text("https:// or from this computer")
    page.get_by_label("Name of class 1").fill("cup")
    expect(page.get_by_role("button", name="Hold to record cup")).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Learn").click()
    expect(page.get_by_role("heading", name="Learn", exact=True)).to_be_visible()
