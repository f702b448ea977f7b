"""A class "none" by a click, of pictures of another data set."""

from __future__ import annotations

import streamlit as st

from cnnlab.analysis.ood import NONE, is_none
from cnnlab.data.borrowing import borrow, lenders, usual_count
from cnnlab.data.pictures.version import Version
from cnnlab.ui.data import PLACE
from cnnlab.ui.data.add_pictures import NONE_HELP, begin
from cnnlab.ui.shell.flash import say
from cnnlab.ui.shell.frame import counted, distinct_labels
from cnnlab.ui.shell.own_pictures import own_pictures
from cnnlab.ui.shell.state import DATA_ADDING, lender_of


def offer_none(version: Version) -> None:
    """Offer to add a class "none" where there is no such class and another data set can lend one."""
    has_one = any(map(is_none, version.classes)) or not own_pictures().is_ours(version.name)
    specs = {} if has_one else {spec.name: spec for spec in lenders(version)}
    if not specs:
        return
    titles = distinct_labels({name: spec.title for name, spec in specs.items()})
    count = usual_count(own_pictures(), version)
    work = DATA_ADDING.get()
    with st.popover("Add a class “none”", icon=":material/add:", help=NONE_HELP):
        st.selectbox(
            "From the data set", list(specs), format_func=titles.__getitem__, key=lender_of(version.key).name, width=320
        )
        st.caption(
            f"{counted(count, 'picture')} at random: as many as your classes usually have, or all there are. They are "
            "converted to your size and colours. Choose a data set similar to yours."
        )
        st.button(
            f"Add {counted(count, 'picture')}",
            type="primary",
            icon=":material/add:",
            disabled=bool(work and work.is_running),
            on_click=_add,
            args=[version],
        )


def _add(version: Version) -> None:
    spec = next((spec for spec in lenders(version) if spec.name == lender_of(version.key).get()), None)
    if spec:
        begin(borrow(own_pictures(), version, spec, NONE))
    else:
        say(PLACE, "This data set no longer exists: choose another.", "error")
