"""Evaluate: how good a network is, and where it goes wrong."""

from cnnlab.ui.inspect import EVALUATE
from cnnlab.ui.inspect.page import explore
from cnnlab.ui.inspect.what_next import what_next
from cnnlab.ui.shell import frame, session
from cnnlab.ui.widgets.run_picker import pick_run

head = frame.page("Evaluate", "How good the network is on test images, class by class, and where it is wrong.")

if run := pick_run("evaluate.run", head):
    explore(run, EVALUATE, "evaluate")
    if not session.is_training(run.id):
        what_next(run)
