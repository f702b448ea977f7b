"""Programs of networks run by the page's engine in a browser, many at once."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from playwright.sync_api import Page
from torch import Tensor, nn

from cnnlab.export.web.kernel import kernel
from cnnlab.export.web.packing import base64_of, packed
from cnnlab.export.web.page import ENGINE, PREPARATION, source
from cnnlab.export.web.program import compile_network
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.build import build
from cnnlab.networks.layers import Shape
from tests.networks.random_networks import drawn
from tests.networks.random_weights import shake

RUN = """async ({ cases, kernel }) => {
  const answers = []
  for (const { program, forms, tensors, input } of cases) {
    const numbers = readTensors(await unpacked(tensors), forms).tensors
    const bytes = kernel && bytesOf(kernel)
    const network = await openNetwork(program, numbers, bytes)
    if (network.isFast !== Boolean(kernel)) throw new Error("the kernel was not used, or was")
    network.run(input.map(() => 1)) // so that what an image leaves in memory would be seen in the next
    answers.push(Array.from(network.run(input)))
  }
  return answers
}"""


@dataclass(frozen=True)
class Case:
    """A network's program with an input, and what PyTorch makes of it."""

    content: dict[str, Any]
    logits: Tensor

    @classmethod
    def of(cls, network: nn.Sequential, shape: Shape) -> Case:
        """Take a network with random weights and a random image."""
        shake(network.eval())
        image = torch.randn(1, *shape, generator=torch.Generator().manual_seed(1))
        with torch.inference_mode():
            logits = network(image)[0]
        program = compile_network(network, shape)
        tensors = [packed(tensor, "float32") for tensor in program.tensors]
        content = {
            "program": program.head(),
            "forms": [form for form, _ in tensors],
            "tensors": base64_of([part for _, part in tensors]),
            "input": image.flatten().tolist(),
        }
        return cls(content, logits)


@cache
def random_cases(count: int) -> list[Case]:
    """Cases of the random networks whose answer is finite."""
    cases = [
        Case.of(build(Architecture.model_validate(draft.model_dump()), shape, classes), shape)
        for draft, shape, classes in drawn(count)
    ]
    return [case for case in cases if case.logits.isfinite().all()]


def open_engine(page: Page) -> Page:
    """Load the engine and the preparation into an empty page."""
    page.add_script_tag(content="\n".join(source(name) for name in (*ENGINE, *PREPARATION)))
    return page


def differences(page: Page, cases: list[Case], with_kernel: bool) -> list[float]:
    """Return for each case the largest difference of a probability between the page's engine and PyTorch."""
    code = b64encode(kernel()).decode("ascii") if with_kernel else None
    answers = page.evaluate(RUN, {"cases": [case.content for case in cases], "kernel": code})
    return [
        float((torch.tensor(answer).softmax(0) - case.logits.softmax(0)).abs().max())
        for answer, case in zip(answers, cases, strict=True)
    ]


def worst_difference(page: Page, cases: list[Case], with_kernel: bool) -> float:
    """Return the largest of all cases' differences; NaN, which is at most nothing, where one is."""
    return float(torch.tensor(differences(page, cases, with_kernel)).max())
