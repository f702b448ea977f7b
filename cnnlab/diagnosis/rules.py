"""The faults a training can have: what shows each, and what should help. Causes come before their symptoms."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from statistics import mean

from cnnlab.diagnosis.case import Case
from cnnlab.diagnosis.finding import Change, Finding
from cnnlab.diagnosis.remedies import leaky, rectified, restarted, widened
from cnnlab.networks.layers import Conv2d, Layer, Linear
from cnnlab.quantities import two_digits

LOWEST_SPREAD, HIGHEST_SPREAD = 0.15, 4.0  # standard deviation of the inputs
FAR = 4.0  # distance of their mean from 0
FEW_AGREE = 0.05  # of neighbours beyond chance; of Fashion-MNIST some 0.7 agree, of CIFAR-10's photos 0.15
ENOUGH = 300  # images: of fewer, agreement is chance
RARE = 5.0  # times as many images in the largest class as in the smallest
LAGS = 0.1  # of the accuracy of the other classes, that rare ones lag behind
STARTS_HIGH = 4.0  # times the loss of guessing before the first step
FADES = 2e-3  # of the largest gradient, relative to the weights, at the first layers
NEARLY_ALL, MOST, HALF_DEAD = 0.95, 0.75, 0.5  # of a layer's units: dead ones do no harm to a network that learns
STEP_TOO_LARGE, STEP_TOO_SMALL, GOOD_STEP = 1.0, 8e-4, 0.02  # share of its weights by which a layer moves in a step
USUAL_RATES = (1e-4, 3e-3), (1e-3, 0.05)  # of Adam and its kin, of SGD with momentum
NARROW = 3  # filters or units, in the narrowest layer
SPENT = 0.02  # of the highest learning rate: below it nothing is learned any more
BY_HEART = 0.97  # of the training images right
GAP = 0.08  # between the accuracies of training and validation
PATIENCE, RISEN = 2, 1.03  # epochs after the lowest validation loss, and times that loss

Rule = Callable[[Case], Finding | None]


def diagnose(case: Case) -> list[Finding]:
    """Return what ails a training, the most likely cause first; empty for a healthy one, or before its first epoch."""
    if not case.epochs and not case.failure:
        return []
    return [finding for rule in RULES.values() if (finding := rule(case))]


def _unscaled_inputs(case: Case) -> Finding | None:
    probe = case.first
    is_normed = next((row.layer.family == "norm" for row in case.rows[1:2]), False)
    fits = LOWEST_SPREAD < probe.input_std < HIGHEST_SPREAD and abs(probe.input_mean) < FAR
    if fits or is_normed or case.config.normalise == "standard":
        return None
    return Finding(
        "unscaled-inputs",
        f"The network's inputs have mean {two_digits(probe.input_mean)} and standard deviation "
        f"{two_digits(probe.input_std)}, where its first layer expects about 0 and 1.",
        Change("Scale the pixels by the data set's own mean and standard deviation", {"normalise": "standard"}),
    )


def _shuffled_labels(case: Case) -> Finding | None:
    facts = case.facts
    if facts.kappa > FEW_AGREE or facts.compared < ENOUGH:
        return None
    return Finding(
        "shuffled-labels",
        f"Of {facts.compared:,} training images {facts.agreement:.0%} have the label of the image most like them, "
        f"and labels drawn by lot would give {facts.chance:.0%}.",
        Change("Check that each label still belongs to its image"),
    )


def _imbalance(case: Case) -> Finding | None:
    counts = case.facts.counts
    rare = [number for number, count in enumerate(counts) if 0 < count * RARE < max(counts)]  # of 0 none can be drawn
    if not rare or case.config.class_balance != "none" or not case.epochs:
        return None
    accuracies = case.epochs[-1]["per_class"]
    theirs = mean(accuracies[number] for number in rare)
    others = mean(accuracy for number, accuracy in enumerate(accuracies) if number not in rare)
    if theirs > others - LAGS:
        return None
    fewest = min(rare, key=counts.__getitem__)
    return Finding(
        "imbalance",
        f"{case.classes[fewest]} has {counts[fewest]:,} training images, the largest class {max(counts):,}; rare "
        f"classes are right {theirs:.0%} of the time on validation, the others {others:.0%}.",
        Change("Draw rare classes as often as the others", {"class_balance": "sampling"}),
    )


def _exploding(case: Case) -> Finding | None:
    """Outputs that explode from layer to layer before any step: first weights that are too large."""
    if case.first.epoch or not case.first.loss > STARTS_HIGH * case.guessing:
        return None
    steepest = max(case.first.layers, key=lambda layer: layer.share)
    return Finding(
        "exploding",
        f"Before the first step the loss is {case.first.loss:.3g}, guessing has {case.guessing:.3g}; the gradient of "
        f"{steepest.name} is {two_digits(steepest.share)} times as large as its weights.",
        Change("Start from smaller weights", {"architecture": restarted(case.config.architecture)}),
    )


def _vanishing(case: Case) -> Finding | None:
    """Gradients that fade towards the first layers before any step: sigmoids in a chain, or first weights near zero."""
    units = case.first.most_dead
    fading, largest = (choose(case.first.layers, key=lambda layer: layer.share) for choose in (min, max))
    if (units and units.dead > MOST) or fading.share > FADES * largest.share or not case.is_stuck:
        return None
    saturating = any(getattr(row.layer, "saturates", False) for row in case.rows)
    architecture = case.config.architecture
    change = (
        Change("Replace sigmoid and tanh by ReLU", {"architecture": rectified(architecture)})
        if saturating
        else Change("Start from larger weights", {"architecture": restarted(architecture)})
    )
    return Finding(
        "vanishing",
        f"Relative to its weights the gradient of {fading.name} is {fading.share / (largest.share or 1.0):.1g} of that "
        f"of {largest.name}: the first layers hardly learn.",
        change,
    )


def _rate_too_high(case: Case) -> Finding | None:
    rate = case.config.learning_rate
    share = case.step_share(rate)
    if share < STEP_TOO_LARGE or not case.is_stuck:
        return None
    better = _better(case, rate * GOOD_STEP / share)
    return Finding(
        "rate-too-high",
        f"At the learning rate {rate:.3g} a step is {two_digits(share)} times as large as a layer's weights, and "
        f"{_loss(case)}.",
        Change(f"Lower the learning rate to {better:g}", {"learning_rate": better}),
    )


def _dead_units(case: Case) -> Finding | None:
    worst = case.latest.most_dead
    if not worst or worst.dead < (HALF_DEAD if case.is_stuck else NEARLY_ALL):
        return None
    before = next(
        (probe for probe in reversed(case.probes) if probe.most_dead and probe.most_dead.dead < HALF_DEAD), None
    )
    evidence = (
        f"{worst.dead:.0%} of the units of {worst.name} give zero for each of the images looked at, so that they "
        "cannot learn"
    )
    if before and before.epoch:
        change = Change(f"Branch off epoch {before.epoch}, before they died", {}, before.epoch)
    else:
        change = Change(
            "Replace ReLU by leaky ReLU and start from new weights",
            {"architecture": leaky(case.config.architecture)},
        )
    return Finding("dead-units", f"{evidence}.", change)


def _rate_too_low(case: Case) -> Finding | None:
    rate = case.config.learning_rate
    share = case.step_share(rate)
    if share > STEP_TOO_SMALL or not case.is_stuck:
        return None
    better = _better(case, rate * GOOD_STEP / share if share else inf)
    return Finding(
        "rate-too-low",
        f"At the learning rate {rate:.3g} a step changes a layer's weights by {share:.1g} of their size, and "
        f"{_loss(case)}.",
        Change(f"Raise the learning rate to {better:g}", {"learning_rate": better}),
    )


def _too_small(case: Case) -> Finding | None:
    narrow = [row for row in case.rows if _width(row.layer) and _width(row.layer) <= NARROW]
    if not narrow or not case.epochs:
        return None
    last = case.epochs[-1]
    reached = max(last["train_accuracy"], last["validation_accuracy"])
    if reached > case.facts.agreement - LAGS:
        return None
    return Finding(
        "too-small",
        f"{narrow[0].name} has {_width(narrow[0].layer)} filters; after epoch {last['epoch']} {reached:.0%} of images "
        f"are right, where copying the label of the most similar image gives {case.facts.agreement:.0%}.",
        Change("Give each layer eight times as many filters", {"architecture": widened(case.config.architecture)}),
    )


def _ends_early(case: Case) -> Finding | None:
    if not case.epochs:
        return None
    last, planned = case.epochs[-1], case.config.epochs
    highest = max(row["learning_rate"] for row in case.epochs)
    if last["learning_rate"] > SPENT * highest or last["epoch"] > 0.75 * planned:
        return None
    return Finding(
        "ends-early",
        f"After {last['epoch']} of {planned} epochs the learning rate is {last['learning_rate'] / highest:.1g} of its "
        "highest: nothing more is learned.",
        Change("Let the learning rate fall along a cosine over all epochs", {"schedule": "cosine"}),
    )


def _overfitting(case: Case) -> Finding | None:
    if not case.epochs:
        return None
    last, best = case.epochs[-1], min(case.epochs, key=lambda row: row["validation_loss"])
    gap = last["train_accuracy"] - last["validation_accuracy"]
    has_risen = last["epoch"] >= best["epoch"] + PATIENCE and last["validation_loss"] > RISEN * best["validation_loss"]
    if gap < GAP or last["train_accuracy"] < BY_HEART or not has_risen:
        return None
    return Finding(
        "overfitting",
        f"{last['train_accuracy']:.0%} of the training images are right and {last['validation_accuracy']:.0%} of the "
        f"validation images, whose loss was {best['validation_loss']:.3g} after epoch {best['epoch']} and is "
        f"{last['validation_loss']:.3g} now.",
        _against_overfitting(case),
    )


def _against_overfitting(case: Case) -> Change:
    config = case.config
    if config.train_fraction < 1:
        more = min(1.0, config.train_fraction * 10)
        return Change(
            f"Train on {more:.0%} of the images instead of {config.train_fraction:.1%}", {"train_fraction": more}
        )
    if config.augmentation == "none":
        return Change("Vary the training images: augmentation", {"augmentation": "auto"})
    return Change("Raise the weight decay", {"weight_decay": max(0.05, config.weight_decay * 5), "optimizer": "adamw"})


RULES: dict[str, Rule] = {
    "unscaled-inputs": _unscaled_inputs,
    "shuffled-labels": _shuffled_labels,
    "imbalance": _imbalance,
    "exploding": _exploding,
    "vanishing": _vanishing,
    "too-small": _too_small,
    "rate-too-high": _rate_too_high,
    "dead-units": _dead_units,
    "rate-too-low": _rate_too_low,
    "ends-early": _ends_early,
    "overfitting": _overfitting,
}


def _loss(case: Case) -> str:
    if case.failure:
        return "the training failed"
    last = case.epochs[-1]
    return f"the loss is {last['train_loss']:.3g} after epoch {last['epoch']} (guessing: {case.guessing:.3g})"


def _better(case: Case, rate: float) -> float:
    """Round a rate to one digit, as people write it, within the usual rates of the optimiser."""
    low, high = USUAL_RATES[case.config.optimizer == "sgd"]
    return float(f"{min(max(rate, low), high):.0e}")


def _width(layer: Layer) -> int:
    """Return how many filters or units a layer has; 0 where it has none, or gives the logits."""
    if isinstance(layer, Conv2d):
        return layer.out_channels
    if isinstance(layer, Linear) and isinstance(layer.out_features, int):
        return layer.out_features
    return 0
