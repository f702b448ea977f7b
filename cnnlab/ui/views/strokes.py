"""Strokes: how the prediction for a drawing changes when a stroke, or a piece of one, is erased."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from torch import Tensor

from cnnlab import charts
from cnnlab.analysis.stroke_ablation import Effect, effects, erased, halfway, in_pieces
from cnnlab.charts.style import TILE_NAME, fitted
from cnnlab.drawings.strokes import Drawing
from cnnlab.evaluation.evaluate import predict
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import show_figure
from cnnlab.ui.widgets.images import upright

FEW = 2  # strokes: so few tell little, so they are cut into pieces
COLUMNS = 5  # images in a row

_SUPPORT = "For it, nats"  # column name
_STROKES, _PIECES = "strokes", "pieces of strokes"


def show(at: Look) -> None:
    """Choose what to erase and for which class; show the drawing coloured by effect, a table, and the images."""
    drawing, trained = at.picked.drawing, at.trained
    if drawing is None:
        st.info("This image has no strokes to erase. Only canvas drawings have strokes.", icon=":material/draw:")
        return
    left, right = st.columns(2)
    with left:
        pieces = _chosen(drawing)
    if pieces is None:
        return
    images = erased(drawing, pieces, (trained.shape[1], trained.shape[2]))
    logits = predict(trained.network, images, trained.standardise)
    probabilities = logits[0].softmax(0)
    label = right.selectbox(
        "Evidence for",
        probabilities.argsort(descending=True).tolist(),
        format_func=lambda label: at.named(label, probabilities),
    )
    table = _table(effects(logits, label), trained.classes, label)
    picture, numbers = st.columns(2)
    with picture:
        _coloured(at, pieces, table, trained.classes[label])
    with numbers:
        _listed(table)
    _images(at, images, logits, table)


def _chosen(drawing: Drawing) -> Drawing | None:
    """Return the drawing, cut into the pieces to erase; show the reason and return None where there is only one."""
    cut = in_pieces(drawing)
    ways = {_STROKES: drawing, _PIECES: cut} if len(cut.strokes) > len(drawing.strokes) else {_STROKES: drawing}
    ways = {name: made for name, made in ways.items() if len(made.strokes) > 1}
    if not ways:
        st.info("There is only one short stroke: nothing is left without it.", icon=":material/draw:")
        return None
    is_few = len(drawing.strokes) <= FEW
    default = _PIECES if is_few and _PIECES in ways else next(iter(ways))
    return ways[st.segmented_control("Erase", list(ways), default=default, required=True)]


def _table(found: Sequence[Effect], classes: Sequence[str], label: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "No.": range(1, len(found) + 1),
            _SUPPORT: [effect.support for effect in found],
            f"{classes[label]} without it": [effect.probability for effect in found],
            "Read as": [classes[effect.answer] for effect in found],
            "With": [effect.confidence for effect in found],
        }
    )


def _coloured(at: Look, pieces: Drawing, table: pd.DataFrame, name: str) -> None:
    show_figure(
        charts.strokes(pieces.strokes, [halfway(piece) for piece in pieces.strokes], table[_SUPPORT].to_numpy()),
        f"strokes-{at.at}",
        f"The drawing, coloured by the evidence for {name}",
        lambda: table,
        "Blue pieces support the class, red ones oppose it. The number is the change in log-odds, in nats, that the "
        "piece makes.",
    )


def _listed(table: pd.DataFrame) -> None:
    percent = st.column_config.NumberColumn(format="percent")
    st.dataframe(
        table.sort_values(_SUPPORT, ascending=False),
        hide_index=True,
        column_config={
            _SUPPORT: st.column_config.NumberColumn(
                format="%.2f", help="Log-odds with it minus log-odds without it, in nats"
            ),
            table.columns[2]: percent,
            "With": percent,
        },
    )
    st.caption(
        "Strongest first. A piece matters if the answer changes without it. Several weak pieces can matter together."
    )


def _images(at: Look, images: Tensor, logits: Tensor, table: pd.DataFrame) -> None:
    confidences, answers = logits.softmax(1).max(1)
    names = ["whole", *(f"without {number}" for number in table["No."])]
    short = fitted(at.trained.classes, TILE_NAME)
    titles = [
        f"{name}<br>{short[at.trained.classes[answer]]}, {confidence:.0%}"
        for name, answer, confidence in zip(names, answers.tolist(), confidences.tolist(), strict=True)
    ]
    show_figure(
        charts.tile_strip([upright(image) for image in images], titles, COLUMNS),
        f"erased-{at.at}",
        "The network's image of the drawing, whole and less each piece, with its answer",
        lambda: pd.DataFrame(
            {"image": names, "answer": [at.trained.classes[answer] for answer in answers], "probability": confidences}
        ),
        "What the network gets, and its answer. Only the piece is missing; the rest is unchanged.",
    )
