"""What a picture shows, by the few that were collected so far: the nearest of them vote, and nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cnnlab.analysis.cross_validation import FEWEST, VOTERS, config_of
from cnnlab.analysis.nearest import FeatureIndex
from cnnlab.data.batches import Standardise, scaling
from cnnlab.data.datasets import dataset_spec
from cnnlab.drawings.camera import FRAME_SIDE, read_frame
from cnnlab.networks.build import parted
from cnnlab.training.run_data import network_for

AT_ONCE = 16  # pictures in a forward pass
_TYPICAL = "cifar10"  # colour pictures; their size does not matter to layers that begin with a resize


@dataclass(frozen=True)
class Vote:
    """The class that most of the nearest pictures are of, and how many are of each."""

    said: str
    of_each: Mapping[str, int]

    @property
    def is_sure(self) -> bool:
        """Whether more than half of them agree."""
        return 2 * self.of_each[self.said] > self.voters

    @property
    def voters(self) -> int:
        return sum(self.of_each.values())


class Eye:
    """A pretrained network without its last layer, which sees what pictures have in common."""

    def __init__(self) -> None:
        """Load it. Raises PretrainedError where its weights are not here."""
        config, spec = config_of("transfer", _TYPICAL), dataset_spec(_TYPICAL)
        self._network, _ = parted(network_for(config, spec).eval(), config.learn_from)
        self._standardise = Standardise(*scaling(spec, config.normalise))

    @torch.inference_mode()
    def features(self, files: Sequence[bytes]) -> list[Tensor]:
        """Compute the features (F,) of each file. Raises DrawingError where one is no picture."""
        found: list[Tensor] = []
        for start in range(0, len(files), AT_ONCE):
            pixels = torch.stack([_pixels(read_frame(file)) for file in files[start : start + AT_ONCE]])
            found.extend(self._network(self._standardise.inputs(pixels)))  # (N, 3, H, W) → (N, F)
        return found


class FirstLook:
    """Pictures collected so far by their features, each computed once."""

    def __init__(self, eye: Eye) -> None:
        self._eye = eye
        self._known: dict[bytes, Tensor] = {}  # features by file

    def vote(self, seen: bytes, collected: Mapping[str, Sequence[bytes]]) -> Vote:
        """Let the VOTERS nearest of the files ``collected`` by class say what the file ``seen`` shows.

        Raises DrawingError where a file is no picture.
        """
        files = [file for of_class in collected.values() for file in of_class]
        labels = torch.tensor([at for at, of_class in enumerate(collected.values()) for _ in of_class])
        self._known = {file: self._known[file] for file in files if file in self._known}  # others were removed
        new = [file for file in dict.fromkeys(files) if file not in self._known]
        self._known.update(zip(new, self._eye.features(new), strict=True))
        index = FeatureIndex(torch.stack([self._known[file] for file in files]), labels)
        _, nearest = index.query(torch.stack(self._eye.features([seen])), VOTERS)
        votes = dict(zip(collected, index.votes(nearest, len(collected))[0].tolist(), strict=True))
        return Vote(list(collected)[int(index.elected(nearest, len(collected)))], votes)


def is_enough(collected: Mapping[str, Sequence[bytes]]) -> bool:
    """Whether two classes or more have FEWEST pictures, so that a vote says something."""
    return sum(len(files) >= FEWEST for files in collected.values()) > 1


def _pixels(picture: Image.Image) -> Tensor:
    """Convert an RGB picture of any size: (3, FRAME_SIDE, FRAME_SIDE) uint8."""
    return torch.from_numpy(np.array(picture.resize((FRAME_SIDE, FRAME_SIDE)))).permute(2, 0, 1)
