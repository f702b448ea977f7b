from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.training.config import ConfigError
from cnnlab.ui.shell.reasons import as_reason
from tests.conftest import ROOT

UI = sorted((ROOT / "cnnlab" / "ui").rglob("*.py"))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConfigError("batch_size: at most 10,000"), r"Batch size\u2060?: at most 10,000\."),
        ("there is no run 'x' here", r"There is no run 'x' here\."),
        ("photo.png is no picture", r"photo\.png is no picture\."),
        ("It ended. Try again!", r"It ended\. Try again!"),
        ("", ""),
    ],
)
def test_a_reason_is_a_sentence_in_the_form_s_words(error: Exception | str, told: str) -> None:
    assert re.fullmatch(told, as_reason(error).replace("\\", ""))


def test_a_reason_is_no_markdown_and_says_where_the_setting_is() -> None:
    assert as_reason("see *here*") == r"See \*here\*\."
    assert as_reason("epochs: at least 1", ", under More settings").startswith("Epochs, under More settings")


def page() -> None:
    from cnnlab.training.config import ConfigError  # noqa: PLC0415
    from cnnlab.ui.shell import flash, frame  # noqa: PLC0415

    flash.say("here", "momentum: less than 1", "error")
    flash.tell("here")
    with frame.errors_shown():
        raise ConfigError("batch_size: at least 1")


def test_a_click_s_error_and_a_part_s_error_have_these_words() -> None:
    told = [error.value.replace("\\", "").replace("\u2060", "") for error in AppTest.from_function(page).run().error]
    assert told == ["Momentum: less than 1.", "Batch size: at least 1."]


def test_no_error_reaches_a_page_in_another_way() -> None:
    bare = re.compile(r"\.(error|toast)\(\s*(f\"\{)?(frame\.)?literal\((str\()?(\w+\.)?error\b")
    assert not [path.name for path in UI if bare.search(path.read_text(encoding="utf-8"))]
