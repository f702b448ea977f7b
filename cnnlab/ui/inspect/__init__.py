"""The views of Inside, Evaluate and Draw: each draws one look at a network. Add one here and its page has it."""

from cnnlab.ui.widgets.view import Look, View

INSIDE: dict[str, View] = {
    "Filters": View("filters", "What did it learn? The weights of each convolution's filters."),
    "Weights over time": View("weights", "How did it become so? Weights and gradients of each layer, epoch by epoch."),
    "Feature maps": View("feature_maps", "What does it see in this image? The maps of each layer.", needs_image=True),
    "Layer by layer": View(
        "layer_by_layer", "The way of one image through the network, down to its answer.", needs_image=True
    ),
    "Attribution": View("attribution", "Why did it answer so? The pixels that speak for a class.", needs_image=True),
    "Nearest images": View(
        "nearest", "Which images does it know like this one? The nearest among those it learned from.", needs_image=True
    ),
    "Smallest change": View(
        "smallest_change", "How little must change for it to read another class?", needs_image=True
    ),
    "Ideal image": View("ideal_image", "What would it most like to see? An image grown for one filter or class."),
    "Embedding": View("embedding", "How does it sort images? Those it finds alike lie close together."),
}

DRAW: dict[str, View] = {
    "Strokes": View("strokes", "Which strokes made it answer so? Each is erased in turn.", needs_image=True),
    "Attribution": View("attribution", "Why did it answer so? The pixels that speak for a class.", needs_image=True),
    "Feature maps": View("feature_maps", "What does it see in your drawing? The maps of each layer.", needs_image=True),
    "Nearest images": View(
        "nearest", "Which images does it know like yours? The nearest among those it learned from.", needs_image=True
    ),
    "Smallest change": View(
        "smallest_change", "How little of your drawing must change for it to read another class?", needs_image=True
    ),
}

EVALUATE: dict[str, View] = {
    "Each class": View("each_class", "How good is it, class by class, and how sure can one be of that?"),
    "Over epochs": View("over_epochs", "Which classes did it learn first, and does it forget any?"),
    "Confusion": View("confusion", "What does it take for what? Click a cell to see those images."),
    "Images": View("errors", "Which images does it get wrong most surely, and which right least surely?"),
    "Labels": View("labels", "Which images may carry a wrong label? Those it contradicts most surely."),
    "Calibration": View("calibration", "When it says 90 %, is it right nine times in ten?"),
    "Trade-offs": View("trade_offs", "How many of a class are found, at what price in false alarms?"),
    "Robustness": View("robustness", "How well does it do on images worse than those it learned from?"),
}

__all__ = ["DRAW", "EVALUATE", "INSIDE", "Look", "View"]
