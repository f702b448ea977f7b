"""The network whose published weights a run started from, as it was before: it tells ImageNet's classes apart."""

from __future__ import annotations

from cnnlab.data.batches import Standardise
from cnnlab.evaluation.evaluate import affordable_batch
from cnnlab.networks.architecture import summarise
from cnnlab.networks.build import build
from cnnlab.networks.layers import Resize
from cnnlab.pretrained.table import BACKBONES, SIDE
from cnnlab.pretrained.weights import published, take_weights
from cnnlab.runs.run import Run
from cnnlab.runs.trained import AS_PUBLISHED, Trained


def as_published(run: Run) -> Trained:
    """Build the backbone of a run with its own last layer, for the run's images, resized as the run resizes them.

    Raises PretrainedError where the weights cannot be had.
    """
    from cnnlab.data.torchvision_compat import imagenet_names  # noqa: PLC0415 - slow, and rarely needed

    config, summary, names = run.config, run.summary, tuple(imagenet_names())
    backbone = BACKBONES[config.backbone]
    resize = next((layer for layer in config.architecture.layers if isinstance(layer, Resize)), Resize(size=SIDE))
    original = backbone.original()
    architecture = original.model_copy(update={"layers": (resize, *original.layers)})
    network = build(architecture, summary.shape, len(names))
    take_weights(network, published(backbone.name))
    return Trained(
        network=network.eval(),
        standardise=Standardise(summary.mean, summary.std),  # a run's pixels have its backbone's scale
        classes=names,
        shape=summary.shape,
        epoch=AS_PUBLISHED,
        at_once=affordable_batch(summarise(architecture, summary.shape, len(names))),
    )
