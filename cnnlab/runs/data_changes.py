"""What a change of a data set did: networks of two versions, asked about the test pictures that both versions have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from cnnlab.data.datasets import own_pictures
from cnnlab.data.pictures.version import PictureSetError, Version
from cnnlab.data.splits import Split
from cnnlab.evaluation.metrics import Booleans
from cnnlab.evaluation.significance import Comparison, mcnemar
from cnnlab.runs.trained import Trained


@dataclass(frozen=True)
class Effect:
    """Which common test pictures the network of the older and that of the newer version name right."""

    before: Booleans  # (N,)
    after: Booleans

    @property
    def comparison(self) -> Comparison:
        """McNemar's test of both."""
        return mcnemar(self.before, self.after)


def effect_of_change(old: Version, new: Version, before: Trained, after: Trained) -> Effect:
    """Ask ``before``, trained on ``old``, and ``after``, trained on ``new``, about test pictures of both versions.

    The labels are those of ``new``: what was moved there counts as right. Raises PictureSetError where the versions
    share no test pictures.
    """
    if not new.shares_pixels(old):
        raise PictureSetError(f"{new} was added again: it shares no pictures with version {old.number}")
    library = own_pictures()
    known = {row.row for row in library.rows(old) if row.split == "test"}
    common = [row for row in library.rows(new) if row.split == "test" and row.row in known]
    if not common:
        raise PictureSetError(f"{new} has no test picture of version {old.number}")
    rows = torch.tensor([row.row for row in common])
    images = Split(library.pixels(new), torch.zeros(len(rows)), rows)
    labels = np.array([new.classes[row.label] for row in common])
    named = [np.array(one.classes)[one.probabilities(images).argmax(1).numpy()] for one in (before, after)]
    return Effect(named[0] == labels, named[1] == labels)
