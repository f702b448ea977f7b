"""Export: files of a network are chosen, made, compared, downloaded."""

from __future__ import annotations

import pytest

from cnnlab.export.formats import onnx_script
from cnnlab.export.portable import ExportError, Portable
from cnnlab.runs.run import Run
from cnnlab.ui.widgets.take_away import file_stem
from tests.pages.driver import TIMEOUT, button, checked, open_page, texts


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page waits for the files: nothing ticks in AppTest."""
    monkeypatch.setattr("cnnlab.ui.widgets.awaited.AT_ONCE_SECONDS", TIMEOUT)


def test_a_file_is_made_and_told_beside_the_network_itself(listed_run: Run) -> None:
    page = open_page("Train", listed_run)
    assert button(page, "Create").disabled
    page.pills(key=f"export.chosen.{listed_run.id}").set_value(["py"])
    page.run()
    button(page, "Create").click().run()
    checked(page)
    (table,) = [frame.value for frame in page.dataframe if "Same answer" in frame.value]
    assert list(table["File"]) == ["The network here", "Python with PyTorch"]
    assert list(table["Same answer"]) == ["100.0%"] * 2
    assert "Download Python with PyTorch" in {one.proto.label for one in page.get("download_button")}


def test_why_there_is_no_file_is_told(listed_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(portable: Portable) -> bytes:
        raise ExportError("it has no *such* layer")

    monkeypatch.setattr(onnx_script, "write", refuse)
    page = open_page("Train", listed_run)
    page.pills(key=f"export.chosen.{listed_run.id}").set_value(["onnx.py"])
    page.run()
    button(page, "Create").click().run()
    assert "It has no" in page.warning[0].value
    assert "such" in texts(page)


@pytest.mark.parametrize(
    ("title", "stem"), [("CNN Lab default on mnist, 12:30", "cnn-lab-default-on-mnist-12-30"), ("猫/..", "network")]
)
def test_a_title_becomes_a_files_name(title: str, stem: str) -> None:
    assert file_stem(title) == stem
