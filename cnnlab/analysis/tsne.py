"""Features of images laid out in two or three dimensions by PCA or t-SNE."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from openTSNE import TSNEEmbedding
from openTSNE.affinity import PerplexityBasedNN
from scipy.linalg import orthogonal_procrustes
from sklearn.decomposition import PCA
from torch import Tensor

Places = npt.NDArray[np.float64]  # (N, 2) or (N, 3)

PERPLEXITY = 30  # neighbours, roughly, that each image is kept close to
WORKING_DIMENSIONS = 50  # PCA before t-SNE, which takes out noise and time
EARLY_STEPS, STEPS = 150, 500
EARLY_EXAGGERATION = 12.0
STEPS_AT_ONCE = 10


@dataclass(frozen=True)
class Layout:
    """The positions of the images so far."""

    progress: float  # 0…1
    places: Places


def are_alike(features: Tensor) -> bool:
    """Tell whether all images have the same features, as when every ReLU is dead."""
    return bool((features == features[0]).all())


def principal_components(features: Tensor, dimensions: int) -> tuple[Places, float]:
    """Project features (N, F) on principal components: (N, dimensions), and their share of the variance.

    Features that are all alike lie on one point, with no variance.
    """
    if are_alike(features):
        return np.zeros((len(features), dimensions)), 0.0
    kept = min(dimensions, *features.shape)
    solver = "arpack" if kept < min(features.shape) else "full"  # the first finds no more than it is asked for
    pca = PCA(kept, svd_solver=solver, random_state=0)
    found = pca.fit_transform(features.cpu().numpy().astype(np.float64))
    places = np.zeros((len(features), dimensions))
    places[:, : found.shape[1]] = found
    return places, float(pca.explained_variance_ratio_.sum())


def aligned(places: Places, reference: Places) -> Places:
    """Rotate and mirror ``places`` to lie as near to ``reference`` as they can (Schönemann 1966)."""
    turn, _ = orthogonal_procrustes(places - places.mean(0), reference - reference.mean(0))
    turned: Places = (places - places.mean(0)) @ turn
    return turned


def neighbours(
    features: Tensor, dimensions: int, exaggeration: float = 1.0, start: Places | None = None
) -> Generator[Layout]:
    """Lay the features (N, F) out so that neighbours stay neighbours: t-SNE, step by step.

    van der Maaten and Hinton 2008, in openTSNE's implementation. An ``exaggeration`` of 4 draws clusters together
    much as UMAP does (Böhm et al. 2022, arXiv:2007.08902). ``start`` (N, dimensions) keeps an earlier layout's
    orientation; otherwise the layout starts from the principal components. Features that are all alike lie on one
    point. Raises ValueError for fewer than 5 images.
    """
    if len(features) < 5:
        raise ValueError(f"t-SNE needs at least 5 images, not {len(features)}")
    if are_alike(features):
        yield Layout(1.0, np.zeros((len(features), dimensions)))
        return
    working = PCA(min(WORKING_DIMENSIONS, *features.shape), svd_solver="randomized", random_state=0)
    reduced = working.fit_transform(features.cpu().numpy().astype(np.float64))
    perplexity = min(PERPLEXITY, (len(reduced) - 1) / 3)
    first = principal_components(features, dimensions)[0] if start is None else start
    embedding = TSNEEmbedding(
        first / max(first[:, 0].std(), 1e-12) * 1e-4,
        PerplexityBasedNN(reduced, perplexity=perplexity, random_state=0),
        negative_gradient_method="fft" if dimensions == 2 else "bh",
        random_state=0,
    )
    yield Layout(0.0, first)
    total = EARLY_STEPS + STEPS
    for done in range(STEPS_AT_ONCE, total + 1, STEPS_AT_ONCE):
        is_early = done <= EARLY_STEPS
        embedding.optimize(
            STEPS_AT_ONCE,
            exaggeration=EARLY_EXAGGERATION if is_early else exaggeration,
            momentum=0.5 if is_early else 0.8,
            inplace=True,
        )
        yield Layout(done / total, np.array(embedding))
