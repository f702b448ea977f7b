"""The kinds of machine that a run was trained on, and how this one differs from them."""

from __future__ import annotations

from cnnlab.runs.summary import MAX_MACHINES, Summary
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.device import choose_device, machine_kind
from cnnlab.training.machine_kind import MachineKind


def machines_with(summary: Summary, machine: MachineKind, done: int) -> tuple[MachineKind, ...]:
    """Return the kinds of a run that is trained on ``machine`` after ``done`` epochs.

    A run of an older version, which knows none of its earlier epochs, keeps none.
    """
    known = summary.machines
    if machine in known or (done and not known):
        return known
    return (*known, machine)[:MAX_MACHINES]


def unlike_here(config: RunConfig, summary: Summary) -> str:
    """Say how the machines that a run was trained on differ from this one; empty where they do not.

    Empty too where none is known, and where the run's device is missing here, so that it cannot continue anyway.
    """
    try:
        here = machine_kind(choose_device(config.device))
    except ConfigError:
        return ""
    return "; ".join(kind.unlike(here) for kind in summary.machines if kind != here)
