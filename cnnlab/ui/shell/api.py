"""The address on this server at which people's programs ask networks; a server for a class has it."""

from __future__ import annotations

from threading import Event

import streamlit as st
from starlette.routing import BaseRoute, Route

from cnnlab.people.rights import Action
from cnnlab.people.rights import may as may_person
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.serve.answers import QuestionError
from cnnlab.serve.api import PATH, Api
from cnnlab.serve.questions import refused
from cnnlab.ui.shell import person

_is_served = Event()


def routes() -> list[BaseRoute]:
    """Return the routes that the server is started with."""
    _is_served.set()
    base = st.get_option("server.baseUrlPath").strip("/")
    return [Route(f"/{base}{PATH}" if base else PATH, Api(find))]


def is_served() -> bool:
    """Check whether this server was started with these routes."""
    return _is_served.is_set()


def find(key: str, run_id: str) -> Run:
    """Return the run of an id for whoever's program sends ``key``. Raises QuestionError.

    A run that they may not ask is said not to exist.
    """
    somebody = person.of_key(key)
    if somebody is None:
        raise refused(key)
    try:
        run = RunStore(runs_folder()).open(run_id)
    except RunError as error:
        raise _no_run(run_id) from error
    if not may_person(somebody, Action.PREDICT, run):
        raise _no_run(run_id)
    return run


def _no_run(run_id: str) -> QuestionError:
    return QuestionError(f"there is no run {run_id[:100]!r} here: send its id as {PATH}?run=ID", 404)
