"""A process of a node that carries out one training after another. It is sent there by name, so it loads little."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnlab.cluster.wire import Pixels, Values
    from cnnlab.training.trainer import Report, Trainer


class Workplace:
    """Do what the server asks, a slice of time after the other; between two requests the training stands still.

    Every answer is of plain values: ``refused`` holds a message for the user, ``defect`` one for the log.
    """

    def __init__(self) -> None:
        self._trainer: Trainer | None = None
        self._events: Iterator[Report] = iter(())
        self._failure: Exception | None = None  # told after what came before it

    def describe(self) -> Values:
        """Load what a training needs, and tell what this is."""
        import os  # noqa: PLC0415 - all imports happen here, after the process began

        import torch  # noqa: PLC0415

        from cnnlab.cluster import wire  # noqa: F401, PLC0415
        from cnnlab.data.datasets import dataset_spec  # noqa: PLC0415
        from cnnlab.places import program_digest  # noqa: PLC0415
        from cnnlab.training.config import RunConfig  # noqa: PLC0415
        from cnnlab.training.memory import needs  # noqa: PLC0415

        # The first estimate of memory loads 800 modules of PyTorch's, for which the first training would wait a second.
        needs(RunConfig(), dataset_spec("mnist-sample"))
        return {"app": program_digest(), "PyTorch": torch.__version__, "process": os.getpid()}

    def alive(self) -> bool:
        """Answer beside a step that takes long."""
        return True

    def begin(self, task: Values, splits: Values, *pixels: Pixels) -> Values:
        """Prepare a training in place of the last one."""
        return self._answer(lambda: self._begin(task, splits, *pixels))

    def advance(self, seconds: float, rate: float | None, rested: float) -> Values:
        """Train for about ``seconds``, with another learning rate where one was set, after a rest."""
        return self._answer(lambda: self._advance(seconds, rate, rested))

    def read_samples(self) -> Values:
        """Compute the samples' class probabilities."""
        return self._answer(lambda: {"samples": self._training.read_samples().numpy()})

    def judge_test(self, weights: bytes) -> Values:
        """Evaluate ``weights`` on the test images."""
        from dataclasses import asdict  # noqa: PLC0415

        from cnnlab.cluster.wire import unpack  # noqa: PLC0415

        return self._answer(lambda: asdict(self._training.judge_test(unpack(weights), lambda: None)))

    def judge_train(self) -> Values:
        """Evaluate the same weights on the training images."""
        from dataclasses import asdict  # noqa: PLC0415

        return self._answer(lambda: asdict(self._training.judge_train()))

    def clear(self) -> None:
        """Forget the training."""
        import gc  # noqa: PLC0415

        self._trainer, self._events, self._failure = None, iter(()), None
        gc.collect()

    @property
    def _training(self) -> Trainer:
        assert self._trainer
        return self._trainer

    def _begin(self, task: Values, splits: Values, *pixels: Pixels) -> Values:
        import torch  # noqa: PLC0415

        from cnnlab.cluster.wire import unpack_data, unpack_task  # noqa: PLC0415
        from cnnlab.training.memory import check_memory  # noqa: PLC0415
        from cnnlab.training.trainer import Trainer  # noqa: PLC0415

        wanted, spec = unpack_task(task)
        torch.set_num_threads(wanted.threads)
        check_memory(wanted.config, spec)
        self._trainer = Trainer(wanted, unpack_data(spec, splits, pixels))
        self._events, self._failure = self._trainer.events(), None
        return {}

    def _advance(self, seconds: float, rate: float | None, rested: float) -> Values:
        from time import monotonic  # noqa: PLC0415

        from cnnlab.cluster.wire import pack_reports  # noqa: PLC0415

        if self._failure:
            raise self._failure
        if rested:
            self._training.rest(rested)
        if rate is not None:
            self._training.change_learning_rate(rate)
        until = monotonic() + seconds
        packed: list[Values] = []
        reports: list[Report] = []
        is_over = False
        try:
            while not is_over and monotonic() < until:
                report = next(self._events, None)
                is_over = report is None
                if report:
                    reports.append(report)
                    if report[1]:  # the weights of the epoch change with the next step
                        packed += pack_reports(reports)
                        reports.clear()
        except Exception as error:
            self._failure = error
        return {"reports": packed + pack_reports(reports), "is_over": is_over}

    def _answer(self, work: Callable[[], Values]) -> Values:
        from cnnlab.errors import CnnLabError  # noqa: PLC0415
        from cnnlab.training.memory import SHORT_OF_MEMORY, ran_out  # noqa: PLC0415

        try:
            return work()
        except CnnLabError as error:
            return {"refused": str(error)}
        except Exception as error:  # a defect: the server's log has it
            if ran_out(error):
                return {"refused": SHORT_OF_MEMORY}
            return {"defect": _told(error)}


def _told(error: Exception) -> str:
    from traceback import format_exception  # noqa: PLC0415

    return "".join(format_exception(error))
