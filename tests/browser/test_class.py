"""A class on one server, in browsers of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cnnlab.classroom.digits import ClassDigits
from cnnlab.classroom.hand_ins import HandIns
from cnnlab.drawings.example_digits import example_digits
from cnnlab.people.identity import people_folder
from cnnlab.people.members import Members
from cnnlab.serve.api import WRONG_KEYS
from tests.browser.axe import looked_at
from tests.browser.browsing import PATIENCE, SEVEN, await_verdict, draw, opened
from tests.browser.fixtures import HARMLESS
from tests.browser.server import server

CODE, TEACHERS_CODE = "blue whale", "red panda cub"
TEACHER, VISITOR = "Ms D", "a visitor"
TRAINED = "Train?architecture=quick&epochs=1&train_fraction=0.02"
ENTRY = re.compile("assignment=[0-9a-f]{16}")


@pytest.fixture(scope="module")
def school_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("school") / "runs"


@pytest.fixture(scope="module")
def school(school_runs: Path) -> Iterator[str]:
    """The address of a server for a class."""
    secrets = school_runs.parent / "secrets.toml"
    codes = f'code = "{CODE}"\nteacher_code = "{TEACHERS_CODE}"\n'
    secrets.write_text(f"[class]\n{codes}visitors = true\nimages_a_day = 1_000_000\n")
    with server(school_runs, "class_app.py", [f"--secrets.files={secrets}"], CNNLAB_TRAININGS="3") as address:
        yield address


class Pupil:
    """Somebody's own browser, which notes what is red in its console, and joins at the first page that it opens."""

    def __init__(self, browser: Browser, address: str, name: str, code: str) -> None:
        self.page: Page = browser.new_context().new_page()
        self.page.set_default_timeout(PATIENCE)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: self.note(message.type, message.text, str(message.location.get("url"))))
        self._address, self._name, self._code = address, name, code
        self._is_in = name == VISITOR  # who does not join

    def note(self, kind: str, text: str, url: str) -> None:
        if kind == "error" and not HARMLESS.search(url):
            self.complaints.append(text)

    def open(self, path: str = "") -> None:
        self.page.goto(f"{self._address}/{path}")
        if not self._is_in:
            self.page.get_by_label("Class code").fill(self._code)
            self.page.get_by_label("Your name").fill(self._name)
            self.page.get_by_role("button", name="Join").click()
            self._is_in = True

    def train(self) -> None:
        self.page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).click()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()


@pytest.fixture
def pupils(browser: Browser, school: str) -> Iterator[Callable[[str], Pupil]]:
    """Gives each of the class a browser, in which they stay joined."""
    known: dict[str, Pupil] = {}

    def pupil(name: str) -> Pupil:
        if name not in known:
            known[name] = Pupil(browser, school, name, TEACHERS_CODE if name == TEACHER else CODE)
        return known[name]

    yield pupil
    for one in known.values():
        one.page.context.close()
    assert not [complaint for one in known.values() for complaint in one.complaints]


def test_what_one_trains_others_see_when_it_is_shown(pupils: Callable[[str], Pupil], school: str) -> None:
    dan, eve = pupils("Dan"), pupils("Eve")
    dan.open(TRAINED)
    expect(dan.page.get_by_text("of 1 M left today")).to_be_visible()
    dan.train()
    await_verdict(dan.page)
    run = re.search(r"run=([\w-]+)", dan.page.url)
    assert run
    eve.open(f"Train?run={run[1]}")
    expect(eve.page.get_by_text("The run in this link does not exist here.")).to_be_visible()
    expect(eve.page.get_by_test_id("stMetric")).to_have_count(0)
    share, show = (dan.page.get_by_role("button", name=name) for name in ("Share", "Show to the class"))
    opened(share, show).click()
    expect(dan.page.get_by_role("button", name="Hide again")).to_be_visible()

    eve.open(f"Train?run={run[1]}")  # the browser keeps its key
    expect(eve.page.get_by_text("Eve · Member of the class")).to_be_visible()
    expect(eve.page.get_by_role("button", name="Branch")).to_be_visible()
    expect(eve.page.get_by_test_id("stMetric").filter(has_text="Test accuracy")).to_be_visible()
    eve.page.get_by_test_id("stSidebar").get_by_role("link", name="Compare").click()
    expect(eve.page.get_by_role("button", name="Report")).to_be_enabled()
    expect(eve.page.get_by_role("button", name="Delete", exact=True)).to_be_disabled()

    visitor = pupils(VISITOR)
    visitor.open(f"?visit={run[1]}")
    expect(visitor.page.get_by_text("This network knows 10 classes")).to_be_visible()
    draw(visitor.page, SEVEN)
    expect(visitor.page.get_by_test_id("stMetric")).to_be_visible()
    assert finds_nothing_serious(visitor.page)
    assert asked(dan.page, school, run[1]) == 200
    guesses = [guess(eve.page, school, "203.0.113.1") for _ in range(WRONG_KEYS + 1)]
    assert guesses == [401] * WRONG_KEYS + [429]
    assert guess(eve.page, school, "203.0.113.2") == 401


