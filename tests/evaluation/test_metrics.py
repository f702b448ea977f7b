from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, classification_report, log_loss, roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from cnnlab.evaluation import metrics
from cnnlab.evaluation.metrics import Answers

CLASSES = ("cat", "dog", "owl")


def some_answers(count: int = 400, sharpness: float = 2.0, seed: int = 0) -> Answers:
    draws = np.random.default_rng(seed)
    labels = draws.integers(0, 3, count)
    logits = draws.normal(size=(count, 3)) + sharpness * np.eye(3)[labels]
    return Answers(logits, labels, CLASSES)


@pytest.mark.parametrize(("hits", "images"), [(0, 10), (7, 10), (10, 10), (9_921, 10_000)])
def test_an_interval_is_wilsons(hits: int, images: int) -> None:
    assert metrics.interval(hits, images) == pytest.approx(proportion_confint(hits, images, method="wilson"), abs=1e-9)


def test_without_images_anything_is_possible() -> None:
    assert metrics.interval(0, 0) == (0, 1)


def test_answers_are_read_from_their_logits() -> None:
    answers = some_answers()
    assert answers.hits.mean() == accuracy_score(answers.labels, answers.named)
    assert answers.probabilities.sum(1) == pytest.approx(np.ones(400))
    assert answers.losses.mean() == pytest.approx(log_loss(answers.labels, answers.probabilities))


def test_each_class_has_the_librarys_figures() -> None:
    answers = some_answers()
    table = metrics.per_class(answers).set_index("Class")
    report = classification_report(answers.labels, answers.named, target_names=CLASSES, output_dict=True)
    for name in CLASSES:
        row = table.loc[name]
        assert (row["Precision"], row["Accuracy"], row["F1"], row["Images"]) == pytest.approx(
            tuple(report[name][key] for key in ("precision", "recall", "f1-score", "support"))
        )
        assert row["Low"] < row["Accuracy"] < row["High"]
    assert table["Images"].sum() == 400


def test_what_a_class_is_most_taken_for_is_named() -> None:
    named = np.array([0, 1, 1, 2, 1, 2])
    answers = Answers(np.eye(3)[named] * 5, np.array([0, 0, 0, 0, 1, 2]), CLASSES)
    assert metrics.per_class(answers)["Most taken for"].tolist() == ["dog (2×)", "", ""]


def test_a_class_without_images_has_a_row() -> None:
    answers = Answers(np.eye(3)[[0, 1]], np.array([0, 1]), CLASSES)
    row = metrics.per_class(answers).iloc[2]
    assert (row["Images"], row["Accuracy"], row["Low"], row["High"]) == (0, 0, 0, 1)


def test_confusion_counts_true_by_row_and_answers_by_column() -> None:
    answers = some_answers()
    counts = metrics.confusion(answers)
    assert counts.sum() == 400
    assert counts[0, 1] == ((answers.labels == 0) & (answers.named == 1)).sum()
    assert metrics.confusion(answers, "true").sum(1) == pytest.approx(np.ones(3))
    assert metrics.confusion(answers, "pred").sum(0) == pytest.approx(np.ones(3))


def test_bins_of_few_images_are_joined_with_their_neighbours() -> None:
    table = pd.DataFrame(
        {
            "images": [1, 2, 30, 3, 40, 2],
            "confidence": [0.1, 0.4, 0.5, 0.7, 0.8, 0.9],
            "accuracy": [1, 0, 0.5, 1, 0.75, 1],
        }
    )
    joined = metrics.joined_bins(table, 20)
    assert joined["images"].tolist() == [33, 45]
    assert joined["accuracy"].tolist() == pytest.approx([16 / 33, 35 / 45])
    assert joined["confidence"].tolist() == pytest.approx([(0.1 + 0.8 + 15) / 33, (2.1 + 32 + 1.8) / 45])
    assert (joined["Low"][0], joined["High"][0]) == pytest.approx(metrics.interval(16, 33))
    assert metrics.joined_bins(table, 1000)["images"].tolist() == [78]
    assert metrics.joined_bins(table, 1)["images"].tolist() == table["images"].tolist()


def test_reliability_is_the_librarys() -> None:
    answers = some_answers()
    table = metrics.reliability(answers)
    accuracy, confidence = calibration_curve(answers.hits, answers.probabilities.max(1), n_bins=metrics.BINS)
    assert table["accuracy"].to_numpy() == pytest.approx(accuracy)
    assert table["confidence"].to_numpy() == pytest.approx(confidence)
    assert table["images"].sum() == 400


def test_the_calibration_error_of_known_bins_is_known() -> None:
    sure = np.array([[9.0, 0, 0]] * 4)  # says 1.0, is right in half
    answers = Answers(sure, np.array([0, 0, 1, 2]), CLASSES)
    assert metrics.calibration_error(metrics.reliability(answers)) == pytest.approx(0.5, abs=1e-3)


def test_a_temperature_undoes_the_sharpening_it_was_fitted_to() -> None:
    calibrated = some_answers(20_000)
    cooled = Answers(calibrated.logits * 3, calibrated.labels, CLASSES)
    ratio = metrics.fit_temperature(cooled) / metrics.fit_temperature(calibrated)
    assert ratio == pytest.approx(3, rel=1e-3)
    before, after = (
        metrics.calibration_error(metrics.reliability(cooled, temperature))
        for temperature in (1.0, metrics.fit_temperature(cooled))
    )
    assert after < before / 3


def test_curves_have_the_librarys_areas() -> None:
    answers = some_answers()
    area = metrics.receiver_operating(answers, 1).area
    assert area == pytest.approx(roc_auc_score(answers.labels == 1, answers.probabilities[:, 1]))
    curve = metrics.precision_recall(answers, 1)
    assert 0.5 < curve.area < 1
    assert (curve.x[0], curve.x[-1]) == (1, 0)
