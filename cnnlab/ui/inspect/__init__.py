"""The views of Inside and Evaluate, one module each. Add a view to these lists and its page shows it."""

from cnnlab.ui.inspect import (
    calibration,
    confusion,
    each_class,
    embedding,
    errors,
    filters,
    ideal_image,
    labels,
    layer_by_layer,
    over_epochs,
    robustness,
    trade_offs,
    weights,
)
from cnnlab.ui.views import attribution, feature_maps, nearest, smallest_change
from cnnlab.ui.views.view import Look, View

INSIDE: dict[str, View] = {
    "Filters": View("What did it learn? The weights of each convolution's filters.", filters.show),
    "Weights over time": View(
        "How did it become so? Weights and gradients of each layer, epoch by epoch.", weights.show
    ),
    "Feature maps": View(
        "What does it see in this image? The maps of each layer.", feature_maps.show, needs_image=True
    ),
    "Layer by layer": View(
        "The way of one image through the network, down to its answer.",
        layer_by_layer.show,
        needs_image=True,
        takes_published=True,
    ),
    "Attribution": View(
        "Why did it answer so? The pixels that speak for a class.",
        attribution.show,
        needs_image=True,
        takes_published=True,
    ),
    "Nearest images": View(
        "Which images does it know like this one? The nearest among those it learned from.",
        nearest.show,
        needs_image=True,
    ),
    "Smallest change": View(
        "How little must change for it to read another class?",
        smallest_change.show,
        needs_image=True,
        takes_published=True,
    ),
    "Ideal image": View(
        "What would it most like to see? An image grown for one filter or class.",
        ideal_image.show,
        takes_published=True,
    ),
    "Embedding": View("How does it sort images? Those it finds alike lie close together.", embedding.show),
}

EVALUATE: dict[str, View] = {
    "Each class": View("How good is it, class by class, and how sure can one be of that?", each_class.show),
    "Over epochs": View("Which classes did it learn first, and does it forget any?", over_epochs.show),
    "Confusion": View("What does it take for what? Click a cell to see those images.", confusion.show),
    "Images": View("Which images does it get wrong most surely, and which right least surely?", errors.show),
    "Labels": View("Which images may carry a wrong label? Those it contradicts most surely.", labels.show),
    "Calibration": View("When it says 90 %, is it right nine times in ten?", calibration.show),
    "Trade-offs": View("How many of a class are found, at what price in false alarms?", trade_offs.show),
    "Robustness": View("How well does it do on images worse than those it learned from?", robustness.show),
}

__all__ = ["EVALUATE", "INSIDE", "Look", "View"]
