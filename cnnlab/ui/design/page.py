"""The layout of Design: images and totals above, the diagram, the picked layer's form, the code, the layer list."""

from __future__ import annotations

import streamlit as st

from cnnlab.data.datasets import DATASETS, offered
from cnnlab.networks.architecture import Architecture, Draft, LayerSummary, Place, follow
from cnnlab.networks.diagram import draw_network
from cnnlab.networks.edit import addable_layers, layer_at
from cnnlab.networks.layers import shown
from cnnlab.networks.lint import advise
from cnnlab.networks.source import pytorch_code
from cnnlab.training.config import RunConfig
from cnnlab.ui.design import save_load, state
from cnnlab.ui.design.layer_form import layer_form
from cnnlab.ui.design.layer_stack import layer_stack, place_of
from cnnlab.ui.design.state import BEGINNING, OWN_SIZE, Images
from cnnlab.ui.design.summary import Totals, show_beside, show_totals, totals
from cnnlab.ui.design.timing import keep_time, times
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.flash import tell
from cnnlab.ui.shell.state import DESIGN_BATCH, DESIGN_DATASET, DESIGN_PICTURE
from cnnlab.ui.widgets import run_form as forms
from cnnlab.ui.widgets.bounds import between, is_within
from cnnlab.ui.widgets.diagram import network_picture
from cnnlab.ui.widgets.epoch_timing import measure_again

BESIDE = ("Code", "Compare", "Save and share")


@st.fragment
def design() -> None:
    """Show the whole page; an edit reruns only this fragment."""
    images = _choose_images()
    if images is None:
        return
    draft, picked = state.draft(), state.picked()
    state.note_drawn()
    state.put_into_address()
    rows = follow(draft, images.shape, images.classes)
    problems = [row for row in rows if row.problem]
    time = times(draft, images)
    total = totals(rows, images, time.total)
    note = f"Only the layers before {frame.literal(problems[0].name)}, which does not fit." if problems else time.note
    show_totals(total, images, note)
    _tell_problems(draft, problems)
    svg = draw_network(rows, images.shape, draft.title, picked)
    network_picture(
        svg, key=DESIGN_PICTURE.name, alt=f"The network {draft.title}", name=draft.name, on_click=_pick_clicked
    )
    tell(state.PLACE, ":material/save:")
    code = "" if problems or not draft.layers else pytorch_code(draft, images.shape, images.classes)
    form, listing = st.columns([2, 3], gap="large")  # on a phone the first column comes first: form, then list
    with form:
        _layer(rows, picked, images)
        _beside(draft, total, images, code, svg)
    with listing:
        _toolbar(draft, images, bool(problems))
        layer_stack(rows, advise(rows, images.shape), time.layers, images, picked)
    if time.waiting:
        keep_time(draft, images)


def _pick_clicked() -> None:
    state.act("pick", place_of(DESIGN_PICTURE.get()["clicked"]))


def _choose_images() -> Images | None:
    """Choose the images the network is designed for: a data set's, or any size; None where a number is wrong."""
    chosen, batch, begin = st.columns([2, 1, 2])
    with chosen:
        names = [*offered(DESIGN_DATASET.get()), OWN_SIZE]
        st.selectbox(
            "Images",
            names,
            index=names.index(RunConfig().dataset),
            format_func=lambda name: "Any size" if name == OWN_SIZE else DATASETS[name].title,
            key=DESIGN_DATASET.name,
            persist_state="session",
        )
    with batch:
        size = st.number_input(
            "Batch size, images", value=RunConfig().batch_size, key=DESIGN_BATCH.name, persist_state="session"
        )
        is_right = is_within(size, between(1, 10_000))
    with begin:
        save_load.begin_from()
    if DESIGN_DATASET.get() == OWN_SIZE:
        bounds = {"channels": (1, 512, 3), "height": (1, 1024, 224), "width": (1, 1024, 224), "classes": (2, 1000, 10)}
        for column, (name, (low, high, usual)) in zip(st.columns(4), bounds.items(), strict=True):
            label = f"{name.capitalize()}{', px' if name in ('height', 'width') else ''}"
            with column:
                length = st.number_input(label, value=usual, key=f"design.{name}", persist_state="session")
                is_right &= is_within(length, between(low, high))
    return state.images() if is_right else None


