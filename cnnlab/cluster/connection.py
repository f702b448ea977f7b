"""The only module that knows Ray: nodes, processes on them, requests to these, and what lies in their memory."""

from __future__ import annotations

import importlib.util
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock, Thread
from time import monotonic
from typing import Any

import torch
from torch import Tensor

from cnnlab.cluster.address import ClusterError, check_safe, environment, host_and_port, is_here
from cnnlab.cluster.workplace import Workplace
from cnnlab.errors import CnnLabError
from cnnlab.places import program_digest
from cnnlab.threads import end_before_others
from cnnlab.training.trainer import LostError

REACHED_WITHIN = 3.0  # seconds for an address to answer
BEGUN_WITHIN = 60.0  # seconds for a process on a node to start
LOOKED_AFTER = 1.0  # seconds between two looks whether somebody gave up
SILENT_AFTER = 10.0  # seconds without an answer, after which a process is asked whether it is alive
ALIVE_WITHIN = 20.0  # seconds for that answer: a step holds the interpreter for a moment only
AVOIDED_AFTER_DEATH = 10.0  # seconds until Ray knows whether its node is gone too
AVOIDED_AFTER_SILENCE = 120.0  # seconds
KEPT_TENSORS = 6  # in the nodes' memory: three of a data set with drawings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Node:
    """A machine of the cluster."""

    id: str
    host: str
    cores: int
    gpus: int


class Process:
    """A ``Workplace`` on a node."""

    def __init__(self, ray: Any, actor: Any, node: str) -> None:
        self.node = node
        self.is_ended = False
        self.avoid = 0.0  # seconds that its node should get no work, since it was lost
        self._ray, self._actor = ray, actor
        self._description = actor.describe.remote()  # loads what takes long
        self._is_known = False

    def ask(self, method: str, *values: Any, check: Callable[[], None] = lambda: None) -> dict[str, Any]:
        """Return the answer to a request; ``check`` is called while it is waited for, and what it raises ends that.

        Raises LostError where the process is gone or frozen, CnnLabError with a message for the user, RuntimeError for
        a defect.
        """
        answer = self._answer(lambda: getattr(self._actor, method).remote(*values), check)
        if message := answer.get("refused"):
            raise CnnLabError(message)
        if message := answer.get("defect"):
            raise RuntimeError(message)
        return answer

    def check_version(self) -> None:
        """Raise ClusterError where the node has another version of the app or of PyTorch: numbers would differ."""
        if self._is_known:
            return
        found = self._answer(lambda: self._description)
        own = {"app": program_digest(), "PyTorch": torch.__version__}
        if other := next((name for name, value in own.items() if found[name] != value), ""):
            raise ClusterError(f"a node has another {other} than this server: install the same on both")
        self._is_known = True

    def clear(self) -> None:
        """Have it forget its training, without waiting for that."""
        self._actor.clear.remote()

    def kill(self) -> None:
        """End it, without waiting for that."""
        self.is_ended = True
        with suppress(self._ray.exceptions.RayError, ConnectionError):
            self._ray.kill(self._actor, no_restart=True)

    def _answer(self, request: Callable[[], Any], check: Callable[[], None] = lambda: None) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._wait(request(), check)
        except (self._ray.exceptions.RayError, ConnectionError) as error:
            raise self._lost(type(error).__name__, AVOIDED_AFTER_DEATH) from error
        return answer

    def _wait(self, request: Any, check: Callable[[], None]) -> Any:
        since = monotonic()
        while True:
            try:
                return self._ray.get(request, timeout=LOOKED_AFTER)
            except self._ray.exceptions.GetTimeoutError:
                check()
            if monotonic() - since > SILENT_AFTER:
                self._check_alive()
                since = monotonic()

    def _check_alive(self) -> None:
        answer = self._actor.alive.options(concurrency_group="alive").remote()
        if not self._ray.wait([answer], timeout=ALIVE_WITHIN if self._is_known else BEGUN_WITHIN)[0]:
            raise self._lost("no sign of life", AVOIDED_AFTER_SILENCE)

    def _lost(self, reason: str, avoid: float) -> LostError:
        self.avoid = avoid
        self.kill()
        return LostError(f"a process of the cluster is gone ({reason}): its training continues elsewhere")


