"""The split of pictures into training and test ones; none goes through pictures that belong together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from cnnlab.data.pictures.bursts import Numbers, parted
from cnnlab.data.pictures.layout import LayoutError
from cnnlab.data.splits import held_out_groups


def split_pictures(
    groups: Numbers, paths: Sequence[str], labels: Numbers, given: Sequence[str], test_share: float, seed: int
) -> tuple[Numbers, npt.NDArray[np.str_]]:
    """Return the groups (N,) of pictures, of which no split of a run divides one, and "train" or "test" for each.

    A class of bursts that is one group is divided, for the test pictures and once more for a run's validation pictures.
    Raises LayoutError where the folders, as ``given``, leave a class nothing to train on.
    """
    groups = parted(groups, paths, labels, np.full(len(labels), True))
    splits = _as_given(given, labels) if "test" in given else _chosen(groups, labels, test_share, seed)
    return parted(groups, paths, labels, splits == "train"), splits


def _as_given(given: Sequence[str], labels: Numbers) -> npt.NDArray[np.str_]:
    splits = np.array([split or "train" for split in given])
    missing = set(labels.tolist()) - set(labels[splits != "test"].tolist())
    if missing:
        raise LayoutError("a class has test pictures only: put some into its train folder")
    return splits


def _chosen(groups: Numbers, labels: Numbers, test_share: float, seed: int) -> npt.NDArray[np.str_]:
    chosen = held_out_groups(torch.from_numpy(labels), torch.from_numpy(groups), test_share, seed)
    return np.where(chosen.numpy(), "test", "train")
