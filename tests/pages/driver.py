"""Pages as AppTest runs them: opened, read and clicked."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from cnnlab.drawings.strokes import Drawing, to_canvas
from cnnlab.runs.run import Run
from cnnlab.ui.inspect import EVALUATE, INSIDE
from tests.conftest import ROOT

PAGES = {
    "Home": "app.py",
    "Train": "pages/Train.py",
    "Inside": "pages/Inside.py",
    "Evaluate": "pages/Evaluate.py",
    "Draw": "pages/Draw.py",
    "Compare": "pages/Compare.py",
    "Sweep": "pages/Sweep.py",
    "Data": "pages/Data.py",
    "Design": "pages/Design.py",
    "Learn": "pages/Learn.py",
}
SCRIPTS = {**PAGES, "Class": "pages/Class.py"}  # and of those that only a class has
TIMEOUT = 60  # seconds, for a slow machine


def new_session(**query: str) -> AppTest:
    """A session at Home that has not run yet, with ``query`` in its address; its reader guesses no results."""
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=TIMEOUT)
    page.session_state["guess.habit"] = "show"
    for name, value in query.items():
        page.query_params[name] = value
    return page


def open_page(name: str, run: Run | None = None, **query: str) -> AppTest:
    page = new_session(**({"run": run.id} if run else {}), **query)
    if name != "Home":
        page.switch_page(PAGES[name])
    return checked(page.run())


def told(page: AppTest) -> str:
    """Everything that a page says, and offers to choose."""
    choices = [choice for box in (*page.selectbox, *page.multiselect) for choice in box.options]
    tables = [table.value.to_csv() for table in page.dataframe]
    return "\n".join([texts(page), *choices, *tables])


def opened(name: str, **query: str) -> AppTest:
    page = new_session(**query)
    if name != "Home":
        page.switch_page(SCRIPTS[name])
    page.run()
    assert not page.exception
    return page


def open_chapter(name: str, **query: str) -> AppTest:
    """A chapter of Learn."""
    return open_page("Learn", None, chapter=name, **query)


def checked(page: AppTest) -> AppTest:
    assert not page.exception
    assert not page.error
    return page


def texts(page: AppTest) -> str:
    blocks = (*page.title, *page.markdown, *page.caption, *page.info, *page.error, *page.warning)
    return "\n".join(str(block.value) for block in blocks)


def set_by_code(page: AppTest) -> list[str]:
    """The widgets whose value the last run of the page put over the browser's."""
    nodes = (*page.main, *page.sidebar)
    return [str(node) for node in nodes if getattr(getattr(node, "proto", None), "set_value", False)]


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def open_view(page: AppTest, name: str) -> AppTest:
    """Choose a view of Inside or Evaluate by its group."""
    of, views = ("inside", INSIDE) if name in INSIDE else ("evaluate", EVALUATE)
    group = page.segmented_control(key=f"{of}.group")
    if group.value != views[name].group:
        group.set_value(views[name].group).run()
    view = page.segmented_control(key=f"{of}.view")
    return page if view.value == name else view.set_value(name).run()


def button(page: AppTest, label: str) -> Button:
    (found,) = [button for button in page.button if button.label == label]
    return found


def settled(page: AppTest) -> None:
    """Wait until adding pictures has ended, and draw the page again."""
    if "data.adding" in page.session_state:
        page.session_state["data.adding"].join()
        page.run()


def drawn(page: AppTest) -> list[object]:
    """Charts, and clouds of points, which are a component of ours."""
    return [*page.get("plotly_chart"), *page.get("bidi_component")]


def canvas_of(drawing: Drawing) -> dict[str, object]:
    """A canvas with a drawing, as the browser sends it."""
    return {"drawing": {"raw": to_canvas(drawing), "data": None}}
