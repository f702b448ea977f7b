"""Data sets of one's own pictures, as the session's person may see and change them."""

from __future__ import annotations

from streamlit.runtime.scriptrunner import get_script_run_ctx

from cnnlab.data import datasets
from cnnlab.data.datasets import DATASETS
from cnnlab.data.pictures.store import Library, is_own_key
from cnnlab.people.rights import Action
from cnnlab.ui.shell import person


def own_pictures() -> Library:
    """Open the data sets; new ones are the person's, who can change only those."""
    return datasets.own_pictures(person.owner())


def sees_pictures(dataset: str) -> bool:
    """Check whether the session's person may see one's own pictures of that name; threads of trainings may see all."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return True
    return person.may(Action.SEE, datasets.own_pictures().belonging(dataset.partition("@")[0]))


def may_train_on(dataset: str) -> bool:
    """Check whether the session's person may choose a data set for a training."""
    return not is_own_key(dataset) or sees_pictures(dataset)


DATASETS.is_seen = sees_pictures
