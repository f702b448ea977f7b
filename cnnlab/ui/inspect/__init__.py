"""The views of Inside and Evaluate, one module each. Add a view to these lists and its page shows it."""

from cnnlab.ui.inspect import (
    calibration,
    confusion,
    each_class,
    embedding,
    filters,
    ideal_image,
    label_errors,
    layer_by_layer,
    mistakes,
    over_epochs,
    robustness,
    surgery,
    thresholds,
    weights,
)
from cnnlab.ui.views import attribution, blame, feature_maps, nearest, smallest_change
from cnnlab.ui.views.view import Look, View

INSIDE: dict[str, View] = {
    "Filters": View("What did it learn? The filter weights of each convolution.", filters.show, "Learned"),
    "Weights over time": View(
        "How did training change it? Weights and gradients of each layer, epoch by epoch.", weights.show, "Learned"
    ),
    "Ideal image": View(
        "Which image excites a filter or class most? The image is optimised from noise.",
        ideal_image.show,
        "Learned",
        takes_published=True,
    ),
    "Feature maps": View(
        "What does it see in this image? The feature maps of each layer.", feature_maps.show, "Sees", needs_image=True
    ),
    "Layer by layer": View(
        "One image's path through the network, layer by layer, to the answer.",
        layer_by_layer.show,
        "Sees",
        needs_image=True,
        takes_published=True,
    ),
    "Embedding": View("How does it group images? Images it finds similar lie close together.", embedding.show, "Sees"),
    "Attribution": View(
        "Why this answer? The pixels that support a class.",
        attribution.show,
        "Why",
        needs_image=True,
        takes_published=True,
    ),
    "Nearest images": View("Which training images are most like this one?", nearest.show, "Why", needs_image=True),
    "Blame": View(
        "Which training images taught it this mistake? Take them out, and see whether the answer turns.",
        blame.show,
        "Why",
        needs_image=True,
    ),
    "Surgery": View(
        "What does it lose without a filter? Switch filters off, swap layers, prune: each class answers at once.",
        surgery.show,
        "Why",
    ),
    "Smallest change": View(
        "What is the smallest change to the image that changes the answer?",
        smallest_change.show,
        "Why",
        needs_image=True,
        takes_published=True,
    ),
}

EVALUATE: dict[str, View] = {
    "Each class": View(
        "How good is it, class by class, and how certain are these figures?", each_class.show, "Results"
    ),
    "Confusion": View("Which classes does it confuse? Click a cell to see those images.", confusion.show, "Results"),
    "Mistakes": View(
        "Where is it confident and wrong, and where unsure but right?", mistakes.show, "Results", formerly="Images"
    ),
    "Over epochs": View("Which classes did it learn first, and did it forget any?", over_epochs.show, "Results"),
    "Calibration": View("When it says 90%, is it right nine times out of ten?", calibration.show, "Trust"),
    "Thresholds": View(
        "How many images of a class does it find, and at what cost in false alarms?",
        thresholds.show,
        "Trust",
        formerly="Trade-offs",
    ),
    "Robustness": View("How well does it read images worse than its training images?", robustness.show, "Trust"),
    "Label errors": View(
        "Which images may have a wrong label? Those where it disagrees most confidently.",
        label_errors.show,
        "Trust",
        formerly="Labels",
    ),
}

__all__ = ["EVALUATE", "INSIDE", "Look", "View"]
