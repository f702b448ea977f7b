from __future__ import annotations

import pytest
import torch

from cnnlab.explain.nearest import Neighbours

KNOWN = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])


def test_the_nearest_point_the_same_way_whatever_their_length() -> None:
    distances, numbers = Neighbours(KNOWN, torch.tensor([0, 1, 2])).query(torch.tensor([[5.0, 0.1], [0.2, 0.2]]), 2)
    assert numbers.tolist() == [[0, 2], [2, 0]] or numbers.tolist() == [[0, 2], [2, 1]]
    assert distances[1, 0] == pytest.approx(0, abs=1e-3)
    assert (distances[:, 0] <= distances[:, 1]).all()


def test_no_more_are_found_than_there_are() -> None:
    assert Neighbours(KNOWN, torch.tensor([0, 1, 2])).query(KNOWN, 10)[1].shape == (3, 3)
