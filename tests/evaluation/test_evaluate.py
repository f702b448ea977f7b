from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import balanced_accuracy_score, f1_score

from cnnlab.data.batches import Standardise
from cnnlab.evaluation.evaluate import evaluate, evaluation_batch, predict
from cnnlab.networks.build import build
from tests.samples import TINY, WITH_DROPOUT, few_digits

UNIT = Standardise((0.0,), (1.0,))


def test_large_images_go_through_in_smaller_batches() -> None:
    assert [evaluation_batch(shape) for shape in ((1, 28, 28), (3, 32, 32), (3, 224, 224))] == [1000, 651, 13]


def test_evaluation_counts_as_one_would_by_hand() -> None:
    data = few_digits(held_out=300)
    network = build(TINY, data.spec.shape, 10)
    found = evaluate(network, data.validation, UNIT)
    logits = network.eval()(data.validation.images.float() / 255)
    hits = logits.argmax(1) == data.validation.labels
    assert found.accuracy == pytest.approx(hits.double().mean().item())
    assert found.loss == pytest.approx(F.cross_entropy(logits, data.validation.labels).item(), rel=1e-5)
    for label in range(10):
        members = data.validation.labels == label
        assert found.support[label] == members.sum()
        assert found.per_class[label] == pytest.approx(hits[members].double().mean().item())
    truth, answers = data.validation.labels, logits.argmax(1)
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(truth, answers))
    assert found.macro_f1 == pytest.approx(f1_score(truth, answers, average="macro"))


@pytest.mark.parametrize("training", [True, False])
def test_evaluation_restores_the_mode_also_when_it_fails(training: bool) -> None:
    data = few_digits()
    network = build(WITH_DROPOUT, data.spec.shape, 10).train(training)
    evaluate(network, data.validation, UNIT)
    assert network.training == training
    with pytest.raises(RuntimeError):
        predict(network, torch.zeros(1, 2, 28, 28, dtype=torch.uint8), UNIT)
    assert network.training == training


def test_predictions_are_logits_without_dropout() -> None:
    images = few_digits().test.images
    network = build(WITH_DROPOUT, (1, 28, 28), 10).train()
    first, second = predict(network, images, UNIT), predict(network, images, UNIT)
    assert torch.equal(first, second)
    assert torch.allclose(first, network.eval()(images / 255), atol=1e-6)
