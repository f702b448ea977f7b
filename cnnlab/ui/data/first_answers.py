"""What a network that knows a million photos makes of one's own pictures, by cross-validation."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import streamlit as st
from scipy.stats import binomtest

from cnnlab.analysis.cross_validation import FOLDS, METHODS, NEAREST, Judged, Step, check_enough, cross_validate
from cnnlab.analysis.imagenet import Named, call_by_imagenet
from cnnlab.data.loading import load_train
from cnnlab.data.pictures.version import Version
from cnnlab.jobs.worker import Worker
from cnnlab.ui.data.gallery import gallery
from cnnlab.ui.shell import frame, poll, session
from cnnlab.ui.shell.frame import literal
from cnnlab.ui.shell.own_pictures import own_pictures
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import DATA_JUDGED
from cnnlab.ui.widgets.figure import download_table

UPDATE_SECONDS = 0.7
FEW = 300  # pictures whose first answers come without being asked for, in some seconds
MIXED_UP = 3  # pairs of classes that are told
_QUICK = (NEAREST, "transfer")


def first_answers(version: Version) -> None:
    """Show how well the pictures can be told apart, by methods from the quickest to the best."""
    check_enough(load_train(version.key), version.classes)
    key, judged = version.key, DATA_JUDGED.fill({})
    if key not in judged and version.train <= FEW:
        _begin(version.key, _QUICK)
    with st.container(horizontal=True):
        st.button(
            "Quick check",
            icon=":material/bolt:",
            on_click=_begin,
            args=[key, _QUICK],
            help="The nearest pictures vote, and a new last layer learns. This takes seconds once the features are "
            "computed.",
        )
        st.button(
            "Check with fine-tuning",
            icon=":material/tune:",
            on_click=_begin,
            args=[key, tuple(METHODS)],
            help=f"Also trains the last blocks, {FOLDS} times: some minutes for a hundred pictures.",
        )
    if key not in judged:
        st.info("Press a button to see how well a network can tell these classes apart.")
        return
    work = judged[key]
    poll.follow(lambda: work.is_running, UPDATE_SECONDS, _watch, version, work)


def _begin(key: str, methods: tuple[str, ...]) -> None:
    judged = DATA_JUDGED.fill({})
    if key in judged:
        judged[key].cancel()
    judged[key] = Worker(cross_validate(key, methods), trains=True, dataset=key, owner=session.owner())


def _watch(version: Version, work: Worker[Step]) -> None:
    latest = work.latest
    if work.is_running:
        session.watch(work)
        left, right = st.columns([5, 1], vertical_alignment="center")
        waits = f"Waiting for other trainings: number {work.place} in the queue" if work.place else ""
        left.progress(latest.done if latest else 0.0, text=waits or (latest.stage if latest else "Starting"))
        right.button(
            "Stop", on_click=work.cancel, icon=":material/stop_circle:", width="stretch", key="data.judge.stop"
        )
    elif work.error:
        st.error(as_reason(work.error), title="The pictures could not be checked")
    if latest and latest.results:
        _show(version, latest.results)


def _show(version: Version, results: tuple[Judged, ...]) -> None:
    """Show the accuracy of each method, what the last mixes up, and its mistakes."""
    table = pd.DataFrame([_row(one) for one in results])
    st.dataframe(table, hide_index=True, width="stretch")
    st.caption(
        f"Each picture is named by a network trained on {FOLDS - 1} fifths of the others. It never learned from this "
        "picture or another shot of its scene. Test pictures are not used. Wilson intervals, 95%."
    )
    download_table(lambda: table, f"first-answers-{version.name}-{version.number}")
    frame.door("Train", "Train with these settings", {"recipe": "transfer", "dataset": version.key})
    with st.expander("What an ImageNet network calls them"):
        _imagenet(version)
    last = results[-1]
    wrong = ((last.answers >= 0) & (last.answers != last.labels)).nonzero().flatten().tolist()
    if not wrong:
        return
    mixed = Counter((int(last.labels[at]), int(last.answers[at])) for at in wrong)
    told = ", ".join(
        f"{version.classes[label]} read as {version.classes[answer]} ({count})"
        for (label, answer), count in mixed.most_common(MIXED_UP)
    )
    st.markdown(f"**Wrong: {len(wrong):,}.** Most often {literal(told)}.")
    rows = own_pictures().rows(version)
    numbers = [number for number, row in enumerate(rows) if row.split == "train"]
    gallery(version, rows, [numbers[at] for at in wrong], "wrong", likely=_answers(version, last, numbers, wrong))


def _imagenet(version: Version) -> None:
    """Show the names that the published network gives to the pictures of each class."""
    st.caption(
        "Its answers for your training pictures, out of ImageNet's 1,000 classes. It has not learned your classes yet."
    )
    for one in _called(version.key):
        names = ", ".join(f"{name} ({count})" for name, count in one.names)
        st.markdown(f"**{literal(one.label)}**, {one.images:,} pictures: {literal(names)}")


@st.cache_data(max_entries=8, show_spinner="Running the network …")
def _called(key: str) -> tuple[Named, ...]:
    *_, last = call_by_imagenet(key)
    return last.classes


def _answers(version: Version, judged: Judged, numbers: list[int], wrong: list[int]) -> dict[int, str]:
    return {numbers[at]: version.classes[int(judged.answers[at])] for at in wrong}


def _row(one: Judged) -> dict[str, object]:
    low, high = binomtest(one.right, one.images).proportion_ci(method="wilson")
    return {
        "Method": METHODS[one.method],
        "Accuracy": f"{one.right / one.images:.1%}",
        "95% interval": f"{low:.1%} to {high:.1%}",
        "Pictures": one.images,
    }