def test_a_teacher_gives_an_assignment_and_three_pupils_hand_in(
    pupils: Callable[[str], Pupil], school_runs: Path
) -> None:
    link = given_by(pupils(TEACHER))
    three = [pupils(name) for name in ("Ada", "Bob", "Cyd")]
    for pupil in three:
        pupil.open(link)
        expect(pupil.page.get_by_role("combobox", name="Data set")).to_be_disabled()
        pupil.page.get_by_label("Learning rate", exact=True).fill("0.02")
        pupil.page.keyboard.press("Enter")
        pupil.train()
    people = {name: writer for writer, name in Members(people_folder(school_runs)).names().items()}
    for name, pupil in zip(("Ada", "Bob", "Cyd"), three, strict=True):
        await_verdict(pupil.page)
        pupil.press("Hand in")
        pupil.page.get_by_role("link", name="See the board").click()
        draw_the_last(pupil.page, ClassDigits(school_runs), people[name])
    three[0].page.get_by_role("radio", name="Board").click()
    for pupil in (three[0], pupils(TEACHER)):
        if pupil is not three[0]:
            pupil.open(link.replace("Train", "Class"))
        expect(pupil.page.get_by_test_id("stPlotlyChart")).to_contain_text(re.compile("Ada|Bob|Cyd"))
        expect(pupil.page.get_by_text("All test images: 500 images.")).to_be_visible()
    assert len(HandIns(school_runs).of(link.partition("=")[2])) == 3
    expect(pupils(TEACHER).page.get_by_role("button", name="Verify runs")).to_be_enabled()
    assert finds_nothing_serious(pupils(TEACHER).page)
    leave = three[0].page.get_by_role("button", name="Leave", exact=True)
    opened(leave, three[0].page.get_by_role("button", name="Leave now")).click()
    expect(three[0].page.get_by_role("button", name="Join")).to_be_visible()


def finds_nothing_serious(page: Page) -> bool:
    """Look at a page as axe-core does, on a wide screen and a phone, where it must not scroll sideways."""
    findings = [finding for look in looked_at(page, ((1440, "light"), (420, "dark"))) for finding in look.findings]
    is_wide = page.get_by_test_id("stMain").evaluate("main => main.scrollWidth > main.clientWidth")
    return not (findings or is_wide)


def given_by(teacher: Pupil) -> str:
    """Have an assignment made of Train's settings; return the end of its link."""
    teacher.open(TRAINED)
    title = opened(teacher.page.get_by_role("button", name="Make an assignment"), teacher.page.get_by_label("Title"))
    title.fill("Digits race")
    teacher.press("Make")
    teacher.page.get_by_role("link", name="Open it on Class").click()
    code = opened(teacher.page.get_by_role("button", name="Link for pupils"), teacher.page.get_by_test_id("stCode"))
    found = ENTRY.search(code.inner_text())
    assert found
    return f"Train?{found[0]}"


def draw_the_last(page: Page, digits: ClassDigits, writer: str) -> None:
    """Draw a digit on Class; the nine before it take as many strokes and show nothing more."""
    for label, drawing in example_digits().items():
        if label != "7":
            digits.put(writer, drawing, label)
    page.get_by_role("radio", name="Class digits").click()
    expect(page.get_by_text("9 of 10 are saved.")).to_be_visible()
    draw(page, SEVEN)
    page.get_by_role("button", name="Save the last digit").click()
    expect(page.get_by_text("You have drawn your ten digits.")).to_be_visible()
    expect(page.get_by_text("Digits read right, by writer")).to_be_visible()  # beside, of the same moment


def guess(page: Page, school: str, address: str) -> int:
    """Ask without a key, through a proxy on the server's machine; return the answer's status."""
    return page.request.post(f"{school}/api/predict", headers={"X-Forwarded-For": address}).status


def asked(page: Page, school: str, run: str) -> int:
    """Make a key on Train and ask with it; return the answer's status."""
    opened(page.get_by_role("button", name="Share"), page.get_by_role("button", name="Make a key")).click()
    line = page.get_by_test_id("stCode").filter(has_text="Bearer cnnlab_").inner_text()
    key = line.partition("Bearer ")[2].partition("'")[0]
    content, headers = json.dumps({"strokes": SEVEN}), {"Content-Type": "application/json"}
    url = f"{school}/api/predict?run={run}"
    return page.request.post(url, data=content, headers={**headers, "Authorization": f"Bearer {key}"}).status
