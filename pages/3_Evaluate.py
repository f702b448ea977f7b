"""Evaluate: how good a network is, and where it goes wrong."""

from cnnlab.ui import frame
from cnnlab.ui.explore import explore
from cnnlab.ui.forms import pick_run
from cnnlab.ui.views import EVALUATE

frame.page("Evaluate", "How good the network is on test images, class by class, and where it goes wrong.")

if run := pick_run("evaluate.run"):
    explore(run, EVALUATE, "evaluate")
