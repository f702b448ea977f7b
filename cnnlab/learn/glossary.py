"""The terms of the app: what each means, where it is explained at length, and where a text mentions one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Term:
    """A word of the field."""

    name: str
    meaning: str
    also: tuple[str, ...] = ()  # other words for it
    see: tuple[str, ...] = ()  # other terms' slugs
    chapter: str = ""  # of Learn
    is_everyday: bool = False  # too common a word to be linked from texts

    @property
    def slug(self) -> str:
        """The term in an address: "Batch norm" → batch-norm."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower().replace("'", "")).strip("-")


@dataclass(frozen=True)
class Mention:
    """Where a text mentions a term."""

    term: Term
    start: int
    end: int


_TERMS = (
    Term(
        "Accuracy", "The share of images whose most probable class is the right one.", see=("loss", "f1", "test-split")
    ),
    Term(
        "Activation",
        "What a layer gives for an image. Training keeps it until the way back, so it takes most of the memory.",
        see=("feature-map", "backward-pass", "activation-function"),
        chapter="cost",
    ),
    Term(
        "Activation function",
        "A simple bend applied to each number by itself, such as ReLU. Without one, layers behind each other are worth "
        "no more than a single one.",
        see=("relu", "activation"),
        chapter="machines",
    ),
    Term(
        "Adam",
        "An optimiser that gives each weight a step of its own, from running means of its gradient and of the "
        "gradient's square.",
        see=("adamw", "optimiser", "moments"),
        chapter="step",
    ),
    Term(
        "AdamW",
        "Adam with weight decay taken from the weights directly, not through the gradient.",
        see=("adam", "weight-decay"),
    ),
    Term(
        "Attribution",
        "How much each pixel speaks for or against a class, by one of several methods that need not agree.",
        see=("saliency", "grad-cam", "gradient"),
    ),
    Term(
        "Augmentation",
        "Small random changes of training images, such as a shift, that leave the label true. A network then learns "
        "from more than there is.",
        see=("overfitting", "training-split"),
        chapter="ablation",
    ),
    Term(
        "Backward pass",
        "The walk from the loss back through the layers, which gives every weight its gradient.",
        also=("backward", "backpropagation"),
        see=("forward-pass", "gradient"),
        chapter="step",
    ),
    Term(
        "Batch",
        "The images that one training step looks at together.",
        see=("batch-size", "step"),
        is_everyday=True,
    ),
    Term(
        "Batch norm",
        "A layer that shifts and scales each channel to mean 0 and variance 1 over the batch, then by two learned "
        "numbers. When the network answers it uses running figures instead.",
        also=("batch normalisation", "BatchNorm"),
        see=("channel", "group-norm", "batch"),
        chapter="machines",
    ),
    Term(
        "Batch size",
        "How many images a training step looks at. Larger ones use a device better, up to a point, and take fewer "
        "steps an epoch.",
        see=("batch", "epoch", "learning-rate"),
        chapter="cost",
    ),
    Term("Bias", "A learned number that a layer adds to each of its outputs.", see=("weights",)),
    Term(
        "Bfloat16",
        "A number in 16 bits with the range of 32 and fewer digits. Devices with matrix units compute with it several "
        "times as fast.",
        also=("16 bits",),
        see=("precision-of-numbers", "loss-scaling"),
        chapter="cost",
    ),
    Term(
        "Calibration",
        "Whether confidence can be believed: of the answers given with 90 %, nine in ten should be right.",
        see=("temperature", "confidence"),
    ),
    Term(
        "Channel",
        "One of the sheets of numbers that an image or a stack of feature maps is made of: red, green and blue, or "
        "what each filter gave.",
        see=("feature-map", "filter"),
        chapter="convolution",
    ),
    Term(
        "Channels-last",
        "A way to lay images out in memory, all channels of a pixel side by side. Convolutions often run faster on it.",
        see=("tensor", "channel"),
    ),
    Term(
        "Class",
        "One of the things an image can be, as a digit from 0 to 9.",
        see=("label", "logits"),
        is_everyday=True,
    ),
    Term(
        "Confidence",
        "The probability that a network gives its own answer. It can be high where the answer is wrong.",
        see=("softmax", "calibration"),
    ),
    Term(
        "Confidence interval",
        "The range within which a figure would stay had other images been drawn, 95 times in 100.",
        see=("accuracy", "mcnemars-test"),
    ),
    Term(
        "Confusion matrix",
        "A table of true classes against answers: off its diagonal stands what was taken for what.",
        also=("confusion",),
        see=("precision", "recall"),
    ),
    Term(
        "Convolution",
        "A layer that slides small filters over its input and gives, at each place, the sum of products with what lies "
        "below. The same few weights serve every place.",
        also=("convolutional layer",),
        see=("filter", "stride", "padding", "feature-map"),
        chapter="convolution",
    ),
    Term(
        "Cosine schedule",
        "The learning rate falls along half a cosine wave, slowly, then fast, then slowly to zero.",
        see=("learning-rate-schedule", "one-cycle"),
    ),
    Term(
        "Cross-entropy",
        "The loss of a classifier: minus the logarithm of the probability it gave the true class. Being sure and wrong "
        "costs most.",
        see=("loss", "softmax", "logits"),
        chapter="machines",
    ),
    Term(
        "Depthwise-separable convolution",
        "A filter for each channel by itself, then a 1×1 convolution that mixes channels: nearly the same reach for a "
        "fraction of the multiply-accumulates.",
        also=("depthwise-separable",),
        see=("groups", "multiply-accumulate"),
    ),
    Term(
        "Dilation",
        "The distance between the pixels that a filter looks at. With 2 it skips every other one and sees a wider "
        "field with as many weights.",
        see=("receptive-field", "filter"),
        chapter="conv2d",
    ),
    Term(
        "Dropout",
        "While training, a random share of the numbers is set to zero and the rest made larger. It hinders a network "
        "from relying on any one of them.",
        see=("overfitting", "evaluation-mode"),
        chapter="machines",
    ),
    Term(
        "Early stopping",
        "An end to training when the validation loss has not fallen for some epochs. The best weights so far are kept.",
        see=("validation-split", "overfitting"),
    ),
    Term(
        "Embedding",
        "Images as points: the numbers that a layer gives for each, laid out on a plane so that like lies near like.",
        see=("activation", "t-sne"),
    ),
    Term("Epoch", "One pass over all training images.", see=("step", "batch"), is_everyday=True),
    Term(
        "Evaluation mode",
        "How layers behave when a network answers: dropout lets everything through, batch norm uses its running "
        "figures. In PyTorch, eval().",
        also=("eval mode",),
        see=("dropout", "batch-norm"),
        chapter="traps",
    ),
    Term(
        "F1",
        "A class's precision and recall in one figure, their harmonic mean: high only where both are.",
        see=("precision", "recall"),
    ),
    Term(
        "Feature map",
        "What one filter gives over a whole image: bright where it found what it looks for.",
        see=("filter", "channel", "activation"),
        chapter="convolution",
    ),
    Term(
        "Filter",
        "The small window of weights that a convolution slides over its input, one for each feature map it gives.",
        also=("kernel",),
        see=("convolution", "weights"),
        chapter="convolution",
    ),
    Term(
        "Flatten",
        "To put all numbers of an image in one row. What lay side by side is no longer known to be so.",
        see=("linear-layer", "tensor"),
        chapter="flatten",
    ),
    Term(
        "Forward pass",
        "An image's way through the layers, from pixels to logits.",
        see=("backward-pass", "logits"),
        chapter="step",
    ),
    Term(
        "Global pooling",
        "Pooling over a whole feature map, which leaves one number for each channel, whatever the image's size.",
        see=("pooling", "feature-map"),
    ),
    Term(
        "Grad-CAM",
        "A map of where a class's evidence lies: a late layer's feature maps, each weighted by the mean gradient that "
        "the class has on it.",
        see=("attribution", "feature-map", "gradient"),
    ),
    Term(
        "Gradient",
        "For each weight, how fast the loss rises with it. A step goes the other way.",
        see=("backward-pass", "optimiser", "learning-rate"),
        chapter="step",
    ),
    Term(
        "Group norm",
        "Like batch norm, over groups of one image's channels. It does not care about the batch.",
        see=("batch-norm", "channel"),
    ),
    Term(
        "Groups",
        "Parts into which a convolution divides its channels; each filter sees only its own. Fewer weights, less "
        "mixing.",
        see=("depthwise-separable-convolution", "channel"),
        chapter="conv2d",
        is_everyday=True,
    ),
    Term(
        "Hyperparameter",
        "A setting that is chosen, not learned: the learning rate, the batch size, the network itself.",
        see=("parameter", "learning-rate", "sweep"),
    ),
    Term(
        "Inference",
        "A network giving answers, with nothing learned and nothing kept.",
        see=("evaluation-mode", "forward-pass"),
    ),
    Term(
        "Initialisation",
        "The random weights that training begins with, drawn with a spread that suits each layer.",
        see=("seed", "weights"),
    ),
    Term(
        "Label",
        "The class that an image is said to have. Data sets have a few wrong ones.",
        see=("class", "label-smoothing"),
        is_everyday=True,
    ),
    Term(
        "Label smoothing",
        "Training on a little less than certainty: 90 % for the true class, the rest shared among all. It keeps a "
        "network from growing too sure.",
        see=("cross-entropy", "calibration"),
    ),
    Term(
        "Layer",
        "One step of a network, as a convolution or a pool: it takes a tensor and gives one.",
        see=("convolution", "tensor"),
        is_everyday=True,
    ),
    Term(
        "Learning rate",
        "How far each step moves the weights against their gradient. Too low takes for ever, too high never settles.",
        see=("gradient", "learning-rate-schedule", "optimiser"),
        chapter="step",
    ),
    Term(
        "Learning-rate schedule",
        "How the learning rate changes while a network trains: constant, in drops, along a cosine or in one cycle.",
        also=("learning rate schedule",),
        see=("cosine-schedule", "one-cycle"),
    ),
    Term(
        "Linear layer",
        "Every output is a weighted sum of all inputs. A network's last layer is one, a row of weights for each class.",
        also=("dense layer", "fully connected layer"),
        see=("logits", "weights", "flatten"),
        chapter="flatten",
    ),
    Term(
        "Logits",
        "The numbers that a network gives its classes before softmax makes probabilities of them.",
        see=("softmax", "cross-entropy"),
        chapter="machines",
    ),
    Term(
        "Loss",
        "One number for how wrong the answers are, which training makes smaller.",
        see=("cross-entropy", "gradient"),
        chapter="step",
        is_everyday=True,
    ),
    Term(
        "Loss scaling",
        "The loss times a large number before the way back, so that small gradients survive in 16 bits; they are "
        "divided by it afterwards.",
        see=("bfloat16", "gradient"),
    ),
    Term(
        "McNemar's test",
        "A test of whether one network beats another on the same images. Only those count on which just one of them is "
        "right.",
        also=("McNemar",),
        see=("p-value", "confidence-interval"),
    ),
    Term(
        "Moments",
        "Running means that an optimiser keeps of each weight's gradient, and Adam of its square too.",
        see=("adam", "momentum"),
        chapter="cost",
        is_everyday=True,
    ),
    Term(
        "Momentum",
        "Part of the last step is added to the next. It carries through shallow stretches and evens zigzags out.",
        see=("sgd", "optimiser"),
        chapter="step",
    ),
    Term(
        "Multiply-accumulate",
        "One product added to a sum, the unit in which a network's arithmetic is counted.",
        also=("MAC",),
        see=("parameter", "convolution"),
        chapter="conv2d",
    ),
    Term(
        "One-cycle",
        "A learning rate that rises to its peak, then falls to nearly nothing, for short trainings. With Adam and "
        "AdamW, beta1 (the share of earlier gradients) moves against it, from 0.95 to 0.85 and back.",
        see=("learning-rate-schedule", "cosine-schedule", "adam"),
    ),
    Term(
        "Optimiser",
        "The rule that makes a step of a gradient: SGD, Adam, AdamW, RMSprop.",
        also=("optimizer",),
        see=("gradient", "learning-rate", "adam", "sgd"),
        chapter="step",
    ),
    Term(
        "Overfitting",
        "Learning the training images by heart: their loss still falls while that of others rises.",
        see=("validation-split", "augmentation", "dropout"),
        chapter="traps",
    ),
    Term(
        "P-value",
        "How often chance alone would show a difference as large as this one, were there none.",
        see=("mcnemars-test",),
    ),
    Term(
        "Padding",
        "Pixels put around an image, mostly zeros, so that a filter can stand at its edge and the size may stay.",
        see=("stride", "filter"),
        chapter="conv2d",
    ),
    Term(
        "Parameter",
        "A number that training changes: a weight or a bias.",
        see=("weights", "hyperparameter"),
        is_everyday=True,
    ),
    Term(
        "Pareto front",
        "The runs that no other one beats in both accuracy and cost.",
        see=("accuracy", "multiply-accumulate"),
    ),
    Term(
        "Pooling",
        "A layer without weights that makes maps smaller: each small window gives its largest number or its mean.",
        also=("max pooling", "average pooling"),
        see=("stride", "global-pooling"),
        chapter="machines",
    ),
    Term(
        "Precision",
        "Of all images that are called a class, the share that are of it.",
        see=("recall", "f1", "precision-of-numbers"),
        is_everyday=True,
    ),
    Term(
        "Precision of numbers",
        "How many bits a number takes while training: 32, or 16 where the device gains by it.",
        also=("float32",),
        see=("bfloat16", "precision"),
        chapter="cost",
    ),
    Term(
        "Recall",
        "Of all images of a class, the share that are called it.",
        see=("precision", "f1"),
        is_everyday=True,
    ),
    Term(
        "Receptive field",
        "The pixels of the image that can reach one number of a feature map. It grows with every convolution and pool.",
        see=("feature-map", "dilation", "stride"),
        chapter="conv2d",
    ),
    Term("Recipe", "A whole set of settings by name; change what you like.", see=("hyperparameter",), is_everyday=True),
    Term(
        "ReLU",
        "The activation function max(0, x): what is negative becomes zero.",
        see=("activation-function",),
        chapter="machines",
    ),
    Term(
        "Residual block",
        "Layers whose result is added to what came in. The way back has a short cut, so that deep networks train.",
        see=("layer", "gradient"),
    ),
    Term(
        "RMSprop",
        "An optimiser that divides each gradient by a running mean of its size.",
        see=("adam", "optimiser"),
    ),
    Term(
        "Run",
        "One training from beginning to end, kept with its settings, curves and every epoch's weights.",
        see=("epoch", "seed"),
        is_everyday=True,
    ),
    Term(
        "Saliency",
        "The gradient of a class's logit on each pixel: where a small change would matter most.",
        see=("attribution", "gradient"),
    ),
    Term(
        "Seed",
        "The number from which all chance of a run is drawn. The same seed and settings give the same run; another one "
        "shows how much is luck.",
        see=("run", "initialisation"),
    ),
    Term(
        "SGD",
        "Stochastic gradient descent: each step goes against the gradient of one batch, times the learning rate.",
        see=("momentum", "optimiser", "batch"),
        chapter="step",
    ),
    Term(
        "Softmax",
        "Makes probabilities of logits: the exponential of each, divided by their sum.",
        see=("logits", "cross-entropy", "temperature"),
        chapter="machines",
    ),
    Term(
        "Squeeze-and-excite",
        "A block that weighs whole channels: each one's mean goes through two small layers and becomes its factor.",
        see=("channel", "global-pooling"),
    ),
    Term(
        "Step",
        "One batch forward, its loss back, and the weights moved once.",
        see=("batch", "epoch", "optimiser"),
        chapter="step",
        is_everyday=True,
    ),
    Term(
        "Stride",
        "How many pixels a filter moves at a time. With 2 the output has half the height and width.",
        see=("filter", "padding", "pooling"),
        chapter="conv2d",
    ),
    Term(
        "Sweep",
        "Many short trainings that try settings, guided by those that went before.",
        see=("hyperparameter", "validation-split"),
        is_everyday=True,
    ),
    Term(
        "t-SNE",
        "A map of many points on a plane that keeps neighbours together. Distances between far groups mean little.",
        see=("embedding",),
    ),
    Term(
        "Temperature",
        "A number that logits are divided by before softmax. Above 1 it makes a network less sure and leaves its "
        "answers as they are.",
        see=("softmax", "calibration"),
    ),
    Term(
        "Tensor",
        "A block of numbers with any number of axes. A batch of images has four: images, channels, height, width.",
        see=("channels-last", "batch"),
    ),
    Term(
        "Test split",
        "Images that judge a network once, at the end. Whoever chooses by them fools himself.",
        also=("test images", "test set"),
        see=("validation-split", "training-split"),
        chapter="traps",
    ),
    Term(
        "Training split",
        "The images that weights are learned from.",
        also=("training images", "training set"),
        see=("validation-split", "test-split"),
    ),
    Term(
        "Transfer",
        "To begin with weights learned elsewhere. The early layers' edges and strokes serve many tasks.",
        also=("transfer learning", "fine-tuning"),
        see=("weights", "initialisation"),
        chapter="ablation",
        is_everyday=True,
    ),
    Term(
        "Validation split",
        "Images held out of training that guide your choices: when to stop, which settings to take.",
        also=("validation images", "validation set", "validation loss", "validation accuracy"),
        see=("test-split", "early-stopping", "overfitting"),
        chapter="traps",
    ),
    Term(
        "Weight decay",
        "Every step shrinks all weights a little, so that only those stay large that the loss needs.",
        see=("adamw", "overfitting"),
        chapter="ablation",
    ),
    Term(
        "Weights",
        "The numbers that a network learns.",
        see=("bias", "parameter", "filter"),
        is_everyday=True,
    ),
)
TERMS: dict[str, Term] = {term.slug: term for term in sorted(_TERMS, key=lambda term: term.name.lower())}

