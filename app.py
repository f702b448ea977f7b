"""Home: draw a digit and see a network read it; then three doors."""

import streamlit as st

from cnnlab.charts.png import inline
from cnnlab.data.loading import load
from cnnlab.ui.compare.run_table import table_of_latest
from cnnlab.ui.home.doors import doors
from cnnlab.ui.home.try_it import try_it
from cnnlab.ui.shell import frame, session
from cnnlab.ui.shell.address import VISIT
from cnnlab.ui.visit.page import visit
from cnnlab.ui.widgets.images import digit_wall

LATEST = 5  # rows

if asked := VISIT.value():
    visit(asked)
    st.stop()

frame.page("Home", "Draw a digit: a small network reads it while you draw.", title="CNN Lab")

if example := session.example():
    try_it(example)
else:
    st.image(inline(digit_wall(load("mnist-sample").train)), alt="Handwritten digits", width="stretch")

doors()

if runs := session.trained_runs():
    st.subheader("Latest runs")
    table_of_latest(runs, LATEST)
