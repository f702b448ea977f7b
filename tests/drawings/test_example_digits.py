from __future__ import annotations

import pytest
import torch

from cnnlab.drawings.example_digits import example_digits
from cnnlab.drawings.preprocess import prepared, stroke_ink
from cnnlab.drawings.strokes import CANVAS, PEN, from_canvas, to_canvas
from cnnlab.runs.example import FOLDER, example_id
from cnnlab.runs.run import Run
from cnnlab.runs.trained import load_trained


def test_the_network_that_comes_with_the_app_reads_each_without_doubt() -> None:
    steps = [prepared(stroke_ink(drawing), (28, 28)) for drawing in example_digits().values()]
    assert not any(step.suspicion for step in steps)
    sure, named = (
        load_trained(Run(FOLDER / example_id())).probabilities(torch.cat([step.image for step in steps])).max(1)
    )
    assert [str(digit) for digit in named.tolist()] == list(example_digits()) == list("0123456789")
    assert sure.min() > 0.99


def test_they_are_as_if_drawn_on_the_canvas() -> None:
    for drawing in example_digits().values():
        assert round(drawing.pen * CANVAS) == PEN
        assert all(0 < value < 1 for stroke in drawing.strokes for point in stroke for value in point)
        again = from_canvas(to_canvas(drawing))
        assert again is not None
        drawn = [point for stroke in drawing.strokes for point in stroke]
        assert [point for stroke in again.strokes for point in stroke] == [pytest.approx(point) for point in drawn]
