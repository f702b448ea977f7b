"""What a run is: its title and its main settings in one line."""

from __future__ import annotations

import streamlit as st

from cnnlab.training.titles import value_title
from cnnlab.ui.shell import frame
from cnnlab.ui.train.run_view import RunView

WIDTH = 640  # pixels, of the settings in one line


def headline(view: RunView) -> None:
    """Show the run's title and, in small letters below it, its main settings."""
    st.markdown(f"**{frame.literal(view.title)}**  \n:gray[:small[{_settings(view)}]]")


def _settings(view: RunView) -> str:
    config = view.config
    if view.came_from_elsewhere:
        return "Trained elsewhere: its training data and settings are not known."
    return (
        f"{frame.counted(config.epochs, 'epoch')}, batches of {config.batch_size:,}, {value_title(config.optimizer)}, "
        f"learning rate {config.learning_rate:g} ({config.schedule}), augmentation {value_title(config.augmentation)}, "
        f"seed {config.seed}."
    )
