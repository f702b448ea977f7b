"""Draw: a character on the canvas, in a photo or in a picture, named by trained networks."""

from cnnlab.ui import frame
from cnnlab.ui.draw import show_and_ask
from cnnlab.ui.forms import pick_runs

frame.page("Draw", "Draw a digit; networks name it when you lift the pen.")

if entries := pick_runs("draw.runs"):
    show_and_ask(entries)
