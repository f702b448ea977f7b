"""The numbers in the questions of Learn are those that the chapters' own code computes."""

from __future__ import annotations

from math import log
from statistics import fmean

from cnnlab.data.datasets import DATASETS
from cnnlab.learn import ablation, dense_vs_conv, few_pictures
from cnnlab.learn.chapters import CHAPTERS, Question
from cnnlab.learn.filters import FILTERS, MEASURES, answers, fitted, part
from cnnlab.learn.loss_surface import SURFACES, paths
from cnnlab.learn.pooling import pooled
from cnnlab.learn.repeats import Effect, effects
from cnnlab.learn.sample_images import digits
from cnnlab.learn.shipped import shipped_ablation, shipped_comparison, shipped_contest
from cnnlab.learn.step_memory import StepBytes, count_bytes
from cnnlab.learn.training_step import walk
from cnnlab.networks.architecture import summarise
from cnnlab.networks.layers import Conv2d, MaxPool2d
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import parse_config
from cnnlab.training.recipes import RECIPES
from tests.conftest import ROOT


def questions(chapter: str) -> tuple[Question, Question]:
    opening, closing = CHAPTERS[chapter].questions
    return opening, closing


def told(question: Question, *numbers: str) -> bool:
    return all(number in question.reveal for number in numbers)


def parted(name: str, measure: str) -> tuple[int, tuple[float, float]]:
    """How many 1s and 2s a filter's number separates, and its mean for each."""
    kernel = fitted(FILTERS[name].kernel, 1)
    ones, twos = (MEASURES[measure](answers(digits(label), kernel, False)) for label in (1, 2))
    return part(ones, twos).right, (float(ones.mean()), float(twos.mean()))


def test_filters_part_ones_from_twos_as_told() -> None:
    opening, closing = questions("convolution")
    right = {name: parted(name, "mean")[0] for name in ("vertical", "horizontal", "blur")}
    assert told(opening, f"{right['horizontal']} of 810", f"{right['vertical']} with", f"{right['blur']} with")
    assert max(right, key=right.__getitem__) == "horizontal"
    strongest, means = parted("vertical", "strongest")
    assert told(closing, f"{strongest} of 810", *(f"{mean:.2f}" for mean in means))
    assert strongest < right["vertical"] - 100


def test_sizes_of_conv2d_and_pooling_are_right() -> None:
    opening, closing = questions("conv2d")
    assert Conv2d(out_channels=1, kernel_size=3, stride=2).output_shape((1, 28, 28), 10)[1:] == (13, 13)
    assert opening.right == "13×13"
    layer = Conv2d(out_channels=1, kernel_size=5, dilation=2, padding=4)
    assert layer.output_shape((1, 28, 28), 10)[1:] == (28, 28)
    assert closing.right == "4 pixels"
    opening, _ = questions("machines")
    assert str(pooled(MaxPool2d(kernel_size=2, stride=1), digits(1)[0, 0, :6, :6]).numel()) == opening.right


def test_shifted_and_shuffled_digits_are_read_as_told() -> None:
    opening, closing = questions("flatten")
    plain, shuffled = (shipped_contest(dense_vs_conv.Terms(is_shuffled=is_shuffled)) for is_shuffled in (False, True))
    assert plain
    assert shuffled
    by_shift, mixed = plain.reached.by_shift, shuffled.reached.by_shift
    assert f"{by_shift['dense'][0]:.0%}" in opening.asks
    assert told(opening, f"{by_shift['dense'][3]:.1%}", f"{by_shift['convolutional'][3]:.1%}")
    assert opening.right == f"About {by_shift['dense'][3]:.0%}"
    assert told(closing, *(f"{found[name][0]:.1%}" for found in (by_shift, mixed) for name in found))


