"""A data set of one's own: its pictures, what is doubtful about them, the report and the versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
import streamlit as st

from cnnlab.data.pictures.checking import Finding, all_advice, check, counts, unconfirmed
from cnnlab.data.pictures.confirmed import confirmed
from cnnlab.data.pictures.editing import revert
from cnnlab.data.pictures.version import PictureSetError, Version
from cnnlab.data.spec import DatasetSpec
from cnnlab.errors import CnnLabError
from cnnlab.ui.data import PLACE
from cnnlab.ui.data.first_answers import first_answers
from cnnlab.ui.data.gallery import gallery
from cnnlab.ui.data.none_class import offer_none
from cnnlab.ui.data.packed import download_version
from cnnlab.ui.data.retrain import show_effects
from cnnlab.ui.shell import person
from cnnlab.ui.shell.flash import say
from cnnlab.ui.shell.frame import literal
from cnnlab.ui.shell.own_pictures import own_pictures
from cnnlab.ui.shell.state import DATA_CHOSEN, DATA_FINDING, DATA_VIEW
from cnnlab.ui.widgets.figure import download_table


class _View(NamedTuple):
    question: str
    show: Callable[[Version], None]


def show_own(spec: DatasetSpec) -> None:
    """Show one view of the user's own data set. Raises PictureSetError where it is damaged."""
    version = own_pictures().version(spec.name)
    view = st.segmented_control("View", list(_VIEWS), default="Pictures", required=True, key=DATA_VIEW.name)
    st.caption(_VIEWS[view].question)
    _VIEWS[view].show(version)


@st.cache_data(max_entries=8, show_spinner="Checking every picture …")
def _findings(key: str) -> list[Finding]:
    """Check a version once; its key names what it holds."""
    library = own_pictures()
    version = library.version(key)
    return check(version, library.rows(version), library.pixels(version), library.features(version))


@st.cache_data(max_entries=8, show_spinner=False)
def _advice(key: str) -> list[str]:
    """Say once what a version lets one expect; its key names what it holds."""
    library = own_pictures()
    version = library.version(key)
    return all_advice(version, library.rows(version))


def _pictures(version: Version) -> None:
    rows = own_pictures().rows(version)
    found = counts(version, rows)
    table = pd.DataFrame(
        {
            "Class": [one.name for one in found],
            "Training": [one.train for one in found],
            "Test": [one.test for one in found],
        }
    )
    for line in _advice(version.key):
        st.warning(literal(line), icon=":material/balance:")
    with st.expander(f"Pictures of each of {len(found)} classes"):
        st.dataframe(table, hide_index=True, width="stretch")
    offer_none(version)
    left, right = st.columns(2)
    of_class = left.selectbox("Class", [None, *version.classes], format_func=lambda name: name or "all", key="data.of")
    words = right.text_input("File name contains", key="data.words").lower()
    wanted = [
        number
        for number, row in enumerate(rows)
        if of_class in (None, version.classes[row.label]) and words in row.path.lower()
    ]
    gallery(version, rows, wanted, "all")


def _doubts(version: Version) -> None:
    library = own_pictures()
    rows = library.rows(version)
    found = unconfirmed(_findings(version.key), confirmed(library, version))
    if not found:
        st.success("No problems found in these pictures.", icon=":material/check:")
        return
    titles = {finding.kind: f"{finding.title}: {len(finding.groups):,}" for finding in found}
    if DATA_FINDING.get() not in titles:
        DATA_FINDING.put(found[0].kind)
    kind = st.pills("Finding", list(titles), format_func=titles.__getitem__, required=True, key=DATA_FINDING.name)
    finding = next(finding for finding in found if finding.kind == kind)
    likely = {number: version.classes[label] for number, label in zip(finding.pictures, finding.likely, strict=False)}
    st.caption(finding.advice)
    gallery(version, rows, finding.pictures, finding.kind, _together(finding), likely)


def _together(finding: Finding) -> dict[int, int]:
    """Number the group of each picture, where groups have several."""
    return {number: group + 1 for group, members in enumerate(finding.groups) if len(members) > 1 for number in members}


