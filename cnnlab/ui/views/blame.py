"""Blame: the training images that taught a mistake, beside the nearest ones, and a training without them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from cnnlab import charts
from cnnlab.analysis.blame import COUNT, Blamed, BlameError, Influence, check_traceable, influence, without
from cnnlab.charts.style import TILE_NAME, fitted
from cnnlab.errors import CnnLabError
from cnnlab.jobs.worker import Part, Worker
from cnnlab.quantities import estimate
from cnnlab.runs.entry import Entry, settings_digest
from cnnlab.runs.run import Run, RunError
from cnnlab.text import percent
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.ui.shell import session
from cnnlab.ui.shell.frame import counted, go_to, literal
from cnnlab.ui.shell.networks import trained_network
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.views.cached import reference
from cnnlab.ui.views.image_picker import choose_mistakes
from cnnlab.ui.views.nearest import nearest_images, show_nearest
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.awaited import awaited, begun
from cnnlab.ui.widgets.figure import show_figure
from cnnlab.ui.widgets.images import upright

COLUMNS = 5
MEASURED = (
    "Each training also varies by chance. In small networks of digits, 32% of 50 mistakes turned without the ten "
    "blamed images, 34% without the ten nearest of the wrong class, and 8% without ten random ones."
)


def show(at: Look) -> None:
    """Show the images that are to blame for a wrong answer, the nearest ones, and offer to train without the former."""
    try:
        check_traceable(at.run, at.trained)
    except BlameError as error:
        st.info(literal(f"{error}.".capitalize()), icon=":material/model_training:")
        return
    right = _right_class(at)
    if right is None:
        return
    answer = int(at.trained.logits(at.picked.pixels).argmax())
    if answer == right:
        _read_right(at)
        return
    part = awaited("Tracing what each training image taught", _influence, at.at, at.run, at.trained.epoch)
    if not part or not part.result:
        return
    known = part.result
    blamed = known.blamed(at.picked.pixels, right)
    if not blamed:
        st.info("No training image spoke for this answer.", icon=":material/search_off:")
        return
    left, beside = st.columns(2)
    with left:
        st.markdown("**Blamed training images**")
        _blamed(at, known, blamed)
    with beside:
        st.markdown("**Nearest training images**")
        _nearest(at, answer)
    _offer(at, right, blamed)


def _right_class(at: Look) -> int | None:
    """Return the image's class; ask for it where the image is the user's own."""
    if at.picked.label is not None:
        return at.picked.label
    numbers = range(len(at.trained.classes))
    return st.selectbox(
        "What is it really?",
        numbers,
        index=None,
        format_func=lambda number: literal(at.trained.classes[number]),
        placeholder="Choose a class",
        key=f"blame.right.{at.run.id}",
        width=320,
    )


@st.cache_resource(max_entries=2, show_spinner=False, on_release=Worker.cancel)
def _influence(at: str, _run: Run, epoch: int) -> Worker[Part[Influence]]:
    return begun(influence(_run, epoch))


def _blamed(at: Look, known: Influence, blamed: Sequence[Blamed]) -> None:
    names = [at.trained.classes[int(known.split.labels[one.position])] for one in blamed]
    share = [one.score / blamed[0].score for one in blamed]
    searched = f"{len(known.split):,} training images"
    if len(known.split) < known.trained_on:
        searched += f", evenly chosen among {known.trained_on:,}"
    short = fitted(at.trained.classes, TILE_NAME)
    show_figure(
        charts.tile_strip(
            [upright(known.split.image(one.position)) for one in blamed],
            [f"{short[name]}<br>{amount:.0%}" for name, amount in zip(names, share, strict=True)],
            COLUMNS,
        ),
        f"blamed-{at.at}",
        "The training images that did most for the wrong answer, with their class",
        lambda: pd.DataFrame({"index": [one.index for one in blamed], "class": names, "share of the first": share}),
        f"Of {searched}, those that moved the answer furthest from the right class; how far, as a share of the first. "
        f"Over {counted(len(known.checkpoints), 'epoch')}, by the last layer (Pruthi et al. 2020).",
    )


def _nearest(at: Look, wrong: int) -> None:
    """Show the nearest images, of all classes or of the ``wrong`` one alone."""
    known = reference(at.run, at.trained)
    if known is None:
        return
    pictures = st.container()  # beside the blamed ones, so what chooses them stands below
    label = _of_class(at, wrong) if bool((known.split.labels == wrong).any()) else None
    caption = "Those most alike to the network, with their distance."
    if label is None:
        caption += " Many of them speak for the right class."
    with pictures:
        show_nearest(at, known, nearest_images(at, known, COUNT, label), COLUMNS, caption)


def _of_class(at: Look, wrong: int) -> int | None:
    """Ask whether images of the ``wrong`` class alone are shown; None: of all classes."""
    everything, only = "All classes", f"Wrong class: {literal(at.trained.classes[wrong])}"
    chosen = st.segmented_control(
        "Nearest training images",
        [everything, only],
        default=everything,
        required=True,
        key=f"blame.nearest.{at.run.id}.{wrong}",
        label_visibility="collapsed",
    )
    return wrong if chosen == only else None


def _offer(at: Look, right: int, blamed: Sequence[Blamed]) -> None:
    """Offer to train again without the images, or show what came of it."""
    images = counted(len(blamed), "image")
    with st.container(border=True):
        try:
            config = without(at.run.config, blamed)
        except (BlameError, ConfigError) as error:
            st.markdown(f"**They cannot be taken out**: {literal(str(error))}.")
            return
        again = _with_settings(config)
        if again:
            _tell(at, right, before=at.run, after=again.run, images=images)
            return
        st.markdown(
            f"**Would it read the image right without the {images} blamed?** A new run with the same settings and seed "
            "leaves them out."
        )
        st.caption(MEASURED)
        if st.button(
            f"Train again without the blamed ones{_how_long(at.run)}", type="primary", icon=":material/model_training:"
        ):
            _start(config)


def _start(config: RunConfig) -> None:
    try:
        session.start(config)
    except CnnLabError as error:
        st.error(as_reason(error), title="This training could not start")
        return
    go_to("Train")


def _how_long(run: Run) -> str:
    seconds = run.summary.seconds
    return f", {estimate(seconds)}" if seconds else ""


def _read_right(at: Look) -> None:
    """Say that nothing is to blame; of a run without some images, what the one with them answers."""
    config = at.run.config
    with_all = _with_settings(config.model_copy(update={"excluded": ""})) if config.excluded else None
    if with_all and at.picked.label is not None:
        images = counted(len(config.left_out), "training image")
        with st.container(border=True):
            _tell(at, at.picked.label, before=with_all.run, after=at.run, images=images)
        return
    st.info("The network reads this image right, so nothing is to blame.", icon=":material/check_circle:")
    st.button("Show its mistakes", type="primary", on_click=choose_mistakes, args=[at.run], key="blame.mistakes")


def _with_settings(config: RunConfig) -> Entry | None:
    """Find the newest finished run of these settings."""
    wanted = settings_digest(config)
    return next((one for one in session.trained_runs() if one.settings == wanted and one.status == "finished"), None)


def _tell(at: Look, right: int, before: Run, after: Run, images: str) -> None:
    """Compare the answers of the two runs."""
    try:
        (first, _), (second, sure) = (_answer(at, run) for run in (before, after))
    except RunError as error:
        st.markdown(f"The run without them cannot be asked: {literal(str(error))}.")
        return
    names = [literal(name) for name in at.trained.classes]
    verdict = "the answer turned" if first != right and second == right else "the answer did not turn"
    if first == right:
        verdict = "both read it right"
    st.markdown(
        f"With these {images} the network says **{names[first]}**. Without them it says **{names[second]}** with "
        f"{percent(sure)}: **{verdict}**."
    )
    st.caption(MEASURED)


def _answer(at: Look, run: Run) -> tuple[int, float]:
    """Return the class that a run's network names, and its probability."""
    certainty, named = trained_network(run).probabilities(at.picked.pixels)[0].max(0)
    return int(named), float(certainty)
