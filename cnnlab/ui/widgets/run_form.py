"""The form that makes a RunConfig."""

from __future__ import annotations

from typing import Any, get_args

import pandas as pd
import streamlit as st

from cnnlab.data.datasets import DATASETS, DatasetSpec
from cnnlab.data.download import is_present
from cnnlab.networks.architecture import Architecture, ArchitectureError, LayerSummary, summarise
from cnnlab.networks.designs import Shelf
from cnnlab.networks.presets import PRESETS
from cnnlab.runs.run import Run
from cnnlab.runs.store import runs_folder
from cnnlab.training.config import ConfigError, Parent, RunConfig, parse_config
from cnnlab.training.device import devices, precisions
from cnnlab.training.memory import GB, check_memory, needs
from cnnlab.training.recipes import RECIPES
from cnnlab.training.run_data import check_batches
from cnnlab.ui.shell import frame, session
from cnnlab.ui.shell.glossary_links import linked
from cnnlab.ui.shell.state import FORM_OWN_NETWORK, FORM_PARENT, FORM_RECIPE, form_field
from cnnlab.ui.widgets import run_form_link as link
from cnnlab.ui.widgets.diagram import show_network

_NOT_OFFERED = {"parent", "lessons", "lesson_share"}  # fields without an input for a new network


def run_form() -> RunConfig | None:
    """Show data set, network and hyperparameters; return None, with the reason shown, where they are inconsistent."""
    if not FORM_RECIPE.is_set:
        FORM_RECIPE.put("default")
        _recall(session.current_run())
    link.follow(_begin_with)
    _choose_recipe()
    fields = _beginning()
    _explain_dataset(fields["dataset"])
    left, right = st.columns(2)
    with left:
        fields["epochs"] = _integer("More epochs" if "parent" in fields else "Epochs", "epochs", 1, 1000)
        fields["learning_rate"] = _number("Learning rate", "learning_rate", 0.00001, 10.0, 0.001, "%.5f")
    with right:
        fields["batch_size"] = _integer("Batch size, images", "batch_size", 1, 10_000)
        fields["optimizer"] = _choice("Optimiser", "optimizer", _literals("optimizer"), _title)
    if fields["batch_size"] > DATASETS[fields["dataset"]].sizes[0]:
        st.caption(linked("That is all training images in one batch: one step an epoch."))
    with st.expander("More settings"):
        fields |= _more_settings() | ({} if "parent" in fields else _split())
    try:
        config = parse_config(fields)
        spec = DATASETS[config.dataset]
        rows = summarise(config.architecture, spec.shape, len(spec.classes))
        check_memory(config, spec)
        check_batches(config, spec)
    except (ConfigError, ArchitectureError) as error:
        st.error(frame.literal(str(error)), title="These settings cannot run")
        return None
    _explain_network(config, spec, rows)
    return config


def _choose_recipe() -> None:
    st.selectbox(
        "Recipe",
        list(RECIPES),
        format_func=lambda name: RECIPES[name].title,
        key=FORM_RECIPE.name,
        on_change=_fill_in,
        persist_state="session",
        help="Sets every field below; then change what you like.",
    )
    recipe = RECIPES[FORM_RECIPE.get()]
    if recipe.claim:
        st.caption(f"The tutorial's claim: {recipe.claim}.")


def _explain_network(config: RunConfig, spec: DatasetSpec, rows: list[LayerSummary]) -> None:
    with st.expander(f"The network: {sum(row.parameters for row in rows):,} parameters"):
        st.caption(frame.literal(config.architecture.description))
        st.caption(
            f"Its training takes about {needs(config, spec).total / GB:.1f} GB of memory, by a generous estimate."
        )
        show_network(config.architecture, spec.shape, len(spec.classes), "form.network")
        st.dataframe(pd.DataFrame([_summary_row(row) for row in rows]), hide_index=True)


def _recall(run: Run | None) -> None:
    """Restore the run's settings after a reload; for one fine-tuned on drawings, those of its parent."""
    if run and run.config.lessons:
        run = session.store().origin(run)
    _fill_in(run.config if run else None)
    if run and run.config.parent:
        FORM_PARENT.put(run.config.parent)


