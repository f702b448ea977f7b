"""Trainings on a cluster against trainings here: equal numbers, lost nodes, start, cost, what travels; needs Ray.

All of it takes half an hour on 2 cores. In pieces: ``python -m benchmarks.clustering --runs 5 --first 10
--figures figures.json`` kills nodes of the runs 10 to 14, and adds the figures to those in the file.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import sleep
from typing import Any

import click
import psutil

from benchmarks import equal_runs, lost_nodes
from benchmarks.three_nodes import NODES, Nodes, begun, ended, number_of, three_nodes, wait_until
from cnnlab.files import atomic_write
from cnnlab.jobs.executor import LOCAL, Executor
from cnnlab.runs.store import RunStore
from cnnlab.training.config import parse_config

LOSSES = "losses"  # among the figures, by the number of the run
RUNS = 25  # whose nodes are killed
STARTS = 7
EPOCHS = 2  # of MNIST, in which the server's processor time is counted
IDLE = 10.0  # seconds, likewise
FREEZES = 2

Figures = dict[str, Any]


def measure() -> Figures:
    """Start a cluster of three nodes on this machine, and measure all parts."""
    *_, figures = _measured(list(PARTS), range(RUNS))
    return figures


def table(figures: Figures) -> str:
    """Write the figures as Markdown."""
    equal, starts, server = figures["equal"], figures["starts"], figures["server"]
    travels, memory = figures["travels"], figures["memory"]
    rows = [
        ("", "figure"),
        ("---", "---"),
        ("runs equal to those here, to the last bit", f"{equal['same']} of {equal['runs']}"),
        ("the same with another seed", f"{equal['same_with_another_seed']} of {equal['runs']}"),
        *_losses(list(figures[LOSSES].values())),
        ("from freezing a node to the next step on another", f"{max(figures['frozen']):.0f} s at most"),
        ("from Train to the first step, on a cluster", f"{median(starts['cluster']):.2f} s"),
        ("the same, the first training of a process", f"{starts['first'][0]:.2f} s"),
        ("the same here", f"{median(starts['here']):.2f} s"),
        ("processor time of the server, an epoch of MNIST", f"{server['epoch_s']:.2f} s"),
        ("the time that this epoch takes", f"{server['epoch_lasts_s']:.0f} s"),
        ("processor time of the server while nothing trains", f"{1000 * server['idle_s_a_second']:.0f} ms a second"),
        ("MNIST", f"{travels['dataset_mb']:.0f} MB"),
        (f"what {NODES} runs on it have sent to {NODES} nodes", f"{travels['first_mb']:.0f} MB in all"),
        (f"what the next {NODES} have sent", f"{travels['next_mb']:.0f} MB"),
        ("memory of a process on a node", f"{memory['process_mb']:.0f} MB"),
        ("memory of Ray itself, a node", f"{memory['ray_mb']:.0f} MB"),
    ]
    return "\n".join(f"| {what} | {figure} |" for what, figure in rows)


def _losses(runs: list[Figures]) -> list[tuple[str, str]]:
    """Write what became of the runs whose nodes were killed."""
    kills = [loss for run in runs for loss in run["losses"]]
    seconds = [kill["seconds"] for kill in kills]
    equal = sum(len(run["losses"]) for run in runs if run["equal"])
    rates = sum(kill["rates_lost"] > 0 for kill in kills)
    control = sum(run["control_equal"] for run in runs)
    return [
        ("nodes killed without a changed bit", f"{equal} of {len(kills)}"),
        ("of these, with a rate set by hand in the epoch that was lost", f"{rates}"),
        ("their runs that are equal with these rates a step later", f"{control} of {len(runs)}"),
        ("from killing a node to the next step on another", f"{median(seconds):.1f} s, {max(seconds):.1f} s at most"),
    ]


def _starts(store: RunStore, nodes: Nodes) -> dict[str, list[float]]:
    """Measure the seconds from the start of a run to its first step, in a waiting process and here, in turns."""
    _seconds_to_first_step(store, LOCAL)  # loads the images
    first = _seconds_to_first_step(store, nodes.executor)
    places: dict[str, Executor] = {"cluster": nodes.executor, "here": LOCAL}
    taken: dict[str, list[float]] = {"first": [first], "cluster": [], "here": []}
    for _ in range(STARTS):
        for place, executor in places.items():
            taken[place].append(_seconds_to_first_step(store, executor))
    return taken


def _seconds_to_first_step(store: RunStore, executor: Executor) -> float:
    job = begun(store, executor, parse_config({"architecture": "lean", "epochs": 50}))
    seconds = wait_until(lambda: job.step, job)
    job.stop()
    ended(job)
    return seconds


def _server(store: RunStore, nodes: Nodes) -> dict[str, float]:
    """Measure this process's processor time while a node trains, start and test left out, and while none does."""
    config = parse_config({"architecture": "lean", "dataset": "mnist", "epochs": EPOCHS + 2})
    job = begun(store, nodes.executor, config)
    wait_until(lambda: len(job.history.epochs) == 1, job, every=0.2)
    before = _processor_seconds()
    lasted = wait_until(lambda: len(job.history.epochs) == EPOCHS + 1, job, every=0.2)
    taken = _processor_seconds() - before
    job.stop()
    ended(job)
    before = _processor_seconds()
    sleep(IDLE)
    idle = _processor_seconds() - before
    return {"epoch_s": taken / EPOCHS, "epoch_lasts_s": lasted / EPOCHS, "idle_s_a_second": idle / IDLE}


