"""Runs whose nodes are killed at random moments, and frozen: do they get the numbers that they would have got?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random
from time import sleep
from typing import Any

import torch

from benchmarks.three_nodes import Nodes, begun, ended, wait_until, without_speeds
from cnnlab.data.datasets import dataset_spec
from cnnlab.jobs.job import Job
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training.config import parse_config
from cnnlab.training.run_data import network_for
from cnnlab.training.trainer import Task, Trainer

KILLS = 2  # of nodes of one run
RATED = 0.8  # the share of kills after which a rate was set by hand
FIELDS = {"architecture": "lean", "schedule": "constant"}  # a second an epoch
LONGEST_WAIT = 0.4  # seconds, from the end of an epoch, and from when a rate was sent to the node
EPOCHS = KILLS + 4  # the last kill comes in the fifth at the latest

Rates = tuple[tuple[int, float], ...]  # pairs of a step and the rate set for it
Figures = dict[str, Any]


def train_and_kill(store: RunStore, nodes: Nodes, number: int) -> Figures:
    """Train a run whose node is killed twice, then the same here; ``number`` decides the moments and rates.

    The control has its rates a step later, or one that was never set.
    """
    draws = Random(number)
    job = begun(store, nodes.executor, parse_config(FIELDS | {"epochs": EPOCHS, "seed": number}))
    losses = [_kill(job, nodes, draws) for _ in range(KILLS)]
    run = ended(job).run
    rates = tuple((change["step"], change["learning_rate"]) for change in run.history().rates)
    later = tuple((step + 1, rate) for step, rate in rates) or ((2, 0.002),)
    return {"losses": losses, "equal": gives(run, rates), "control_equal": gives(run, later)}


def freeze(store: RunStore, nodes: Nodes) -> float:
    """Freeze the node of a run; return the seconds until the next step elsewhere."""
    job = begun(store, nodes.executor, parse_config(FIELDS | {"epochs": 200}))
    wait_until(lambda: job.history.epochs, job)
    with nodes.frozen():
        seconds, _ = _seconds_to_go_on(job, job._execution.lost_in_a_row)
    nodes.add()
    job.stop()
    ended(job)
    return seconds


def gives(run: Run, rates: Rates) -> bool:
    """Tell whether the run's training here, with these rates, gives its metrics and its weights, bit for bit."""
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as thread:  # as on a node
        return thread.submit(_gives, run, rates).result()


def _gives(run: Run, rates: Rates) -> bool:
    task = Task(run.config, network_for(run.config, dataset_spec(run.config.dataset)), rates=rates)
    rows = without_speeds(run.history().epochs)
    for event, saved in Trainer(task, data_of(run)).events():
        if event.kind == "epoch" and saved:
            weights, row = run.weights(event.epoch), rows[event.epoch - 1]
            is_same = all(torch.equal(weights[name], tensor) for name, tensor in saved.weights.items())
            if not is_same or any(getattr(event, name) != value for name, value in _plain(row).items()):
                return False
    return True


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a record as the event has it: what JSON made a list is a tuple."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


def _kill(job: Job, nodes: Nodes, draws: Random) -> Figures:
    """Kill the node at a random moment after a further epoch, mostly just after a rate was set by hand."""
    epochs = len(job.history.epochs)
    wait_until(partial(_has_more, job, epochs), job)
    sleep(draws.uniform(0, LONGEST_WAIT))
    if draws.random() < RATED:
        job.change_learning_rate(draws.uniform(0.0005, 0.003))
        wait_until(lambda: job._requests.rate is None, job)
        sleep(draws.uniform(0, LONGEST_WAIT))
    lost = job._execution.lost_in_a_row
    nodes.kill()
    seconds, rates = _seconds_to_go_on(job, lost)
    nodes.add()
    return {"seconds": seconds, "rates_lost": rates}


def _has_more(job: Job, epochs: int) -> bool:
    return len(job.history.epochs) > epochs


def _seconds_to_go_on(job: Job, lost: int) -> tuple[float, int]:
    """Return the seconds until the next step elsewhere, and how many rates were set in the epoch that was lost.

    The run had ``lost`` nodes in a row before.
    """
    seconds = wait_until(lambda: job._execution.lost_in_a_row > lost, job)
    saved: int = job.history.epochs[-1]["step"]
    rates = sum(step > saved for step, _ in job._execution.rates_so_far())
    seconds += wait_until(lambda: job.state == "loading", job)
    return seconds + wait_until(lambda: job.state == "training" and job.step > saved, job), rates
