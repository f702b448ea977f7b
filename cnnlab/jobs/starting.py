"""What a training starts from: the folder of a new run, or what a run that has ended still gets."""

from __future__ import annotations

from cnnlab.jobs.executor import Executor
from cnnlab.runs.ancestry import inherited
from cnnlab.runs.disk import check_training
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import Forecast
from cnnlab.training.config import MAX_EPOCHS, ConfigError, Extension, RunConfig, last_epoch, parse_extension


def new_run(config: RunConfig, store: RunStore, provable: bool, forecast: Forecast | None = None) -> Run:
    """Create the folder of a run; a branch gets its parent's split.

    A ``provable`` run keeps the checkpoint of each epoch; the ``forecast`` is kept with it. Raises RunError where the
    folder cannot be written or all runs together are too large, ConfigError where a branch names another split.
    """
    whole = inherited(config, store)
    check_training(store.folder, whole, provable=provable)
    return store.create(whole, provable, forecast)


def continuation(run: Run, epochs: int, learning_rate: float | None, executor: Executor) -> Extension | None:
    """Return the ``epochs`` more that a run gets after its last; None where it gets those of its plan that are left.

    They start with ``learning_rate``, by default a tenth of the config's. Raises RunError where the run is being
    trained, cannot run with ``executor``, has no readable checkpoint, has all its epochs and ``epochs`` is 0, or all
    runs together are too large, ConfigError where the rate is invalid.
    """
    try:
        executor.check_device(run.config)
    except ConfigError as error:
        raise RunError(f"run {run.id} cannot continue here: {error}") from error
    status, done = run.summary.status, run.whole_epochs
    if status == "running":
        raise RunError(f"run {run.id} is being trained")
    run.checkpoint()  # which the run goes on from: where it is missing, nothing of the run changes
    if done + epochs > MAX_EPOCHS:
        raise RunError(f"run {run.id} has {done} epochs, and a run can have at most {MAX_EPOCHS}: choose fewer")
    if not epochs and status == "finished":
        raise RunError(f"run {run.id} has all its epochs: set how many more to train")
    more = parse_extension(done, epochs, learning_rate or run.config.learning_rate / 10) if epochs else None
    check_training(run.folder.parent, further(run, epochs), done, run.checkpoints.are_kept)
    return more


def further(run: Run, epochs: int = 0) -> RunConfig:
    """Return the config of the epochs that a resumed run still gets: ``epochs`` more, or those of its plan left."""
    left = epochs or last_epoch(run.config, run.summary.extensions) - run.whole_epochs
    return run.config.model_copy(update={"epochs": left})
