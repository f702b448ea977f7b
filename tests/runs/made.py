"""Runs on disk that were never trained, for tests of lists."""

from __future__ import annotations

from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About
from cnnlab.training.config import RunConfig

SHAPE = (1, 28, 28)


def made(store: RunStore, about: About | None = None, status: str = "finished", **fields: object) -> Run:
    run = store.create(RunConfig.model_validate(fields))
    described = {"status": status, "classes": tuple("0123456789"), "shape": SHAPE, "test_accuracy": 0.5}
    described |= {"mean": (0.5,), "std": (0.5,)}
    run.write_summary(run.summary.model_copy(update=described))
    if about:
        run.write_about(about)
    return run
