"""Pictures of a version in rows, each as the network gets it beside the original, to tick, move or remove."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd
import streamlit as st

from cnnlab.charts.png import inline, jpeg_url
from cnnlab.data.pictures.confirmed import confirm
from cnnlab.data.pictures.editing import change
from cnnlab.data.pictures.version import PictureSetError, Row, Version
from cnnlab.errors import CnnLabError
from cnnlab.ui.data import PLACE
from cnnlab.ui.data.changed import tell_change
from cnnlab.ui.data.found import clash
from cnnlab.ui.shell.flash import say
from cnnlab.ui.shell.frame import counted
from cnnlab.ui.shell.own_pictures import own_pictures
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import DATA_MOVE_LIKELY, DATA_MOVE_TO, DATA_NEW_CLASS, Key
from cnnlab.ui.widgets.images import enlarged

AT_ONCE = 40  # pictures of a page
SIDE = 96  # pixels
ROW_HEIGHT = 84  # pixels
OTHER = "a new class …"
LIKELY = "what it looks like"


def gallery(
    version: Version,
    rows: Sequence[Row],
    numbers: Sequence[int],
    what: str,
    together: Mapping[int, int] | None = None,
    likely: Mapping[int, str] | None = None,
) -> None:
    """Show the pictures ``numbers`` in a table to tick, with what can be done to the ticked ones.

    ``together`` numbers the groups of those that belong together; ``likely`` names the class that each looks like,
    where its label is in doubt.
    """
    if not numbers:
        st.info("No pictures match.", icon=":material/search_off:")
        return
    pages = -(-len(numbers) // AT_ONCE)
    page = st.pagination(pages, key=f"data.page.{what}.{len(numbers)}") if pages > 1 else 1
    shown = list(numbers[(page - 1) * AT_ONCE : page * AT_ONCE])
    table = _table(version, rows, shown, together or {}, likely or {})
    chosen = st.dataframe(
        table,
        key=f"data.rows.{version.key}.{what}.{len(numbers)}.{page}",
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
    st.caption(
        f"{counted(len(numbers), 'picture')}. Select rows to move or remove them. Double-click a picture to enlarge it."
    )
    if own_pictures().is_ours(version.name):
        _actions(version, {number: likely[number] if likely else "" for number in ticked}, bool(likely))


def _actions(version: Version, ticked: Mapping[int, str], is_doubted: bool) -> None:
    """Show what can be done to the ticked pictures, each with the class that it looks like."""
    place = DATA_MOVE_LIKELY if is_doubted else DATA_MOVE_TO
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Move to", [*([LIKELY] * is_doubted), *version.classes, OTHER], key=place.name, width=240)
        if place.get() == OTHER:
            st.text_input("Name", key=DATA_NEW_CLASS.name, max_chars=80)
        st.button(
            f"Move {len(ticked)}",
            icon=":material/drive_file_move:",
            disabled=not (ticked and _target(version, place.get())),
            on_click=_move,
            args=[version, ticked, place],
        )
        st.button(
            f"Remove {len(ticked)}",
            icon=":material/delete:",
            disabled=not ticked,
            on_click=_change,
            args=[version, {}, ticked],
        )
        if is_doubted:
            st.button(
                f"Keep {len(ticked)} as they are",
                icon=":material/check:",
                disabled=not ticked,
                on_click=_confirm,
                args=[version, ticked],
            )
    if place.get() == OTHER and (error := clash([*version.classes, DATA_NEW_CLASS.get()])):
        st.error(as_reason(error))


def _target(version: Version, chosen: str) -> str:
    """Return the class to move pictures to; empty where it has no name yet, or one that another class has."""
    if chosen != OTHER:
        return chosen
    name = DATA_NEW_CLASS.get().strip()
    return "" if clash([*version.classes, name]) else name


def _move(version: Version, ticked: Mapping[int, str], place: Key[str]) -> None:
    if target := _target(version, place.get()):  # it may have been cleared since the page was drawn
        _change(version, ticked if target == LIKELY else dict.fromkeys(ticked, target), [])


def _confirm(version: Version, numbers: Collection[int]) -> None:
    try:
        confirm(own_pictures(), version, numbers)
    except (PictureSetError, OSError) as error:
        say(PLACE, str(error), "error")


def _table(
    version: Version,
    rows: Sequence[Row],
    shown: Sequence[int],
    together: Mapping[int, int],
    likely: Mapping[int, str],
) -> pd.DataFrame:
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
        **({"Looks like": [likely[number] for number in shown]} if likely else {}),
        "File": [rows[number].path for number in shown],
        "Pixels": [f"{rows[number].width}×{rows[number].height}" for number in shown],
        "Split": [{"train": "training", "test": "test"}[rows[number].split] for number in shown],
    }
    if together:
        columns = {"Group": [together.get(number, 0) for number in shown], **columns}
    return pd.DataFrame(columns)


def _change(version: Version, moved: Mapping[int, str], removed: Collection[int]) -> None:
    try:
        latest = change(own_pictures(), version, moved, set(removed))
    except (CnnLabError, OSError) as error:
        say(PLACE, str(error), "error")
        return
    tell_change(latest)
