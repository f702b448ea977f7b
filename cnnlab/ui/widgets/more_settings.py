"""The part of a run's form that is folded away: settings that are changed less often, in groups.

It opens where one of them keeps the training from running.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.data.datasets import DATASETS
from cnnlab.training.device import devices, precisions
from cnnlab.training.titles import setting_of, value_title
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import FORM_MORE, FORM_OPENING, FORM_WRONG
from cnnlab.ui.widgets.bounds import between, is_within
from cnnlab.ui.widgets.config_inputs import alike, choice, counts, integer, number, text


def more_settings(dataset: str, is_branch: bool) -> dict[str, Any]:
    """Show the fold and return the values of its inputs by field; a branch keeps its parent's split."""
    groups = {
        "Learning rate": [_rate],
        "Optimiser": [_optimiser],
        "Images and labels": [lambda: _images(dataset)],
        "Split and length": [_length] if is_branch else [_length, _split],
        "Machine": [_machine],
    }
    if FORM_OPENING.take():
        FORM_MORE.put(True)
    fields: dict[str, Any] = {}
    with st.expander("More settings", key=FORM_MORE.name, on_change="rerun"):  # with a key it stays as it is
        for heading, parts in groups.items():
            st.markdown(f"**{heading}**")
            for show in parts:
                fields |= show()
    return fields


def refuse(reason: str, top: DeltaGenerator, folded: Collection[str]) -> None:
    """Say at the ``top`` why the settings cannot run; open the fold once where one of its fields is wrong."""
    is_folded = setting_of(reason) in folded
    top.error(as_reason(reason, ", under More settings" if is_folded else ""))
    if FORM_WRONG.get() == reason:
        return  # who closed the fold since then wants it closed
    FORM_WRONG.put(reason)
    if is_folded and not FORM_MORE.get():
        FORM_OPENING.put(True)
        st.rerun()


def _rate() -> dict[str, Any]:
    fields: dict[str, Any] = {
        "schedule": choice(
            "schedule",
            hint="With one-cycle, Adam and AdamW also change beta1, the weight of earlier gradients. It falls from "
            "0.95 to 0.85 while the rate rises, then returns. Momentum of SGD and RMSprop stays constant.",
        )
    }
    if counts("warmup_epochs"):
        hint = "The learning rate rises linearly for this many epochs, then its schedule starts. 0: no warm-up."
        fields["warmup_epochs"] = integer("warmup_epochs", hint)
    if counts("step_epochs"):
        fields["step_epochs"] = integer("step_epochs")
        fields["step_factor"] = number("step_factor", 0.05)
    return fields


def _optimiser() -> dict[str, Any]:
    fields: dict[str, Any] = {"weight_decay": number("weight_decay", 0.001, "%.5f")}
    if counts("momentum"):
        fields["momentum"] = number("momentum", 0.05, "%.3f")
    if counts("nesterov"):
        fields["nesterov"] = st.checkbox(**alike("nesterov"))
    return fields | {
        "gradient_clipping": number(
            "gradient_clipping",
            0.5,
            hint="Shortens longer gradients to this norm, so no single batch moves the weights far.",
            note=", largest norm (0: off)",
        ),
        "weight_average": number(
            "weight_average",
            0.001,
            "%.5f",
            "Validates, keeps and tests an average of the weights over the last steps. 0.99 averages about 100 "
            "steps, 0.999 about 1,000.",
            ", decay (0: off)",
        ),
    }


def _images(dataset: str) -> dict[str, Any]:
    mixing = (
        "α sets the mixing shares. With 0.2 most images change little; with 1 all shares are equally likely. 0: off. "
        "If both are on, each batch uses one of them."
    )
    augmentation = choice(
        "augmentation",
        hint="Random changes of the training images, new in every epoch. Auto depends on the data set. It moves and "
        "bends characters and moves and mirrors colour photos. It only moves your grey pictures, because writing "
        "and signs must not be mirrored.",
    )
    if augmentation == "auto":
        st.caption(f"Auto is {value_title(DATASETS[dataset].augmentation)} for this data set.")
    return {
        "augmentation": augmentation,
        "mixup": number("mixup", 0.1, hint=f"Blends two images and their labels. {mixing}", note=", α (0: off)"),
        "cutmix": number(
            "cutmix",
            0.1,
            hint=f"Replaces a rectangle by another image's and mixes the labels by area. {mixing}",
            note=", α (0: off)",
        ),
        "label_smoothing": number("label_smoothing", 0.05),
        "class_balance": choice(
            "class_balance",
            hint="For data sets where some classes have many more images than others. Errors on rare classes count "
            "more, or their images appear more often.",
        ),
        "normalise": choice("normalise"),
    }


def _machine() -> dict[str, Any]:
    fields: dict[str, Any] = {
        "device": choice("device", ["auto", *devices()]),
        "precision": choice("precision", precisions()),
        "micro_batch": integer(
            "micro_batch",
            "Saves memory: so many images go through the network at once, and the gradients of a batch's parts "
            "add up. A step learns from the whole batch, but batch norm compares only the images of a part.",
            ", images at once (0: the whole batch)",
        ),
        "threads": integer(
            "threads",
            "For a CPU. 0 uses as many as are fastest at the moment and records each change. A fixed number, at "
            "most a training's share of the cores, gives the same results in each training.",
            " (0: follow the load)",
        ),
        "seed": integer("seed"),
    }
    st.caption(f"Available: {', '.join(devices())}. Auto uses the first.")
    return fields


def _length() -> dict[str, Any]:
    return {
        "train_fraction": number("train_fraction", 0.05, "%.3f"),
        "excluded": text(
            "excluded",
            "Training images to leave out, by their index in the data set, which counts from 0. Inside › Blame names "
            "those that taught a mistake.",
            ", such as 3, 17",
        ),
        "early_stopping": integer("early_stopping", note=" after epochs (0: off)"),
    }


def _split() -> dict[str, Any]:
    """Show which images are held out."""
    share = number("validation_fraction", 0.05)
    hint = "Sets which images are held out for validation. Set it to compare seeds on the same images."
    seed = st.number_input(value=None, step=1, **alike("split_seed", hint, " (empty: as seed)"))
    if seed is not None:
        is_within(seed, between(0, 2**32 - 1))
    return {"validation_fraction": share, "split_seed": seed}
