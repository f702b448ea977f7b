"""The form that makes a RunConfig."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.classroom.assignment import Assignment
from cnnlab.data.datasets import DATASETS, offered
from cnnlab.data.download import is_present
from cnnlab.data.spec import DatasetSpec
from cnnlab.networks.architecture import Architecture, ArchitectureError, LayerSummary, summarise
from cnnlab.networks.pruning import PruningError
from cnnlab.people.rights import Action
from cnnlab.runs.run import Run, RunError
from cnnlab.training.config import ConfigError, Parent, RunConfig, field_title, parse_config
from cnnlab.training.config_link import differing
from cnnlab.training.device import devices, precisions
from cnnlab.training.memory import check_memory
from cnnlab.training.recipes import DEFAULT, RECIPES
from cnnlab.training.run_data import check_batches
from cnnlab.ui.shell import frame, person, session
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.shell.own_pictures import may_train_on
from cnnlab.ui.shell.state import FORM_PARENT, FORM_RECIPE, FORM_WRONG, form_field
from cnnlab.ui.widgets import assignment_inputs, pruning_input, start_inputs
from cnnlab.ui.widgets import run_form_link as link
from cnnlab.ui.widgets.config_inputs import choice, fixed, integer, number
from cnnlab.ui.widgets.diagram import show_network
from cnnlab.ui.widgets.more_settings import more_settings, refuse
from cnnlab.ui.widgets.network_input import offer, pick_network, resized

FEW_A_CLASS = 5  # validation images
MOST_TOLD = 4  # settings that differ from the recipe's
_NOT_OFFERED = {"parent", "operations", "start", "lessons", "lesson_share"}  # fields without an input for a new network


def run_form(top: DeltaGenerator, assignment: Assignment | None = None) -> RunConfig | None:
    """Show data set, network and hyperparameters; return None, with the reason at the ``top``, where they cannot run.

    What an ``assignment`` fixes cannot be changed, and what goes beyond its limits is inconsistent.
    """
    if not FORM_RECIPE.is_set:
        FORM_RECIPE.put(DEFAULT)
        _recall(session.current_run())
    link.follow(_begin_with)
    if assignment:
        assignment_inputs.take(assignment, _fill_in)
    with fixed(assignment.fixed if assignment else ()):
        return _form(top, assignment)


def _form(top: DeltaGenerator, assignment: Assignment | None) -> RunConfig | None:
    recipe = None if assignment else _choose_recipe()
    fields = _beginning()
    _explain_validation(fields)
    left, right = st.columns(2)
    with left:
        fields["epochs"] = integer("epochs", note=" to add" if "parent" in fields else "")
        fields["learning_rate"] = number("learning_rate", 0.001, "%.4g")
    with right:
        fields["batch_size"] = integer("batch_size", note=", images")
        fields["optimizer"] = choice("optimizer")
    if fields["batch_size"] > DATASETS[fields["dataset"]].sizes[0]:
        explain("This puts all training images into one batch: one step per epoch.")
    folded = more_settings(fields["dataset"], is_branch="parent" in fields)
    fields = folded | fields
    try:
        fields = pruning_input.narrowed(fields)
        config = parse_config(fields | {"architecture": fields["architecture"].model_dump()})  # its size too
        spec = DATASETS[config.dataset]
        rows = summarise(config.architecture, spec.shape, len(spec.classes))
        check_memory(config, spec)
        check_batches(config, spec)
        if assignment:
            assignment_inputs.check(assignment, config, rows)
    except (ConfigError, ArchitectureError, PruningError, RunError) as error:
        refuse(str(error), top, folded)
        return None
    FORM_WRONG.drop()
    if recipe:
        with recipe:
            _tell_changes(config)
    _explain_network(config, spec, rows)
    return config


def _choose_recipe() -> DeltaGenerator:
    """Show the recipes; return the place below, for what was changed since."""
    st.selectbox(
        "Recipe",
        list(RECIPES),
        format_func=lambda name: RECIPES[name].title,
        key=FORM_RECIPE.name,
        on_change=_take_recipe,
        persist_state="session",
        help="Sets every field below, except your own data set. Then change what you like.",
    )
    recipe = RECIPES[FORM_RECIPE.get()]
    if recipe.claim:
        st.caption(f"The tutorial's claim: {recipe.claim}.")
    return st.container()


def _tell_changes(config: RunConfig) -> None:
    """Say which settings are no longer the recipe's, and offer these again."""
    changed = [field_title(name) for name in differing(config, RECIPES[FORM_RECIPE.get()].config)]
    if not changed or config.comes_from:
        return
    listed = ", ".join(changed[:MOST_TOLD]) + (", …" if len(changed) > MOST_TOLD else ".")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Changed: {listed}", width="stretch")
        st.button("Reset", type="tertiary", icon=":material/undo:", on_click=_take_recipe, key="form.reset")


def _take_recipe() -> None:
    """Put the recipe into the form; own pictures stay, for they are what its user came to train on."""
    dataset = form_field("dataset").get()
    _fill_in()
    if dataset in DATASETS and DATASETS[dataset].digest:
        form_field("dataset").put(dataset)


def _explain_network(config: RunConfig, spec: DatasetSpec, rows: list[LayerSummary]) -> None:
    with st.expander(f"The network: {sum(row.parameters for row in rows):,} parameters", key="form.layers"):
        st.caption(frame.literal(config.architecture.description))
        show_network(config.architecture, spec.shape, len(spec.classes), "form.network")
        st.dataframe(pd.DataFrame([_summary_row(row) for row in rows]), hide_index=True)


