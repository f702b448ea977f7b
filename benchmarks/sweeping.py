"""Sweeps on many slots: how busy these are, what an ask costs, kills of the server, and what others notice.

Trials that only sleep show what the sweep itself costs, on the real clock. What others notice of real ones is measured
by ``first_steps``.
"""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path
from random import Random
from statistics import median
from time import monotonic, perf_counter, sleep
from typing import Any

import optuna
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from benchmarks import first_steps
from benchmarks.fake_trials import FakeTrials
from cnnlab.jobs.search import search
from cnnlab.jobs.sweep import SweepStore
from cnnlab.jobs.sweep_config import SweepConfig
from cnnlab.jobs.trial_pruning import PrunerName, epochs_trained
from cnnlab.training.config import RunConfig

TRIALS, SLOTS, EPOCHS = 500, 200, 8
EPOCH_SECONDS = 1.5, 4.0  # of a fake trial, at least and at most
KILLS, KILLED_TRIALS, KILLED_SLOTS, KILLED_EPOCH_SECONDS = 20, 300, 8, 0.05
ASKS = 96
SPACE = {"learning_rate": {"low": 0.0001, "high": 1.0, "log": True}, "momentum": {"low": 0.5, "high": 0.99}}
BASE = {"architecture": "quick", "optimizer": "sgd", "epochs": EPOCHS}

RULES: dict[str, PrunerName] = {"the median": "median", "successive halving": "halving"}

Figures = dict[str, Any]


def measure() -> Figures:
    """Measure all, in folders of their own."""
    with tempfile.TemporaryDirectory() as folder:
        store = SweepStore(Path(folder))
        figures: Figures = {"slots": _slots(store)}
        print(figures, flush=True)
        figures |= {"asks": _asks(Path(folder)), "kills": _kills(store)}
        print(figures, flush=True)
        figures |= {"others": first_steps.measure(store)}
    return figures | {"pruning": _pruning()}


def table(figures: Figures) -> str:
    """Write the figures as Markdown."""
    slots, asks, kills, others = (figures[name] for name in ("slots", "asks", "kills", "others"))
    widths = list(figures["pruning"]["the median"])
    rows = [f"| {name} | {' | '.join(f'{n:,}' for n in by.values())} |" for name, by in figures["pruning"].items()]
    return "\n".join(
        [
            f"- {slots['trials']} trials that only sleep, on {slots['slots']} slots, none stopped early: "
            f"{slots['seconds']:.1f} s, ideal {slots['ideal']:.1f} s: {slots['ideal'] / slots['seconds']:.1%} of it",
            f"- one more trial asked for, beside {ASKS} complete ones: {asks['journal']:.1f} ms with the journal, "
            f"{asks['sqlite']:.1f} ms with SQLite",
            f"- {kills['kills']} kills of the server (SIGKILL) during {kills['trials']} such trials on "
            f"{kills['slots']} slots: {kills['lost']} lost, {kills['twice']} twice",
            first_steps.line(others),
            "",
            f"Epochs of {TRIALS} trials together, simulated; if none were stopped, {TRIALS * EPOCHS:,}:",
            "",
            f"| trials stopped by | {' | '.join(f'{width} at once' for width in widths)} |",
            "|---" * (len(widths) + 1) + "|",
            *rows,
        ]
    )


def _config(**fields: Any) -> SweepConfig:
    return SweepConfig.model_validate({"base": BASE, "space": SPACE, "pruner": "none", **fields})


def _slots(store: SweepStore) -> Figures:
    """Measure trials of different lengths against the least time in which the slots could hold them."""
    draws = Random(0)
    lengths: dict[float, float] = {}  # by learning rate, which is each trial's own

    def epoch_seconds(config: RunConfig) -> float:
        return lengths.setdefault(config.learning_rate, draws.uniform(*EPOCH_SECONDS))

    trials = FakeTrials(monotonic, sleep, SLOTS, epoch_seconds)
    sweep = store.create(_config(trials=TRIALS))
    began = monotonic()
    for _ in search(sweep, trials):
        pass
    seconds = monotonic() - began
    assert len(lengths) == sweep.ended == TRIALS
    whole = [EPOCHS * each for each in lengths.values()]
    return {"trials": TRIALS, "slots": SLOTS, "seconds": seconds, "ideal": makespan(whole, SLOTS)}


def makespan(lengths: list[float], slots: int) -> float:
    """Return when the last ends of trials that start in this order, each as soon as a slot is free."""
    free = [0.0] * slots
    for length in lengths:
        first = min(range(slots), key=free.__getitem__)
        free[first] += length
    return max(free)


def _asks(folder: Path) -> dict[str, float]:
    """Measure the milliseconds of an ask with its settings, in the journal and in SQLite."""
    store = SweepStore(folder / "asks")
    sweep = store.create(_config(trials=ASKS))
    database = RDBStorage(f"sqlite:///{folder / 'asks.db'}")
    studies = {"journal": sweep.study, "sqlite": optuna.create_study(storage=database, direction="maximize")}
    return {name: _ask_ms(study) for name, study in studies.items()}


def _ask_ms(study: optuna.Study) -> float:
    study.sampler = optuna.samplers.TPESampler(seed=0)
    times = []
    for _ in range(ASKS + 20):
        began = perf_counter()
        trial = study.ask()
        rate = trial.suggest_float("learning_rate", 1e-4, 1.0, log=True)
        trial.suggest_float("momentum", 0.5, 0.99)
        times.append(1000 * (perf_counter() - began))
        study.tell(trial, rate)
    return median(times[ASKS:])


def _kills(store: SweepStore) -> dict[str, int]:
    """Kill the process of a sweep again and again, then let it end; count what is missing, and what is there twice."""
    draws = Random(0)
    sweep = store.create(_config(trials=KILLED_TRIALS))
    done = 0
    while done < KILLS and store.open(sweep.id).has_room:
        process = os.fork()
        if not process:
            _train_short(store, sweep.id)
        sleep(draws.uniform(0.2, 1.0))
        os.kill(process, signal.SIGKILL)
        done += os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    process = os.fork()
    if not process:
        _train_short(store, sweep.id)
    os.waitpid(process, 0)
    trials = store.open(sweep.id).trials
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    settings = {tuple(trial.params.items()) for trial in complete}
    return {
        "kills": done,
        "trials": KILLED_TRIALS,
        "slots": KILLED_SLOTS,
        "lost": KILLED_TRIALS - len(complete),
        "twice": len(trials) - len(settings),
    }


def _train_short(store: SweepStore, sweep_id: str) -> None:
    """Train short fake trials of a sweep, as a process of its own."""
    trials = FakeTrials(monotonic, sleep, KILLED_SLOTS, lambda _: KILLED_EPOCH_SECONDS)
    for _ in search(store.open(sweep_id), trials):
        pass
    os._exit(0)


def _pruning() -> dict[str, dict[str, int]]:
    """Simulate what stopping trials early saves on more and more slots."""
    return {
        name: {str(slots): epochs_trained(rule, TRIALS, EPOCHS, slots) for slots in (1, 8, 30, SLOTS)}
        for name, rule in RULES.items()
    }


if __name__ == "__main__":
    print(table(measure()))
