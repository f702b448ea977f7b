"""Draw: a character on the canvas, in a photo or a picture, or what a camera sees, named by trained networks."""

from cnnlab.ui.draw import show_and_ask
from cnnlab.ui.shell import frame
from cnnlab.ui.widgets.run_picker import pick_runs

head = frame.page("Draw", "Draw a character or point the camera at something: your networks name it at once.")

if entries := pick_runs("draw.runs", head):
    show_and_ask(entries)
