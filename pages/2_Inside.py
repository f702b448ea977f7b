"""Inside: what a network has learned, and what it sees."""

from cnnlab.ui import frame
from cnnlab.ui.explore import explore
from cnnlab.ui.forms import pick_run
from cnnlab.ui.network_picture import network_of
from cnnlab.ui.views import INSIDE

frame.page("Inside", "What the network has learned, and what it sees in an image, after any epoch.")

if run := pick_run("inside.run"):
    network_of(run, "inside.network")
    explore(run, INSIDE, "inside")
