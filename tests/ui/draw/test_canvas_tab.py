from __future__ import annotations

from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.drawings.preprocess import prepared
from cnnlab.ui.draw import canvas_tab
from tests.pages.driver import TIMEOUT, checked
from tests.samples import SEVEN
from tests.trainings import train


def page() -> None:
    from cnnlab.ui.draw import canvas_tab  # noqa: PLC0415
    from cnnlab.ui.shell import session  # noqa: PLC0415

    canvas_tab.show({f"{place}": entry for place, entry in enumerate(session.trained_runs())})


@pytest.mark.usefixtures("listed_run")
def test_a_drawing_is_prepared_once_for_runs_of_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    train(architecture="compact", train_fraction=0.05)
    monkeypatch.setattr(canvas_tab, "drawing_canvas", lambda below: SEVEN)
    with patch.object(canvas_tab, "prepared", wraps=prepared) as preparing:
        app = checked(AppTest.from_function(page, default_timeout=TIMEOUT).run())
    assert len([metric for metric in app.metric if metric.label in ("The network says", "Not sure")]) == 2
    assert preparing.call_count == 1
