"""Commands as a terminal calls them, within this process."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from cnnlab.__main__ import main


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["cnnlab", *arguments])
        main()
    return capsys.readouterr().out


def last_line(out: str) -> Any:
    return json.loads(out.splitlines()[-1])


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as end:
        call(capsys, *arguments)
    assert end.value.code == 2
    complaint = capsys.readouterr().err.strip()
    assert complaint.startswith("Error: ")
    assert "\n" not in complaint
    return complaint