def test_losses_and_learning_rates_are_as_told() -> None:
    opening, closing = questions("step")
    first = walk("SGD", 0.1, 1)[0].loss
    assert told(opening, f"{first:.2f}", f"{log(10):.2f}")
    assert opening.right == f"About {first:.1f}"
    valley = SURFACES["Narrow valley"]
    below, above = (paths(valley, ("SGD",), rate, 100, valley.start)["SGD"] for rate in (0.07, 0.09))
    assert told(closing, f"{float(below.losses[-1]):.6f}", f"after {above.steps}")
    assert above.is_lost
    assert not below.is_lost


def test_the_first_tutorial_has_as_many_parameters() -> None:
    opening, _ = questions("program")
    config = next(recipe.config for recipe in RECIPES.values() if recipe.claim)
    spec = DATASETS[config.dataset]
    rows = summarise(config.architecture, spec.shape, len(spec.classes))
    assert told(opening, f"{sum(row.parameters for row in rows):,} parameters")


def percents(effect: Effect) -> tuple[str, str, str]:
    low, high = sorted(abs(bound) for bound in (effect.low, effect.high))
    return f"{100 * abs(effect.difference):.1f}", f"{100 * low:.1f}", f"{100 * high:.1f}"


def test_augmentation_helps_as_told() -> None:
    opening, closing = questions("ablation")
    few, many, removed = (
        shipped_ablation(terms) for terms in (ablation.Terms(), ablation.Terms(images=2500), ablation.Terms("remove"))
    )
    assert few
    assert many
    assert removed
    assert f"{percents(effects(few.reached.accuracies)[1])[0]} points" in closing.asks
    baseline, augmented, *_ = effects(many.reached.accuracies)
    assert told(closing, f"{baseline.mean:.1%}", *percents(augmented))
    whole, without, *others = effects(removed.reached.accuracies)
    assert told(opening, f"{whole.mean:.1%}", f"{without.mean:.1%}", *percents(without))
    assert without.verdict == "worse"
    assert all(other.verdict == "within chance" for other in others)


def test_few_pictures_are_read_as_told() -> None:
    opening, closing = questions("transfer")
    shipped = shipped_comparison(few_pictures.Terms(numbers=few_pictures.NUMBERS))
    assert shipped
    means = {name: fmean(values) for name, values in shipped.reached.accuracies.items()}
    accuracies = {name: f"{mean:.1%}" for name, mean in means.items()}
    for number in (10, 100):
        assert told(opening, f"{accuracies[f'from scratch, {number}']} against {accuracies[f'frozen, {number}']}")
    assert all(f"{means[f'{way}, 10']:.0%}" in opening.asks for way in ("from scratch", "frozen"))
    benchmarks = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    for way, number, accuracy in (
        ("last blocks too", 10, "58.0%"),
        ("last blocks too", 100, "81.1%"),
        ("new last layer", 10, "58.5%"),
        ("new last layer", 100, "71.0%"),
    ):
        assert f"| {way} | {number} | {accuracy} |" in benchmarks
        assert told(closing, accuracy)


def step_bytes(optimizer: str) -> StepBytes:
    network, dataset = next(iter(PRESETS)), next(iter(DATASETS))
    asked: dict[str, object] = {
        "architecture": network,
        "dataset": dataset,
        "optimizer": optimizer,
        "precision": "float32",
    }
    return count_bytes(parse_config(asked), DATASETS[dataset])


def megabytes(count: float) -> str:
    return f"{count / 1e6:.0f} MB"


def test_memory_is_as_told() -> None:
    opening, closing = questions("cost")
    adam, sgd = step_bytes("adamw"), step_bytes("sgd")
    small, large = adam.totals(128), adam.totals(256)
    assert megabytes(sum(small.values())) in opening.asks
    assert opening.right == megabytes(sum(large.values()))
    fixed = sum(small[kind] for kind in ("weights", "gradients", "moments"))
    assert told(opening, megabytes(small["activations"]), megabytes(large["activations"]), f"{fixed / 1e6:.1f} MB")
    lighter = sgd.totals(128)
    assert told(closing, f"{lighter['moments'] / 1e6:.1f} MB", f"{small['moments'] / 1e6:.1f} MB")
    assert f"About {1 - sum(lighter.values()) / sum(small.values()):.0%}" == closing.right
