from __future__ import annotations

import plotly.graph_objects as go

from cnnlab import charts
from cnnlab.charts.resources import memory, overlaid, processor
from cnnlab.training.resources import Sample


def samples(count: int, **more: float) -> list[Sample]:
    return [
        Sample(seconds=number, core_percent=150.0, machine_percent=75.0, memory_mb=600.0 + number, **more)
        for number in range(count)
    ]


def test_a_training_on_the_processor_has_a_line_in_each_chart_with_units_on_the_axes() -> None:
    for plot, unit in ((processor(samples(3)), "%"), (memory(samples(3)), " MB")):
        figure = go.Figure(plot)
        (line,) = figure.data
        assert list(line.x) == [0, 1, 2]
        assert figure.layout.yaxis.ticksuffix == unit
        assert figure.layout.xaxis.title.text == "seconds of training"
    assert list(go.Figure(memory(samples(3))).data[0].y) == [600, 601, 602]


def test_a_gpu_has_lines_of_its_own_also_where_it_was_not_read_last() -> None:
    known = [*samples(3, gpu_percent=90.0, gpu_memory_mb=2000.0), *samples(1)]
    assert [line.name for line in go.Figure(processor(known)).data] == ["processor", "GPU"]
    assert [len(line.y) for line in go.Figure(memory(known)).data] == [4, 3]


def test_long_trainings_are_thinned() -> None:
    assert len(processor(samples(5000))["data"][0]["x"]) <= charts.MAX_POINTS


def test_runs_have_their_colours_and_numbers_and_their_names_are_plain() -> None:
    names = {"one": "#111111", "<b>two</b>": "#222222"}
    for plot in overlaid({name: samples(3) for name in names}, names):
        figure = go.Figure(plot)
        assert [line.line.color for line in figure.data] == list(names.values())
        assert [note.text for note in figure.layout.annotations] == ["<b>1</b>", "<b>2</b>"]
        assert "<b>" not in figure.data[1].name
