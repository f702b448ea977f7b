from __future__ import annotations

from math import sqrt

import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from cnnlab.analysis.activations import penultimate
from cnnlab.analysis.nearest import FeatureIndex
from cnnlab.runs.run import Run
from cnnlab.runs.trained import load_trained
from tests.samples import few_digits

FEW = FeatureIndex(torch.tensor([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0], [0.0, 0.0]]), torch.tensor([7, 1, 1, 0]))


def test_distances_are_between_directions_whatever_their_length() -> None:
    distances, indices = FEW.query(torch.tensor([[5.0, 0.0], [0.0, 0.1]]), 2)
    assert indices[:, 0].tolist() == [0, 1]
    assert distances[:, 0].tolist() == pytest.approx([0, 0], abs=5e-4)
    assert distances[:, 1].tolist() == pytest.approx([sqrt(2)] * 2)


def test_opposite_features_are_farthest() -> None:
    distances, indices = FEW.query(torch.tensor([[5.0, 0.0]]), 4)
    assert indices[0, [0, -1]].tolist() == [0, 2]
    assert distances[0].tolist() == pytest.approx([0, sqrt(2), sqrt(2), 2], abs=5e-4)


def test_there_are_no_more_neighbours_than_images() -> None:
    distances, indices = FEW.query(torch.ones(3, 2), 99)
    assert distances.shape == indices.shape == (3, 4)
    assert len(FEW) == 4


def test_of_one_class_alone_the_nearest_are_found() -> None:
    distances, indices = FEW.query(torch.tensor([[5.0, 0.1]]), 3, label=1)
    assert indices.tolist() == [[1, 2]]
    assert distances[0, 0] < sqrt(2) < distances[0, 1]
    assert FEW.query(torch.ones(1, 2), 3, label=5)[1].shape == (1, 0)


def test_neighbours_vote_for_their_classes() -> None:
    votes = FEW.votes(torch.tensor([[0, 1, 2], [3, 3, 3]]), 8)
    assert votes.tolist() == [[0, 2, 0, 0, 0, 0, 0, 1], [3, 0, 0, 0, 0, 0, 0, 0]]


def test_the_nearest_of_as_many_votes_decides() -> None:
    known = FeatureIndex(torch.ones(5, 2), torch.tensor([0, 1, 1, 2, 2]))
    assert known.elected(torch.tensor([[3, 1, 2, 4, 0], [0, 1, 2, 3, 0]]), 3).tolist() == [2, 0]


def test_many_are_found_as_another_library_finds_them() -> None:
    draws = torch.Generator().manual_seed(0)
    features, asked = torch.randn(700, 20, generator=draws), torch.randn(250, 20, generator=draws)
    distances, indices = FeatureIndex(features, torch.zeros(700, dtype=torch.long)).query(asked, 5)
    directions = (rows / rows.norm(dim=1, keepdim=True) for rows in (features, asked))
    known, wanted = (rows.numpy() for rows in directions)
    expected, places = NearestNeighbors(n_neighbors=5).fit(known).kneighbors(wanted)
    assert torch.allclose(distances, torch.from_numpy(expected).float(), atol=5e-4)
    assert indices.tolist() == places.tolist()


@pytest.mark.parametrize(("features", "labels"), [(0, 0), (3, 2)])
def test_too_few_features_or_labels_are_refused(features: int, labels: int) -> None:
    with pytest.raises(ValueError, match="as many are needed"):
        FeatureIndex(torch.zeros(features, 2), torch.zeros(labels, dtype=torch.long))


def test_digits_lie_near_digits_of_their_class_and_noise_near_none(finished_run: Run) -> None:
    trained, data = load_trained(finished_run), few_digits(train=1000, held_out=100)
    noise = torch.randint(0, 256, (50, *trained.shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    train, test, strange = (
        penultimate(trained.network, images, trained.inputs) for images in (data.train.images, data.test.images, noise)
    )
    known = FeatureIndex(train, data.train.labels)
    own, _ = known.query(train[:20], 1)
    near, indices = known.query(test, 10)
    far, _ = known.query(strange, 1)
    assert own.max() < 2e-3
    assert (known.votes(indices, 10).argmax(1) == data.test.labels).float().mean() > 0.85
    assert far.min() > near[:, 0].quantile(0.9)
