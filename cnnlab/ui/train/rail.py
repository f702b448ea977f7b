"""The rail beside the curves: the button and the time it takes, the form below, and what helps to fill it in."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean

import streamlit as st

from cnnlab.data.datasets import DATASETS
from cnnlab.jobs.job import Job, running_jobs
from cnnlab.people.quotas import Use
from cnnlab.quantities import duration, estimate
from cnnlab.runs.run import RunError
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.memory import GB, needs
from cnnlab.ui.shell import classroom, frame, person, quotas, session
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import PROVABLE
from cnnlab.ui.train.assignment import show_rules
from cnnlab.ui.train.forecast import tell_accuracy
from cnnlab.ui.train.queue import queue
from cnnlab.ui.train.rate_finder import learning_rate_finder
from cnnlab.ui.widgets import epoch_timing
from cnnlab.ui.widgets import run_form_link as link
from cnnlab.ui.widgets.assignment_form import make_assignment
from cnnlab.ui.widgets.disk_room import provable_input, tell_disk
from cnnlab.ui.widgets.end_notice import end_notice
from cnnlab.ui.widgets.quota_room import exceeds, tell_quota
from cnnlab.ui.widgets.run_form import run_form

WIDTH = 320  # pixels


def rail() -> bool:
    """Show the button, the queue and the form below it, and a finder of learning rates; a click starts the training.

    Return whether the button can be pressed.
    """
    running, assignment = session.running_job(), classroom.trained_for()
    # The button needs the form's settings and stands above it.
    top, why, notice = st.container(), st.container(), st.container()
    if assignment:
        show_rules(assignment)
    config = run_form(why, assignment)
    with top:
        if running:
            _add(config)
        else:
            _start(config)
        queue()
    with notice:
        end_notice(session.all_trainings())
    if not config:
        return False
    provable_input(config)
    if not running and not config.comes_from and not (assignment and "learning_rate" in assignment.fixed):
        learning_rate_finder(config)
    link.offer(config)
    if person.is_member() and person.me().is_in_charge:
        make_assignment(config)
    return _may_start(config)


def _start(config: RunConfig | None) -> None:
    is_clicked = st.button(
        "Train", type="primary", icon=":material/play_arrow:", disabled=not _may_start(config), width="stretch"
    )
    if is_clicked and config:
        epoch_timing.give_way()
        _begin(session.start, config)
    if config:
        with st.container(gap="xxsmall"):
            _tell_time(config)
            tell_accuracy(config)
            _tell_needs(config)


def _add(config: RunConfig | None) -> None:
    """Show the button that trains ``config`` after the trainings that run or wait."""
    is_clicked = st.button(
        "Add to queue", icon=":material/playlist_add:", disabled=not _may_start(config), width="stretch"
    )
    if is_clicked and config:
        _begin(session.add, config)
    with st.container(gap="xxsmall"):
        st.caption("It starts by itself when its turn comes.")
        if config:
            tell_accuracy(config)
            _tell_needs(config)


def _may_start(config: RunConfig | None) -> bool:
    return config is not None and not exceeds(lambda: _needs(config))


def _needs(config: RunConfig) -> Use:
    return quotas.needs(config, provable=PROVABLE.get())


def _begin(begin: Callable[[RunConfig, bool], Job], config: RunConfig) -> None:
    try:
        begin(config, PROVABLE.get())
    except (ConfigError, RunError) as error:
        st.error(as_reason(error), title="This training could not start")
    else:
        link.forget()
        st.rerun()


def _tell_time(config: RunConfig) -> None:
    """Say how long the training will take, once that is known: from earlier runs, else from measured layers."""
    network, spec = config.architecture, DATASETS[config.dataset]
    if known := epoch_timing.measured(network, config, spec):
        _tell(mean(known), config.epochs, "as earlier runs took")
    elif not config.learn_from:  # with frozen layers an epoch takes less than all layers do
        estimate = epoch_timing.estimated(network, config, spec)
        if estimate.total is not None:
            _tell(estimate.total, config.epochs, "an estimate")
        elif estimate.waiting:
            st.caption(
                "The time can be estimated once no training runs." if running_jobs() else "Estimating the time …"
            )
        if estimate.waiting:
            epoch_timing.keep_measuring(network, config, spec)


def _tell_needs(config: RunConfig) -> None:
    """Say what the training takes of memory, disk and quotas."""
    st.caption(f"Memory: up to {needs(config, DATASETS[config.dataset]).total / GB:.1f} GB.")
    tell_disk(config)
    tell_quota(lambda: _needs(config))


def _tell(seconds: float, epochs: int, source: str) -> None:
    whole = estimate(seconds * epochs).capitalize()
    st.caption(f"**{whole}**: {frame.counted(epochs, 'epoch')} of {duration(seconds)}, {source}.")