class Connection:
    """The connection of this process to a cluster. Raises ClusterError where there is none."""

    def __init__(self, address: str) -> None:
        host, port = self._place = host_and_port(address)
        check_safe(host)
        if not answers(host, port):
            raise ClusterError(f"no cluster answers at {address}: start one (docs/cluster.md)")
        os.environ.update(environment(host) | {"RAY_gcs_rpc_server_reconnect_timeout_s": "86400"})
        self._ray = _ray()
        self._kept: dict[tuple[Any, ...], tuple[Tensor, Any]] = {}  # tensors and where they lie in the nodes' memory
        self._lock = Lock()
        failures: list[Exception] = []
        # In a thread of its own: in the main one, Ray would replace what a signal to end does.
        connecting = Thread(target=self._connect, args=(address, host, failures), daemon=True)
        connecting.start()
        connecting.join()
        if failures:
            reason = " ".join(str(failures[0]).split())[:200]
            raise ClusterError(f"the cluster at {address} cannot be used: {reason}") from failures[0]
        end_before_others()  # else Ray ends first, and trainings would fail

    def nodes(self) -> list[Node]:
        """Return the nodes that are alive. Raises ClusterError where the cluster is gone."""
        self._check_there()
        known = [node for node in self._ray.nodes() if node["Alive"]]
        return [
            Node(
                id=node["NodeID"],
                host=node["NodeManagerAddress"],
                cores=int(node["Resources"].get("CPU", 0)),
                gpus=int(node["Resources"].get("GPU", 0)),
            )
            for node in known
        ]

    def start(self, node: Node) -> Process:
        """Start a process on a node, without waiting until it answers. Raises as ``nodes``."""
        self._check_there()
        strategy = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node.id, soft=False)
        make = self._ray.remote(concurrency_groups={"alive": 1})(Workplace).options(
            num_cpus=0,  # a pool says how many there are
            num_gpus=1 if node.gpus else 0,
            max_restarts=0,
            scheduling_strategy=strategy,
        )
        return Process(self._ray, make.remote(), node.id)

    def place(self, tensor: Tensor) -> Any:
        """Put images into the nodes' memory, where each node fetches them once; the last ones are kept there."""
        key = (tensor.data_ptr(), *tensor.shape)
        with self._lock:
            if key not in self._kept:  # the tensor is kept too, so that no other gets its address
                self._kept[key] = tensor, self._ray.put(tensor.numpy())
            self._kept[key] = self._kept.pop(key)
            for old in list(self._kept)[:-KEPT_TENSORS]:
                del self._kept[old]
            return self._kept[key][1]

    def close(self) -> None:
        """End the connection; processes that it started end too."""
        self._ray.shutdown()

    def _check_there(self) -> None:
        """Raise ClusterError where the first node is gone: Ray itself would wait for it."""
        if not answers(*self._place):
            raise ClusterError("the cluster is gone: start it and the app again, then resume the run")

    def _connect(self, address: str, host: str, failures: list[Exception]) -> None:
        own = {"_node_ip_address": "127.0.0.1"} if is_here(host) and "://" not in address else {}
        try:
            self._ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **own)
        except Exception as error:  # Ray documents several
            failures.append(error)


def _ray() -> Any:
    """Import Ray. Raises ClusterError where it is missing."""
    if importlib.util.find_spec("ray") is None:
        raise ClusterError("a cluster needs Ray: pip install -r requirements-cluster.txt")
    import ray  # noqa: PLC0415 - optional, and slow
    import ray.util.scheduling_strategies  # noqa: PLC0415

    return ray


def answers(host: str, port: int) -> bool:
    """Tell whether anything listens there."""
    try:
        socket.create_connection((host, port), REACHED_WITHIN).close()
    except OSError:
        return False
    return True
