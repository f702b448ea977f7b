"""Metrics of predictions: by class with intervals, confusion, calibration, precision-recall and ROC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest
from sklearn.metrics import (
    auc,
    average_precision_score,
    confusion_matrix,
    precision_recall_curve,
    precision_recall_fscore_support,
    roc_curve,
)

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.integer]
Booleans = npt.NDArray[np.bool_]

CONFUSED = "Most taken for"  # a column's name in CSV files and cards
CONFIDENCE = 0.95  # of every interval
BINS = 15  # of the reliability diagram


@dataclass(frozen=True)
class Answers:
    """The predictions of a network for labelled images."""

    logits: Floats  # (N, classes)
    labels: Integers  # (N,)
    classes: tuple[str, ...]

    @cached_property
    def probabilities(self) -> Floats:
        """Return the softmax of the logits: (N, classes)."""
        shares: Floats = softmax(self.logits.astype(np.float64), 1)
        return shares

    @cached_property
    def named(self) -> Integers:
        """Return the predicted class of each image: (N,)."""
        chosen: Integers = self.logits.argmax(1)
        return chosen

    @cached_property
    def hits(self) -> Booleans:
        """Tell which predictions are right: (N,)."""
        right: Booleans = self.named == self.labels
        return right

    @cached_property
    def losses(self) -> Floats:
        """Compute the cross-entropy of each image: (N,)."""
        chosen: Floats = -log_softmax(self.logits.astype(np.float64), 1)[np.arange(len(self.labels)), self.labels]
        return chosen

    @cached_property
    def images(self) -> Integers:
        """Count the images of each class: (classes,)."""
        return np.bincount(self.labels, minlength=len(self.classes))

    @cached_property
    def right(self) -> Integers:
        """Count the right predictions of each class: (classes,)."""
        return np.bincount(self.labels[self.hits], minlength=len(self.classes))


@dataclass(frozen=True)
class Curve:
    """Points of a precision-recall or ROC curve, and its area."""

    x: Floats
    y: Floats
    area: float


def interval(hits: int, images: int) -> tuple[float, float]:
    """Compute the 95 % Wilson interval of an accuracy (Wilson 1927); 0 to 1 where there is no image."""
    if not images:
        return 0.0, 1.0
    low, high = binomtest(hits, images).proportion_ci(CONFIDENCE, "wilson")
    return float(low), float(high)


@dataclass(frozen=True)
class Counted:
    """How many of some images are named right."""

    hits: int
    images: int

    @property
    def accuracy(self) -> float:
        return self.hits / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy."""
        return interval(self.hits, self.images)


def per_class(answers: Answers) -> pd.DataFrame:
    """Tabulate each class: support, precision, recall (its accuracy) with interval, F1, most confused with."""
    numbers = range(len(answers.classes))
    precision, recall, f1, support = precision_recall_fscore_support(
        answers.labels, answers.named, labels=list(numbers), zero_division=0.0
    )
    counts = confusion(answers)
    intervals = [interval(int(counts[number, number]), int(support[number])) for number in numbers]
    errors = counts - np.diag(np.diag(counts))
    worst = errors.argmax(1)
    return pd.DataFrame(
        {
            "Class": answers.classes,
            "Images": support,
            "Accuracy": recall,
            "Low": [low for low, _ in intervals],
            "High": [high for _, high in intervals],
            "Precision": precision,
            "F1": f1,
            CONFUSED: [
                f"{answers.classes[worst[number]]} ({errors[number, worst[number]]}×)" if errors[number].any() else ""
                for number in numbers
            ],
        }
    )


def before_and_after(classes: Sequence[str], images: Integers, before: Integers, after: Integers) -> pd.DataFrame:
    """Tabulate each class's images, and how many of them were right before a change and are now."""
    return pd.DataFrame({"Class": classes, "Images": images, "Right before": before, "Right now": after})


def confusion(answers: Answers, normalise: Literal["true", "pred"] | None = None) -> Floats:
    """Count (classes, classes): true class by row, prediction by column; or shares of each row or column."""
    matrix: Floats = confusion_matrix(
        answers.labels, answers.named, labels=list(range(len(answers.classes))), normalize=normalise
    )
    return matrix


def reliability(answers: Answers, temperature: float = 1.0) -> pd.DataFrame:
    """Bin predictions by confidence, in bins of equal width: images, mean confidence, accuracy; no empty bins."""
    confidence = softmax(answers.logits.astype(np.float64) / temperature, 1).max(1)
    # A confidence of exactly k / BINS belongs to the bin below, as in Guo et al. 2017.
    number = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    frame = pd.DataFrame({"bin": number, "confidence": confidence, "hit": answers.hits.astype(float)})
    table = frame.groupby("bin").agg(
        images=("hit", "size"), confidence=("confidence", "mean"), accuracy=("hit", "mean")
    )
    return table.reset_index()


def joined_bins(table: pd.DataFrame, least: int) -> pd.DataFrame:
    """Join neighbouring bins of a reliability table until each has ``least`` images; with the accuracy's interval.

    Columns Low and High are the ends of the 95 % Wilson interval. One bin remains where there are fewer images.
    """
    groups: list[list[int]] = [[]]
    counts = table["images"].tolist()
    for place in range(len(counts)):
        if groups[-1] and sum(counts[one] for one in groups[-1]) >= least:
            groups.append([])
        groups[-1].append(place)
    if len(groups) > 1 and sum(counts[one] for one in groups[-1]) < least:
        last = groups.pop()
        groups[-1] += last
    return pd.DataFrame([_joined(table.iloc[group]) for group in groups])


def _joined(bins: pd.DataFrame) -> dict[str, float]:
    images = int(bins["images"].sum())
    hits = round(float((bins["accuracy"] * bins["images"]).sum()))
    low, high = interval(hits, images)
    confidence = float((bins["confidence"] * bins["images"]).sum()) / images
    return {"images": images, "confidence": confidence, "accuracy": hits / images, "Low": low, "High": high}


def calibration_error(table: pd.DataFrame) -> float:
    """Compute the expected calibration error (Guo et al. 2017, arXiv:1706.04599) of a reliability table."""
    gaps = (table["accuracy"] - table["confidence"]).abs()
    return float((gaps * table["images"]).sum() / table["images"].sum())


def fit_temperature(answers: Answers) -> float:
    """Find the divisor of the logits that makes ``answers`` most likely; fit it on validation images."""
    logits = answers.logits.astype(np.float64)
    rows = np.arange(len(answers.labels))

    def loss(log_temperature: float) -> float:
        return float(-log_softmax(logits / np.exp(log_temperature), 1)[rows, answers.labels].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def precision_recall(answers: Answers, label: int) -> Curve:
    """Compute recall (x) and precision (y) of one class against the rest, and the average precision."""
    is_label = answers.labels == label
    scores = answers.probabilities[:, label]
    precision, recall, _ = precision_recall_curve(is_label, scores)
    return Curve(recall, precision, float(average_precision_score(is_label, scores)))


def receiver_operating(answers: Answers, label: int) -> Curve:
    """Compute the false (x) and true (y) positive rate of one class against the rest, and the area under the curve."""
    false, true, _ = roc_curve(answers.labels == label, answers.probabilities[:, label])
    return Curve(false, true, float(auc(false, true)))
