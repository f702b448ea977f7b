"""Every kind of network through every format that keeps its weights: do the files answer as the app does?

It needs Chromium and a C compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypedDict

import torch

from cnnlab.export.formats import c_header, onnx_file, onnx_script, torch_script
from cnnlab.export.portable import ExportError, Portable
from cnnlab.networks import backbones
from cnnlab.networks.architecture import Draft
from cnnlab.networks.layers import Linear, Shape
from cnnlab.networks.presets import PRESETS
from tests.browser.browsing import launched
from tests.export.bricks import BRICKS
from tests.export.portables import portable, with_rounded_weights
from tests.export.web.engine import Case, differences, open_engine
from tests.networks.random_networks import drawn

RANDOM = 250  # networks that are drawn; some do not fit their images
COLOUR: Shape = (3, 32, 32)
BACKBONES = ("lite0", "mobilenet_v3_small", "resnet18")  # larger ones do not fit in a message to the browser
AT_ONCE = 50  # networks in a message to the browser


class Figures(TypedDict):
    """How the networks of one kind answer in one format."""

    format: str
    networks: str  # their kind
    answered: int
    worst: float  # difference of a probability
    refused: list[str]  # why


def measure() -> list[Figures]:
    """Write every network in every format, ask the file about ten random images, and compare with the app."""
    figures: list[Figures] = []
    for name, networks in _networks().items():
        for title, apart in FORMATS.items():
            found = list(apart(networks))
            numbers = [each for each in found if isinstance(each, float)]
            refused = [each for each in found if isinstance(each, str)]
            figures.append(
                Figures(format=title, networks=name, answered=len(numbers), worst=max(numbers), refused=refused)
            )
            print(figures[-1], flush=True)
    return figures


def _networks() -> dict[str, list[Portable]]:
    """Return networks with random weights by their kind, those whose answers are finite."""
    kinds: dict[str, Iterable[tuple[Draft, Shape, int]]] = {
        "presets": ((preset, COLOUR, 10) for preset in PRESETS.values()),
        "all layers": ((draft, (3, 24, 24), 10) for draft in BRICKS.values()),
        "random": drawn(RANDOM),
        "backbones at 64 px": ((_with_head(name), (3, 64, 64), 5) for name in BACKBONES),
    }
    made = {name: [portable(*network) for network in networks] for name, networks in kinds.items()}
    return {
        name: [each for each in networks if each.examples.probabilities.isfinite().all()]
        for name, networks in made.items()
    }


def _with_head(backbone: str) -> Draft:
    layers = (*getattr(backbones, backbone)(), Linear(out_features="classes"))
    return Draft(name="backbone", title=backbone, layers=layers)


Difference = Iterator[float | str]
"""For each network the worst difference of a probability, or why the format refuses it."""


def _onnx(networks: list[Portable]) -> Difference:
    return (_asked(each, lambda made: onnx_file.opened(onnx_file.write(made))) for each in networks)


def _python(networks: list[Portable]) -> Difference:
    return (_asked(each, lambda made: torch_script.opened(torch_script.write(made))) for each in networks)


def _python_onnx(networks: list[Portable]) -> Difference:
    return (_asked(each, lambda made: onnx_script.opened(onnx_script.write(made))) for each in networks)


def _header(networks: list[Portable]) -> Difference:
    """Compare with the network that has the same rounded weights."""
    rounded = map(with_rounded_weights, networks)
    return (_asked(each, lambda made: c_header.opened(c_header.write(made))) for each in rounded)


def _asked(made: Portable, written: Callable[[Portable], Callable[[torch.Tensor], torch.Tensor]]) -> float | str:
    try:
        answer = written(made)
    except ExportError as error:
        return str(error)
    return float((answer(made.examples.images) - made.examples.probabilities).abs().max())


def _page(networks: list[Portable]) -> Difference:
    with launched() as browser:
        page = open_engine(browser.new_page())
        for start in range(0, len(networks), AT_ONCE):
            some = networks[start : start + AT_ONCE]
            cases = [Case.of(made.trained.network, made.trained.shape) for made in some]
            yield from differences(page, cases, with_kernel=True)


FORMATS: dict[str, Callable[[list[Portable]], Difference]] = {
    "ONNX": _onnx,
    "Python with PyTorch": _python,
    "Python with ONNX Runtime": _python_onnx,
    "HTML page, its engine": _page,
    "C header": _header,
}


def table(figures: list[Figures]) -> str:
    """Write the figures as a Markdown table, and below it why networks were refused."""
    rows = [
        f"| {row['format']} | {row['networks']} | {row['answered']} | {row['worst']:.1e} | {len(row['refused'])} |"
        for row in figures
    ]
    head = "| format | networks | of them asked | worst difference of a probability | refused |\n|---|---|---|---|---|"
    reasons = sorted({f"- {row['format']}, {row['networks']}: {why}" for row in figures for why in row["refused"]})
    return "\n".join([head, *rows, *(["", *reasons] if reasons else [])])
