"""Inside: what a network has learned, and what it sees."""

from cnnlab.ui import frame
from cnnlab.ui.forms import pick_run
from cnnlab.ui.inside import inside

frame.page("Inside", "What the network has learned, and what it sees in an image, after any epoch.")

if run := pick_run("inside.run"):
    inside(run)
