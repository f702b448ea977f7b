"""Loading and saving of designs: presets, saved designs, files; export of code, picture and link."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import streamlit as st

from cnnlab.networks.architecture import Architecture, Draft
from cnnlab.networks.designs import (
    MAX_BYTES,
    DesignError,
    Shelf,
    deleted_at,
    deleted_name,
    name_of,
    read_design,
    write_design,
)
from cnnlab.networks.layers import Flatten, Linear
from cnnlab.pretrained.table import NETWORKS
from cnnlab.ui.design import state
from cnnlab.ui.shell import frame, person
from cnnlab.ui.shell.flash import say
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.session import shelf
from cnnlab.ui.shell.state import DESIGN_AWAY, DESIGN_DELETE_OPEN, DESIGN_ERROR, Key, design_field

MAX_UPLOAD = 1  # MB

NOTHING = Architecture(
    name="new-network",
    title="New network",
    layers=(Flatten(), Linear(out_features="classes")),
)


def known() -> dict[str, Draft]:
    """List all designs to start from or compare with, by label: presets first, then saved ones.

    Teachers see those of all.
    """
    found = {preset.title: preset for preset in NETWORKS.values()} | _on(shelf(), "saved")
    if person.is_class() and person.me().is_in_charge:
        names = person.names()
        for owner, others in shelf().others().items():
            found |= _on(others, f"of {names.get(owner, owner[:6])}")
    return found


def _on(saved: Shelf, whose: str) -> dict[str, Draft]:
    """Return the designs on a shelf by label; a damaged file is not offered: loading it shows the error."""
    drafts: dict[str, Draft] = {}
    for name in saved.names():
        with suppress(DesignError):
            drafts[f"{whose}: {name}"] = saved.load(name)
    return drafts


def begin_from() -> None:
    """Show the choice of a starting design; undo restores the previous one."""
    designs = {NOTHING.title: NOTHING, **known()}

    start = design_field("from")

    def begin() -> None:
        if chosen := start.get():
            state.begin(state.copy_of(designs[chosen]))

    st.selectbox(
        "Start from",
        list(designs),
        index=None,
        placeholder="a preset or a saved design",
        key=start.name,
        **state.on_change(begin),
    )


def keep(draft: Draft, code: str, svg: str) -> None:
    """Show the controls to name, save, download, upload and link the design."""
    title, about = design_field("keep", "title"), design_field("keep", "about")
    renaming = state.on_change(_rename, title, about)
    st.text_input("Title", draft.title, max_chars=80, key=title.name, **renaming)
    st.text_area("Description", draft.description, max_chars=400, height=80, key=about.name, **renaming)
    saved = draft.name in shelf().names()
    with st.container(horizontal=True):
        st.button(
            "Save again" if saved else "Save",
            icon=":material/save:",
            on_click=_save,
            help="Replaces the saved design of this name. You can restore that one for seven days." if saved else None,
        )
        _downloads(draft, code, svg)
    whose = "Everyone on this server"
    if person.is_class():
        whose = "Teachers" if person.me().is_in_charge else "Only you"
    st.caption(
        f"{whose} can choose saved designs on Train, this one as “{frame.literal(draft.name)}”. This page's link "
        "contains the design too: send it to share the design."
    )
    st.file_uploader(
        "Open a design's JSON",
        "json",
        key=design_field("keep", "file").name,
        max_upload_size=MAX_UPLOAD,
        **state.on_change(_upload, design_field("keep", "file")),
    )
    if error := DESIGN_ERROR.get():
        st.error(as_reason(error), icon=":material/block:")
    _offer_undo()
    _remove_saved()
    _restore_deleted()


def _downloads(draft: Draft, code: str, svg: str) -> None:
    files = {
        "JSON": ("json", write_design(draft), "application/json"),
        "Python": ("py", code, "text/x-python"),
        "SVG": ("svg", svg, "image/svg+xml"),
    }
    for label, (ending, content, mime) in files.items():
        st.download_button(
            label,
            content,
            f"{draft.name}.{ending}",
            mime,
            icon=":material/download:",
            key=f"design.{ending}",
            on_click="ignore",
            disabled=not content,
        )


def _rename(title_field: Key[str], about_field: Key[str]) -> None:
    title = title_field.get().strip() or "My network"
    about = about_field.get().strip()
    state.change(
        state.draft().model_copy(update={"name": name_of(title), "title": title[:80], "description": about[:400]})
    )


def _save() -> None:
    draft = state.draft()  # with a title typed since the page was drawn
    DESIGN_ERROR.drop()
    if draft.name in NETWORKS:
        DESIGN_ERROR.put("a preset has this name: choose another title")
        return
    try:
        replaced = shelf().save(draft)
    except DesignError as error:
        DESIGN_ERROR.put(str(error))
    else:
        say(state.PLACE, f"Saved as {draft.name}.")
        DESIGN_AWAY.put((replaced, f"Saved as {draft.name}. It replaced another design of this name."))


def _upload(chosen: Key[Any]) -> None:
    file = chosen.get()
    DESIGN_ERROR.drop()
    if file is None:
        return
    try:
        state.begin(state.copy_of(read_design(file.read(MAX_BYTES + 1))))
    except DesignError as error:
        DESIGN_ERROR.put(str(error))


def _remove_saved() -> None:
    names = shelf().names()
    if not names:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Saved designs", names, key="design.saved")
        with st.popover("Delete", icon=":material/delete:", key=DESIGN_DELETE_OPEN.name, on_change="rerun"):
            st.button(
                f"Delete {frame.literal(name)}" + " for everyone" * (not person.is_class()),
                on_click=_delete,
                args=[name],
                help="You can undo this for seven days",
            )


def _delete(name: str) -> None:
    DESIGN_DELETE_OPEN.put(False)  # a second click would delete the next design
    DESIGN_ERROR.drop()
    try:
        DESIGN_AWAY.put((shelf().delete(name), f"Deleted: {name}."))
    except DesignError as error:
        DESIGN_ERROR.put(str(error))


def _offer_undo() -> None:
    """Offer to undo the last deletion or replacement."""
    key, said = DESIGN_AWAY.get()
    if key in shelf().deleted():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(frame.literal(said))
            st.button("Restore it", icon=":material/undo:", type="tertiary", on_click=_restore, args=[key])


def _restore_deleted() -> None:
    keys = shelf().deleted()
    if not keys:
        return
    labels = frame.distinct_labels({key: f"{deleted_at(key)}, {deleted_name(key)}" for key in keys})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = st.selectbox(
            "Deleted or replaced in the last seven days",
            keys,
            format_func=labels.__getitem__,
            key=f"design.deleted.{keys[0]}",
        )
        st.button("Restore", icon=":material/restore_from_trash:", on_click=_restore, args=[key])


def _restore(key: str) -> None:
    DESIGN_AWAY.drop()
    DESIGN_ERROR.drop()
    try:
        shelf().restore(key)
    except DesignError as error:
        DESIGN_ERROR.put(str(error))
    else:
        say(state.PLACE, f"Restored: {deleted_name(key)}.")
