"""The tools of Surgery: which layer, which filters, what to swap or prune; undo, and keep the result as a run."""

from __future__ import annotations

import streamlit as st
from torch import Tensor

from cnnlab import charts
from cnnlab.analysis.surgery import Operated
from cnnlab.errors import CnnLabError
from cnnlab.networks.edit import UndoStack
from cnnlab.networks.operations import OPERATIONS, Operation, as_text
from cnnlab.networks.surgery import Part, filters_off
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.surgery import branch_of, kept_branch
from cnnlab.ui.shell import frame, quotas, session
from cnnlab.ui.shell.address import RUN
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import (
    SURGERY_CLICKED,
    SURGERY_REFUSAL,
    keep_surgery_history,
    surgery_field,
    surgery_history,
)
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import TILES, paged, show_figure, tidy

OTHERS = 50  # runs to take a layer from, the newest


def steps_of(history: UndoStack) -> tuple[Operation, ...]:
    """Return the operations of a history's present version."""
    return OPERATIONS.validate_json(history.present)


def opened(run_id: str) -> Run:
    """Return a run that the person may see. Raises RunError where there is none."""
    if not (run := session.find_run(run_id)):
        raise RunError(f"there is no run {run_id[:100]!r} here")
    return run


def instruments(look: Look, patient: Operated) -> None:
    """Show the layers, the filters of the chosen one, and what can be done to it."""
    layer = st.selectbox(
        "Layer",
        list(patient.parts),
        format_func=lambda name: f"{name}: {frame.counted(patient.parts[name].filters, _noun(patient.parts[name]))}",
        key=surgery_field(look.run.id, "layer").name,
        persist_state="session",
    )
    part = patient.parts[layer]
    if (clicked := SURGERY_CLICKED.take()) is not None and clicked < part.filters and part.can_be_off:
        is_off = clicked in _off(look, patient, part)
        _add(look, patient, Operation(kind="on" if is_off else "off", layer=layer, filters=(clicked,)))
    if refusal := SURGERY_REFUSAL.take():
        st.warning(as_reason(refusal), title="Not possible", icon=":material/block:")
    if part.can_be_off:
        _filters(look, patient, part)
    else:
        st.caption("Its outputs cannot be switched off: they are the answer, or what follows makes no zero of zero.")
    with st.container(horizontal=True, gap="xsmall"):
        if part.can_be_off:
            _whole_layer(look, patient, part)
            with st.popover("Prune", icon=":material/content_cut:"):
                _prune(look, patient, part)
        with st.popover("Swap", icon=":material/swap_horiz:"):
            _swap(look, patient, part)


def history_buttons(look: Look) -> UndoStack:
    """Show undo, redo, start over and keep, and the operations so far; return their history."""
    history = surgery_history(look.run.id)
    with st.container(horizontal=True, gap="xsmall"):
        for label, icon, turned in (
            ("Undo", ":material/undo:", history.undone()),
            ("Redo", ":material/redo:", history.redone()),
            ("Start over", ":material/restart_alt:", history.edited("[]")),
        ):
            st.button(
                label,
                icon=icon,
                key=f"surgery.{label}",
                on_click=keep_surgery_history,
                args=[look.run.id, turned],
                disabled=turned == history,
            )
        with st.popover("Keep as a run", icon=":material/save:", disabled=history.present == "[]", type="primary"):
            _keep(look, history)
    told = (literal(str(step).removesuffix(f" of {look.run.id}")) for step in steps_of(history))
    st.markdown("\n".join(f"{number}. {words}" for number, words in enumerate(told, start=1)))
    return history


def _noun(part: Part) -> str:
    return "filter" if part.is_convolution else "unit"


def _off(look: Look, patient: Operated, part: Part) -> tuple[int, ...]:
    """Number the part's filters that are off now; those of the whole network where an operation does not fit."""
    try:
        weights = patient.operated(steps_of(surgery_history(look.run.id)))
    except CnnLabError:
        weights = dict(patient.weights)
    return filters_off(part, weights)


def _filters(look: Look, patient: Operated, part: Part) -> None:
    """Show a tile per filter to switch it off or on by a click, and their numbers to do so by keyboard."""
    off, noun = _off(look, patient, part), _noun(part)
    version = len(surgery_history(look.run.id).past)
    tiles = _tiles(patient.weights[f"{part.name}.weight"])
    units = list(range(part.filters))[paged(part.filters, TILES, f"surgery.filters.{part.name}")]
    show_figure(
        charts.filter_grid(tiles[units].numpy(), units, ["off" if unit in off else "on" for unit in units], off),
        f"surgery-{part.name}-{version}",
        f"The {noun}s of {part.name}; those that are off are crossed out",
        lambda: tidy(tiles.numpy(), noun, "row", "column"),
        f"Click a {noun} to switch it off, again to switch it on. "
        + ("Its weights, as a mean over its input channels." if part.is_convolution else "Its mean weight."),
        SURGERY_CLICKED,
    )
    chosen = surgery_field(look.run.id, f"off.{part.name}.{version}")
    st.multiselect(
        f"Switched off in {part.name}",
        range(part.filters),
        off,
        key=chosen.name,
        placeholder=f"All {noun}s are on",
        on_change=lambda: _switch_to(look, patient, part, off, chosen.get()),
    )


