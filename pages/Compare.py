"""Compare: find runs, tick some, and see what sets them apart."""

import streamlit as st

from cnnlab.runs.comparison import short_names
from cnnlab.ui.compare import Chosen, compare
from cnnlab.ui.compare.actions import import_runs, toolbar
from cnnlab.ui.compare.run_search import find_runs
from cnnlab.ui.compare.run_table import choose_runs, warn_of_missing
from cnnlab.ui.shell import frame, session

frame.page("Compare", "Runs side by side: how they learned, what they got right and what they cost.")

entries = session.trained_runs()
if not entries:
    warn_of_missing(entries.by_id)
    frame.no_runs_yet()
    import_runs()
    st.stop()
listed = find_runs(entries)
chosen = choose_runs(entries, listed)
toolbar(chosen, entries)
if chosen:
    compare(Chosen(short_names(chosen), listed, entries))
else:
    st.info("Select one run to see it, two or more to compare them.", icon=":material/checklist:")
