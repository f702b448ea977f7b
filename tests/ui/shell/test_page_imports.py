"""The modules of pages that nobody has opened."""

from __future__ import annotations

from importlib.util import find_spec
from threading import Event
from types import SimpleNamespace

import pytest

from cnnlab.ui.shell import page_imports
from cnnlab.ui.shell.page_imports import imports_of
from tests.conftest import ROOT

SCRIPTS = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]


class Patience(Event):
    """Counts the waits, each over at once, and ends with the ``most``-th."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.waits: list[float | None] = []
        self.most = most

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        return len(self.waits) >= self.most


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is imported, in order, by name alone."""
    names: list[str] = []
    monkeypatch.setattr(page_imports, "import_module", names.append)
    return names


def test_all_that_the_pages_import_is_imported_after_the_first_page_has_been_drawn(imported: list[str]) -> None:
    patience = Patience(most=2)
    page_imports._import_all(patience)
    assert patience.waits == [page_imports.BEGINS_AFTER]
    assert imported == [name for script in SCRIPTS for name in imports_of(script)]
    assert "cnnlab.ui.compare" in imported


def test_a_training_goes_first(imported: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_imports, "running_jobs", lambda: [SimpleNamespace()])
    patience = Patience(most=4)
    page_imports._import_all(patience)
    assert patience.waits == [page_imports.BEGINS_AFTER, *[page_imports.LOOKS_EVERY] * 3]
    assert not imported


def test_the_end_of_the_process_ends_it(imported: list[str]) -> None:
    ended = Event()
    ended.set()
    page_imports._import_all(ended)
    assert not imported


@pytest.mark.parametrize("name", sorted({name for script in SCRIPTS for name in imports_of(script)}))
def test_what_a_page_imports_is_a_module_by_its_whole_name(name: str) -> None:
    assert find_spec(name)
