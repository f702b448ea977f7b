from __future__ import annotations

from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from cnnlab.runs.run import Run
from cnnlab.runs.store import runs_folder
from cnnlab.ui.shell.networks import trained_network
from tests.opened import opened
from tests.pages.driver import TIMEOUT, checked


def page() -> None:
    import streamlit as st  # noqa: PLC0415

    from cnnlab.drawings.preprocess import prepare, stroke_ink  # noqa: PLC0415
    from cnnlab.drawings.strokes import Drawing  # noqa: PLC0415
    from cnnlab.ui.draw.predictions import follow_answers  # noqa: PLC0415
    from cnnlab.ui.shell import session  # noqa: PLC0415

    if "named" not in st.session_state:
        st.session_state.named = {entry.title: entry for entry in session.trained_runs()}
    length = st.session_state.get("length", 0.5)
    ink = stroke_ink(Drawing(strokes=(((0.5, 0.1), (0.5, 0.1 + length)),), pen=16))
    follow_answers(st.session_state.named, lambda entry: prepare(ink, entry.summary.shape[1:]))


def test_ten_strokes_are_answered_without_opening_a_file(listed_run: Run) -> None:
    app = checked(AppTest.from_function(page, default_timeout=TIMEOUT).run())
    with opened() as files:
        for stroke in range(10):
            app.session_state["length"] = 0.4 + stroke / 20
            assert checked(app.run()).metric[0].value
    ours = (str(runs_folder()), str(Path(__file__).parents[3] / "cnnlab"))
    assert not [file for file in files if file.startswith(ours)]
    assert listed_run.id in app.session_state["named"][listed_run.title].id


def test_a_network_is_rebuilt_once_and_each_who_asks_has_a_copy(
    listed_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = trained_network(listed_run, 1)
    monkeypatch.setattr("cnnlab.ui.shell.networks.load_trained", None)
    second = trained_network(listed_run, 1)
    images = torch.randint(0, 256, (3, 1, 28, 28), dtype=torch.uint8)
    assert torch.equal(first.probabilities(images), second.probabilities(images))
    assert first.network is not second.network
    assert not {weight.data_ptr() for weight in first.network.parameters()} & {
        weight.data_ptr() for weight in second.network.parameters()
    }
