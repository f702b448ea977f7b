"""Sweeps on a page: start, watch, stop and resume."""

from __future__ import annotations

from threading import Lock

import pandas as pd
import streamlit as st

from cnnlab.charts.sweeps import FIGURES
from cnnlab.jobs.search import Step, search
from cnnlab.jobs.sweep import ERROR, RUN, Sweep, SweepError, SweepStore, seconds_of
from cnnlab.jobs.sweep_config import SweepConfig
from cnnlab.jobs.trial_training import Jobs
from cnnlab.jobs.worker import Worker
from cnnlab.people.rights import Action
from cnnlab.quantities import rough_duration
from cnnlab.runs.run import RunError
from cnnlab.runs.store import runs_folder
from cnnlab.training.config import ConfigError, field_title
from cnnlab.ui.shell import frame, person, poll, quotas, run_changes, session
from cnnlab.ui.shell.address import SWEEP
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import MORE_TRIALS, SWEEP_CHOSEN, search_runs
from cnnlab.ui.sweep.running import running_trials, setting, time_left
from cnnlab.ui.widgets.bounds import between, is_within
from cnnlab.ui.widgets.figure import show_figure

UPDATE_SECONDS = 2.0

_starting = Lock()  # two clicks, of one session or of two, start only one sweep

_PERCENT = st.column_config.NumberColumn(format="percent")
_SECONDS = st.column_config.NumberColumn(format="%.1f")
_STATES = {"COMPLETE": "done", "PRUNED": "stopped early", "FAIL": "failed", "RUNNING": "running", "WAITING": "waiting"}


@st.cache_resource(show_spinner=False)
def _board() -> dict[str, Worker[Step]]:
    """Return the server-wide table of sweeps started here, by id."""
    return {}


@st.cache_resource(max_entries=16, show_spinner=False)
def _opened(folder: str, sweep_id: str) -> Sweep:
    return _store().open(sweep_id)


def _store() -> SweepStore:
    return SweepStore(runs_folder(), person.owner())


def start(config: SweepConfig) -> bool:
    """Start a new sweep, unless one is running; it continues whether anybody watches or not.

    Returns whether one runs now; else the reason is shown.
    """
    board = _board()
    with _starting:
        if is_busy():
            return True
        try:
            session.check_sources(config.base)
            quotas.check(lambda: quotas.sweep_needs(config), len(session.trainings()))
            sweep = _store().create(config)
        except (ConfigError, RunError) as error:
            st.error(as_reason(error), title="This sweep could not start")
            return False
        board[sweep.id] = _search(sweep)
    SWEEP_CHOSEN.put(sweep.id)
    return True


def _search(sweep: Sweep) -> Worker[Step]:
    owner = session.owner()
    return Worker(search(sweep, Jobs(sweep.runs, owner, quotas.account(owner))))


def is_busy() -> bool:
    """Check whether a sweep is running on this server: only one may, as each uses all free cores."""
    return any(work.is_running for work in _board().values())


def watch_sweeps(may_start: bool) -> None:
    """Show the chosen sweep, by default the newest; an empty state where there is none."""
    sweeps = [sweep for sweep in _store().all() if person.may(Action.SEE, sweep)]
    ids = [sweep.id for sweep in sweeps]
    if not ids:
        what_to_do = "Choose what to search and press **Start sweep**. " if may_start else ""
        st.info(
            f"{what_to_do}Each trial is a short training; earlier trials guide its settings. On every other page it is "
            "an ordinary run.",
            icon=":material/travel_explore:",
        )
        return
    named = SWEEP.asked(ids, "The sweep in this link does not exist here. Choose one below.")
    asked = SWEEP_CHOSEN.get() or named
    SWEEP_CHOSEN.move_to(asked if asked in ids else ids[0])
    titles = frame.distinct_labels({sweep.id: sweep.title for sweep in sweeps})
    chosen = st.selectbox("Sweep", ids, format_func=titles.__getitem__, key=SWEEP_CHOSEN.name, persist_state="session")
    SWEEP.put(chosen)
    poll.follow(lambda: _is_at_work(chosen), UPDATE_SECONDS, _show, chosen)


def _is_at_work(sweep_id: str) -> bool:
    work = _board().get(sweep_id)
    return work is not None and work.is_running


def _show(sweep_id: str) -> None:
    sweep = _opened(str(runs_folder()), sweep_id)
    try:
        _progress(sweep, _board().get(sweep_id))
        _results(sweep)
    except SweepError as error:
        st.error(as_reason(error), title="This sweep cannot be shown")


