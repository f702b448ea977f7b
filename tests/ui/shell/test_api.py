"""Whose key opens which run, as the server's rules are now."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import pytest
import streamlit as st

from cnnlab.people.api_keys import Holder
from cnnlab.people.members import Member
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.serve.answers import QuestionError
from cnnlab.serve.api import PATH
from cnnlab.training.config import RunConfig
from cnnlab.ui.shell import api, person

ADA, BOB, TEACHER = "a" * 32, "b" * 32, "c" * 32
CODES = {"code": "blue whale", "teacher_code": "red panda"}
Rules = Callable[..., None]


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> Rules:
    return lambda **section: monkeypatch.setattr(st, "secrets", {"class": section})


@pytest.fixture
def run() -> Run:
    """Ada's."""
    return RunStore(runs_folder(), ADA).create(RunConfig())


def key_of(somebody: str, code: str = CODES["code"], role: str = "member") -> str:
    """A key of somebody who joined with a code."""
    person._members().put(somebody, Member(name="X", proof=person._proof(person._secret(), code)))
    member = person._members().get(somebody)
    assert member
    return person.api_keys().make(Holder.model_validate({"id": somebody, "role": role, "proof": member.proof}))


def status(key: str, run_id: str) -> int:
    try:
        return 200 if api.find(key, run_id).id == run_id else 500
    except QuestionError as error:
        return error.status


def test_a_key_opens_what_its_holder_may_ask(run: Run, rules: Rules) -> None:
    rules(**CODES)
    keys = {name: key_of(name) for name in (ADA, BOB)} | {TEACHER: key_of(TEACHER, CODES["teacher_code"], "teacher")}
    assert {name: status(key, run.id) for name, key in keys.items()} == {ADA: 200, BOB: 404, TEACHER: 200}
    run.open_up(True)
    assert status(keys[BOB], run.id) == 200
    run.open_up(False)
    run.show(True)
    assert status(keys[BOB], run.id) == 200
    RunStore(runs_folder()).delete(run.id)
    assert status(keys[ADA], run.id) == 404


@pytest.mark.parametrize("run_id", ["", "none", "../config", "x" * 1000])
def test_what_is_no_run_is_said_not_to_exist(run_id: str, rules: Rules) -> None:
    rules(**CODES)
    assert status(key_of(ADA), run_id) == 404


def test_a_key_ends_with_the_code_by_which_its_holder_joined(run: Run, rules: Rules) -> None:
    rules(**CODES)
    key = key_of(ADA)
    rules(code="grey whale")
    assert status(key, run.id) == 401
    rules(**CODES)
    assert status(key, run.id) == 200
    rules(code="short")  # which lets nobody in
    assert status(key, run.id) == 401
    person.api_keys().revoke(ADA)
    rules(**CODES)
    assert status(key, run.id) == 401


def test_a_teachers_key_is_none_of_a_member(run: Run, rules: Rules) -> None:
    rules(**CODES)
    run.show(False)
    assert status(key_of(BOB, CODES["code"], "teacher"), run.id) == 404  # joined as a member


def test_a_wrong_key_is_told_from_none(run: Run, rules: Rules) -> None:
    rules(**CODES)
    for key, told in (("", "send the key"), ("cnnlab_guess", "unknown or revoked")):
        with pytest.raises(QuestionError, match=told):
            api.find(key, run.id)


def test_an_administrators_key_opens_everything_until_there_is_a_class(run: Run, rules: Rules) -> None:
    key = person.api_keys().make(person.as_holder())
    assert status(key, run.id) == 200
    rules(**CODES)
    assert status(key, run.id) == 401


def test_the_server_is_started_with_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_is_served", Event())
    assert not api.is_served()
    (route,) = api.routes()
    assert getattr(route, "path", "") == PATH
    assert api.is_served()
    monkeypatch.setattr(st, "get_option", lambda name: "/lab/")
    assert getattr(api.routes()[0], "path", "") == f"/lab{PATH}"
