"""Train: choose, press the button, watch."""

import streamlit as st

from cnnlab.runs.run import RunError
from cnnlab.training.config import ConfigError
from cnnlab.ui.shell import frame, session
from cnnlab.ui.train.live import recall, watch
from cnnlab.ui.train.rate_finder import learning_rate_finder
from cnnlab.ui.widgets import run_form_link as link
from cnnlab.ui.widgets.run_form import run_form

frame.page("Train", "Choose data, network and hyperparameters; watch it learn.")

live, form = st.columns([5, 2], gap="large")  # on a phone the first column comes first: the curves
job, running = session.current_job(), session.running_job()
with form:
    config = run_form()
    if st.button(
        "Train", type="primary", icon=":material/play_arrow:", disabled=not config or bool(running), width="stretch"
    ):
        try:
            job = session.start(config)
        except (ConfigError, RunError) as error:
            st.error(frame.literal(str(error)), title="This training could not start")
        else:
            link.forget()
            st.rerun()
    if running and running is job:
        st.caption("Only one training runs at a time in a session. Stop this one to start another.")
    elif running:
        st.caption("This session is training another network. Only one training runs at a time.")
        if st.button("See your training", icon=":material/monitoring:"):
            frame.go_to("Train", running.run.id)
    elif config and not config.comes_from:
        learning_rate_finder(config)
    if config:
        link.offer(config)
with live:
    if job:
        watch(job, was_running=running is job)
    elif run := session.current_run():
        frame.warn_of_missing_data()
        recall(run)
    else:
        st.info(
            "Press **Train**: loss and accuracy appear here and update with every batch.", icon=":material/monitoring:"
        )
