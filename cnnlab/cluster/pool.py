"""Warm processes on the nodes of a cluster: as many on each as trainings run there at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Condition, Event
from time import monotonic

from cnnlab.cluster.address import ClusterError
from cnnlab.cluster.connection import Connection, Node, Process
from cnnlab.threads import WorkerThread

LOOKED_AFTER = 3.0  # seconds between two looks at which nodes there are

log = logging.getLogger(__name__)


class Pool:
    """The processes of a cluster. Nodes come and go; ``changed`` is called with the number of places whenever it does.

    A node has a place for each ``threads`` of its cores, or one for each of its GPUs.
    """

    def __init__(self, connection: Connection, threads: int, changed: Callable[[int], None]) -> None:
        self._connection, self._threads, self._changed = connection, threads, changed
        self._nodes: dict[str, Node] = {}
        self._idle: list[Process] = []
        self._busy: list[Process] = []
        self._avoided: dict[str, float] = {}  # nodes that lost a process, and until when they get no work
        self._moved = Condition()
        self._ended = Event()
        self._look()
        WorkerThread(self._watch, self._ended.set, "watch the cluster", is_left=True).start()

    def take(self, gives_up: Callable[[], bool]) -> Process | None:
        """Return a process of the node with the most free places; None where there is none until ``gives_up()``."""
        with self._moved:
            while not (nodes := self._usable()):
                if gives_up():
                    return None
                self._moved.wait(1.0)
            node = max(nodes, key=self._free)
            process = next((one for one in self._idle if one.node == node.id), None)
            if process:
                self._idle.remove(process)
            else:
                process = self._connection.start(node)
            self._busy.append(process)
            return process

    def give_back(self, process: Process) -> None:
        """Keep a process for the next training, unless it has ended; a second time does nothing."""
        with self._moved:
            if process not in self._busy:
                return
            self._busy.remove(process)
            if process.avoid:
                self._avoided[process.node] = monotonic() + process.avoid
            elif process.node in self._nodes and not process.is_ended:
                process.clear()
                self._idle.append(process)
            self._moved.notify_all()

    def end(self) -> None:
        """Start no more processes."""
        self._ended.set()

    def places(self, node: Node) -> int:
        """Return how many trainings run at once on a node."""
        return node.gpus or max(1, node.cores // self._threads)

    def _free(self, node: Node) -> int:
        return self.places(node) - sum(process.node == node.id for process in self._busy)

    def _usable(self) -> list[Node]:
        """List the nodes to give work to: where all are avoided, all."""
        good = [node for node in self._nodes.values() if monotonic() > self._avoided.get(node.id, 0.0)]
        return good or list(self._nodes.values())

    def _watch(self) -> None:
        while not self._ended.wait(LOOKED_AFTER):
            try:
                self._look()
            except ClusterError as error:
                log.warning("%s", error)
                return

    def _look(self) -> None:
        """Look which nodes there are, and start what is missing on them."""
        nodes = {node.id: node for node in self._connection.nodes() if node.cores or node.gpus}
        with self._moved:
            self._nodes = nodes
            self._idle = [process for process in self._idle if process.node in nodes]
            for node in self._usable():
                warm = sum(process.node == node.id for process in [*self._idle, *self._busy])
                self._idle += [self._connection.start(node) for _ in range(self.places(node) - warm)]
            self._moved.notify_all()
            places = sum(map(self.places, self._usable()))
        self._changed(places)