def _progress(sweep: Sweep, work: Worker[Step] | None) -> None:
    config, ended = sweep.config, sweep.ended
    text = f"{ended} of {config.trials} trials"
    if work and work.is_running:
        step = work.latest
        st.progress(min(1.0, ended / config.trials), text=text + time_left(sweep, step))
        running_trials(sweep, step)
        if person.may(Action.STOP, sweep):
            st.button(
                "Stop",
                icon=":material/stop:",
                on_click=work.cancel,
                help="You can continue it later: running trials after their last complete epoch.",
            )
        return
    status, begun = sweep.status, sum(trial.state.name == "RUNNING" for trial in sweep.trials)
    if begun and status != "running":
        text += f", {begun} interrupted"
    st.progress(min(1.0, ended / config.trials), text=f"{text}, {rough_duration(sweep.seconds)} of training")
    if work and work.error:
        st.error(as_reason(work.error), title="This sweep ended too early")
    if status == "running":
        st.info("Another process is running this sweep.", icon=":material/autorenew:")
    elif person.may(Action.CONTINUE, sweep):
        _continue(sweep)


def _continue(sweep: Sweep) -> None:
    """Offer the trials that are left, or more where none is."""
    if sweep.has_room:
        st.button(
            "Continue", icon=":material/play_arrow:", on_click=_go_on, args=[sweep], type="primary", disabled=is_busy()
        )
    else:
        more = st.columns([1, 3], vertical_alignment="bottom")
        MORE_TRIALS.fill(10)
        with more[0]:
            is_right = is_within(st.number_input("More trials", step=1, key=MORE_TRIALS.name), between(1, 1000))
        more[1].button(
            "Continue", icon=":material/add:", on_click=_go_on, args=[sweep, True], disabled=is_busy() or not is_right
        )


def _results(sweep: Sweep) -> None:
    rows = _table(sweep)
    done = rows[rows["State"] == "done"] if len(rows) else rows
    if done.empty:
        st.caption("No trial is complete yet.")
        return
    best = done.sort_values("Validation").iloc[-1]
    with st.container(horizontal=True):
        st.metric("Best validation accuracy", f"{best['Validation']:.1%}", help=f"Trial {best['Trial']}")
        for name in sweep.config.space:
            st.metric(field_title(name), frame.literal(setting(best[field_title(name)])))
    shown = st.segmented_control(
        "View", ["Trials", *FIGURES], default="Trials", required=True, key="sweep.view", persist_state="session"
    )
    if shown == "Trials":
        config = {"Validation": _PERCENT, "Seconds": _SECONDS}
        st.dataframe(rows, hide_index=True, column_config=config, placeholder="–")
    else:
        _figure(sweep, shown, rows)
    with st.container(horizontal=True):
        if st.button("Compare its runs", icon=":material/compare_arrows:", on_click=search_runs, args=[sweep.id]):
            frame.go_to("Compare")
    explain(
        "Trials are ranked by validation accuracy. With many trials, the best is also lucky. Check its test "
        "accuracy, or train it again with other seeds."
    )


def _figure(sweep: Sweep, name: str, rows: pd.DataFrame) -> None:
    try:
        figure = FIGURES[name](sweep.study)
    except (RuntimeError, UserWarning, ValueError):
        st.info("There are too few trials, or they are too similar. Continue with some more.")
        return
    captions = {
        "History": "Each trial's validation accuracy, and the best so far.",
        "Curves": "Validation accuracy of each trial by epoch. Trials stopped early have shorter lines.",
        "Importance": "How much each setting decides which trials are best (PED-ANOVA, Watanabe et al. 2023).",
        "Slices": "Validation accuracy against each setting. Later trials are brighter.",
    }
    show_figure(figure, f"sweep-{name}-{sweep.id}", f"{name} of the sweep", lambda: rows, captions[name])


def _table(sweep: Sweep) -> pd.DataFrame:
    searched = sweep.config.space
    return pd.DataFrame(
        [
            {
                "Trial": trial.number,
                "State": _STATES[trial.state.name],
                "Validation": trial.value,
                **{field_title(name): trial.params.get(name) for name in searched},
                "Epochs": len(trial.intermediate_values),
                "Seconds": seconds_of(trial) or None,
                "Run": trial.user_attrs.get(RUN),
                "Reason": trial.user_attrs.get(ERROR, ""),
            }
            for trial in sweep.trials
        ]
    )


def _go_on(sweep: Sweep, further: bool = False) -> None:
    with _starting:
        if is_busy():
            return
        try:
            run_changes.check(Action.CONTINUE, sweep)
            config, left = sweep.config, MORE_TRIALS.get() if further else sweep.config.trials - sweep.ended
            more = config.model_copy(update={"trials": left})
            quotas.check(lambda: quotas.sweep_needs(more), len(session.trainings()))
            if further:
                sweep.extend(MORE_TRIALS.get())
        except (ConfigError, RunError) as error:
            st.toast(as_reason(error), icon=":material/error:")
            return
        _board()[sweep.id] = _search(sweep)
