"""Activations: functions applied to each number separately."""

from __future__ import annotations

import streamlit as st
import torch
from torch import Tensor

from cnnlab.charts.grids import number_grid
from cnnlab.charts.machines import activation_curve
from cnnlab.learn.layers import activate
from cnnlab.networks.layers import MODULES, Function
from cnnlab.ui.widgets.number_grid import show_grid, typed_numbers

COUNT = 6
REACH = 6.0  # half the width of the curve, at least
DEPTH = 10  # layers
_KEY = "learn.machines.activation"
_FORMULAS: dict[Function, str] = {
    "relu": r"\max(0, x)",
    "relu6": r"\min(\max(0, x), 6)",
    "leaky-relu": r"\max(0.01\,x, x)",
    "gelu": r"x \cdot \Phi(x)",
    "silu": r"x \cdot \sigma(x)",
    "hard-swish": r"x \cdot \min(\max(0, x + 3), 6) / 6",
    "elu": r"x \text{ above } 0, \text{ else } e^x - 1",
    "tanh": r"\tanh(x)",
    "sigmoid": r"\sigma(x) = 1 / (1 + e^{-x})",
    "hard-sigmoid": r"\min(\max(0, x + 3), 6) / 6",
}


def show() -> None:
    """Show the numbers, the function's curve and slope, and the outputs."""
    st.markdown(
        "An activation function is a bend. Without it, several convolutions in a row equal one larger convolution. "
        "In the backward pass, the gradient is multiplied by its slope."
    )
    function: Function = st.segmented_control(
        "Function",
        list(MODULES),
        default="relu",
        required=True,
        format_func=MODULES.__getitem__,
        key=f"{_KEY}.function",
        persist_state="session",
    )
    settings, machine = st.columns([1, 2], gap="large")
    with settings:
        numbers = typed_numbers(_KEY, (1, COUNT), _random)
        st.code(f"nn.{MODULES[function]}()", language="python")
        st.markdown(f"${_FORMULAS[function]}$")
    with machine:
        _machine(function, numbers[0])


def _machine(function: Function, numbers: Tensor) -> None:
    """Show the curve, the numbers (N,) on it, and how the slope scales a gradient."""
    outputs, slopes = activate(function, numbers)
    reach = max(REACH, numbers.abs().max().item())
    x = torch.linspace(-reach, reach, 241)
    y, slope = activate(function, x)
    rows = torch.stack([numbers, outputs, slopes])  # (3, N)
    figure = activation_curve(x.numpy(), y.numpy(), slope.numpy(), rows.numpy())
    show_grid(figure, f"{_KEY}.curve", f"{MODULES[function]} and its slope")
    figure = number_grid(rows.numpy(), "", rows=("input", "output", "slope"))
    show_grid(figure, f"{_KEY}.numbers-in-a-row", "Input, output and slope, number by number")
    steepest = slope.max().item()
    st.caption(
        f"Its steepest slope here is {steepest:.3g}. Through {DEPTH} such layers the slopes multiply a gradient by "
        f"at most {steepest**DEPTH:.2g}."
    )


def _random(count: int) -> Tensor:
    """Choose random numbers from −5 to 5, in steps of 0.5, ascending."""
    drawn = torch.randint(-10, 11, (1, COUNT), generator=torch.Generator().manual_seed(count))
    return drawn.sort().values / 2