def _tiles(weights: Tensor) -> Tensor:
    """Return a picture (height, width) of each filter: (N, inputs, height, width) or (N, inputs) → (N, …)."""
    return weights.mean(1) if weights.dim() == 4 else weights.mean(1)[:, None, None]


def _switch_to(look: Look, patient: Operated, part: Part, before: tuple[int, ...], now: list[int]) -> None:
    for kind, filters in (("off", set(now) - set(before)), ("on", set(before) - set(now))):
        if filters:
            _add(look, patient, Operation(kind=kind, layer=part.name, filters=tuple(sorted(filters))))


def _whole_layer(look: Look, patient: Operated, part: Part) -> None:
    is_off = len(_off(look, patient, part)) == part.filters
    st.button(
        "Layer on" if is_off else "Layer off",
        icon=":material/power_settings_new:",
        key="surgery.layer",
        on_click=_add,
        args=[look, patient, Operation(kind="on" if is_off else "off", layer=part.name)],
    )


def _prune(look: Look, patient: Operated, part: Part) -> None:
    """Choose a share of the weakest filters to switch off."""
    share = st.slider("Share of its weakest filters", 0.05, 0.95, 0.25, 0.05, "percent", key="surgery.share")
    everywhere = st.toggle("In each convolution", key="surgery.everywhere")
    st.caption("By size: the sum of a filter's absolute weights, times the factor of its norm.")
    layer = "" if everywhere else part.name
    st.button(
        "Switch off the weakest",
        key="surgery.prune",
        on_click=_add,
        args=[look, patient, Operation(kind="prune", layer=layer, share=share)],
    )


def _swap(look: Look, patient: Operated, part: Part) -> None:
    """Choose a run and an epoch whose weights the layer gets."""
    labels = _sources(look)
    source = st.selectbox("From", list(labels), format_func=labels.__getitem__, key="surgery.source")
    run = look.run if source == look.run.id else opened(source)
    epochs = run.epochs()
    if source == look.run.id:
        epochs = [epoch for epoch in epochs if epoch != look.trained.epoch]
    if not epochs:
        st.caption("This run has no other epoch.")
        return
    epoch = st.selectbox("Epoch (0 is before training)", epochs, len(epochs) - 1, key=f"surgery.epoch.{source}")
    st.caption("The layer's weights and those of the norm after it.")
    st.button(
        f"Swap {part.name}",
        key="surgery.swap",
        on_click=_add,
        args=[look, patient, Operation(kind="swap", layer=part.name, source=f"{source}@{epoch}")],
    )


def _sources(look: Look) -> dict[str, str]:
    """Label the run itself, and others on its data set with the same layers."""
    runs = session.trained_runs()
    own = runs.by_id.get(look.run.id)
    others = [
        entry
        for entry in runs
        if own and entry.id != own.id and (entry.layers, entry.dataset) == (own.layers, own.dataset)
    ]
    return {look.run.id: "another epoch of this run"} | frame.distinct_labels(
        {entry.id: entry.title for entry in others[:OTHERS]}
    )


def _add(look: Look, patient: Operated, operation: Operation) -> None:
    """Append an operation that the network can take; else store why not. For callbacks."""
    history = surgery_history(look.run.id)
    steps = (*steps_of(history), operation)
    try:
        patient.operated(steps)
    except CnnLabError as error:
        SURGERY_REFUSAL.put(str(error))
        return
    keep_surgery_history(look.run.id, history.edited(as_text(steps)))


def _keep(look: Look, history: UndoStack) -> None:
    """Offer to keep the network as a run of its own."""
    st.caption(
        "Saves this network as a branch, without training, and tests it once on the test images. Branch off it on "
        "Train to fine-tune it."
    )
    if not st.button("Keep it", key="surgery.keep", type="primary"):
        return
    run, steps = look.run, steps_of(history)
    try:
        config = branch_of(run, look.trained.epoch, steps, session.store())
        session.check_sources(config)
        quotas.check(lambda: quotas.needs(config), 0)
        with st.spinner("Testing it on all images …"):
            branch = kept_branch(run, look.trained, steps, session.store(), opened)
    except CnnLabError as error:
        st.error(as_reason(error))
        return
    st.success(f"Kept, with {branch.summary.test_accuracy:.1%} of the test images right.", icon=":material/check:")
    frame.door("Train", "Open it on Train", {RUN.name: branch.id})
