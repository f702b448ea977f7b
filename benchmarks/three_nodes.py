"""A cluster of three nodes on this machine, trainings on it, and the loss of a node; needs Ray."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil

from cnnlab.cluster.address import environment
from cnnlab.cluster.connection import Connection, Process
from cnnlab.cluster.machine import SOON
from cnnlab.cluster.pool import Pool
from cnnlab.jobs.executor import Cluster, Executor
from cnnlab.jobs.job import Job
from cnnlab.runs.ancestry import inherited
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig

NODES = 3
HOST = "127.0.0.1"
NODE_MEMORY = 400_000_000  # bytes of a node for what lies there: MNIST takes 55 MB
SPEEDS = {"images_per_second", "seconds"}  # what the clock decides


class Nodes:
    """The nodes, of one core each, and the executor that trains on them."""

    def __init__(self, nodes: Any, executor: Cluster) -> None:
        self.executor = executor
        self._nodes = nodes  # of Ray

    @property
    def connection(self) -> Connection:
        return self.executor._opened()[0]

    @property
    def pool(self) -> Pool:
        return self.executor._opened()[1]

    def busy(self) -> Process:
        """Return the process that trains, of the only training."""
        (process,) = self.pool._busy
        return process

    def kill(self) -> None:
        """Kill the node that trains."""
        lost = self.busy().node
        node = next(node for node in self._nodes.worker_nodes if node.node_id == lost)
        self._nodes.remove_node(node, allow_graceful=False)

    def add(self) -> None:
        """Start a node in place of a lost one."""
        _add_node(self._nodes)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Have the node that trains stand still, as if its cable were pulled; then kill it."""
        raylet = psutil.Process(number_of(self.busy())).parent()
        assert raylet
        processes = [raylet, *raylet.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.kill()


@contextmanager
def three_nodes() -> Iterator[Nodes]:
    """Start a head without cores and three nodes, all on this machine, and connect to them."""
    os.environ |= environment(HOST) | SOON | {"CNNLAB_TRAININGS": "64"}  # one thread each
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    from ray.cluster_utils import Cluster as RayNodes  # noqa: PLC0415 - optional

    head = {"num_cpus": 0, "node_ip_address": HOST, "include_dashboard": False}  # as cluster up starts it
    nodes = RayNodes(initialize_head=True, head_node_args=head)
    for _ in range(NODES):
        _add_node(nodes)
    executor = Cluster(nodes.address)
    try:
        executor.open()
        for process in executor._opened()[1]._idle:
            process.check_version()  # it has loaded what takes long
        yield Nodes(nodes, executor)
    finally:
        executor.close()
        nodes.shutdown()


def _add_node(nodes: Any) -> None:
    nodes.add_node(num_cpus=1, node_ip_address=HOST, object_store_memory=NODE_MEMORY)


def number_of(process: Process) -> int:
    """Return the system's number of a process on a node."""
    return int(process.ask("describe")["process"])


def begun(store: RunStore, executor: Executor, config: RunConfig) -> Job:
    """Start a training on one thread."""
    return Job(store.create(inherited(config, store)), threads=1, executor=executor)._begun()


def ended(job: Job) -> Job:
    """Wait for the end of a training that must not fail."""
    job.join()
    if job.state == "failed":
        raise SystemExit(job.error)
    return job


def wait_until(happened: Callable[[], object], job: Job, every: float = 0.005) -> float:
    """Wait until that has happened or the training has ended; return the seconds."""
    began = monotonic()
    while job.is_running and not happened():
        sleep(every)
    return monotonic() - began


def without_speeds(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return records of a history without what the clock decides."""
    return [{name: value for name, value in row.items() if name not in SPEEDS} for row in rows]
