"""The header's text: what it is, the network's constants, the functions that it uses, and what a program calls."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, nn

from cnnlab.export.c.literals import array, comment, floats, text
from cnnlab.export.c.steps import MEMORY, Written
from cnnlab.export.portable import ExportError, Portable, Preparation
from cnnlab.export.web.packing import rounded
from cnnlab.export.web.program import Program, compile_network

_ENGINE = Path(__file__).with_name("engine.c")
_DEFINED = re.compile(r"^(?:static .*?|.*\} )(cnnlab_\w+)[(;]", re.MULTILINE)
_PREPARED: dict[Preparation, str] = {
    "drawn": "light ink on black, as thick, large and centred as in the training images",
    "light-on-dark": "scaled to this size, light objects on a dark background",
    "photo": "scaled to this size",
}
_TEMPLATE = """/* {title}: what does an image show?

   Made by CNN Lab of run {run}, {when}. Data set: {dataset}; test accuracy: {accuracy}.

   Include it in one source file of a C99 or C++ program whose int has 32 bits, and link with -lm:

       float probabilities[CNNLAB_CLASSES];
       cnnlab_predict(pixels, probabilities);

   Pixels: CNNLAB_PIXELS bytes of 0 to 255, {channels} of {height} rows of {width}, from the top left on.
   Images: {prepared}.
   Flash: {flash:,} bytes of constants ({weights:,} weights of 8 bits), besides code. RAM: {memory:,} bytes, static.
   Where CNNLAB_SELF_TEST is defined, cnnlab_self_test() answers {examples} test images and returns the largest
   difference of a probability from what they should be; that is below {tolerance} where all is well. */
#ifndef {guard}
#define {guard}

#include <math.h>
#include <stdint.h>
#include <string.h>

#define CNNLAB_CHANNELS {shape[0]}
#define CNNLAB_HEIGHT {shape[1]}
#define CNNLAB_WIDTH {shape[2]}
#define CNNLAB_PIXELS {pixels}
#define CNNLAB_CLASSES {classes}

{constants}
static float {memory_name}[{numbers}];

{functions}

/* Answers an image with a probability for each of cnnlab_classes. */
static void cnnlab_predict(const uint8_t pixels[CNNLAB_PIXELS], float probabilities[CNNLAB_CLASSES])
{{
    {calls}
}}

#ifdef CNNLAB_SELF_TEST
{expected}
{images}
static float cnnlab_self_test(void)
{{
    float probabilities[CNNLAB_CLASSES], largest = 0;
    for (int image = 0; image < {examples}; image++) {{
        cnnlab_predict(cnnlab_images + image * CNNLAB_PIXELS, probabilities);
        for (int at = 0; at < CNNLAB_CLASSES; at++) {{
            float difference = fabsf(probabilities[at] - cnnlab_expected[image * CNNLAB_CLASSES + at]);
            if (!(difference <= largest)) largest = difference >= 0 ? difference : INFINITY; /* of no number */
        }}
    }}
    return largest;
}}
#endif

#endif
"""
TOLERANCE = 1e-3  # of a probability, between the header and PyTorch with the same rounded weights


def header(portable: Portable, expected: Tensor) -> str:
    """Write the header; ``expected`` (N, classes) is what it should answer to the examples.

    Raises ExportError where C cannot hold the network.
    """
    trained, shape = portable.trained, portable.trained.shape
    written = Written.of(_program(portable))
    scale = 1 / torch.tensor(trained.standardise.scale[1])
    constants = [
        array("char *const", "cnnlab_classes", [text(name) for name in trained.classes]),
        floats("cnnlab_factors", scale),
        floats("cnnlab_offsets", -torch.tensor(trained.standardise.scale[0]) * scale),
        *written.constants,
    ]
    pixels = torch.Size(shape).numel()
    calls = [
        f"cnnlab_input(pixels, {MEMORY}, {shape[0]}, {pixels // shape[0]}, cnnlab_factors, cnnlab_offsets);",
        *written.calls,
        f"cnnlab_softmax({written.at(written.program.output)}, probabilities, CNNLAB_CLASSES, 1);",
    ]
    return _TEMPLATE.format(
        **_told(portable),
        guard=f"CNNLAB_{re.sub(r'[^A-Za-z0-9]', '_', portable.run)}",
        shape=shape,
        pixels=pixels,
        classes=len(trained.classes),
        flash=written.flash,
        weights=written.weights,
        memory=4 * written.program.size,
        memory_name=MEMORY,
        numbers=written.program.size,
        constants="\n".join(constants),
        functions=_functions("\n".join(calls)),
        calls="\n    ".join(calls),
        examples=len(expected),
        tolerance=TOLERANCE,
        expected=floats("cnnlab_expected", expected),
        images=array("uint8_t", "cnnlab_images", [str(byte) for byte in portable.examples.images.flatten().tolist()]),
    )


def _program(portable: Portable) -> Program:
    try:
        return compile_network(portable.trained.network, portable.trained.shape)
    except TypeError as error:
        raise ExportError(f"C cannot hold it: {error}") from error


def _told(portable: Portable) -> dict[str, str | int]:
    """Return what the comment at the top says."""
    channels, height, width = portable.trained.shape
    colours = " (red, green, blue)" * (channels == 3)
    return {
        "title": comment(portable.title),
        "run": comment(portable.run),
        "when": portable.trained.when,
        "dataset": comment(portable.dataset) or "unknown",
        "accuracy": "unknown" if portable.accuracy is None else f"{portable.accuracy:.2%}",
        "channels": "one channel" if channels == 1 else f"{channels} channels{colours}, one after another,",
        "height": height,
        "width": width,
        "prepared": _PREPARED[portable.preparation],
    }


def _functions(calls: str) -> str:
    """Choose the engine's definitions that the calls need, and those that these need, in its order."""
    chunks = _ENGINE.read_text(encoding="utf-8").strip().split("\n\n")[1:]  # the first tells of the file
    chosen: list[str] = []
    needed = calls
    for chunk in reversed(chunks):  # each uses earlier ones alone
        if set(_DEFINED.findall(chunk)) & set(re.findall(r"\w+", needed)):
            chosen.insert(0, chunk)
            needed += chunk
    return "\n\n".join(chosen)


def rounded_network(network: nn.Sequential) -> nn.Sequential:
    """Copy a network with the weights that a header has: of convolutions and linear layers, in 8 bits."""
    copy = deepcopy(network)
    for module in copy.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.data = rounded(module.weight.data, "int8")
    return copy
