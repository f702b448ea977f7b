"""The four stages of a training step."""

from __future__ import annotations

import streamlit as st

from cnnlab import charts
from cnnlab.charts.grids import number_grid, written
from cnnlab.charts.png import inline
from cnnlab.charts.slow_motion import gradient_norms, image_losses
from cnnlab.learn.optimisers import MOMENTUM, unbiased
from cnnlab.learn.training_step import FILTERS, IMAGES, Step, batch_of
from cnnlab.ui.widgets.images import enlarged, upright
from cnnlab.ui.widgets.number_grid import show_grid

_KEY = "learn.step"
_MAP_SIDE = 104  # pixels of a feature map on the page
_FILTER_HEIGHT = 240  # pixels on the page, for a filter with its numbers
_CLASSES = [str(digit) for digit in range(10)]
_FILTERS = "conv.weight"


def forward(step: Step) -> None:
    """Show the forward pass of one image of the batch."""
    picked = _picked_image(step)
    left, right = st.columns(2, gap="medium")
    with left:
        st.image(inline(enlarged(batch_of().images[picked], _MAP_SIDE)), alt=f"Image {picked + 1}")
        for layer, title in (("conv", "Conv2d"), ("relu", "ReLU"), ("pool", "MaxPool2d")):
            maps = step.maps[layer][picked]  # (4, H, W)
            st.markdown(f":small[after {title}: {maps.shape[0]} feature maps of {maps.shape[1]}×{maps.shape[2]}]")
            st.image(inline(charts.tile_row(maps.numpy(), _MAP_SIDE)), alt=f"The feature maps after {title}")
    with right:
        probabilities = step.probabilities[picked]
        label = _CLASSES[step.labels[picked]]
        st.markdown(f"**Probabilities** by softmax of the ten logits; its label is **{label}**")
        figure = charts.probability_bars(_CLASSES, probabilities.tolist()).update_layout(height=380)
        show_grid(figure, f"{_KEY}.probabilities", "The probability of each class")
        logits = ", ".join(written(logit) for logit in step.maps["linear"][picked].tolist())
        st.caption(f"Logits: {logits}")


def loss(step: Step) -> None:
    """Show the loss of each image, and the mean, which training minimises."""
    picked = _picked_image(step)
    names = [f"{place}: {label}" for place, label in enumerate(step.labels.tolist(), start=1)]
    show_grid(image_losses(names, step.losses.numpy(), picked), f"{_KEY}.image-losses", "The loss of each image")
    probability = step.probabilities[picked, step.labels[picked]].item()
    st.markdown(
        f"Image {picked + 1}: −ln {probability:.4f} = **{step.losses[picked]:.4f}**. The batch's loss is the mean: "
        f"({' + '.join(f'{one:.2f}' for one in step.losses.tolist())}) / {IMAGES} = **{step.loss:.4f}**"
    )


def backward(step: Step) -> None:
    """Show the gradients beside their filters, and the gradient norm of each layer."""
    filters, gradient = step.before[_FILTERS][:, 0], step.gradients[_FILTERS][:, 0]  # (4, 3, 3)
    limit = max(filters.abs().max().item(), gradient.abs().max().item())
    left, right = st.columns(2, gap="large")
    for column, title, tiles in ((left, "The four filters", filters), (right, "The gradient on them", gradient)):
        with column:
            st.markdown(f"**{title}**, at most ±{written(tiles.abs().max().item())}")
            figure = charts.filter_grid(tiles.numpy(), limit=limit).update_traces(
                showscale=False, selector={"type": "heatmap"}
            )
            show_grid(figure.update_layout(height=130), f"{_KEY}.{title}", title)
    st.caption(
        "One colour scale for both. Blue gradient: the loss grows with the weight, so plain SGD lowers it. Red: SGD "
        "raises it."
    )
    st.markdown("**Length of each gradient**, from the loss back to the image")
    norms = {name: values.norm().item() for name, values in reversed(step.gradients.items())}
    show_grid(gradient_norms(norms), f"{_KEY}.norms", "The norm of each parameter's gradient")


def update(step: Step) -> None:
    """Show a filter before and after the step, and the arithmetic of one of its weights."""
    left, right = st.columns(2)
    with left:
        number = st.segmented_control(
            "Filter",
            list(range(FILTERS)),
            default=0,
            required=True,
            format_func=lambda number: str(number + 1),
            key=f"{_KEY}.filter",
            persist_state="session",
        )
    place = divmod(right.slider("Weight to follow", 1, 9, 5, key=f"{_KEY}.weight", persist_state="session") - 1, 3)
    before, moved, after = (part[_FILTERS][number, 0] for part in (step.before, step.moves, step.after))  # (3, 3)
    limit = max(before.abs().max().item(), after.abs().max().item())
    titles = ("Before", "+ what the step adds", "= after")
    for column, title, values in zip(st.columns(3, gap="medium"), titles, (before, moved, after), strict=True):
        with column:
            st.markdown(f"**{title}**")
            figure = number_grid(values.numpy(), "", chosen=place, limit=limit)
            show_grid(figure.update_layout(height=_FILTER_HEIGHT), f"{_KEY}.{title}", title)
    st.markdown(_arithmetic(step, (number, 0, *place)))
    st.markdown(f"The same batch's loss: **{step.loss:.4f}** before, **{step.loss_after:.4f}** after.")


def _picked_image(step: Step) -> int:
    """Choose an image of the batch, shown above the choice."""
    images, labels = batch_of().images, step.labels.tolist()
    figure = charts.tile_strip([upright(image) for image in images], [_CLASSES[label] for label in labels], IMAGES)
    show_grid(figure, f"{_KEY}.batch", "The eight images of the batch with their labels")
    return int(
        st.segmented_control(
            "Image to follow",
            list(range(IMAGES)),
            default=0,
            required=True,
            format_func=lambda place: str(place + 1),
            key=f"{_KEY}.image",
            persist_state="session",
        )
    )


def _arithmetic(step: Step, place: tuple[int, ...]) -> str:
    """Write the update of one weight by the optimiser's formula."""
    old, new = (f"{part[_FILTERS][place].item():.4f}" for part in (step.before, step.after))
    gradient = f"{step.gradients[_FILTERS][place].item():.4g}"
    memory = step.memory[_FILTERS]
    rate = f"{step.rate:g}"
    match step.optimiser:
        case "Momentum":
            velocity = f"{memory['momentum_buffer'][place].item():.4g}"
            told = f"Velocity: {MOMENTUM:g} of the one before plus the gradient {gradient} = {velocity}."
            sum_ = f"{old} − {rate} · ({velocity})"
        case "RMSprop":
            root = f"{memory['square_avg'][place].sqrt().item():.4g}"
            told = f"The gradient {gradient} is divided by {root}, the root of its running mean square."
            sum_ = f"{old} − {rate} · ({gradient}) / {root}"
        case "Adam":
            mean, square = (moment[place].item() for moment in unbiased(memory))
            told = f"Adam's moments: mean {mean:.4g}, root of the mean square {square**0.5:.4g} (gradient {gradient})."
            sum_ = f"{old} − {rate} · ({mean:.4g}) / {square**0.5:.4g}"
        case _:
            told, sum_ = "Weight minus learning rate times gradient:", f"{old} − {rate} · ({gradient})"
    return f"{told} {sum_} = **{new}**".replace("-", "−")
