"""The parts of Compare: the list of runs, the actions on them, and the views of the chosen ones."""

import streamlit as st

from cnnlab.ui.compare import classes, costs, curves, hyperparameters, luck, pairs, settings, test_set
from cnnlab.ui.compare.guess import guess_of
from cnnlab.ui.compare.selection import Chosen, CompareView
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.glossary_links import explain

VIEWS: dict[str, CompareView] = {
    "Curves": CompareView("How did they learn? Validation loss and accuracy of all runs together.", curves.show),
    "Settings": CompareView("Which settings differ?", settings.show, tells_results=False),
    "Each class": CompareView("Which run is better at which class, and on which images do they differ?", classes.show),
    "Which is better?": CompareView(
        "Is the difference more than chance, and more than the seeds' noise? Every pair, on the same test images.",
        pairs.show,
    ),
    "Luck": CompareView("On which test images does the seed decide?", luck.show),
    "Test set": CompareView(
        "How often was the test set used, and how much of the best accuracy is luck?", test_set.show
    ),
    "Cost": CompareView("What does accuracy cost? All runs in the list above.", costs.show),
    "Hyperparameters": CompareView("Which settings work best? All runs in the list above.", hyperparameters.show),
}


@st.fragment  # a change of view does not read thousands of runs again
@frame.errors_shown()
def compare(chosen: Chosen) -> None:
    """Show the views of the chosen runs, one at a time; those that tell results wait for whoever guesses first."""
    above = st.container()
    name = st.segmented_control(
        "View", list(VIEWS), default=next(iter(VIEWS)), required=True, key="compare.view", persist_state="session"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        explain(VIEWS[name].question, name)
        beside = st.container(width="content")
    with above:
        may_show = guess_of(chosen, beside)
    if may_show or not VIEWS[name].tells_results:
        VIEWS[name].show(chosen)
    else:
        st.caption("The results wait for your guess.")


__all__ = ["VIEWS", "Chosen", "CompareView", "compare"]
