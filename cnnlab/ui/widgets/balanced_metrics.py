"""Balanced accuracy and macro F1, shown beside accuracy where the classes of a data set differ in size."""

from __future__ import annotations

import streamlit as st


def balanced_metrics(accuracy: float | None, macro_f1: float | None) -> None:
    """Show both as fractions; runs of older versions have no macro F1."""
    st.metric(
        "Balanced accuracy",
        "–" if accuracy is None else f"{accuracy:.1%}",
        help="The mean accuracy of all classes. Here some classes have many more images than others. They dominate "
        "accuracy; balanced accuracy counts all classes equally.",
    )
    st.metric(
        "Macro F1",
        "–" if macro_f1 is None else f"{macro_f1:.1%}",
        help="The mean F1 of all classes. A class's F1 is low if the network misses it or predicts it wrongly.",
    )
