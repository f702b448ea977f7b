"""A class on one server, in browsers of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.browsing import PATIENCE, SEVEN, await_verdict, draw
from tests.browser.fixtures import HARMLESS
from tests.browser.server import server

CODE = "blue whale"


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server for a class."""
    folder = tmp_path_factory.mktemp("school")
    (folder / "secrets.toml").write_text(f'[class]\ncode = "{CODE}"\nvisitors = true\nimages_a_day = 1_000_000\n')
    with server(folder / "runs", "class_app.py", [f"--secrets.files={folder / 'secrets.toml'}"]) as address:
        yield address


class Pupil:
    """A browser of one's own, which notes what is red in its console."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.page: Page = browser.new_context().new_page()
        self.page.set_default_timeout(PATIENCE)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: self.note(message.type, message.text, str(message.location.get("url"))))
        self._address = address

    def note(self, kind: str, text: str, url: str) -> None:
        if kind == "error" and not HARMLESS.search(url):
            self.complaints.append(text)

    def open(self, path: str = "") -> None:
        self.page.goto(f"{self._address}/{path}")

    def join(self, name: str) -> None:
        self.page.get_by_label("Class code").fill(CODE)
        self.page.get_by_label("Your name").fill(name)
        self.page.get_by_role("button", name="Join").click()


def test_what_one_trains_others_see_when_it_is_shown(browser: Browser, school: str) -> None:
    ada, bob = Pupil(browser, school), Pupil(browser, school)
    ada.open("Train?architecture=quick&epochs=1&train_fraction=0.02")
    ada.join("Ada")
    expect(ada.page.get_by_text("of 1 M left today")).to_be_visible()
    ada.page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).click()
    await_verdict(ada.page)
    run = re.search(r"run=([\w-]+)", ada.page.url)
    assert run
    bob.open(f"Train?run={run[1]}")
    bob.join("Bob")
    expect(bob.page.get_by_text("The run in this link does not exist here.")).to_be_visible()
    expect(bob.page.get_by_test_id("stMetric")).to_have_count(0)
    ada.page.get_by_role("button", name="Show to the class").click()
    expect(ada.page.get_by_role("button", name="Hide again")).to_be_visible()

    bob.open(f"Train?run={run[1]}")  # the browser keeps its key
    expect(bob.page.get_by_text("Bob · Member of the class")).to_be_visible()
    expect(bob.page.get_by_role("button", name="Branch")).to_be_visible()
    expect(bob.page.get_by_test_id("stMetric").filter(has_text="Test accuracy")).to_be_visible()
    bob.page.get_by_test_id("stSidebar").get_by_role("link", name="Compare").click()
    expect(bob.page.get_by_role("button", name="Report")).to_be_enabled()
    expect(bob.page.get_by_role("button", name="Delete", exact=True)).to_be_disabled()

    visitor = Pupil(browser, school)
    visitor.open(f"?visit={run[1]}")
    expect(visitor.page.get_by_text("This network knows 10 classes")).to_be_visible()
    draw(visitor.page, SEVEN)
    expect(visitor.page.get_by_test_id("stMetric")).to_be_visible()
    assert _asked(ada.page, school, run[1]) == 200
    assert bob.page.request.post(f"{school}/api/predict?run={run[1]}").status == 401

    ada.open("leave")
    expect(ada.page.get_by_role("button", name="Join")).to_be_visible()
    for pupil in (ada, bob, visitor):
        assert not pupil.complaints
        pupil.page.context.close()


def _asked(page: Page, school: str, run: str) -> int:
    """Make a key on Train and ask with it; return the answer's status."""
    page.get_by_role("button", name="API").click()
    page.get_by_role("button", name="Make a key").click()
    line = page.get_by_test_id("stCode").filter(has_text="Bearer cnnlab_").inner_text()
    key = line.partition("Bearer ")[2].partition("'")[0]
    content, headers = json.dumps({"strokes": SEVEN}), {"Content-Type": "application/json"}
    url = f"{school}/api/predict?run={run}"
    return page.request.post(url, data=content, headers={**headers, "Authorization": f"Bearer {key}"}).status
