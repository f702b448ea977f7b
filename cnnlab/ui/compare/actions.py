"""Actions on runs: name, tag, note, pin, download, delete and restore, import."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from pydantic import ValidationError

from cnnlab.data.datasets import DATASETS
from cnnlab.data.pictures.store import is_own_key
from cnnlab.errors import first_error
from cnnlab.export.portable import Portable
from cnnlab.export.report.comparison_report import comparison_report
from cnnlab.export.report.run_report import run_report
from cnnlab.files import through_file
from cnnlab.palette import NAMES
from cnnlab.people.rights import Action
from cnnlab.runs.archive import ArchiveError, Unpacked, pack, unpack
from cnnlab.runs.archive_pictures import versions_of
from cnnlab.runs.comparison import short_names
from cnnlab.runs.entry import Entry
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import runs_folder
from cnnlab.runs.summary import About
from cnnlab.runs.trained import test_answers
from cnnlab.ui.compare.bring_in import bring_in
from cnnlab.ui.compare.deleted import delete, offer_deleted, offer_way_back
from cnnlab.ui.compare.other_tools import send
from cnnlab.ui.shell import person, quotas, run_changes, session
from cnnlab.ui.shell.flash import say, tell
from cnnlab.ui.shell.frame import counted, go_to, literal
from cnnlab.ui.shell.own_pictures import may_train_on
from cnnlab.ui.shell.state import DELETED_RUNS, about_field
from cnnlab.ui.widgets.quota_room import is_full
from cnnlab.ui.widgets.take_away import take_away

MAX_UPLOAD = 500  # MB in memory: about sixteen default runs

EXPORT_HELP = "Select one run: saves its network as files that run elsewhere"

_PLACE = "compare"  # where the result of the last action is shown


def toolbar(chosen: Sequence[Entry], entries: Sequence[Entry]) -> None:
    """Show a row of actions for the ticked runs, and the result of the last one."""
    with st.container(horizontal=True, vertical_alignment="center"):
        own = [entry for entry in chosen if person.may(Action.DESCRIBE, entry)]
        with st.popover("Rename and tag", icon=":material/edit:", disabled=not own):
            if own:
                _describe(own, entries)
        if st.button(
            "Open",
            icon=":material/open_in_new:",
            disabled=len(chosen) != 1,
            help="Select one run: opens it on Train, to resume it, train more epochs or branch off",
        ):
            go_to("Train", chosen[0].id)
        ended = [entry for entry in chosen if entry.status != "running"]
        _download(ended)
        st.download_button(
            "Report",
            lambda: _report(ended, entries),
            "report.html",
            "text/html",
            icon=":material/article:",
            on_click="ignore",
            disabled=not ended,
            help="One page about these runs, to read, print or save as PDF. It uses the test images once more.",
        )
        kept = [entry for entry in ended if not person.may(Action.DELETE, entry)]
        st.button(
            "Delete",
            icon=":material/delete:",
            on_click=delete,
            args=[_PLACE, [entry.id for entry in ended]],
            disabled=not ended or bool(kept),
            help=_whose(kept) or "You can undo this for seven days",
        )
        with st.popover("Import", icon=":material/upload:"):
            _import()
        is_in_charge = person.me().is_in_charge  # of the server's folders and tools
        with st.popover("Send to other tools", icon=":material/ios_share:", disabled=not (ended and is_in_charge)):
            send(_PLACE, [entry.run for entry in ended])
        with st.popover("Export", icon=":material/output:", disabled=len(ended) != 1, help=EXPORT_HELP):
            if len(ended) == 1:
                take_away(ended[0].run)
        offer_deleted(_PLACE)
    tell(_PLACE)
    offer_way_back(_PLACE)


def _whose(others: Sequence[Entry]) -> str:
    """Say which runs keep a button from being pressed, as they are somebody else's; nothing without any."""
    named = ", ".join(literal(name) for name in short_names(others))
    return f"Only who trained it, or a teacher, can do this. Clear the selection of: {named}" if named else ""


def import_runs() -> None:
    """Show the import of runs, for a store without any, and those that were deleted."""
    with st.container(horizontal=True):
        with st.popover("Import runs", icon=":material/upload:"):
            _import()
        offer_deleted(_PLACE)
    tell(_PLACE)
    offer_way_back(_PLACE)


