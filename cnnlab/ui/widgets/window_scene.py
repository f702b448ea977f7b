"""Conversion of a convolution to the sliding window's data, with as many channels as fit."""

from __future__ import annotations

import torch

from cnnlab.learn.convolution import Worked
from cnnlab.ui.shell import frame
from cnnlab.ui.widgets.sliding_window import WHITE, Scene, Tint

MOST_NUMBERS = 60_000  # sent to the browser, 240 kB: the tutorials' largest example with one of its channels

_COLOURS: dict[str, Tint] = {"Red": (255, 70, 60), "Green": (60, 220, 90), "Blue": (90, 140, 255)}


def scene_of(worked: Worked, colour: bool, output_title: str = "Output", rectified: bool = False) -> Scene:
    """Build the sliding window's scene, with ReLU applied where ``rectified``.

    ``colour`` names the channels red, green and blue. Where there are too many numbers the scene has only the first
    channels; where even one has too many, it has no products.
    """
    looked_at = len(worked.padded)
    shown = _room(worked)
    kept = max(shown, 1)
    left, right, top, bottom = worked.borders
    names = _names(worked, colour)
    output = worked.output.relu() if rectified else worked.output
    products = torch.stack([worked.products(channel) for channel in range(shown)]) if shown else None
    is_copied = any(worked.borders) and bool((worked.origin >= 0).all())
    return Scene(
        planes=worked.padded[:kept].numpy(),
        names=names[:kept] if looked_at > 1 else [""],
        output=output.numpy(),
        kernel=(worked.weight.shape[1], worked.weight.shape[2]),
        stride=worked.stride,
        dilation=worked.dilation,
        border=(top, left, bottom, right),
        origin=worked.origin.numpy() if is_copied else None,
        weights=worked.weight[:kept].numpy(),
        products=None if products is None else products.numpy(),
        sums=worked.sums[:shown].numpy() if shown else None,
        rest=worked.sums[shown:].sum(0).numpy() if 0 < shown < looked_at else None,
        rest_title=frame.counted(looked_at - kept, "more channel"),
        bias=worked.bias,
        result="ReLU of the sum" if rectified else "output",
        output_title=output_title,
        each=f" in each of {looked_at} channels" if looked_at > 1 else "",
        tints=[_COLOURS.get(name, WHITE) for name in names[:kept]],
    )


def told_of(scene: Scene, worked: Worked) -> str:
    """Say which parts of a large example are omitted; empty where none are."""
    looked_at = len(worked.padded)
    if scene.products is None:
        return "Too many products to show: the window shows pixels, weights and the output."
    if scene.rest is not None:
        shown = "one is" if len(scene.planes) == 1 else f"{len(scene.planes)} are"
        return f"Of {looked_at} input channels, {shown} written out. The sums of the others are added."
    return ""


def _room(worked: Worked) -> int:
    """Compute the number of channels that fit."""
    positions, plane = worked.output.numel(), worked.origin.numel()
    taps = worked.weight[0].numel()
    each = plane + positions * (taps + 1) + taps
    shared = plane + 2 * positions  # origin, output and the sums of the other channels
    return max(0, min(len(worked.padded), (MOST_NUMBERS - shared) // each))


def _names(worked: Worked, colour: bool) -> list[str]:
    colours = list(_COLOURS)
    return [colours[channel] if colour else f"channel {channel}" for channel in worked.channels]
