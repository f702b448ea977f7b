"""What trainings took of the machine: processor and memory by the seconds of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cnnlab.charts.style import SMALL, Plot, end_labels, framed_layout, plain, thinned, title_layout
from cnnlab.palette import PALETTE
from cnnlab.training.resources import Sample

PROCESS, GPU = PALETTE[0], PALETTE[4]


def processor(samples: Sequence[Sample]) -> Plot:
    """Plot how much of a core a training took, and of the GPU where it has one."""
    lines = [_line(samples, "core_percent", "processor", PROCESS, "%")]
    if samples[0].gpu_percent is not None:
        lines.append(_line(samples, "gpu_percent", "GPU", GPU, "%"))
    return _plot(lines, "Processor, % of one core", "%")


def memory(samples: Sequence[Sample]) -> Plot:
    """Plot the memory that a training held, and the GPU's where it has one."""
    lines = [_line(samples, "memory_mb", "memory", PROCESS, " MB")]
    if samples[0].gpu_memory_mb is not None:
        lines.append(_line(samples, "gpu_memory_mb", "GPU", GPU, " MB"))
    return _plot(lines, "Memory, MB", " MB")


def overlaid(runs: Mapping[str, Sequence[Sample]], colours: Mapping[str, str]) -> tuple[Plot, Plot]:
    """Plot processor and memory of several runs, with their numbers at the ends of their lines, counted from 1."""
    numbers = {plain(name): str(number) for number, name in enumerate(colours, 1)}
    plots = []
    for field, title, unit in (("core_percent", "Processor, % of one core", "%"), ("memory_mb", "Memory, MB", " MB")):
        lines = [_line(samples, field, plain(name), colours[name], unit) for name, samples in runs.items()]
        plots.append(_plot(lines, title, unit, numbers))
    first, second = plots
    return first, second


def _line(samples: Sequence[Sample], field: str, name: str, colour: str, unit: str) -> Plot:
    shown = thinned([sample for sample in samples if getattr(sample, field) is not None])
    return {
        "type": "scatter",
        "x": [sample.seconds for sample in shown],
        "y": [getattr(sample, field) for sample in shown],
        "name": name,
        "mode": "lines",
        "line": {"color": colour, "width": 2},
        "hovertemplate": f"%{{x:.0f}} s: %{{y:,.0f}}{unit}<extra>{name}</extra>",
    }


def _plot(lines: list[Plot], title: str, unit: str, labels: Mapping[str, str] | None = None) -> Plot:
    """Put lines into a frame; two or more are labelled at their ends, by their names unless ``labels`` has others."""
    labels = labels or {line["name"]: line["name"] for line in lines if len(lines) > 1}
    y_axis = {"ticksuffix": unit, "rangemode": "tozero", "nticks": 4, "tickformat": ",~r"}
    x_axis = {"title": {"text": "seconds of training", "font": {"size": SMALL}}, "rangemode": "tozero"}
    layout = {**framed_layout(x_axis, y_axis), **title_layout(title)}
    return {"data": lines, "layout": {**layout, "annotations": end_labels(lines, labels, y_axis)}}