def _describe(chosen: Sequence[Entry], entries: Sequence[Entry]) -> None:
    named = {entry.id: name for name, entry in short_names(chosen).items()}
    by_id = {entry.id: entry for entry in chosen}
    run_id = st.selectbox("Run", list(named), format_func=named.__getitem__, key=f"describe.{'.'.join(named)}")
    about = by_id[run_id].about
    used = sorted({tag for entry in entries for tag in entry.row["Tags"]} | set(about.tags))
    key = f"describe.{run_id}.{hash(about)}"
    with st.form(key, border=False):
        st.text_input(
            "Title", about.title, max_chars=100, key=about_field(key, "title").name, placeholder=by_id[run_id].title
        )
        st.multiselect(
            "Tags", used, about.tags, accept_new_options=True, max_selections=20, key=about_field(key, "tags").name
        )
        st.text_area("Note", about.note, max_chars=5000, key=about_field(key, "note").name)
        st.checkbox("Pinned: shown first", about.pinned, key=about_field(key, "pinned").name)
        offered = list(dict.fromkeys(["", *NAMES, about.colour]))  # a colour from elsewhere may be any
        st.selectbox(
            "Colour in charts",
            offered,
            offered.index(about.colour),
            format_func=lambda colour: NAMES.get(colour, colour) or "automatic",
            key=about_field(key, "colour").name,
        )
        st.form_submit_button("Save", type="primary", on_click=_save, args=[by_id[run_id].run, about, key])


def _save(run: Run, shown: About, key: str) -> None:
    """Save only the fields changed here: another session may have changed the others."""
    try:
        typed = About(**{field: about_field(key, field).get() for field in About.model_fields})
        run_changes.describe(run, **{field: value for field, value in typed if value != getattr(shown, field)})
        say(_PLACE, "Saved.", "success")
    except RunError as error:
        say(_PLACE, str(error), "error")
    except ValidationError as error:
        say(_PLACE, first_error(error), "error")


def _download(ended: Sequence[Entry]) -> None:
    """Show the download of runs as an archive, if wanted with the pictures of one's own that are here."""
    own = [name for name in {entry.config.dataset for entry in ended} if is_own_key(name) and name in DATASETS]
    own = list(filter(may_train_on, own))
    with_pictures = bool(own) and st.checkbox(
        "With pictures", key="compare.pictures", help="Also puts your own pictures into the archive"
    )
    runs, kept = [entry.run for entry in ended], [entry for entry in ended if not _may_pack(entry)]
    st.download_button(
        "Download",
        lambda: through_file(lambda file: pack(runs, file, versions_of(own if with_pictures else [])), runs_folder()),
        "runs.zip",
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
        disabled=not ended or bool(kept),
        help=_whose(kept) or "One archive with settings, history and the saved weights. You can import it elsewhere.",
    )


def _may_pack(entry: Entry) -> bool:
    """Check whether an archive may have the run: it has the labelled drawings that the run was taught with."""
    action = Action.SEE_DRAWINGS if entry.config.lessons else Action.EXPORT
    return person.may(action, entry)


def _report(ended: Sequence[Entry], entries: Sequence[Entry]) -> bytes:
    """Write the report of one run, or of several side by side."""
    if len(ended) > 1:
        return comparison_report(short_names(ended), test_answers, entries)
    portable = Portable.of(ended[0].run, ended[0].title)
    portable.count_look()
    return run_report(portable)


def _import() -> None:
    if is_full():
        return
    file = st.file_uploader("An archive of runs (.zip)", ["zip"], key="compare.import", max_upload_size=MAX_UPLOAD)
    if st.button("Import", type="primary", disabled=file is None, key="compare.import.go") and file:
        try:
            taken = unpack(file, session.store(), quotas.disk_left())
        except ArchiveError as error:
            say(_PLACE, str(error), "error")
        else:
            DELETED_RUNS.drop()  # the deleted runs may have been imported again
            known = f" Already here: {counted(len(taken.known), 'run')}." if taken.known else ""
            say(_PLACE, f"Imported: {counted(len(taken.added), 'run')}.{known}{_brought(taken)}", "success")
        st.rerun()
    bring_in(_PLACE)


def _brought(taken: Unpacked) -> str:
    """Say which pictures came with the runs; empty where there were none."""
    parts = {"New pictures": True, "Pictures already here": False}
    named = {what: [str(one.version) for one in taken.pictures if one.is_new is new] for what, new in parts.items()}
    return "".join(f" {what}: {', '.join(titles)}." for what, titles in named.items() if titles)
