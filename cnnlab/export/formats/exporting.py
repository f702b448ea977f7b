"""Files made of a run's network, each checked and compared with the network itself on the test images."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import torch
from torch import Tensor

from cnnlab.data.splits import Split, sampled
from cnnlab.evaluation.metrics import Counted
from cnnlab.export.answering import Answering
from cnnlab.export.formats.table import EXPORTS
from cnnlab.export.portable import Answer, ExportError, Portable
from cnnlab.runs.run import Run
from cnnlab.runs.trained import test_split

COMPARED = 2_000  # test images at most
TIMED = 30  # answers to one image, of which the median counts
HERE = "The network here"


@dataclass(frozen=True)
class Row(Counted):
    """How a file answers, beside the network itself."""

    title: str
    bytes: int  # of float32 weights, for the network itself
    agreed: int  # test images named as the network itself names them
    milliseconds: float  # to answer one image, median


@dataclass(frozen=True)
class Exported:
    """A file, or the reason why there is none; it has no row where this machine cannot open it."""

    suffix: str
    content: bytes
    row: Row | None
    refusal: str = ""


@dataclass(frozen=True)
class Step:
    """Progress, what is done next, and the files so far; the first row is that of the network itself."""

    done: float
    stage: str
    here: Row | None = None
    files: tuple[Exported, ...] = ()


def exported(run: Run, suffixes: Sequence[str], epoch: int | None = None, images: int = COMPARED) -> Generator[Step]:
    """Write the network of ``run`` in formats of EXPORTS and compare them on test images, at most ``images``.

    A format that cannot be is told in its place. The comparison counts as a look at the run's test images, unless the
    network was judged on them before: it tells little more.
    Raises as ``Portable.of``.
    """
    yield Step(0.0, "Running the network on its training images")
    portable = Portable.of(run, run.title, epoch)
    test = sampled(test_split(run), images)
    portable.count_look()
    yield Step(0.1, "Reading the test images")
    own = portable.trained.probabilities(test).argmax(1)
    here = _here(portable, test, own)
    files: tuple[Exported, ...] = ()
    for number, suffix in enumerate(suffixes):
        yield Step(0.2 + 0.8 * number / len(suffixes), f"Writing {EXPORTS[suffix].title}", here, files)
        files = (*files, _exported(portable, suffix, test, own))
    yield Step(1.0, "", here, files)


def _exported(portable: Portable, suffix: str, test: Split, own: Tensor) -> Exported:
    form = EXPORTS[suffix]
    try:
        content, answer = form.write(portable)
    except ExportError as error:
        return Exported(suffix, b"", None, str(error))
    if answer is None:
        return Exported(suffix, content, None)
    named = torch.cat([answer(images).argmax(1) for images in test.split(portable.trained.at_once)])
    return Exported(suffix, content, _row(form.title, len(content), portable, answer, named, test, own))


def _here(portable: Portable, test: Split, own: Tensor) -> Row:
    trained = portable.trained
    network = Answering(trained.network, trained.standardise)
    size = sum(tensor.numel() * tensor.element_size() for tensor in trained.network.state_dict().values())
    with torch.inference_mode():
        return _row(HERE, size, portable, network, own, test, own)


def _row(title: str, size: int, portable: Portable, answer: Answer, named: Tensor, test: Split, own: Tensor) -> Row:
    """Count the classes ``named`` (N,) that are right, and those that the network ``own`` names too; time an answer."""
    return Row(
        title=title,
        bytes=size,
        hits=int((named == test.labels).sum()),
        agreed=int((named == own).sum()),
        images=len(test),
        milliseconds=_milliseconds(answer, portable.examples.images[:1]),
    )


def _milliseconds(answer: Answer, image: Tensor) -> float:
    taken = []
    for _ in range(TIMED):
        began = perf_counter()
        answer(image)
        taken.append(1000 * (perf_counter() - began))
    return median(taken)