# Code, links, addresses, icons and formulas of a Markdown text: no place for a link.
_KEPT_OUT = re.compile(r"`[^`]*`|\[[^\]]*\]\([^)]*\)|https?://\S+|:material/\w+:|\$[^$]*\$")


def find(words: str) -> list[Term]:
    """Terms that have all ``words`` in name, other names or meaning, those with them in a name first."""
    wanted = words.lower().split()
    found = [term for term in TERMS.values() if all(word in _text(term) for word in wanted)]
    return sorted(found, key=lambda term: not all(word in _names(term) for word in wanted))


def named(name: str) -> Term | None:
    """The term that is called so, everyday words included."""
    wanted = _singular(name)
    return next((term for term in TERMS.values() if wanted in map(_singular, (term.name, *term.also))), None)


def mentions(text: str, most: int) -> list[Mention]:
    """The first mention of each term in a Markdown ``text``, ``most`` of them at the most, in their order.

    Everyday words are passed over.
    """
    seen: dict[str, Mention] = {}
    for found in _mentioned(text):
        seen.setdefault(found.term.slug, found)
        if len(seen) == most:
            break
    return list(seen.values())


def _mentioned(text: str) -> Iterator[Mention]:
    pattern, terms = _pattern()
    kept_out = [match.span() for match in _KEPT_OUT.finditer(text)]
    for match in pattern.finditer(text):
        if not any(start < match.end() and match.start() < end for start, end in kept_out):
            yield Mention(terms[_singular(match[1])], match.start(1), match.end(1))


@cache
def _pattern() -> tuple[re.Pattern[str], dict[str, Term]]:
    """What finds any term's names, longer ones first, and the term of each."""
    terms = {
        _singular(name): term for term in TERMS.values() if not term.is_everyday for name in (term.name, *term.also)
    }
    names: Sequence[str] = sorted(terms, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])((?:{'|'.join(map(re.escape, names))})s?)(?![\w-])", re.IGNORECASE), terms


def _singular(name: str) -> str:
    return name.lower().removesuffix("s")


def _names(term: Term) -> str:
    return " ".join((term.name, *term.also)).lower()


def _text(term: Term) -> str:
    return f"{_names(term)} {term.meaning.lower()}"
