"""Train and Sweep say before a start what it takes of a quota, and offer none that does not fit."""

from __future__ import annotations

import pytest

from cnnlab.people.rights import Person
from cnnlab.people.rules import ClassRules
from cnnlab.ui.shell import person
from tests.pages.driver import button, open_page, texts


@pytest.fixture
def member(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person, "me", lambda: Person("member", "a" * 32, "Ada"))


@pytest.mark.usefixtures("member")
@pytest.mark.parametrize(("page", "start"), [("Train", "Train"), ("Sweep", "Start sweep")])
@pytest.mark.parametrize("fits", [True, False])
def test_a_start_is_offered_where_it_fits(page: str, start: str, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = ClassRules(code="blue whale", images_a_day=10**8 if fits else 10, disk_mb=5000)
    monkeypatch.setattr(person, "class_rules", lambda: rules)
    shown = open_page(page, epochs="2")
    assert button(shown, start).disabled != fits
    assert ("of 100 M left today" in texts(shown)) == fits
    assert ("10 a day: train for fewer epochs" in texts(shown).replace("\\", "")) != fits


def test_on_ones_own_machine_no_share_is_told() -> None:
    assert "Your share" not in texts(open_page("Train"))
