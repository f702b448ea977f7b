"""Text of strangers in every field that holds any, on every page and view of a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from shutil import copytree
from urllib.parse import quote, urlencode
from zipfile import ZipFile

import pytest
from playwright.sync_api import FilePayload, Page, Request, expect

from cnnlab.networks.architecture import Draft
from cnnlab.networks.designs import Shelf, to_link, write_design
from cnnlab.runs.run import Run
from cnnlab.runs.summary import About
from cnnlab.training.config import Parent
from cnnlab.ui.compare import VIEWS as COMPARE
from cnnlab.ui.draw import TABS
from cnnlab.ui.draw.why import VIEWS
from cnnlab.ui.inspect import EVALUATE, INSIDE
from tests.browser.browsing import SEVEN, draw
from tests.browser.server import server
from tests.conftest import ROOT
from tests.samples import TINY, lesson

SETTLED_MS = 1_500  # from a click until the page says that it is drawn again, if it ever does
STRANGER = "http://stranger.invalid"  # where nothing may be asked for and no link may lead
CLASSES = (
    f"![a]({STRANGER}/a.png)",
    f"[log in]({STRANGER}/b)",
    f"<img src={STRANGER}/c.png>",
    f"<a href='{STRANGER}/d'>pwned</a>",
    f"{STRANGER}/e",
    "www.stranger.invalid",
    "me@stranger.invalid",
    ":red[pwned] $pwned$",
    "**pwned** <b>pwned</b>",
    "`pwned` :material/home:",
)
SHORT = f"![i]({STRANGER}/i.png) [log in]({STRANGER}) :red[pwned] <b>pwned</b>"[:80]
LONG = " ".join(CLASSES) + "\n\n# pwned\n\n| pwned |\n|---|\n| pwned |\n\n- pwned\n"

# A data set of a stranger's own: its classes are named by whoever made it. Robustness asks about a fifth of it.
PATCH = """
from dataclasses import replace
from cnnlab.data.datasets import DATASETS
from cnnlab.evaluation import corruptions
corruptions.IMAGES = 100
DATASETS["mnist-sample"] = replace(DATASETS["mnist-sample"], classes={classes!r})
"""
# Counts how often the server has drawn the page, or a part of it, to its end.
COUNT_DRAWN = """
window.drawn = 0
new MutationObserver((changes) => {
  window.drawn += changes.filter(({ target }) => target.dataset.testScriptState === "notRunning").length
}).observe(document, { subtree: true, attributeFilter: ["data-test-script-state"] })
"""
IS_DRAWN = """document.querySelector("[data-test-script-state=notRunning]") && window.drawn > 0"""
# Links to a stranger, and words that stand alone as only markup makes them; also within components.
FOUND = """() => {
  const within = (root) => [...root.querySelectorAll("*")].flatMap((one) => [one, ...inside(one.shadowRoot)])
  const inside = (root) => root ? within(root) : []
  const address = (one) => one.getAttribute("href") ?? one.getAttribute("xlink:href") ?? ""
  const isLink = (one) => one.localName === "a" && address(one).includes("stranger.invalid")
  const shown = inside(document.body)
  return [
    ...shown.filter(isLink).map((one) => `link ${address(one)}`),
    ...shown.filter((one) => one.textContent.trim() === "pwned").map((one) => `markup ${one.localName}`),
    ...shown.filter((one) => one.matches(".katex")).map(() => "formula"),
  ]
}"""


@pytest.fixture(scope="module")
def strangers_runs(tmp_path_factory: pytest.TempPathFactory, finished_run: Run) -> tuple[Path, str, str]:
    """A folder of runs, and the ids of one that was taught and of one that failed."""
    folder = tmp_path_factory.mktemp("strangers")
    origin = _copy(finished_run, folder / "1-origin")
    taught = _copy(finished_run, folder / "2-taught")
    _change(
        taught, "config.json", parent=str(Parent(run=origin.id, epoch=1)), lessons=[_lesson(name) for name in CLASSES]
    )
    failed = _copy(finished_run, folder / "3-failed")
    _change(failed, "summary.json", status="failed", error=LONG, test_accuracy=None)
    failed.write_about(About())
    Shelf(folder).save(_design("strange"))
    return folder, taught.id, failed.id


def _copy(run: Run, folder: Path) -> Run:
    copy = Run(Path(copytree(run.folder, folder)))
    _change(
        copy,
        "config.json",
        architecture=json.loads(
            run.config.architecture.model_copy(update={"title": SHORT, "description": LONG[:400]}).model_dump_json()
        ),
    )
    named = {
        field: dict(zip(CLASSES, getattr(run.summary, field).values(), strict=True))
        for field in ("per_class", "support")
    }
    _change(copy, "summary.json", id=copy.id, classes=CLASSES, device=SHORT, precision=SHORT, **named)
    copy.write_about(About(title=SHORT, tags=tuple(name[:40] for name in CLASSES), note=LONG))
    return copy


def _change(run: Run, name: str, **fields: object) -> None:
    path = run.folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def _lesson(label: str) -> object:
    return json.loads(lesson(label[:40]).model_dump_json())


def _design(name: str) -> Draft:
    return Draft(name=name, title=SHORT, description=LONG[:400], layers=TINY.layers)


@pytest.fixture(scope="module")
def strange(strangers_runs: tuple[Path, str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server whose data set names its classes as a stranger would."""
    patch = tmp_path_factory.mktemp("patch")
    (patch / "sitecustomize.py").write_text(PATCH.format(classes=CLASSES))
    with server(strangers_runs[0], PYTHONPATH=f"{patch}:{ROOT}") as address:
        yield address


