"""The report of one run: what it is, how it learned, how well it answers, where it fails, how to train it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from markupsafe import Markup

from cnnlab.analysis.weights import conv_layers, filters
from cnnlab.charts.pixels import tile_row
from cnnlab.charts.png import inline, inline_photo
from cnnlab.evaluation.metrics import Answers, confusion, reliability
from cnnlab.export.card.facts import Facts, facts
from cnnlab.export.portable import ExportError, Portable
from cnnlab.export.report.page import rendered
from cnnlab.export.report.svg import Axis, Line, axis, interval_mark, line_chart, shares
from cnnlab.networks.architecture import follow
from cnnlab.networks.diagram import draw_network
from cnnlab.palette import PALETTE
from cnnlab.runs.run import Run
from cnnlab.runs.summary import how_tested
from cnnlab.runs.trained import test_split
from cnnlab.text import percent
from cnnlab.training.config import field_title
from cnnlab.training.titles import beyond, recipe_of, setting_title

MISTAKES = 12  # pictures
FILTERS, FILTERS_ABREAST, GAP = 32, 16, 12
MOST_CLASSES = 20  # of a confusion matrix on paper
FEWEST = 5  # images of a bin: the accuracy of fewer is chance
PHOTO = 64  # pixels of a side, from which on a JPEG is much smaller
TRAIN, VALIDATION, GREY = PALETTE[0], PALETTE[1], PALETTE[8]


@dataclass(frozen=True)
class Picture:
    """An inline picture and what is said of it."""

    source: str  # a data URL
    caption: str


@dataclass(frozen=True)
class Cell:
    """A cell of a confusion matrix: images, and how dark an error is, 0 to 1."""

    count: int
    depth: float
    is_right: bool


def run_report(portable: Portable) -> bytes:
    """Write the report of the network's run. Whoever asks counts a look at the run's test images.

    Raises ExportError where the network is of no run, DatasetError where its images are missing.
    """
    run = portable.origin
    if run is None:
        raise ExportError("a report is of a training, and of this network none is known")
    answers = portable.trained.answers(test_split(run))
    known = facts(portable, answers)
    return rendered(
        "run.html",
        title=portable.title,
        facts=known,
        tested=how_tested(run.summary, run.looks),
        summary=run.summary,
        note=run.about.note,
        tags=run.about.tags,
        made=f"{datetime.now(UTC):%Y-%m-%d}",
        settings=_settings(run) if known["reproduce"] else None,
        diagram=_diagram(portable),
        curves=learning_curves(known),
        classes=_classes(known),
        matrix=_matrix(answers),
        confused=_confused(answers),
        calibration=_calibration(answers),
        mistakes=_mistakes(run, answers),
        filters=_filters(portable),
    )


def learning_curves(known: Facts) -> list[Markup]:
    """Draw loss and accuracy by epoch; none where nothing is known of the training."""
    epochs = known["curves"]
    if not epochs:
        return []
    steps = [epoch["epoch"] for epoch in epochs]
    below = axis(steps, "epoch", finest=1)
    charts = []
    for metric in ("loss", "accuracy"):
        drawn = [
            Line(name, steps, [epoch[f"{name}_{metric}"] for epoch in epochs], colour, has_marks=len(steps) <= 60)
            for name, colour in (("train", TRAIN), ("validation", VALIDATION))
        ]
        values = [value for line in drawn for value in line.y]
        beside = axis(values, low=0.0) if metric == "loss" else axis([*values, 1.0], written=shares)
        charts.append(line_chart(drawn, below, beside, f"{metric} by epoch"))
    return charts


def _settings(run: Run) -> dict[str, object]:
    """Return what differs from the closest recipe, and all settings as pairs of titles."""
    recipe = recipe_of(run.config)
    plain = recipe.config.scalars()
    apart = [
        (field_title(field), setting_title(field, value), setting_title(field, plain[field]))
        for field, value in beyond(recipe, run.config).items()
    ]
    every = [(field_title(field), setting_title(field, value)) for field, value in run.config.scalars().items()]
    return {"recipe": recipe.title, "apart": apart, "all": every}


def _diagram(portable: Portable) -> Markup:
    trained = portable.trained
    rows = follow(portable.architecture, trained.shape, len(trained.classes))
    drawing = draw_network(rows, trained.shape, f"The layers of {portable.title}")
    return Markup(drawing)


def _classes(known: Facts) -> list[dict[str, object]]:
    """Return the table of classes, each with its interval as a mark on a common scale."""
    rows = known["test"]["classes"]
    scale = axis([*(row["Low"] for row in rows if row["Images"]), 1.0])
    return [
        row | {"mark": interval_mark(row["Low"], row["Accuracy"], row["High"], scale) if row["Images"] else ""}
        for row in rows
    ]


def _matrix(answers: Answers) -> list[tuple[str, list[Cell]]]:
    """Return true classes with the counts of their answers; none where the classes are too many for paper."""
    if len(answers.classes) > MOST_CLASSES:
        return []
    counts = confusion(answers).astype(int)
    most = max(1, int((counts - np.diag(np.diag(counts))).max()))
    return [
        (name, [Cell(int(count), min(1.0, count / most), row == column) for column, count in enumerate(counts[row])])
        for row, name in enumerate(answers.classes)
    ]


def _confused(answers: Answers, most: int = 5) -> str:
    """Name the commonest errors: true class, answer, images."""
    counts = confusion(answers).astype(int)
    np.fill_diagonal(counts, 0)
    order = counts.ravel().argsort(kind="stable")[::-1][:most].tolist()
    pairs = [(*divmod(at, len(answers.classes)), int(counts.flat[at])) for at in order if counts.flat[at]]
    told = [f"{answers.classes[row]} read as {answers.classes[column]}: {images}" for row, column, images in pairs]
    return "; ".join(told)


def _calibration(answers: Answers) -> Markup:
    table = reliability(answers).query("images >= @FEWEST")
    whole = Axis("confidence", 0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0), shares)
    lines = [
        Line("ideal", (0.0, 1.0), (0.0, 1.0), GREY, is_dotted=True),
        Line("network", table["confidence"].tolist(), table["accuracy"].tolist(), TRAIN, has_marks=True),
    ]
    return line_chart([line for line in lines if line.x], whole, whole, "Accuracy by confidence")


def _mistakes(run: Run, answers: Answers) -> list[Picture]:
    """Return the most confident mistakes."""
    confidence = answers.probabilities.max(1)
    wrong = (~answers.hits).nonzero()[0]
    chosen = wrong[confidence[wrong].argsort()[::-1]][:MISTAKES].tolist()
    split = test_split(run)
    pictures = []
    for number in chosen:
        pixels = split.image(number).permute(1, 2, 0).numpy()
        is_photo = pixels.shape[2] == 3 and min(pixels.shape[:2]) >= PHOTO
        truth, answer = (answers.classes[one[number]] for one in (answers.labels, answers.named))
        told = f"{truth}, read as {answer} ({percent(float(confidence[number]))})"
        pictures.append(Picture(inline_photo(pixels) if is_photo else inline(pixels), told))
    return pictures


def _filters(portable: Portable) -> Picture | None:
    """Return the filters of the first convolution on one scale, a row of them under another for each input channel."""
    layers = list(conv_layers(portable.trained.network))
    if not layers:
        return None
    weights = filters(portable.trained.network, layers[0]).numpy()  # (out, in, height, width)
    if min(weights.shape[2:]) < 2:
        return None
    count, inputs = min(FILTERS, len(weights)), min(3, weights.shape[1])
    abreast = min(FILTERS_ABREAST, count)
    count -= count % abreast
    tiles = weights[:count, :inputs].reshape(-1, abreast, inputs, *weights.shape[2:]).transpose(0, 2, 1, 3, 4)
    row = tile_row(tiles.reshape(-1, *weights.shape[2:]))
    single = np.stack(np.split(row, count * inputs, axis=1))  # (tiles, height, width, 4)
    spaced = np.pad(single, ((0, 0), (0, GAP), (0, GAP), (0, 0)))  # transparent
    sheet = np.concatenate([np.concatenate(list(line), 1) for line in spaced.reshape(-1, abreast, *spaced.shape[1:])])
    channels = f"; a row for each of the first {inputs} input channels" if inputs > 1 else ""
    return Picture(inline(sheet), f"{count} of {len(weights)} filters of {layers[0]}{channels}.")