def _recall(run: Run | None) -> None:
    """Restore the run's settings after a reload; for one fine-tuned on drawings, those of its parent."""
    if run and run.config.lessons:
        run = session.origin(run)
    _fill_in(run.config if run else None)
    if run and run.config.parent:
        FORM_PARENT.put(run.config.parent)


def _begin_with(recipe: str, config: RunConfig) -> None:
    """Put a link's config into the form, as a new network."""
    if not may_train_on(config.dataset):
        st.warning("The data set in this link does not exist here.", icon=":material/link_off:")
    FORM_RECIPE.put(recipe)
    FORM_PARENT.drop()
    _fill_in(config)


def branch_off(run: Run, epoch: int) -> None:
    """Fill the form with ``run``'s settings, to start from its weights after ``epoch``; for callbacks."""
    _fill_in(run.config.model_copy(update={"filters_kept": 1.0, "operations": ()}))
    FORM_PARENT.put(Parent(run=run.id, epoch=epoch))


def _beginning() -> dict[str, Any]:
    """Show the data set, and a new network or the parent's."""
    parent = FORM_PARENT.get()
    run = session.find_run(parent.run) if parent else None
    if parent is None or run is None:
        dataset = choice("dataset", offered(form_field("dataset").get()), lambda name: DATASETS[name].title)
        _explain_dataset(dataset)
        network = resized(pick_network())
        return {"dataset": dataset, "architecture": network, **start_inputs.start_inputs(network)}
    st.info(f"A branch of {frame.literal(run.title)}, from epoch {parent.epoch} on.", icon=":material/alt_route:")
    st.caption("It keeps that run's validation images, so none of them was trained on.")
    st.button("Start a new run instead", on_click=FORM_PARENT.drop, key="form.anew")
    _explain_dataset(run.config.dataset)
    kept = ["dataset", "architecture", "validation_fraction"]
    if person.may(Action.SEE_DRAWINGS, run):
        kept += ["lessons", "lesson_share"]
    fields = {name: getattr(run.config, name) for name in kept} | start_inputs.branch_inputs(run.config.architecture)
    fields |= pruning_input.share_kept()
    return {"parent": parent, **fields, "split_seed": run.config.held_out_by}


def take_network(network: Architecture, dataset: str, batch_size: int) -> None:
    """Put a design into the form, as a new network."""
    if not FORM_RECIPE.is_set:
        FORM_RECIPE.put(DEFAULT)
        _fill_in()
    FORM_PARENT.drop()
    offer(network)
    form_field("dataset").put(dataset)
    form_field("batch_size").put(batch_size)


def set_learning_rate(rate: float) -> None:
    """Put ``rate`` into the form; for callbacks, which run before the form is drawn."""
    form_field("learning_rate").put(rate)


def _fill_in(config: RunConfig | None = None) -> None:
    """Put ``config``, by default the recipe's, into the form."""
    chosen = config or RECIPES[FORM_RECIPE.get()].config
    for name, value in chosen.model_dump(exclude=_NOT_OFFERED).items():
        form_field(name).put(value)
    start_inputs.fill_in(chosen)
    offer(chosen.architecture)
    # Values that the form does not offer here are replaced by ones that it does.
    if chosen.dataset not in DATASETS or not may_train_on(chosen.dataset):
        form_field("dataset").put(RunConfig().dataset)
    if chosen.device not in devices():
        form_field("device").put("auto")
    if chosen.precision not in precisions():
        form_field("precision").put("auto")


def _explain_dataset(name: str) -> None:
    spec = DATASETS[name]
    size = "×".join(str(length) for length in spec.shape[1:])
    text = f"{spec.sizes[0]:,} training and {spec.sizes[1]:,} test images, {size}, {len(spec.classes)} classes."
    if not is_present(name):
        text += f" Starting downloads about {spec.download_bytes / 1e6:.0f} MB."
    st.caption(text)
    if spec.digest and (latest := DATASETS[name.partition("@")[0]]).name != spec.name:
        st.caption(f":material/history: There is a newer one: {frame.literal(latest.title)}.")


def _explain_validation(fields: dict[str, Any]) -> None:
    """Tell how many images guide the choices, a branch's as its parent's, and warn where they are too few."""
    spec, parents = DATASETS[fields["dataset"]], fields.get("validation_fraction")
    share: float = form_field("validation_fraction").get() if parents is None else parents
    count = max(round(spec.sizes[0] * share), len(spec.classes))
    st.caption(f"About {count:,} of the training images ({share:.0%}) are held out for validation.")
    if count < FEW_A_CLASS * len(spec.classes):
        advice = " Raise the validation share under More settings." if parents is None else ""
        st.caption(
            f":material/warning: That is fewer than {FEW_A_CLASS} per class: validation accuracy will be rough.{advice}"
        )


def _summary_row(row: LayerSummary) -> dict[str, object]:
    return {
        "Layer": row.name,
        "Kind": row.layer.kind_title,
        "Output shape": "×".join(str(length) for length in row.output_shape),
        "Parameters": row.parameters,
        "Multiply-accumulates": row.macs,
        "Receptive field, px": f"{row.receptive_field[0]}×{row.receptive_field[1]}",
        "Activations, bytes": row.activation_bytes,
    }
