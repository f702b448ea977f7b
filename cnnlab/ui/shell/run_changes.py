"""Changes of runs by the session's person: notes, showing, deleting, steering; each checks whether they may."""

from __future__ import annotations

from contextlib import suppress

from cnnlab.jobs.job import Job
from cnnlab.people.rights import Action, Thing
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.ui.shell import catalogue, person

NOT_YOURS = "this belongs to somebody else: only that person or a teacher can do this"


def check(action: Action, thing: Thing) -> None:
    """Raise RunError where the session's person may not do that with a run or a sweep."""
    if not person.may(action, thing):
        raise RunError(NOT_YOURS)


def describe(run: Run, **fields: object) -> None:
    """Change the user's notes on ``run``. Raises RunError where it is somebody else's, and as ``Run.change_about``."""
    check(Action.DESCRIBE, run)
    run.change_about(**fields)


def show(run: Run, is_shown: bool) -> None:
    """Show ``run`` to the class, or hide it again. Raises RunError where it is somebody else's."""
    check(Action.SHARE, run)
    run.show(is_shown)


def open_up(run: Run, is_open: bool) -> None:
    """Open ``run`` to visitors, or close it again. Raises RunError where it is somebody else's."""
    check(Action.SHARE, run)
    run.open_up(is_open)


def close_all() -> None:
    """Close the pages of all of the person's runs to visitors, as they leave; a run that is gone is passed over."""
    own = person.me().id
    runs = [*(entry.run for entry in catalogue.entries() if entry.owner == own), *deleted_runs()]
    for run in runs if own else []:
        with suppress(RunError):
            if run.is_open and run.owner == own:
                run.open_up(False)


def delete(run_id: str) -> None:
    """Delete a run as ``RunStore.delete`` does. Raises RunError as that does, and where it is somebody else's."""
    check(Action.DELETE, _store().open(run_id))
    _store().delete(run_id)


def deleted_runs() -> list[Run]:
    """List the deleted runs that the person can restore, the newest first."""
    return [run for run in _store().deleted() if person.may(Action.RESTORE, run)]


def restore(run_id: str) -> None:
    """Restore a run as ``RunStore.restore`` does. Raises RunError as that does, and where it is somebody else's."""
    _check_deleted(Action.RESTORE, run_id)
    _store().restore(run_id)


def delete_for_good(run_id: str) -> None:
    """Remove a deleted run. Raises RunError as ``RunStore.delete_for_good`` does, and where it is somebody else's."""
    _check_deleted(Action.DELETE_FOR_GOOD, run_id)
    _store().delete_for_good(run_id)


def stop(job: Job) -> None:
    """Stop a training after its running step. Raises RunError where it is somebody else's, as the next three do."""
    check(Action.STOP, job.run)
    job.stop()


def pause(job: Job) -> None:
    """Pause a training after its running step."""
    check(Action.PAUSE, job.run)
    job.pause()


def go_on(job: Job) -> None:
    """End the pause of a training."""
    check(Action.PAUSE, job.run)
    job.go_on()


def change_learning_rate(job: Job, rate: float) -> None:
    """Change the learning rate of a training from its next step on."""
    check(Action.CHANGE_RATE, job.run)
    job.change_learning_rate(rate)


def _check_deleted(action: Action, run_id: str) -> None:
    for run in _store().deleted():
        if run.id == run_id:
            check(action, run)


def _store() -> RunStore:
    return RunStore(runs_folder())
