"""Share on Train: a run is opened to visitors, and a key is made for programs."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.people.api_keys import ApiKeys
from cnnlab.people.rights import Action, may
from cnnlab.runs.run import Run
from cnnlab.ui.shell import api, person
from tests.pages.driver import button, checked, open_page


def codes(page: AppTest) -> str:
    return "\n".join(code.value for code in page.code)


def test_a_run_is_opened_to_visitors_and_closed(listed_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_VISITORS", "yes")
    page = open_page("Train", listed_run)
    assert f"/?visit={listed_run.id}" not in codes(page)
    checked(button(page, "Open to visitors").click().run())
    assert listed_run.is_open
    assert f"/?visit={listed_run.id}" in codes(page)
    checked(button(page, "Close to visitors").click().run())
    assert not listed_run.is_open


def test_a_key_is_made_shown_once_and_revoked(listed_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "is_served", lambda: True)
    page = open_page("Train", listed_run)
    assert "YOUR_KEY" in codes(page)
    checked(button(page, "Make a key").click().run())
    (line,) = [line for line in codes(page).splitlines() if "Bearer" in line]
    key = line.partition("Bearer ")[2].partition("'")[0]
    somebody = person.of_key(key)
    assert somebody
    assert may(somebody, Action.PREDICT, listed_run)
    assert key not in codes(open_page("Train", listed_run))  # another session
    checked(button(page, "Revoke").click().run())
    assert person.of_key(key) is None
    assert key not in codes(page)


def test_a_full_disk_makes_no_key_and_says_so(listed_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(api, "is_served", lambda: True)
    page = open_page("Train", listed_run)
    monkeypatch.setattr(ApiKeys, "make", full)
    checked(button(page, "Make a key").click().run())
    assert [toast.value for toast in page.toast] == [r"No space left\."]
    assert "YOUR_KEY" in codes(page)


def test_without_anybody_to_share_with_there_is_no_such_button(
    listed_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "is_served", lambda: False)
    assert not {"share", "open", "api.make"} & {button.key for button in open_page("Train", listed_run).button}
