"""Pictures of a version in rows, each as the network gets it beside the original, to tick, move or remove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from cnnlab.charts.png import inline, jpeg_url
from cnnlab.data.datasets import own_pictures
from cnnlab.data.pictures.editing import change
from cnnlab.data.pictures.version import Row, Version
from cnnlab.errors import CnnLabError
from cnnlab.ui.data import PLACE
from cnnlab.ui.data.changed import tell_change
from cnnlab.ui.data.found import clash
from cnnlab.ui.shell.flash import say
from cnnlab.ui.shell.frame import counted, literal
from cnnlab.ui.shell.state import DATA_MOVE_TO, DATA_NEW_CLASS
from cnnlab.ui.widgets.images import enlarged

AT_ONCE = 40  # pictures of a page
SIDE = 96  # pixels
ROW_HEIGHT = 84  # pixels
OTHER = "a new class …"


def gallery(
    version: Version, rows: Sequence[Row], numbers: Sequence[int], what: str, together: Mapping[int, int] | None = None
) -> None:
    """Show the pictures ``numbers`` in a table to tick, with what can be done to the ticked ones.

    ``together`` numbers the groups of those that belong together.
    """
    if not numbers:
        st.info("No picture is like that.", icon=":material/search_off:")
        return
    pages = -(-len(numbers) // AT_ONCE)
    page = st.pagination(pages, key=f"data.page.{what}.{len(numbers)}") if pages > 1 else 1
    shown = list(numbers[(page - 1) * AT_ONCE : page * AT_ONCE])
    table = _table(version, rows, shown, together or {})
    chosen = st.dataframe(
        table,
        key=f"data.rows.{version.key}.{what}.{page}",
        column_config={
            "Network gets": st.column_config.ImageColumn(width="small"),
            "Original": st.column_config.ImageColumn(width="small"),
        },
        hide_index=True,
        row_height=ROW_HEIGHT,
        on_select="rerun",
        selection_mode="multi-row",
        width="stretch",
    )
    ticked = [shown[at] for at in chosen["selection"]["rows"] if at < len(shown)]
    st.caption(f"{counted(len(numbers), 'picture')}. Tick rows to move or remove them; double-click one to enlarge it.")
    _actions(version, ticked)


def _actions(version: Version, ticked: Sequence[int]) -> None:
    """Show what can be done to the ticked pictures."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Move to", [*version.classes, OTHER], key=DATA_MOVE_TO.name, width=240)
        if DATA_MOVE_TO.get() == OTHER:
            st.text_input("Its name", key=DATA_NEW_CLASS.name, max_chars=80)
        st.button(
            f"Move {len(ticked)}",
            icon=":material/drive_file_move:",
            disabled=not (ticked and _target(version)),
            on_click=_move,
            args=[version, ticked],
        )
        st.button(
            f"Remove {len(ticked)}",
            icon=":material/delete:",
            disabled=not ticked,
            on_click=_change,
            args=[version, {}, ticked],
        )
    if DATA_MOVE_TO.get() == OTHER and (error := clash([*version.classes, DATA_NEW_CLASS.get()])):
        st.error(literal(error))


def _target(version: Version) -> str:
    """Return the class to move pictures to; empty where it has no name yet, or one that another class has."""
    if DATA_MOVE_TO.get() != OTHER:
        return DATA_MOVE_TO.get()
    name = DATA_NEW_CLASS.get().strip()
    return "" if clash([*version.classes, name]) else name


def _move(version: Version, numbers: Sequence[int]) -> None:
    if target := _target(version):  # it may have been cleared since the page was drawn
        _change(version, dict.fromkeys(numbers, target), [])


def _table(version: Version, rows: Sequence[Row], shown: Sequence[int], together: Mapping[int, int]) -> pd.DataFrame:
    library = own_pictures()
    pixels = library.pixels(version)
    small = [inline(enlarged(pixels[rows[number].row], SIDE)) for number in shown]
    columns: dict[str, list[object]] = {
        "Network gets": list(small),
        "Original": [
            jpeg_url(preview) if (preview := library.preview(version, rows[number])) else small[at]
            for at, number in enumerate(shown)
        ],
        "Class": [version.classes[rows[number].label] for number in shown],
        "File": [rows[number].path for number in shown],
        "Pixels": [f"{rows[number].width}×{rows[number].height}" for number in shown],
        "Split": [{"train": "training", "test": "test"}[rows[number].split] for number in shown],
    }
    if together:
        columns = {"Group": [together.get(number, 0) for number in shown], **columns}
    return pd.DataFrame(columns)


def _change(version: Version, moved: Mapping[int, str], removed: Sequence[int]) -> None:
    try:
        latest = change(own_pictures(), version, moved, set(removed))
    except (CnnLabError, OSError) as error:
        say(PLACE, str(error), "error")
        return
    tell_change(latest)
