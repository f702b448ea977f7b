"""Home: what this is, and one button that trains the default network."""

import streamlit as st

from cnnlab.charts.png import inline
from cnnlab.data.datasets import DATASETS
from cnnlab.data.loading import load
from cnnlab.training.recipes import RECIPES
from cnnlab.ui.compare.run_table import table_of_runs
from cnnlab.ui.shell import frame, session
from cnnlab.ui.widgets.images import digit_wall

frame.page("Home", "Train a small convolutional network, watch it learn, then look inside.", title="CNN Lab")

story, picture = st.columns([3, 2], gap="large")
with story:
    st.markdown(
        "Pick a data set and a network, press **Train**, and see loss and accuracy move with every batch. Then look "
        "at the filters it learned, draw a digit and see it named, and compare runs class by class."
    )
    training = session.running_job()
    label = "See your training" if training else "Train a network now"
    if st.button(label, type="primary", icon=":material/play_arrow:", key="home.train"):
        with frame.errors_shown():
            job = training or session.start(RECIPES["default"].config)
            frame.go_to("Train", job.run.id)
    sample = DATASETS[RECIPES["default"].config.dataset]
    st.caption(f"{sum(sample.sizes):,} real handwritten digits come with the app: nothing is downloaded.")
with picture:
    st.image(
        inline(digit_wall(load(sample.name).train)), alt="Handwritten digits of the embedded sample", width="stretch"
    )

steps = {
    "Learn": "See what a convolution does, and each step from pixels to an answer.",
    "Data": "Look at the data sets, and add your own pictures.",
    "Design": "Build a network layer by layer; see what each choice costs.",
    "Train": "Choose data, network and settings; watch the curves live.",
    "Inside": "See the filters each layer learned and what they find in an image.",
    "Evaluate": "See what it gets wrong, class by class, and how sure that is.",
    "Draw": "Draw a digit and see what the network sees, and how sure it is.",
    "Compare": "Put runs side by side, and see whether a difference is more than chance.",
    "Sweep": "Let the computer try settings, and see which matter.",
}
pages = list(steps.items())
for row in (pages[:3], pages[3:6], pages[6:]):
    for column, (page, text) in zip(st.columns(3), row, strict=True):
        with column.container(border=True, height="stretch"):
            frame.link(page, page)
            st.caption(text)

recent = session.trained_runs()[:5]
if recent:
    st.subheader("Latest runs")
    table_of_runs(recent)
