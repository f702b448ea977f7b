"""One's own pictures in a real browser: added, mended, trained on, evaluated."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.browsing import await_verdict, tick
from tests.data.pictures.photos import photos, saved, scene, zip_of


def test_a_zip_is_reported_mended_trained_on_and_evaluated(
    address: str, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    same = {"cat/same.png": saved(scene(900)), "dog/same.png": saved(scene(900)), "dog/empty.png": b""}
    page = new_page()
    page.goto(f"{address}/Data")
    page.get_by_text("Add your own pictures").click()
    page.locator("input[type=file]").set_input_files(zip_of(photos(each=20) | same, tmp_path / "pets.zip"))
    page.get_by_label("Name", exact=True).fill("My pets")
    page.get_by_label("Name", exact=True).press("Tab")
    main = page.get_by_test_id("stMain")
    main.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("42 pictures added. 1 file could not be used: see Report.")).to_be_visible()

    page.get_by_text("Findings", exact=True).click()
    expect(page.get_by_text("At most one label is right", exact=False)).to_be_visible()
    table = page.get_by_test_id("stDataFrame").last
    expect(table.locator("canvas").first).to_be_visible()
    tick(table, row=1, height=84)
    main.get_by_role("button", name="Move 1", exact=True).click()
    expect(page.get_by_text("1 moved, from version 1", exact=False)).to_be_visible()
    expect(page.get_by_text("At most one label is right", exact=False)).to_be_hidden()

    main.get_by_role("link", name="Train a network on it").click()
    expect(main.get_by_text("19 MB, licence Apache-2.0")).to_be_visible()  # what it starts from
    main.get_by_role("button", name="Train", exact=True).click()
    await_verdict(page)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Inside").click()
    main.get_by_role("radio", name="Why", exact=True).click()
    main.get_by_text("Attribution", exact=True).click()
    expect(main.get_by_text("see the image as 4×4 places", exact=False).first).to_be_visible()  # Grad-CAM
    expect(main.get_by_role("figure", name=re.compile("^grad-cam-")).first).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Evaluate").click()
    expect(page.get_by_role("heading", name="Evaluate")).to_be_visible()
    expect(main.get_by_role("combobox").first).to_have_value(re.compile("on my-pets@2,"))
