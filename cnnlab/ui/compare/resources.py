"""Resources: what the chosen runs took of the machine while they trained."""

from __future__ import annotations

from statistics import mean

import pandas as pd
import streamlit as st

from cnnlab.charts.resources import overlaid
from cnnlab.runs.comparison import colours
from cnnlab.runs.entry import Entry
from cnnlab.runs.resource_log import NAME, read_samples
from cnnlab.training.resources import Sample, joules
from cnnlab.ui.compare.selection import Chosen
from cnnlab.ui.widgets.curves import legend
from cnnlab.ui.widgets.figure import download_table
from cnnlab.ui.widgets.live_chart import live_chart

LINE = 2  # points that a line needs

_FORMATS = {
    "Processor, mean": st.column_config.NumberColumn(format="%.0f%%", help="Of one core: two busy cores are 200%."),
    "Memory, peak": st.column_config.NumberColumn(format="%,.0f MB", help="Of the whole program on the server."),
    "GPU energy": st.column_config.NumberColumn(format="%,.0f J", help="By the GPU's own counter."),
}


def resources(chosen: Chosen) -> None:
    """Show processor and memory of the runs in which they were noted; nothing where there is none."""
    known = {name: samples for name, entry in chosen.named.items() if len(samples := _samples(entry)) >= LINE}
    if not known:
        return
    st.subheader("What they took of the machine", anchor=False)
    shades = colours({name: chosen.named[name] for name in known})
    legend(shades)
    names = ("Processor", "Memory")
    for place, name, plot in zip(st.columns(2), names, overlaid(known, shades), strict=True):
        with place:
            live_chart(plot, f"compared-{name.lower()}", "", f"{name} of the runs by seconds of training")
    rows = pd.DataFrame([_row(name, samples) for name, samples in known.items()]).dropna(axis=1, how="all")
    st.dataframe(rows, hide_index=True, column_config=_FORMATS)
    download_table(lambda: _long(known), "compared-resources")
    st.caption("Other trainings in the same program at the same time are included.")


def _samples(entry: Entry) -> list[Sample]:
    path = entry.run.folder / NAME
    return _read(entry.id, path.stat().st_mtime_ns if path.exists() else 0, entry)


@st.cache_resource(max_entries=256, show_spinner=False)  # not copied, which is slow: nobody changes it
def _read(run_id: str, changed: int, _entry: Entry) -> list[Sample]:
    return read_samples(_entry.run)


def _row(name: str, samples: list[Sample]) -> dict[str, object]:
    return {
        "Run": name,
        "Processor, mean": mean(sample.core_percent for sample in samples),
        "Memory, peak": max(sample.memory_mb for sample in samples),
        "GPU energy": joules(samples),
    }


def _long(known: dict[str, list[Sample]]) -> pd.DataFrame:
    rows = [{"run": name, **sample.model_dump()} for name, samples in known.items() for sample in samples]
    return pd.DataFrame(rows).dropna(axis=1, how="all")
