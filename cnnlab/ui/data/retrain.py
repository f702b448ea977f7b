"""Did a change help? A run of an older version, trained again on this one, and both compared."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnlab.data.pictures.version import PictureSetError, Version
from cnnlab.evaluation.significance import LEVEL
from cnnlab.quantities import p_value, percent, signed
from cnnlab.runs.data_changes import Effect, effect_of_change
from cnnlab.runs.entry import Entry, settings_digest
from cnnlab.runs.run import RunError
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.ui.shell import session
from cnnlab.ui.shell.frame import counted, go_to, literal
from cnnlab.ui.shell.networks import trained_network
from cnnlab.ui.shell.own_pictures import own_pictures
from cnnlab.ui.shell.reasons import as_reason


def show_effects(version: Version) -> None:
    """Offer to train a run of an older version again on ``version``, and compare those that were."""
    runs = [one for one in session.trained_runs() if one.dataset.startswith(f"{version.name}@")]
    versions = {name: _older(name, version) for name in {one.dataset for one in runs}}
    entries = [one for one in runs if one.row["Parent"] == "none"]
    older = {entry.id: (entry, old) for entry in entries if (old := versions[entry.dataset])}
    if not older:
        return
    st.subheader("Did the change help?")
    chosen = st.selectbox(
        "A run of an older version",
        list(older),
        format_func=lambda run_id: f"version {older[run_id][1].number}: {older[run_id][0].label}",
        key=f"data.retrain.{version.key}",
    )
    entry, old = older[chosen]
    settings = settings_digest(_config(entry, version))
    again = [one for one in entries if one.settings == settings]
    if again:
        _tell(entry, old, again, version)
        return
    st.caption("Trains it again with the same settings and seed. Only the pictures and labels differ.")
    if st.button(f"Train it on version {version.number}", icon=":material/model_training:", type="primary"):
        try:
            session.start(_config(entry, version))
        except (RunError, ConfigError) as error:
            st.error(as_reason(error), title="This training could not start")
            return
        go_to("Train")


def _older(name: str, version: Version) -> Version | None:
    """Return the data set ``name`` where it is an older version of the same pictures; None where it is not."""
    try:
        found = own_pictures().version(name)
    except PictureSetError:
        return None
    is_older = found.name == version.name and found.number < version.number and found.digest != version.digest
    return found if is_older and version.shares_pixels(found) else None


def _config(entry: Entry, version: Version) -> RunConfig:
    return entry.config.model_copy(update={"dataset": version.key})


def _tell(entry: Entry, old: Version, again: Sequence[Entry], version: Version) -> None:
    """Compare the run with the newest that was trained again."""
    try:
        effect = _effect(f"{entry.id} {again[0].id}", old, version, entry, again[0])
    except (PictureSetError, RunError) as error:
        st.caption(f"These runs cannot be compared: {literal(str(error))}.")
        return
    tested, images = effect.comparison, counted(len(effect.before), "test picture")
    first, second = f"{tested.only_first:,}", f"{tested.only_second:,}"
    verdict = "No evidence of a difference" if tested.p >= LEVEL else "More than chance"
    with st.container(horizontal=True):
        st.metric(f"Version {old.number}", percent(effect.before.mean()))
        change = 100 * (effect.after.mean() - effect.before.mean())
        st.metric(
            f"Version {version.number}",
            percent(effect.after.mean()),
            f"{signed(change)} points",
            delta_color="inverse" if change < 0 else "normal",
            delta_arrow="down" if change < 0 else "up",
        )
    st.markdown(
        f"**{verdict}** (p {p_value(tested.p)}, McNemar's exact test). Of {images} in both versions, only the "
        f"older run gets {first} right, only the newer one {second}. Labels are from version {version.number}."
    )


@st.cache_data(max_entries=16, show_spinner="Testing both networks")
def _effect(runs: str, _old: Version, _new: Version, _before: Entry, _after: Entry) -> Effect:
    """Ask both networks once; recorded as a use of the test set of either."""
    before, after = (trained_network(entry.run) for entry in (_before, _after))
    for entry, trained in ((_before, before), (_after, after)):
        entry.run.count_look(trained.epoch)
    return effect_of_change(_old, _new, before, after)