def _begin_with(recipe: str, config: RunConfig) -> None:
    """Put a link's config into the form, as a new network."""
    FORM_RECIPE.put(recipe)
    FORM_PARENT.drop()
    _fill_in(config)


def branch_off(run: Run, epoch: int) -> None:
    """Fill the form with ``run``'s settings, to start from its weights after ``epoch``; for callbacks."""
    _fill_in(run.config)
    FORM_PARENT.put(Parent(run=run.id, epoch=epoch))


def _beginning() -> dict[str, Any]:
    """Show the data set, and a new network or the parent's."""
    parent = FORM_PARENT.get()
    run = session.find_run(parent.run) if parent else None
    if parent is None or run is None:
        return {
            "dataset": _choice("Data set", "dataset", list(DATASETS), lambda name: DATASETS[name].title),
            "architecture": _pick_network(),
        }
    st.info(f"A branch of {frame.literal(run.title)}, from epoch {parent.epoch} on.", icon=":material/alt_route:")
    st.caption("It keeps that run's validation images, so that it is validated on none it was trained on.")
    st.button("Begin anew instead", on_click=FORM_PARENT.drop, key="form.anew")
    kept = ("dataset", "architecture", "lessons", "lesson_share", "validation_fraction")
    fields = {name: getattr(run.config, name) for name in kept}
    return {"parent": parent, **fields, "split_seed": run.config.held_out_by}


def _pick_network() -> Architecture:
    """Choose a preset, a saved design that can be trained, or the network from Design or an earlier run."""
    networks = _networks()
    if form_field("architecture").get() not in networks:
        form_field("architecture").put(RunConfig().architecture.name)
    labels = frame.distinct_labels({name: network.title for name, network in networks.items()})
    return networks[_choice("Network", "architecture", list(networks), labels.__getitem__)]


def _networks() -> dict[str, Architecture]:
    networks = PRESETS | Shelf(runs_folder()).networks()
    if own := FORM_OWN_NETWORK.get():
        network = Architecture.model_validate_json(own)
        networks = {network.name: network} | networks | {network.name: network}
    return networks


def take_network(network: Architecture, dataset: str, batch_size: int) -> None:
    """Put a design into the form, as a new network."""
    if not FORM_RECIPE.is_set:
        FORM_RECIPE.put("default")
        _fill_in()
    FORM_PARENT.drop()
    _offer(network)
    form_field("dataset").put(dataset)
    form_field("batch_size").put(batch_size)


def _offer(network: Architecture) -> None:
    """Choose ``network`` in the form, even if it is neither a preset nor saved."""
    if PRESETS.get(network.name) != network:
        if network.name in PRESETS:
            network = network.model_copy(update={"name": f"own-{network.name}"[:60]})
        FORM_OWN_NETWORK.put(network.model_dump_json())
    form_field("architecture").put(network.name)


def set_learning_rate(rate: float) -> None:
    """Put ``rate`` into the form; for callbacks, which run before the form is drawn."""
    form_field("learning_rate").put(rate)


def _fill_in(config: RunConfig | None = None) -> None:
    """Put ``config``, by default the recipe's, into the form."""
    chosen = config or RECIPES[FORM_RECIPE.get()].config
    for name, value in chosen.model_dump(exclude=_NOT_OFFERED).items():
        form_field(name).put(value)
    _offer(chosen.architecture)
    # Values that the form does not offer here are replaced by ones that it does.
    if chosen.dataset not in DATASETS:
        form_field("dataset").put(RunConfig().dataset)
    if chosen.device not in devices():
        form_field("device").put("auto")
    if chosen.precision not in precisions():
        form_field("precision").put("auto")


