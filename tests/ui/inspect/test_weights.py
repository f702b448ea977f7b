"""Which layers' changes Weights over time draws."""

from __future__ import annotations

import pytest

from cnnlab.ui.inspect.weights import LINES, _spread


@pytest.mark.parametrize("count", [1, 5, LINES, LINES + 1, 45, 200])
def test_some_layers_stand_for_many(count: int) -> None:
    layers = [f"conv{number}" for number in range(count)]
    chosen = layers[count // 3]
    drawn = _spread(layers, chosen)
    assert {layers[0], layers[-1], chosen} <= set(drawn)
    assert drawn == sorted(drawn, key=layers.index)
    assert len(drawn) <= LINES + 1
    if count <= LINES:
        assert drawn == layers
