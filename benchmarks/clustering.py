"""Trainings on a cluster against trainings here: equal numbers, lost nodes, start, cost, what travels; needs Ray."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from time import monotonic, sleep
from typing import Any

import psutil
import torch

from cnnlab.cluster.machine import SOON
from cnnlab.data.datasets import dataset_spec
from cnnlab.jobs.executor import LOCAL, Cluster, Executor
from cnnlab.jobs.job import Job
from cnnlab.runs.ancestry import data_of, inherited
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig, parse_config, parse_extension
from cnnlab.training.run_data import network_for
from cnnlab.training.trainer import Task, Trainer

NODES = 3
KILLS = 6
SPEEDS = {"images_per_second", "seconds"}  # what the clock decides
SEVEN = {"strokes": [[(0.3, 0.25), (0.7, 0.25), (0.5, 0.8)]], "pen": 0.08, "label": "7"}

# What differs from Lean for two epochs on a fifth of the sample.
RUNS: tuple[dict[str, Any], ...] = (
    {},
    {"optimizer": "sgd", "momentum": 0.9, "nesterov": True},
    {"optimizer": "adam", "schedule": "one-cycle"},
    {"optimizer": "adamw", "weight_decay": 0.05},
    {"optimizer": "rmsprop", "learning_rate": 0.0005},
    {"weight_average": 0.9},
    {"early_stopping": 3, "epochs": 3},
    {"mixup": 0.4, "cutmix": 0.5},
    {"class_balance": "sampling"},
    {"class_balance": "weights", "label_smoothing": 0.1},
    {"augmentation": "handwriting"},
    {"augmentation": "none", "gradient_clipping": 1.0},
    {"architecture": "seven-step-mnist"},
    {"architecture": "compact", "micro_batch": 32},
    {"schedule": "step", "step_epochs": 1, "seed": 5},
    {"parent": True},
    {"parent": True, "lessons": [SEVEN], "lesson_share": 0.3},
    {"lessons": [SEVEN], "lesson_share": 0.2, "optimizer": "adam"},
    {"more": 1},
    {"more": 2, "weight_average": 0.95, "optimizer": "adamw"},
)

MNIST = {"architecture": "lean", "dataset": "mnist"}

Figures = dict[str, Any]


def measure() -> Figures:
    """Start a cluster of three nodes on this machine, and compare."""
    with tempfile.TemporaryDirectory() as folder, _cluster() as (nodes, executor):
        store = RunStore(Path(folder))
        figures: Figures = {"equal": _equal(store, executor)}
        print(figures, flush=True)
        figures |= _costs(store, executor)
        print(figures, flush=True)
        figures |= _losses(store, executor, nodes)
    return figures


def table(figures: Figures) -> str:
    """Write the figures as Markdown."""
    return "\n".join(
        (
            f"- equal to the last bit: {figures['equal']['same']} of {figures['equal']['runs']} runs; "
            f"of {figures['equal']['runs']} with another seed {figures['equal']['same_with_another_seed']}",
            f"- equal after a killed process or node: {figures['killed_equal']} of {figures['kills']}, "
            f"{figures['with_rates']} of them with a rate set in the epoch that was lost",
            f"- from the start of a run to its first step: {figures['warm_s']:.2f} s on a cluster, "
            f"{figures['here_s']:.2f} s here",
            f"- processor time of the server: {figures['server_s_an_epoch']:.3f} s an epoch of MNIST",
            f"- a killed node was replaced after {figures['killed_s']:.1f} s, a frozen one after "
            f"{figures['frozen_s']:.1f} s",
            f"- MNIST was put into the nodes' memory {figures['mnist_puts']} time for {figures['mnist_runs']} runs",
            f"- memory of a process on a node: {figures['process_mb']:.0f} MB; of Ray itself, a node: "
            f"{figures['ray_mb']:.0f} MB",
        )
    )


@contextmanager
def _cluster() -> Iterator[tuple[Any, Cluster]]:
    """Start a head without cores and nodes of one core each, all on this machine."""
    os.environ |= {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0", "CNNLAB_TRAININGS": "64"}
    os.environ |= SOON | {"PYTHONPATH": str(Path(__file__).parents[1])}
    from ray.cluster_utils import Cluster as Nodes  # noqa: PLC0415 - optional

    nodes = Nodes(initialize_head=True, head_node_args={"num_cpus": 0, "node_ip_address": "127.0.0.1"})
    for _ in range(NODES):
        _add_node(nodes)
    executor = Cluster(nodes.address)
    try:
        executor.open()
        yield nodes, executor
    finally:
        executor.close()
        nodes.shutdown()


def _add_node(nodes: Any) -> Any:
    return nodes.add_node(num_cpus=1, node_ip_address="127.0.0.1", object_store_memory=400_000_000)


def _equal(store: RunStore, executor: Executor) -> dict[str, int]:
    """Train each run in both places, and once more with another seed."""
    same = other = 0
    parent = _trained(store, LOCAL, {"epochs": 1}).run.id
    for number, fields in enumerate(RUNS):
        wanted = fields | ({"parent": f"{parent}@1"} if "parent" in fields else {})
        there, here = _trained(store, executor, wanted), _trained(store, LOCAL, wanted)
        same += _is_same(there.run, here.run)
        other += _is_same(there.run, _trained(store, LOCAL, wanted | {"seed": 100 + number}).run)
        print(number, same, other, flush=True)
    return {"runs": len(RUNS), "same": same, "same_with_another_seed": other}


def _trained(store: RunStore, executor: Executor, fields: dict[str, Any]) -> Job:
    more = fields.get("more", 0)
    base = {"architecture": "lean", "epochs": 2, "train_fraction": 0.2}
    config = parse_config(base | {name: value for name, value in fields.items() if name != "more"})
    job = _ended(_begun(store, executor, config))
    if more:
        extension = parse_extension(config.epochs, more, 0.001)
        job = _ended(Job(job.run, threads=1, more=extension, executor=executor)._begun())
    return job


def _begun(store: RunStore, executor: Executor, config: RunConfig) -> Job:
    return Job(store.create(inherited(config, store)), threads=1, executor=executor)._begun()


def _ended(job: Job) -> Job:
    job.join()
    if job.state == "failed":
        raise SystemExit(job.error)
    return job


def _is_same(first: Run, second: Run) -> bool:
    """Tell whether all files of two runs say the same, speeds left out."""
    if first.epochs() != second.epochs() or _records(first) != _records(second):
        return False
    one, other = first.checkpoint(), second.checkpoint()
    assert one
    assert other
    tensors = [(one.tensors, other.tensors), *((first.weights(at), second.weights(at)) for at in first.epochs())]
    return (
        all(torch.equal(a[name], b[name]) for a, b in tensors for name in a)
        and first.summary.test_accuracy == second.summary.test_accuracy
    )


def _records(run: Run) -> list[dict[str, Any]]:
    history = run.history()
    rows = (*history.steps, *history.epochs, *history.rates)
    return [{name: value for name, value in row.items() if name not in SPEEDS} for row in rows]


def _costs(store: RunStore, executor: Cluster) -> Figures:
    """Measure starts on warm processes, the server's processor time, what travels, and memory."""
    connection, pool = executor._opened()
    starts = {where: [_seconds_to_first_step(store, one) for _ in range(5)] for where, one in _both(executor).items()}
    puts = len(connection._kept)
    jobs = [_begun(store, executor, parse_config(MNIST | {"epochs": 1})) for _ in range(NODES)]
    for job in jobs:
        _ended(job)
    processes = [psutil.Process(_number(process)) for process in pool._idle]
    raylet = processes[0].parent()
    assert raylet
    own = [raylet, *(child for child in raylet.children() if child not in processes)]
    return {
        "warm_s": median(starts["cluster"]),
        "here_s": median(starts["here"]),
        "server_s_an_epoch": _processor_seconds_an_epoch(store, executor),
        "mnist_runs": NODES,
        "mnist_puts": (len(connection._kept) - puts) // 2,  # its training and its test images
        "process_mb": median(process.memory_info().rss for process in processes) / 1e6,
        "ray_mb": sum(process.memory_info().rss for process in own) / 1e6,
    }