def _tell_problems(draft: Draft, problems: list[LayerSummary]) -> None:
    if not draft.layers:
        st.warning("There are no layers yet. Add some; the last one must be Logits.", icon=":material/construction:")
    for row in problems[:3]:
        st.error(frame.literal(f"{row.name}: {row.problem}."), icon=":material/build:")
    if refusal := state.refusal():
        st.warning(frame.literal(f"Not possible: {refusal}."), icon=":material/block:")


def _toolbar(draft: Draft, images: Images, is_broken: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Undo", icon=":material/undo:", on_click=state.undo, disabled=not state.can_undo())
        st.button("Redo", icon=":material/redo:", on_click=state.redo, disabled=not state.can_redo())
        st.button(
            "Measure again",
            icon=":material/timer:",
            on_click=measure_again,
            help="Measure each layer again, for example if other work slowed the machine down.",
        )
        if st.button(
            "Train this network",
            type="primary",
            icon=":material/model_training:",
            disabled=is_broken or not images.count or not draft.layers,
            help=None if images.count else "Choose a data set to train on.",
        ):
            network = Architecture.model_validate(draft.model_dump())
            forms.take_network(network, images.dataset, images.batch_size)
            frame.go_to("Train")


def _layer(rows: list[LayerSummary], picked: Place, images: Images) -> None:
    """Show the picked layer's form, and the layers that can be added after it."""
    row = next((row for row in rows if row.place == picked), None)
    if row:
        name = frame.literal(row.name)
        st.markdown(f"#### {name}")
        layer_form(row, images)
        where = f"Add after {name}"
    elif picked == BEGINNING:
        st.markdown("#### The images")
        channels, height, width = images.shape
        st.caption(
            f"{shown(images.shape)}: {frame.counted(channels, 'channel')} of {height}×{width} pixels, in "
            f"{images.classes} classes. Select a layer in the list or the diagram to change it."
        )
        where = "Add before the first layer"
    else:
        block = layer_at(state.draft().layers, picked[:-2])
        st.markdown(f"#### {list(block.chains)[picked[-2]]}")
        st.caption("Each branch gets the block's input.")
        where = "Add at the start of this branch"
    st.caption(f"{where}:")
    with st.container(horizontal=True, gap="xsmall"):
        for name, brick in addable_layers().items():
            st.button(name, key=f"design.brick.{name}", on_click=state.add, args=[brick])


def _beside(draft: Draft, total: Totals, images: Images, code: str, svg: str) -> None:
    name = st.segmented_control(
        "Layers shown", BESIDE, default="Code", required=True, key="design.beside", label_visibility="collapsed"
    )
    if name == "Code":
        if code:
            st.code(code, language="python", wrap_lines=True)
        else:
            st.caption("The code appears when every layer fits.")
    elif name == "Compare":
        _compare(draft, total, images)
    else:
        save_load.keep(draft, code, svg)


def _compare(draft: Draft, total: Totals, images: Images) -> None:
    designs = save_load.known()
    chosen = st.selectbox("Compare with", list(designs), key="design.other", persist_state="session")
    other = designs[chosen]
    rows = follow(other, images.shape, images.classes)
    for row in [row for row in rows if row.problem][:1]:
        st.caption(frame.literal(f"{other.title} does not fit these images. {row.name}: {row.problem}."))
    name = other.title if other.title != draft.title else f"{other.title}, the other"
    show_beside(total, totals(rows, images, times(other, images).total), images, (draft.title, name))
    network_picture(
        draw_network(rows, images.shape, other.title),
        key="design.other.picture",
        alt=f"The network {other.title}",
        name=other.name,
    )
