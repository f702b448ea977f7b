"""Inside: what a network has learned, and what it sees."""

from cnnlab.ui.inspect import INSIDE
from cnnlab.ui.inspect.page import explore
from cnnlab.ui.shell import frame
from cnnlab.ui.widgets.diagram import network_of
from cnnlab.ui.widgets.run_picker import pick_run

head = frame.page("Inside", "What the network has learned, and what it sees in an image, after any epoch.")

if run := pick_run("inside.run", head):
    network_of(run, "inside.network")
    explore(run, INSIDE, "inside")
