"""The part of a run's form about an assignment: its settings filled in, some of them held, its limits checked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import streamlit as st

from cnnlab.classroom.assignment import Assignment, Facts
from cnnlab.classroom.eligibility import epochs_before, facts_of, is_traced
from cnnlab.errors import CnnLabError
from cnnlab.networks.architecture import Architecture, LayerSummary
from cnnlab.networks.layers import Resize
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.ui.shell import session
from cnnlab.ui.shell.own_pictures import may_train_on
from cnnlab.ui.shell.state import ASSIGNMENT_FILLED, FORM_PARENT, form_field
from cnnlab.ui.widgets import start_inputs
from cnnlab.ui.widgets.network_input import networks, offer


def take(assignment: Assignment, fill_in: Callable[[RunConfig], None]) -> None:
    """Have the form filled in with the assignment's settings once; set those that it fixes back to them."""
    if FORM_PARENT.get() and not assignment.may_continue:
        FORM_PARENT.drop()
        st.toast(
            "This assignment starts from new weights. Choose Train freely, then branch off.", icon=":material/info:"
        )
    if ASSIGNMENT_FILLED.get() != assignment.id:
        ASSIGNMENT_FILLED.put(assignment.id)
        FORM_PARENT.drop()
        fill_in(_begun(assignment) or assignment.config)
    for name in {*assignment.fixed} - {"architecture", "start", "dataset"}:
        form_field(name).move_to(getattr(assignment.config, name))
    if may_train_on(assignment.config.dataset):
        form_field("dataset").move_to(assignment.config.dataset)
    if "start" in assignment.fixed:
        start_inputs.fill_in(assignment.config)
    if "architecture" in assignment.fixed:
        _hold_network(assignment.config.architecture)


def _begun(assignment: Assignment) -> RunConfig | None:
    """Return the settings of the session's run after a reload, where it was trained for the assignment."""
    run = session.current_run()
    with suppress(CnnLabError):  # a damaged run, or one whose pictures are gone
        if run and not run.config.comes_from and not assignment.objections(facts_of(run)):
            return run.config
    return None


def _hold_network(network: Architecture) -> None:
    chosen = networks().get(form_field("architecture").get())
    if chosen is None or chosen.layers != network.layers:
        offer(network)
    first = network.layers[0]
    if isinstance(first, Resize):
        form_field("image_size").move_to(first.size)


def check(assignment: Assignment, config: RunConfig, rows: list[LayerSummary]) -> None:
    """Raise ConfigError where a training would not be what the assignment asks."""
    store = session.store()
    epochs = config.epochs + epochs_before(config, store)
    facts = Facts(config, sum(row.parameters for row in rows), epochs, is_traced=is_traced(config, store))
    if objections := assignment.objections(facts):
        raise ConfigError(f"{assignment.title}: {objections[0]}")
