"""The controls of Inside and Evaluate: which view, epoch and image; on a finished run and on one that trains."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cnnlab.charts.png import inline
from cnnlab.jobs.job import Job
from cnnlab.runs.ancestry import caveat
from cnnlab.runs.store import Run
from cnnlab.runs.trained import Trained
from cnnlab.ui.shell import address, frame, poll, session
from cnnlab.ui.shell.glossary_links import linked
from cnnlab.ui.shell.networks import trained_network
from cnnlab.ui.views.image_picker import pick_image
from cnnlab.ui.views.view import Look, View
from cnnlab.ui.widgets.images import enlarged

PLAY_SECONDS = 0.7  # an epoch
FOLLOW_SECONDS = 2.0  # between looks at a run that trains

_PLAYING = "explore.playing"
_OWN = "explore.own"  # epochs that the page itself went to last
_SHOWN = "explore.shown"  # the view on the page


def explore(run: Run, views: Mapping[str, View], page: str) -> None:
    """The page below the choice of the run; ticks while the run trains or the epochs play."""
    _follow_address(views, page)
    poll.paced(lambda: _pace(run), _page, run, views, page)


def _pace(run: Run) -> float | None:
    if st.session_state.get(_PLAYING) == run.id:
        return PLAY_SECONDS
    return FOLLOW_SECONDS if _job(run) else None


def _job(run: Run) -> Job | None:
    """Find the training of this run, while it runs."""
    job = session.current_job()
    return job if job and job.is_running and job.run.id == run.id else None


def _follow_address(views: Mapping[str, View], page: str) -> None:
    """Who comes with a view in the address sees that first, and may then go on to others."""
    asked = address.VIEW.value()
    if asked in views and address.is_new("explore", asked):
        st.session_state[f"{page}.view"] = asked


@frame.telling()
def _page(run: Run, views: Mapping[str, View], page: str) -> None:
    name = st.segmented_control(
        "View", list(views), default=next(iter(views)), required=True, key=f"{page}.view", persist_state="session"
    )
    view = views[name]
    st.caption(linked(view.question, name))
    if warning := caveat(run):
        st.caption(f":material/warning: {warning}.")
    job, epochs = _job(run), run.epochs()
    last = job.epochs if job else epochs[-1]
    trained = trained_network(run, _pick_epoch(run, epochs, last, is_live=job is not None))
    with frame.place_of(_SHOWN, f"{page} {name}"):
        _draw(view, run, trained, epochs)


def _draw(view: View, run: Run, trained: Trained, epochs: list[int]) -> None:
    picked = None
    if view.needs_image:
        left, right = st.columns([7, 1], vertical_alignment="bottom")
        with left:
            picked = pick_image(run, trained, epochs[-1])
        if picked is None:
            return
        with right:
            st.image(inline(enlarged(picked.pixels[0], side=84)), alt=picked.title)
        st.markdown(_verdict(trained, picked.title, trained.probabilities(picked.pixels)[0].tolist()))
    view.show(Look(run, trained, epochs, picked))


def _pick_epoch(run: Run, epochs: list[int], last: int, is_live: bool) -> int:
    """The slider over all epochs, with play and, while the run trains, follow."""
    chosen, follow = f"explore.epoch.{run.id}", f"explore.follow.{run.id}"
    state = st.session_state
    state.setdefault(chosen, epochs[-1])
    if state.get(_PLAYING) == run.id:
        state[chosen] = next((epoch for epoch in epochs if epoch > state[chosen]), epochs[-1])
        if state[chosen] == epochs[-1]:
            state.pop(_PLAYING)
            st.rerun()
    elif is_live and state.get(follow, True):
        state[chosen] = epochs[-1]
    state[chosen] = min(state[chosen], last)
    state[_OWN] = (*state.get(_OWN, ())[-2:], state[chosen]) if state.get(_PLAYING) or is_live else ()
    if last == 0:
        st.caption("Epoch 0, before training: the first epoch is not over yet.")
        return 0
    slider, play, *keep_up = st.columns([6, 1, 1] if is_live else [7, 1], vertical_alignment="bottom")
    with slider:
        label = f", {epochs[-1]} of {last} trained so far" if is_live else ""
        st.slider(f"Epoch (0 is before training{label})", 0, last, key=chosen, on_change=_let_go, args=[chosen, follow])
    with play:
        is_playing = state.get(_PLAYING) == run.id
        st.button(
            "Stop" if is_playing else "Play",
            icon=":material/stop:" if is_playing else ":material/play_arrow:",
            on_click=_toggle_play,
            args=[run.id, chosen, epochs[-1], follow],
            width="stretch",
            disabled=len(epochs) < 2,
        )
    if is_live:
        state.setdefault(follow, True)
        keep_up[0].toggle("Follow", key=follow, help="Always the newest epoch of the training.")
    epoch = max(known for known in epochs if known <= state[chosen])
    if epoch < state[chosen]:
        st.caption(f"Shown is epoch {epoch}, the newest so far.")
    return epoch


def _let_go(chosen: str, follow: str) -> None:
    """Who moves the slider wants to stay there."""
    if st.session_state[chosen] in st.session_state.get(_OWN, ()):
        return  # not the user: a click elsewhere crossed a step of ours on its way
    st.session_state[follow] = False
    st.session_state.pop(_PLAYING, None)


def _toggle_play(run_id: str, chosen: str, last: int, follow: str) -> None:
    """Play from here, or from the beginning where here is the end."""
    state = st.session_state
    state[follow] = False
    if state.pop(_PLAYING, None) == run_id:
        return
    state[_PLAYING] = run_id
    if state[chosen] >= last:
        state[chosen] = 0


def _verdict(trained: Trained, title: str, probabilities: list[float]) -> str:
    best = max(range(len(probabilities)), key=probabilities.__getitem__)
    return f"{title}. The network says **{frame.literal(trained.classes[best])}** with {probabilities[best]:.1%}."
