"""The views of Inside: each draws one look into a network. Add one here and the page has it."""

from cnnlab.ui.views.look import Look, View

VIEWS: dict[str, View] = {
    "Filters": View("filters", "What did it learn? The weights of each convolution's filters."),
    "Weights over time": View("weights", "How did it become so? Weights and gradients of each layer, epoch by epoch."),
    "Feature maps": View("feature_maps", "What does it see in this image? The maps of each layer.", needs_image=True),
    "Layer by layer": View(
        "passage", "The way of one image through the network, down to its answer.", needs_image=True
    ),
    "Attribution": View("attribution", "Why did it answer so? The pixels that speak for a class.", needs_image=True),
    "Ideal image": View("ideal_image", "What would it most like to see? An image grown for one filter or class."),
    "Embedding": View("embedding", "How does it sort images? Those it finds alike lie close together."),
}

__all__ = ["VIEWS", "Look", "View"]