class Visit:
    """A browser session that looks at what it is shown after each step."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.asked: list[str] = []
        page.on("request", self._note)
        page.add_init_script(COUNT_DRAWN)

    def _note(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:", self.address.replace("http", "ws"))):
            self.asked.append(request.url)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}/{path}")
        self._await("document.querySelector('h1')")
        self.look(path)

    def _await(self, condition: str) -> None:
        self.page.wait_for_function(f"{condition} && {IS_DRAWN}")

    def do(self, what: str, act: Callable[[], object]) -> None:
        """``act`` makes the server draw the page once more."""
        redrawn = self._redrawn()
        act()
        self._await(redrawn)
        self.look(what)

    def _redrawn(self) -> str:
        """A condition: the page was drawn once more from now on, or too fast for its state to have shown it."""
        drawn, now = self.page.evaluate("[window.drawn, performance.now()]")
        return f"(window.drawn > {drawn} || performance.now() > {now + SETTLED_MS})"

    def click(self, name: str, shows: str = "") -> None:
        """Click on a button or a choice, which makes the page show a text."""
        main = self.page.get_by_test_id("stMain")
        button = main.get_by_role("radio", name=name, exact=True).or_(main.get_by_role("button", name=name, exact=True))
        redrawn = self._redrawn()
        if button.first.get_attribute("aria-checked") != "true":
            button.first.click()
            expect(main.get_by_text(shows, exact=False).first).to_be_visible()
            self._await(redrawn)
            self.look(name)

    def look(self, where: str) -> None:
        assert (where, self.page.evaluate(FOUND), self.asked) == (where, [], [])


@pytest.fixture
def visit(new_page: Callable[..., Page], strange: str) -> Visit:
    return Visit(new_page(), strange)


def test_runs_of_strangers_do_nothing_on_any_view(visit: Visit, strangers_runs: tuple[Path, str, str]) -> None:
    _, taught, failed = strangers_runs
    visit.open("")
    for run in (taught, failed):
        visit.open(f"Train?run={run}")
    for page, views in (("Inside", INSIDE), ("Evaluate", EVALUATE)):
        visit.open(f"{page}?run={taught}")
        for name, view in views.items():
            visit.click(view.group)
            visit.click(name, view.question)
    visit.open("Compare")
    for name, comparison in COMPARE.items():
        visit.click(name, comparison.question)


def test_drawings_named_by_strangers_do_nothing(visit: Visit, strangers_runs: tuple[Path, str, str]) -> None:
    visit.open(f"Draw?run={strangers_runs[1]}")
    visit.do("a drawing", lambda: draw(visit.page, SEVEN))
    for name, view in VIEWS.items():
        visit.click(name, view.question)
    visit.click(CLASSES[8])
    for way in [way for way, tab in TABS.items() if tab.of_characters and way != "Canvas"]:
        visit.click(way)
        if way == "Challenge":
            visit.click("Start")


def test_designs_and_links_of_strangers_do_nothing(visit: Visit) -> None:
    link = to_link(_design("strange"))
    visit.open(f"Design?design={link}")
    for name in ("Compare", "Save and share"):
        visit.click(name)
    content = write_design(_design("strange")).replace('"strange"', json.dumps(SHORT))
    upload = FilePayload(name=f"{quote(SHORT, '')}.json", mimeType="application/json", buffer=content.encode())
    visit.do("upload", lambda: visit.page.locator("input[type=file]").set_input_files([upload]))
    visit.open(f"Train?design={link}")
    visit.page.get_by_test_id("stExpander").filter(has_text="The network:").locator("summary").click()
    expect(visit.page.get_by_text("# pwned", exact=False)).to_be_visible()
    visit.look("the network")


def test_addresses_of_strangers_do_nothing(visit: Visit) -> None:
    names = ("run", "runs", "view", "compare", "sweep", "design", "chapter", "term", "trap", "recipe", "dataset")
    for page in ("Train", "Inside", "Compare", "Sweep", "Design", "Learn"):
        visit.open(f"{page}?{urlencode(dict.fromkeys(names, SHORT))}")
        visit.open(f"{page}?{urlencode({SHORT: SHORT, 'chapter': 'program'})}")


def test_the_archive_of_a_stranger_does_nothing(visit: Visit) -> None:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr(f"x/{SHORT}", "")
    visit.open("Compare")
    visit.page.get_by_role("button", name="Import").click()
    upload = FilePayload(name="runs.zip", mimeType="application/zip", buffer=file.getvalue())
    visit.do("choice", lambda: visit.page.locator("input[type=file]").first.set_input_files([upload]))
    visit.do("import", visit.page.locator(".st-key-compare-import-go button").click)
    expect(visit.page.get_by_text("is no file of a run", exact=False)).to_be_visible()
