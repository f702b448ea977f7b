"""Draw: a character on the canvas, in a photo or in a picture, named by trained networks."""

from cnnlab.ui.draw import show_and_ask
from cnnlab.ui.shell import frame
from cnnlab.ui.widgets.run_picker import pick_runs

frame.page("Draw", "Draw a digit; networks name it when you lift the pen.")

if entries := pick_runs("draw.runs"):
    show_and_ask(entries)
