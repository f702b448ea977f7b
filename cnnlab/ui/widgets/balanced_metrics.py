"""Balanced accuracy and macro F1, shown beside accuracy where the classes of a data set differ in size."""

from __future__ import annotations

import streamlit as st


def balanced_metrics(accuracy: float | None, macro_f1: float | None) -> None:
    """Show both as fractions; runs of older versions have no macro F1."""
    st.metric(
        "Balanced accuracy",
        "–" if accuracy is None else f"{accuracy:.2%}",
        help="The mean of the classes' accuracies. Here some classes have many more images than others: accuracy is "
        "mostly that of the large ones, this counts all alike.",
    )
    st.metric(
        "Macro F1",
        "–" if macro_f1 is None else f"{macro_f1:.2%}",
        help="The mean of the classes' F1, each of which is low where a class is missed or others are taken for it.",
    )
