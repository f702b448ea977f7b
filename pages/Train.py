"""Train: choose, press the button, watch."""

import streamlit as st

from cnnlab.ui.shell import frame, session
from cnnlab.ui.train import headline, rail
from cnnlab.ui.train.live import current_view, watch

head = frame.page("Train", "Choose data, network and hyperparameters; watch it learn.", beside=headline.WIDTH)

running = session.running_job()
with st.container(horizontal=True, gap="large"):
    live = st.container()  # on a phone it comes first: the curves
    with st.container(width=rail.WIDTH):
        may_start = rail.rail()
with live, frame.errors_shown():
    if view := current_view():
        with head:
            headline.headline(view)
        if not view.job:
            frame.warn_of_missing_data()
        watch(view, was_running=view.job is not None and running is view.job)
    elif may_start:
        st.info(
            "Press **Train**: loss and accuracy appear here and update with every batch.", icon=":material/monitoring:"
        )
    else:
        st.info("Loss and accuracy appear here once a training has started.", icon=":material/monitoring:")