def _processor_seconds_an_epoch(store: RunStore, executor: Executor) -> float:
    """Return what this process takes of a processor while a node trains, without the start and the test."""
    job = _begun(store, executor, parse_config(MNIST | {"epochs": 3}))
    _await(lambda: len(job.history.epochs) == 1, job, every=0.2)
    before = psutil.Process().cpu_times()
    _await(lambda: len(job.history.epochs) == 3, job, every=0.2)
    after = psutil.Process().cpu_times()
    _ended(job)
    return (after.user + after.system - before.user - before.system) / 2


def _both(executor: Executor) -> dict[str, Executor]:
    return {"cluster": executor, "here": LOCAL}


def _number(process: Any) -> int:
    """Return the system's number of a process on a node."""
    return int(process.ask("describe")["process"])


def _seconds_to_first_step(store: RunStore, executor: Executor) -> float:
    began = monotonic()
    job = _begun(store, executor, parse_config({"architecture": "lean", "epochs": 50}))
    _await(lambda: job.step, job)
    seconds = monotonic() - began
    job.stop()
    _ended(job)
    return seconds


def _await(happened: Callable[[], object], job: Job, every: float = 0.005) -> None:
    while job.is_running and not happened():
        sleep(every)


def _losses(store: RunStore, executor: Cluster, nodes: Any) -> Figures:
    """Kill processes and nodes at random moments, half of the time after a rate was set, then freeze a node."""
    draws, equal, killed = Random(0), 0, []
    for number in range(KILLS):
        job = _begun(store, executor, parse_config({"architecture": "lean", "epochs": 6, "schedule": "constant"}))
        _await(partial(_has_epochs, job), job)
        sleep(draws.uniform(0, 0.5))
        if number % 2:
            job.change_learning_rate(0.002)
            _await(partial(_has_rates, job), job)
        killed.append(_seconds_to_go_on(job, partial(_kill, executor, nodes, whole=number % 3 == 0)))
        equal += _is_as_it_should_be(_ended(job).run)
        print(killed, equal, flush=True)
    job = _begun(store, executor, parse_config({"architecture": "lean", "epochs": 200}))
    _await(lambda: len(job.history.epochs) == 1, job)
    frozen = _seconds_to_go_on(job, lambda: _freeze(executor))
    job.stop()
    _ended(job)
    return {
        "kills": KILLS,
        "with_rates": KILLS // 2,
        "killed_equal": equal,
        "killed_s": max(killed),
        "frozen_s": frozen,
    }


