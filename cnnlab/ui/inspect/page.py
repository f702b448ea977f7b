"""The controls of Inside and Evaluate: view, epoch and image, for finished runs and those that train."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import streamlit as st

from cnnlab.analysis.ood import Reading, read
from cnnlab.charts.png import inline
from cnnlab.errors import CnnLabError
from cnnlab.jobs.job import Job
from cnnlab.pretrained.table import BACKBONES
from cnnlab.runs.ancestry import caveat
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.trained import AS_PUBLISHED, Trained
from cnnlab.text import percent
from cnnlab.ui.shell import address, frame, poll, session
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.shell.networks import published_network, trained_network
from cnnlab.ui.shell.state import (
    ASKS_PUBLISHED,
    OWN_EPOCHS,
    PLAYING,
    SHOWN_VIEW,
    Key,
    epoch_of,
    follows,
    view_group_of,
    view_of,
)
from cnnlab.ui.views.cached import training_features
from cnnlab.ui.views.image_picker import pick_image
from cnnlab.ui.views.view import Look, Picked, View
from cnnlab.ui.widgets.images import enlarged

PLAY_SECONDS = 0.7  # per epoch
FOLLOW_SECONDS = 2.0  # between updates of a run that trains

_ONLY_ONE = "This network was trained elsewhere, so it has only one epoch."
_BY_SURGERY = "This network was made by surgery, without training, so it has only one epoch."


def explore(run: Run, views: Mapping[str, View], page: str) -> None:
    """Show the page below the choice of the run; it refreshes while the run trains or the epochs play."""
    _follow_address(views, page)
    poll.paced(lambda: _pace(run), _page, run, views, page)


def _pace(run: Run) -> float | None:
    if PLAYING.get() == run.id:
        return PLAY_SECONDS
    return FOLLOW_SECONDS if _job(run) else None


def _job(run: Run) -> Job | None:
    """Find the job of this run while it trains; None otherwise."""
    job = session.current_job()
    return job if job and job.is_running and job.run.id == run.id else None


def _follow_address(views: Mapping[str, View], page: str) -> None:
    """Open the view that the URL names, once; afterwards the user chooses."""
    named = {view.formerly: name for name, view in views.items() if view.formerly} | {name: name for name in views}
    asked = address.VIEW.asked(named, "This link has a view that does not exist: choose one below.")
    if asked and address.is_new("explore", asked):
        view_of(page).put(named[asked])


@frame.errors_shown()
def _page(run: Run, views: Mapping[str, View], page: str) -> None:
    name = _pick_view(views, page)
    view = views[name]
    explain(view.question, name)
    if warning := caveat(run):
        st.caption(f":material/warning: {warning}.")
    job, epochs = _job(run), run.epochs()
    if not epochs:
        raise RunError(f"run {run.id} has no weights any more")
    content = st.container()  # above the slider that it depends on, as a video is above its scrubber
    if view.takes_published and _asks_published(run):
        trained = published_network(run)
    else:
        trained = trained_network(run, _pick_epoch(run, epochs, job))
    with content, frame.place_of(SHOWN_VIEW, f"{page} {name}"):
        _draw(view, run, trained, epochs)


def _pick_view(views: Mapping[str, View], page: str) -> str:
    """Choose one of a group of views, both in one row; the group follows a view that other parts of the app open."""
    shown, group = view_of(page), view_group_of(page)
    if shown.get() not in views:
        shown.put(next(iter(views)))
    group.move_to(views[shown.get()].group)
    groups = list(dict.fromkeys(view.group for view in views.values()))
    members = [name for name, view in views.items() if view.group == group.get()]
    with st.container(horizontal=True, gap="medium"):
        st.segmented_control(
            "Group",
            groups,
            required=True,
            key=group.name,
            label_visibility="collapsed",
            on_change=_open_first,
            args=(views, page),
            width="content",
        )
        st.segmented_control(
            "View",
            members,
            required=True,
            key=shown.name,
            label_visibility="collapsed",
            persist_state="session",
            width="content",
        )
    return shown.get()


def _open_first(views: Mapping[str, View], page: str) -> None:
    """Open the first view of the group just chosen, if any: a page that is left calls this without one."""
    group = view_group_of(page).get()
    if first := next((name for name, view in views.items() if view.group == group), ""):
        view_of(page).put(first)


def _asks_published(run: Run) -> bool:
    """Offer the network that the run started from, where it was published; return whether it is asked."""
    backbone = BACKBONES.get(run.config.backbone)
    return backbone is not None and st.toggle(
        "Use the network it started from, with ImageNet's 1,000 classes",
        key=ASKS_PUBLISHED.name,
        persist_state="session",
        help=f"{backbone.title} as published, trained on a million photos. It has learned nothing from your pictures.",
    )


def _draw(view: View, run: Run, trained: Trained, epochs: list[int]) -> None:
    picked, doubt = None, ""
    if view.needs_image:
        left, right = st.columns([7, 1], vertical_alignment="bottom")
        with left:
            picked = pick_image(run, epochs[-1])
        if picked is None:
            return
        with right:
            st.image(inline(enlarged(picked.pixels[0], side=56)), alt=picked.title)
        reading = _read(run, trained, picked)
        doubt = reading.doubt
        st.markdown(_verdict(trained, picked.title, reading))
    view.show(Look(run, trained, epochs, picked, doubt))


def _pick_epoch(run: Run, epochs: list[int], job: Job | None) -> int:
    """Show the slider over the saved epochs, with play and, while the run trains, follow; return the epoch."""
    if len(epochs) == 1:
        only = _BY_SURGERY if run.config.operations else _ONLY_ONE
        st.caption(only if epochs[0] else "Epoch 0, before training: the first epoch is still running.")
        return epochs[0]
    chosen, follow = epoch_of(run.id), follows(run.id)
    chosen.fill(epochs[-1])
    if PLAYING.get() == run.id:
        chosen.put(next((epoch for epoch in epochs if epoch > chosen.get()), epochs[-1]))
        if chosen.get() == epochs[-1]:
            PLAYING.drop()
            st.rerun()
    elif job and follow.get():
        chosen.move_to(epochs[-1])
    # The one before where it is no longer kept.
    chosen.move_to(max((epoch for epoch in epochs if epoch <= chosen.get()), default=epochs[0]))
    OWN_EPOCHS.put((*OWN_EPOCHS.get()[-2:], chosen.get()) if PLAYING.get() or job else ())
    slider, play, *keep_up = st.columns([6, 1, 1] if job else [7, 1], vertical_alignment="bottom")
    with slider:
        label = f", {epochs[-1]} of {job.epochs} trained so far" if job else ""
        st.select_slider(
            f"Epoch (0 is before training{label})",
            epochs,
            key=chosen.name,
            on_change=_let_go,
            args=[chosen, follow],
            help=None if _are_all(epochs) else "The weights of the other epochs were not kept.",
        )
    with play:
        is_playing = PLAYING.get() == run.id
        st.button(
            "Stop" if is_playing else "Play",
            icon=":material/stop:" if is_playing else ":material/play_arrow:",
            on_click=_toggle_play,
            args=[run.id, chosen, epochs[-1], follow],
            width="stretch",
        )
    if job:
        follow.fill(True)
        keep_up[0].toggle("Follow", key=follow.name, help="Always shows the newest epoch.")
    return chosen.get()


def _are_all(epochs: list[int]) -> bool:
    """Tell whether the weights of no epoch between the first and the last are missing."""
    return epochs[-1] - epochs[0] + 1 == len(epochs)


def _let_go(chosen: Key[int], follow: Key[bool]) -> None:
    """Stop following the newest epoch once the user moves the slider."""
    if chosen.get() in OWN_EPOCHS.get():
        return  # not the user: a click elsewhere coincided with a step of the playback
    follow.put(False)
    PLAYING.drop()


def _toggle_play(run_id: str, chosen: Key[int], last: int, follow: Key[bool]) -> None:
    """Play from the current epoch, or from the beginning where that is the last."""
    follow.put(False)
    if PLAYING.take() == run_id:
        return
    PLAYING.put(run_id)
    if chosen.get() >= last:
        chosen.put(0)


def _read(run: Run, trained: Trained, picked: Picked) -> Reading:
    """Return the network's answer; to the user's own image with reasons to doubt it, as it may show anything."""
    if not picked.is_own:
        probabilities = trained.probabilities(picked.pixels)[0].tolist()
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        return Reading(trained.classes[best], probabilities[best], tuple(probabilities))
    familiar = None
    if trained.epoch != AS_PUBLISHED and _pace(run) is None:  # else each step would wait for the training images
        with suppress(CnnLabError):  # which may be gone
            familiar = training_features(run, trained.epoch)
    return read(trained, picked.pixels, familiar)


def _verdict(trained: Trained, title: str, reading: Reading) -> str:
    who = "The published network" if trained.epoch == AS_PUBLISHED else "The network"
    name = frame.literal(reading.said)
    if reading.doubt:
        return f"{title}. **Not sure**: {frame.literal(reading.doubt)}. The closest class is **{name}**."
    return f"{title}. {who} says **{name}** with {percent(reading.certainty)}."