def _report(version: Version) -> None:
    library = own_pictures()
    contents, rows = library.contents(version), library.rows(version)
    noted = [(row.path, row.note) for row in rows if row.note]
    st.markdown(
        f"**{len(rows):,}** used, **{len(contents.refused):,}** refused, **{len(contents.ignored):,}** ignored, from "
        f"{literal(version.source)}."
    )
    parts = {"refused": contents.refused, "ignored": contents.ignored, "used, changed": noted}
    table = pd.DataFrame(
        [(what, file, reason) for what, files in parts.items() for file, reason in files],
        columns=["What", "File", "Reason"],
    )
    if len(table):
        st.dataframe(table, hide_index=True, width="stretch")
        download_table(lambda: table, f"report-{version.name}-{version.number}")


def _versions(version: Version) -> None:
    versions = own_pictures().versions(version.name)
    table = pd.DataFrame(
        {
            "Version": [one.number for one in versions],
            "Pictures": [one.train + one.test for one in versions],
            "Classes": [len(one.classes) for one in versions],
            "What changed": [one.change for one in versions],
            "When": pd.to_datetime([one.created for one in versions]),
            "Contents": [one.digest for one in versions],
        }
    )
    when = st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm")
    st.dataframe(table, hide_index=True, width="stretch", column_config={"When": when})
    st.caption("Each run keeps the version it was trained on.")
    show_effects(version)
    is_ours = own_pictures().is_ours(version.name)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        others = [one.number for one in versions if one.number != versions[0].number]
        if others and is_ours:
            number = st.selectbox("Go back to version", others, key="data.revert", width=200)
            st.button("Go back", icon=":material/undo:", on_click=_revert, args=[f"{version.name}@{number}"])
        download_version(version)
        if is_ours and person.is_class():
            _share(version)
        if is_ours:
            st.button("Remove this data set", icon=":material/delete:", on_click=_remove, args=[version])
    _removed()


def _share(version: Version) -> None:
    """Show the button that shows the data set to the class, or hides it again."""
    is_shown = own_pictures().belonging(version.name).is_shown
    label, icon = ("Hide again", "visibility_off") if is_shown else ("Show to the class", "groups")
    st.button(
        label,
        icon=f":material/{icon}:",
        on_click=_show,
        args=[version, not is_shown],
        help="The class can see and train on a data set that is shown. Only you and your teachers can change it.",
    )


def _show(version: Version, is_shown: bool) -> None:
    try:
        own_pictures().show(version.name, is_shown)
    except (PictureSetError, OSError) as error:
        say(PLACE, str(error), "error")


def _removed() -> None:
    """Offer to restore data sets that were removed."""
    removed = own_pictures().removed()
    if removed:
        key = st.selectbox("Removed in the last seven days", removed, key="data.removed")
        st.button("Restore", icon=":material/restore_from_trash:", on_click=_restore, args=[key])


def _revert(key: str) -> None:
    library = own_pictures()
    try:
        latest = revert(library, library.version(key))
    except (CnnLabError, OSError) as error:
        say(PLACE, str(error), "error")
        return
    DATA_CHOSEN.put(latest.key)
    say(PLACE, f"Version {latest.number} is a copy of version {key.partition('@')[2]}.", "success")


def _remove(version: Version) -> None:
    try:
        own_pictures().remove(version.name)
    except (PictureSetError, OSError) as error:
        say(PLACE, str(error), "error")
        return
    DATA_CHOSEN.drop()
    say(PLACE, f"{version.title} is removed. You can restore it for seven days, below any other data set.", "success")


def _restore(key: str) -> None:
    library = own_pictures()
    try:
        DATA_CHOSEN.put(library.version(library.restore(key)).key)
    except (PictureSetError, OSError) as error:
        say(PLACE, str(error), "error")


_VIEWS = {
    "Pictures": _View("What is in it? Each picture as the network gets it, beside the original.", _pictures),
    "Findings": _View("What looks wrong? Check it, move a picture to another class, or remove it.", _doubts),
    "First answers": _View(
        "Can a network tell the classes apart? A network that knows a million photos tries.", first_answers
    ),
    "Report": _View("What happened to each file?", _report),
    "Versions": _View("What has changed since you added it?", _versions),
}