def _processor_seconds() -> float:
    times = psutil.Process().cpu_times()
    return times.user + times.system


def _travels(store: RunStore, nodes: Nodes) -> dict[str, float]:
    """Measure the bytes between the processes of the cluster while a training runs on each node, and once more."""
    nodes.connection._kept.clear()
    first, following = (_megabytes_of_trainings(store, nodes) for _ in range(2))
    sizes = [tensor.numel() * tensor.element_size() for tensor, _ in nodes.connection._kept.values()]
    return {"dataset_mb": sum(sizes) / 1e6, "first_mb": first, "next_mb": following}


def _megabytes_of_trainings(store: RunStore, nodes: Nodes) -> float:
    fields = {"architecture": "lean", "dataset": "mnist", "epochs": 1, "train_fraction": 0.02}
    before = _megabytes_received()
    jobs = [begun(store, nodes.executor, parse_config(fields)) for _ in range(NODES)]
    for job in jobs:
        ended(job)
    return _megabytes_received() - before


def _megabytes_received() -> float:
    """Return what this machine received from itself, where all nodes are."""
    return psutil.net_io_counters(pernic=True)["lo"].bytes_recv / 1e6


def _memory(_: RunStore, nodes: Nodes) -> dict[str, float]:
    """Measure what a process that trained holds, and Ray's own processes of a node."""
    processes = [psutil.Process(number_of(process)) for process in nodes.pool._idle]
    raylet = processes[0].parent()
    assert raylet
    own = [raylet, *(child for child in raylet.children() if child not in processes)]
    return {
        "process_mb": median(process.memory_info().rss for process in processes) / 1e6,
        "ray_mb": sum(process.memory_info().rss for process in own) / 1e6,
    }


def _equal(store: RunStore, nodes: Nodes) -> equal_runs.Figures:
    return equal_runs.compare(store, nodes.executor)


def _frozen(store: RunStore, nodes: Nodes) -> list[float]:
    return [lost_nodes.freeze(store, nodes) for _ in range(FREEZES)]


PARTS: dict[str, Callable[[RunStore, Nodes], Any]] = {
    "starts": _starts,
    "server": _server,
    "travels": _travels,
    "memory": _memory,  # after trainings
    "equal": _equal,
    "frozen": _frozen,
}


def _measured(parts: list[str], runs: range) -> Iterator[Figures]:
    """Start a cluster, and yield the figures so far after each part and each run whose nodes were killed."""
    figures: Figures = {LOSSES: {}}
    with tempfile.TemporaryDirectory() as folder, three_nodes() as nodes:
        store = RunStore(Path(folder))
        for part in parts:
            figures[part] = PARTS[part](store, nodes)
            print(part, figures[part], flush=True)
            yield figures
        for number in runs:
            figures[LOSSES][str(number)] = lost_nodes.train_and_kill(store, nodes, number)
            print(number, figures[LOSSES][str(number)], flush=True)
            yield figures


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--runs", default=0, help="Runs whose nodes are killed.")
@click.option("--first", default=0, help="The number of the first of these.")
@click.option(
    "--figures", "file", type=click.Path(path_type=Path), required=True, help="What the figures are added to."
)
def main(parts: tuple[str, ...], runs: int, first: int, file: Path) -> None:
    """Measure some parts, add their figures to those in a file as they come, and write what is there."""
    figures = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {LOSSES: {}}
    for measured in _measured(list(parts), range(first, first + runs)):
        figures |= measured | {LOSSES: figures[LOSSES] | measured[LOSSES]}
        atomic_write(file, json.dumps(figures, indent=1))
    if figures[LOSSES] and PARTS.keys() <= figures.keys():
        click.echo(table(figures))


if __name__ == "__main__":
    main()
