"""Softmax and cross-entropy: from logits to probabilities, a loss and its gradient."""

from __future__ import annotations

from math import exp

import streamlit as st
import torch

from cnnlab.charts.grids import written
from cnnlab.charts.machines import against_target, signed_bars
from cnnlab.learn.layers import Judged, judge, lowest_after_softmax
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.state import SOFTMAX_COUNT, softmax_logit
from cnnlab.ui.widgets.number_grid import show_grid

CLASSES = ("0", "1", "2", "3")
_LOGITS = (2.0, 0.5, -1.0, 1.0)  # at first
_TEMPERATURES = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]
_KEY = "learn.machines.softmax"


def show() -> None:
    """Show sliders for the logits, the probabilities, the loss, the gradient."""
    st.markdown(
        "Softmax turns any numbers, the logits, into probabilities. Cross-entropy is minus the logarithm of the true "
        "label's probability."
    )
    settings, machine = st.columns([1, 2], gap="large")
    with settings:
        logits = _chosen_logits()
        label = st.segmented_control(
            "True label", CLASSES, default="0", required=True, key=f"{_KEY}.label", persist_state="session"
        )
        temperature = st.select_slider(
            "Temperature",
            _TEMPERATURES,
            1.0,
            key=f"{_KEY}.temperature",
            format_func="{:g}".format,
            persist_state="session",
        )
        smoothing = st.slider("Label smoothing", 0.0, 0.5, 0.0, 0.05, key=f"{_KEY}.smoothing", persist_state="session")
    with machine:
        _machine(logits, CLASSES.index(label), temperature, smoothing)


def _machine(logits: list[float], label: int, temperature: float, smoothing: float) -> None:
    """Show probabilities, loss and gradient, with their formulas."""
    judged = judge(torch.tensor(logits), label, temperature, smoothing)
    scaled = "logits" if temperature == 1 else f"logits / {temperature:g}"
    keyword = f"label_smoothing={smoothing:g}" if smoothing else ""
    st.code(f"loss = nn.CrossEntropyLoss({keyword})({scaled}, label)", language="python")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Probabilities** against the target")
        figure = against_target(CLASSES, judged.probabilities.numpy(), judged.target.numpy())
        show_grid(figure, f"{_KEY}.probabilities", "The probability of each class beside its target")
        st.markdown(_probability(logits, label, temperature, judged))
        st.markdown(f"Loss **{judged.loss:.4f}** nats{_loss(label, judged, smoothing)}.")
    with right:
        st.markdown("**Gradient** of the loss by each logit")
        figure = signed_bars(CLASSES, judged.gradient.numpy(), "gradient", "class")
        show_grid(figure, f"{_KEY}.gradient", "The gradient of the loss by each logit")
        st.markdown(_gradient(label, temperature, judged))
    _once_more(judged)


def _chosen_logits() -> list[float]:
    st.button("Random numbers", key=f"{_KEY}.random", icon=":material/casino:", on_click=_randomise)
    return [
        st.slider(
            f"Logit of class {name}", -6.0, 6.0, logit, 0.1, key=softmax_logit(name).name, persist_state="session"
        )
        for name, logit in zip(CLASSES, _LOGITS, strict=True)
    ]


def _randomise() -> None:
    count = SOFTMAX_COUNT.put(SOFTMAX_COUNT.get() + 1)
    drawn = torch.randint(-60, 61, (len(CLASSES),), generator=torch.Generator().manual_seed(count)) / 10
    for name, logit in zip(CLASSES, drawn.tolist(), strict=True):
        softmax_logit(name).put(round(logit, 1))


def _probability(logits: list[float], place: int, temperature: float, judged: Judged) -> str:
    scaled = [logit / temperature for logit in logits]
    powers = [f"e^{{{written(value)}}}" for value in scaled]
    share = f"\\dfrac{{{powers[place]}}}{{{' + '.join(powers)}}}"
    return (
        f"Class {CLASSES[place]}: ${share}$ = {written(exp(scaled[place]))} / {written(sum(map(exp, scaled)))} = "
        f"**{judged.probabilities[place]:.4f}**"
    )


def _gradient(place: int, temperature: float, judged: Judged) -> str:
    """Write the gradient's formula: probability minus target."""
    by = f" / {temperature:g}" if temperature != 1 else ""
    difference = f"{judged.probabilities[place]:.4f} − {judged.target[place]:.4f}"
    return (
        f"Probability minus target: {f'({difference})' if by else difference}{by} = "
        f"**{_signed(judged.gradient[place].item())}**. A step against it raises this logit and lowers the others."
    )


def _loss(label: int, judged: Judged, smoothing: float) -> str:
    if smoothing:
        return ", minus the target's shares of each class's log-probability, added up"
    return f" = −ln {judged.probabilities[label]:.4f}"


def _once_more(judged: Judged) -> None:
    """Show the effect of a second softmax."""
    lengths = [gradient.norm().item() for gradient in (judged.gradient, judged.gradient_after_softmax)]
    st.caption(
        "With a softmax before `nn.CrossEntropyLoss`, which has its own, the loss here would be "
        f"{judged.loss_after_softmax:.4f}, the gradient's norm {lengths[1]:.3g} instead of {lengths[0]:.3g}, and with "
        f"{len(CLASSES)} classes no network gets below {lowest_after_softmax(len(CLASSES)):.4f}."
    )
    frame.door("Learn", "Pitfalls: softmax before cross-entropy", {"chapter": "traps", "trap": "softmax"})


def _signed(value: float) -> str:
    return f"{value:.4f}".replace("-", "−")
