"""Label errors: images whose label contradicts the network's prediction, for review one by one."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from cnnlab.analysis.label_errors import FOLDS, HeldOut, held_out_of, margins, read_held_out, suspected_errors
from cnnlab.charts.png import inline
from cnnlab.data.file_names import file_names
from cnnlab.data.loading import load_train
from cnnlab.data.splits import Split
from cnnlab.evaluation.metrics import Answers
from cnnlab.jobs.worker import Worker
from cnnlab.people.rights import Action
from cnnlab.quantities import estimate
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run
from cnnlab.runs.trained import test_split
from cnnlab.ui.inspect.nothing_to_show import nothing_to_show
from cnnlab.ui.shell import person, poll, session
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import VERDICTS
from cnnlab.ui.views.cached import answers, validation_answers
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import download_table
from cnnlab.ui.widgets.images import enlarged

SHOWN = 60
SURE = 0.5  # above this margin the prediction is likelier than all other classes together, and the label far behind
UPDATE_SECONDS = 1.0

_TEST, _VALIDATION, _TRAINING = "test images", "validation images", "training images"
_VERDICTS = ("looks right", "looks wrong", "unclear")


@st.cache_resource(show_spinner=False)
def _works() -> dict[str, Worker[HeldOut]]:
    """Return the server-wide trainings of held-out networks, by run id, for reloads and other sessions."""
    return {}


def show(look: Look) -> None:
    """Show suspicious images of the chosen split; training images need networks that did not train on them."""
    run = look.run
    which = st.segmented_control(
        "Images to check",
        [_TEST, _VALIDATION, _TRAINING],
        default=_TEST,
        required=True,
        key="evaluate.labels",
        persist_state="session",
    )
    match which:
        case "test images":
            _review(look, which, answers(run, look.trained), test_split(run))
        case "validation images":
            _review(look, which, validation_answers(look), data_of(run).validation)
        case _:
            found = read_held_out(run)
            if found:
                _works().pop(run.id, None)
                _review(look, which, found, load_train(run.config.dataset))
            else:
                _offer(run)


def _review(look: Look, which: str, found: Answers, images: Split) -> None:
    chosen = suspected_errors(found).tolist()
    if not chosen:
        nothing_to_show(
            f"None: the network agrees with the labels of all {which}.",
            "evaluate",
            "Each class",
            "See the results of each class",
        )
        return
    sure = int((margins(found) > SURE).sum())
    st.markdown(
        f"The network disagrees with the labels of {len(chosen):,} of {len(images):,} {which}, and **with a margin "
        f"above {SURE:.0%} for {sure:,}**."
    )
    given = _verdicts(look.run, which, len(images))
    at = look.run.id if which == _TRAINING else look.at
    files = file_names(look.run.config.dataset, images, chosen)
    _edit(_table(found, chosen[:SHOWN], given, files[:SHOWN]), images, f"labels.{which}.{at}", given)
    by = (
        (f"of {FOLDS} networks that did not train on them")
        if which == _TRAINING
        else f"after epoch {look.trained.epoch}"
    )
    with st.container(horizontal=True):
        st.caption(
            f"The {min(SHOWN, len(chosen))} {which} with the largest margin {by}. The margin is the answer's "
            "probability minus the label's. Double-click a picture to enlarge it. Double-click a verdict to set it; "
            "it stays with the image. The network may be wrong too: a strange image can have the right label. The "
            "CSV has all disagreements; its index counts from 0."
        )
        download_table(
            lambda: _table(found, chosen, given, files).reset_index(), f"labels-{which.replace(' ', '-')}-{at}"
        )


def _verdicts(run: Run, which: str, count: int) -> dict[int, str]:
    """Return this session's verdicts on these images, which are shared by all networks and epochs.

    ``count`` is part of the key: a branch whose parent had trained on some of them has fewer, at other indices.
    """
    config = run.config
    images = f"{config.dataset}.{which}.{count}"
    if which == _VALIDATION:
        images += f".{config.held_out_by}.{config.validation_fraction}"
    given: dict[int, str] = VERDICTS.fill({}).setdefault(images, {})
    return given


def _table(found: Answers, chosen: list[int], given: dict[int, str], files: list[str]) -> pd.DataFrame:
    """Make one row per image, with its file and its verdict where there are any."""
    labels, named, shares = found.labels[chosen], found.named[chosen], found.probabilities
    return pd.DataFrame(
        {
            "image": [index + 1 for index in chosen],
            **({"file": files} if files else {}),
            "label": [found.classes[label] for label in labels],
            "answer": [found.classes[answer] for answer in named],
            "answer's probability": shares[chosen, named],
            "label's probability": shares[chosen, labels],
            "verdict": pd.Series([given.get(index) for index in chosen], dtype="object").array,
        },
        index=pd.Index(chosen, name="index"),
    )


def _edit(table: pd.DataFrame, images: Split, key: str, given: dict[int, str]) -> None:
    """Show the table with images; write the verdicts entered into ``given``."""
    columns = {
        "picture": st.column_config.ImageColumn("Picture", width="small"),
        "image": st.column_config.NumberColumn("Image", disabled=True),
        **({"file": st.column_config.TextColumn("File", width="medium", disabled=True)} if "file" in table else {}),
        "label": st.column_config.TextColumn("Label", disabled=True),
        "answer": st.column_config.TextColumn("Network says", disabled=True),
        "answer's probability": st.column_config.NumberColumn("Its probability", format="percent", disabled=True),
        "label's probability": st.column_config.NumberColumn("Label's probability", format="percent", disabled=True),
        "verdict": st.column_config.SelectboxColumn("Verdict", options=_VERDICTS),
    }
    pictures = [inline(enlarged(images.image(index), side=112)) for index in table.index]
    # The rows are part of the editor's key: with other images it starts over, from the verdicts so far.
    edited = st.data_editor(
        table.assign(picture=pictures),
        key=key,
        column_config=columns,
        column_order=list(columns),
        hide_index=True,
        row_height=64,
        placeholder="",
        alt="Images whose label the network disagrees with, with your verdict",
    )
    for index, verdict in zip(table.index.tolist(), edited["verdict"], strict=True):
        if verdict in _VERDICTS:
            given[index] = verdict
        else:
            given.pop(index, None)


def _offer(run: Run) -> None:
    """Offer to compute held-out predictions in the background; show the expected duration, or the progress."""
    if run.config.comes_from:
        st.info(
            "This network started from another one's weights, which learned from the training images. Check its "
            "parent instead.",
            icon=":material/fact_check:",
        )
        return
    if not person.may(Action.CONTINUE, run):  # the run keeps what comes of it
        st.info("The owner of this run has not had its training images checked.", icon=":material/fact_check:")
        return
    work = _works().get(run.id)
    if work and work.is_running:
        session.watch(work)
        poll.until_over(lambda: work.is_running, UPDATE_SECONDS, _watch, work)
        return
    if work and work.error:
        st.error(as_reason(work.error), title="The networks could not be trained")
    st.info(
        "A network learns the labels of its training images, even wrong ones. So the training images are split into "
        f"{FOLDS} parts. A new network with this run's settings trains on the others and checks each part: {FOLDS} "
        f"trainings{_how_long(run)}. The run keeps the result.",
        icon=":material/fact_check:",
    )
    if st.button(f"Train {FOLDS} networks", type="primary", icon=":material/play_arrow:"):
        steps = held_out_of(run)
        _works()[run.id] = Worker(steps, dataset=run.config.dataset, trains=True, owner=session.owner())
        st.rerun()


def _how_long(run: Run) -> str:
    """Estimate the duration from the run's own seconds per epoch; each network trains on all parts but one."""
    epochs = run.history().epochs
    if not epochs:
        return ""
    seconds = epochs[-1]["seconds"] / len(epochs) * run.config.epochs
    return f", {estimate((FOLDS - 1) * seconds)} in all"


def _watch(work: Worker[HeldOut]) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.progress(work.latest.done if work.latest else 0.0, text=_told(work))
    right.button("Cancel", on_click=work.cancel, icon=":material/stop_circle:", width="stretch", key="labels.cancel")


def _told(work: Worker[HeldOut]) -> str:
    step = work.latest
    if work.place:
        return f"Waiting for other trainings: number {work.place} in the queue"
    if not step:
        return "Loading the data"
    left = f", {estimate(step.seconds_left)} left" if step.seconds_left is not None else ""
    return f"Network {step.fold} of {FOLDS}{left}"
