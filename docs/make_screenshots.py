"""Takes the README's screenshots of the running app: make screenshots."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

DOCS = Path(__file__).parent
PATIENCE = 240_000  # ms, for a default training
SEVEN = [(0.3, 0.22), (0.5, 0.18), (0.72, 0.21), (0.62, 0.45), (0.52, 0.65), (0.45, 0.85)]  # shares of the canvas


def main() -> None:
    """Train twice in a fresh folder and photograph every page."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as runs:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"],
            cwd=DOCS.parent,
            env=os.environ | {"CNNLAB_RUNS": runs},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout
            next(line for line in server.stdout if "URL:" in line)
            _tour(f"http://localhost:{port}")
        finally:
            server.terminate()
            server.wait()


def _tour(address: str) -> None:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        flags = ["--disable-gpu", "--disable-background-networking", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM") or None, args=flags)
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        page.goto(address)
        page.get_by_role("button", name="Train a network now").wait_for()
        _shoot(page, "home")
        page.get_by_role("button", name="Train a network now").click()
        expect(page.get_by_text("Epoch 18 of", exact=False)).to_be_visible()
        _shoot(page, "train")
        expect(page.get_by_test_id("stMetric").filter(has_text="Test accuracy")).to_be_visible()
        _go(page, "Inside")
        expect(page.locator(".js-plotly-plot")).to_be_visible()
        _shoot(page, "inside")
        _go(page, "Draw")
        _draw(page)
        expect(page.get_by_test_id("stMetricValue")).to_be_visible()
        _shoot(page, "draw")
        page.goto(f"{address}/Train")
        page.get_by_label("Epochs", exact=True).fill("4")
        page.get_by_label("Epochs", exact=True).press("Tab")
        page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).click()
        expect(page.get_by_test_id("stMetric").filter(has_text="Test accuracy")).to_be_visible()
        _go(page, "Compare")
        expect(page.get_by_role("heading", name="Accuracy of each class")).to_be_visible()
        _shoot(page, "compare")
        browser.close()


def _go(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebar").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def _draw(page: Page) -> None:
    canvas = page.locator("canvas.upper-canvas")
    canvas.wait_for()
    box = canvas.bounding_box()
    assert box
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=4)
    page.mouse.up()
    page.mouse.move(0, 0)


def _shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(1500)  # pictures and fonts fade in
    page.screenshot(path=DOCS / "images" / f"{name}.png")
    print(f"docs/images/{name}.png")


if __name__ == "__main__":
    main()
