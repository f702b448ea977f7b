from __future__ import annotations

from typing import Any

import pytest

from cnnlab.data.spec import DatasetError
from cnnlab.drawings.strokes import CANVAS, Drawing
from cnnlab.export.portable import ExportError
from cnnlab.runs.catalogue import Catalogue
from cnnlab.runs.entry import Entry
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.ui.shell import session
from cnnlab.ui.views import pen_answers

DRAWN = Drawing(strokes=[[(0.2, 0.5), (0.8, 0.5)]], pen=0.1)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the browser gets, without a session."""
    sent: list[dict[str, Any]] = []
    for component in ("_engine", "_answers"):
        monkeypatch.setattr(pen_answers, component, lambda data, key: sent.append(data))
    monkeypatch.setattr(pen_answers, "training_features", lambda run, epoch: None)
    monkeypatch.setattr(session, "is_training", lambda run_id: False)
    return sent


@pytest.fixture
def named(listed_run: Run) -> dict[str, Entry]:
    return {entry.title: entry for entry in Catalogue(RunStore(runs_folder())).entries()}


def test_the_browser_gets_each_network_once_and_with_each_stroke_only_the_drawing(
    named: dict[str, Entry], sent: list[dict[str, Any]]
) -> None:
    pen_answers.pen_engine(named)
    pen_answers.pen_answers(named, DRAWN)
    engine, answers = sent
    (name,) = engine["networks"]
    assert [network["name"] for network in answers["networks"]] == [name]
    assert len(engine["networks"][name]["tensors"]) > 10_000
    assert answers["strokes"] == DRAWN.strokes
    assert (answers["pen"], answers["nextPen"]) == (0.1, 24 / CANVAS)
    assert len(str(answers)) < 500


@pytest.mark.parametrize("error", [ExportError("rounded"), DatasetError("gone"), TypeError("no such step")])
def test_a_network_that_the_engine_cannot_have_leaves_the_answer_to_the_server(
    error: Exception, named: dict[str, Entry], sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> None:
        raise error

    monkeypatch.setattr(pen_answers, "bundle", fail)
    pen_answers._packed_network.clear()
    pen_answers.pen_engine(named)
    pen_answers.pen_answers(named, None)
    assert [data["networks"] for data in sent] == [{}]


def test_a_network_that_still_learns_is_left_to_the_server(
    named: dict[str, Entry], sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (entry,) = named.values()
    monkeypatch.setattr(session, "is_training", lambda run_id: run_id == entry.id)
    pen_answers.pen_engine(named)
    assert sent[0]["networks"] == {}
