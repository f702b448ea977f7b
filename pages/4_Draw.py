"""Draw: a character on the canvas, named by a trained network."""

import streamlit as st

from cnnlab.ui import frame
from cnnlab.ui.draw import draw_and_ask
from cnnlab.ui.forms import pick_run

frame.page("Draw", "Draw a digit; the network names it when you lift the pen.")

if run := pick_run("draw.run", drawn_only=True):
    st.fragment(draw_and_ask)(run)
