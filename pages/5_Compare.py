"""Compare: runs side by side."""

import streamlit as st

from cnnlab.ui import frame, session
from cnnlab.ui.comparison import is_it_better, pick_runs, side_by_side, table_of_runs

frame.page("Compare", "Runs side by side: settings, curves, accuracy of each class.")

runs = session.trained_runs()
if not runs:
    frame.no_runs_yet()
    st.stop()
table_of_runs(runs)
chosen = pick_runs(runs)
if chosen:
    side_by_side(chosen)
    if len(chosen) == 2:
        is_it_better(*chosen)
else:
    st.info("Choose one run to see it, two or more to compare them.")