def _more_settings() -> dict[str, Any]:
    fields: dict[str, Any] = {}
    fields["schedule"] = st.selectbox(
        "Learning-rate schedule",
        _literals("schedule"),
        format_func=_title,
        key=form_field("schedule").name,
        persist_state="session",
        help="With one-cycle, Adam and AdamW also move beta1, their share of earlier gradients: from 0.95 down to 0.85 "
        "while the rate rises, then back. Momentum of SGD and RMSprop stays as it is set.",
    )
    fields["step_epochs"] = _integer("Epochs between drops (step)", "step_epochs", 1, 1000)
    fields["step_factor"] = _number("Drop factor (step)", "step_factor", 0.01, 0.99, 0.05, "%.2f")
    fields["weight_decay"] = _number("Weight decay", "weight_decay", 0.0, 1.0, 0.001, "%.5f")
    fields["momentum"] = _number("Momentum (SGD, RMSprop)", "momentum", 0.0, 0.999, 0.05, "%.3f")
    nesterov = form_field("nesterov").name
    fields["nesterov"] = st.checkbox("Nesterov momentum (SGD)", key=nesterov, persist_state="session")
    fields["label_smoothing"] = _number("Label smoothing", "label_smoothing", 0.0, 0.9, 0.05, "%.2f")
    fields["augmentation"] = _choice("Augmentation", "augmentation", _literals("augmentation"), _title)
    fields["normalise"] = _choice("Pixels become", "normalise", _literals("normalise"), _scale_title)
    fields["train_fraction"] = _number("Share of the rest to train on", "train_fraction", 0.01, 1.0, 0.05, "%.2f")
    fields["early_stopping"] = _integer("Early stopping after epochs (0: off)", "early_stopping", 0, 1000)
    fields["device"] = _choice("Device", "device", ["auto", *devices()], _title)
    fields["precision"] = _choice("Precision", "precision", precisions(), _title)
    fields["seed"] = _integer("Seed", "seed", 0, 2**32 - 1)
    st.caption(f"Found here: {', '.join(devices())}. Auto takes the first.")
    return fields


def _split() -> dict[str, Any]:
    """Show which images are held out; not for a branch, which uses its parent's split."""
    share = _number("Validation share", "validation_fraction", 0.01, 0.5, 0.05, "%.2f")
    seed = st.number_input(
        "Split seed (empty: as seed)",
        0,
        2**32 - 1,
        None,
        step=1,
        key=form_field("split_seed").name,
        persist_state="session",
        help="Decides which images are held out for validation. Set it to compare seeds on the same images.",
    )
    return {"validation_fraction": share, "split_seed": seed}


def _explain_dataset(name: str) -> None:
    spec = DATASETS[name]
    size = "×".join(str(length) for length in spec.shape[1:])
    text = f"{spec.sizes[0]:,} training and {spec.sizes[1]:,} test images, {size}, {len(spec.classes)} classes."
    if not is_present(name):
        text += f" Starting downloads about {spec.download_bytes / 1e6:.0f} MB."
    st.caption(text)


def _summary_row(row: LayerSummary) -> dict[str, object]:
    return {
        "Layer": row.name,
        "Kind": row.kind,
        "Output shape": "×".join(str(length) for length in row.output_shape),
        "Parameters": row.parameters,
        "Multiply-accumulates": row.macs,
        "Receptive field, px": f"{row.receptive_field[0]}×{row.receptive_field[1]}",
        "Activations, bytes": row.activation_bytes,
    }


def _literals(field: str) -> list[str]:
    return list(get_args(RunConfig.model_fields[field].annotation))


def _title(value: str) -> str:
    return {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "cpu": "CPU", "cuda": "CUDA"}.get(
        value, value
    )


def _scale_title(value: str) -> str:
    return {"standard": "(x − mean) / std", "unit": "0 … 1", "symmetric": "−1 … 1"}[value]


def _choice(label: str, field: str, options: list[str], shown: Any) -> str:
    return st.selectbox(label, options, format_func=shown, key=form_field(field).name, persist_state="session")


def _integer(label: str, field: str, low: int, high: int) -> int:
    return st.number_input(label, low, high, step=1, key=form_field(field).name, persist_state="session")


def _number(label: str, field: str, low: float, high: float, step: float, form: str) -> float:
    key = form_field(field).name
    return st.number_input(label, low, high, step=step, format=form, key=key, persist_state="session")
