"""A wall of samples of a data set, some of each class."""

from __future__ import annotations

import streamlit as st

from cnnlab.charts.png import inline
from cnnlab.data.download import is_present
from cnnlab.data.loading import load_train
from cnnlab.data.spec import DatasetSpec
from cnnlab.ui.shell.frame import literal
from cnnlab.ui.widgets.images import enlarged

EACH = 10  # samples of a class
CLASSES = 30  # shown at once
SIDE = 64  # pixels


def show_wall(spec: DatasetSpec) -> None:
    """Show a row of training images for each class, where the data set is on this machine."""
    st.caption(f"{literal(spec.source)}. Licence: {literal(spec.licence)}.")
    if not is_present(spec.name):
        size = f"{spec.download_bytes / 1e6:,.0f} MB"
        st.info(f"Not on this machine yet. The first training downloads {size}.", icon=":material/download:")
        return
    train = load_train(spec.name)
    for label, name in enumerate(spec.classes[:CLASSES]):
        chosen = (train.labels == label).nonzero().flatten()[:EACH]
        st.markdown(f"**{literal(name)}**")
        with st.container(horizontal=True, gap="small"):
            for image in train.take(chosen):
                st.image(inline(enlarged(image, SIDE)), width=SIDE, alt=literal(name))
    if len(spec.classes) > CLASSES:
        st.caption(f"The first {CLASSES} of {len(spec.classes):,} classes.")