def _has_epochs(job: Job) -> bool:
    return bool(job.history.epochs)


def _has_rates(job: Job) -> bool:
    return bool(job.history.rates)


def _seconds_to_go_on(job: Job, lose: Callable[[], None]) -> float:
    """Lose what trains; return the seconds until the next step elsewhere."""
    lose()
    began, lost = monotonic(), job._lost_in_a_row
    _await(lambda: job._lost_in_a_row > lost, job)
    _await(lambda: job.state == "training" and job.step, job)
    return monotonic() - began


def _kill(executor: Cluster, nodes: Any, whole: bool) -> None:
    """Kill the busy process, or the ``whole`` node, which another replaces."""
    (process,) = executor._opened()[1]._busy
    if not whole:
        os.kill(_number(process), signal.SIGKILL)
        return
    node = next(node for node in nodes.worker_nodes if node.node_id == process.node)
    nodes.remove_node(node, allow_graceful=False)
    _add_node(nodes)


def _freeze(executor: Cluster) -> None:
    (process,) = executor._opened()[1]._busy
    raylet = psutil.Process(_number(process)).parent()
    assert raylet
    for one in [raylet, *raylet.children(recursive=True)]:
        one.suspend()


def _is_as_it_should_be(run: Run) -> bool:
    """Train the run here, with the rates that were set by hand at their steps, and compare."""
    spec = dataset_spec(run.config.dataset)
    rates = tuple((change["step"], change["learning_rate"]) for change in run.history().rates)
    torch.set_num_threads(1)
    task = Task(run.config, network_for(run.config, spec), rates=rates)
    kept = [saved for _, saved in Trainer(task, data_of(run)).events() if saved]
    weights = run.weights(run.epochs()[-1])
    return all(torch.equal(weights[name], tensor) for name, tensor in kept[-1].weights.items())
