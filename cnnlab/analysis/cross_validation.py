"""Cross-validation: how well pictures of one's own can be told apart, before there are enough of them for a test."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import torch
from sklearn.model_selection import StratifiedGroupKFold
from torch import Tensor

from cnnlab.analysis.nearest import FeatureIndex
from cnnlab.data.batches import Standardise, scaling
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.loading import Data, load_train
from cnnlab.data.spec import DatasetSpec
from cnnlab.data.splits import Split
from cnnlab.errors import CnnLabError
from cnnlab.networks.build import parted
from cnnlab.training.config import RunConfig
from cnnlab.training.device import Accelerator
from cnnlab.training.features import FeatureWork, Source, feature_work
from cnnlab.training.loop import Training
from cnnlab.training.recipes import RECIPES
from cnnlab.training.run_data import frozen_layers, network_for

FOLDS = 5
FEWEST = 5  # pictures of each class: one in each fold
VOTERS = 5  # nearest pictures
NEAREST = "nearest"
METHODS = {  # the name of a recipe, or NEAREST → what it does
    NEAREST: f"The {VOTERS} nearest pictures vote",
    "transfer": "A new last layer learns",
    "transfer-best": "The last blocks learn too",
}
"""Ways to learn from a few pictures, the quickest first."""


class TooFewError(CnnLabError):
    """Pictures too few for cross-validation; the message says of which class."""


@dataclass(frozen=True)
class Judged:
    """The answers of a method to all pictures, each given by what learned from the other folds."""

    method: str
    answers: Tensor  # (N,) classes; −1 where its fold has not been judged yet
    labels: Tensor  # (N,)

    @property
    def images(self) -> int:
        """The number of pictures judged so far."""
        return int((self.answers >= 0).sum())

    @property
    def right(self) -> int:
        """The number of them named right."""
        return int((self.answers == self.labels).sum())


@dataclass(frozen=True)
class Step:
    """The progress of a cross-validation, and the results so far."""

    done: float  # share of the whole
    stage: str
    results: tuple[Judged, ...]


def cross_validate(dataset: str, methods: tuple[str, ...] = tuple(METHODS), seed: int = 0) -> Generator[Step]:
    """Judge each method on the training pictures of a data set; its test pictures are left alone.

    The pictures are divided into FOLDS parts with the same share of each class, as nearly as series and scenes allow,
    which are never divided. Raises TooFewError; PretrainedError where the weights are not here.
    """
    spec, split = dataset_spec(dataset), load_train(dataset)
    check_enough(split, spec.classes)
    folds = folds_of(split, seed)
    results: list[Judged] = []
    for number, method in enumerate(methods):
        config = config_of("transfer" if method == NEAREST else method, dataset, seed)
        judge = _nearest if method == NEAREST else _trained
        answers = torch.full_like(split.labels, -1)
        for share, judged, named in judge(config, spec, split, folds):
            answers[judged] = named
            ready = [Judged(method, answers.clone(), split.labels)] if (answers >= 0).any() else []
            yield Step((number + share) / len(methods), METHODS[method], (*results, *ready))
        results.append(Judged(method, answers, split.labels))
    yield Step(1.0, "", tuple(results))


def check_enough(split: Split, classes: tuple[str, ...]) -> None:
    """Raise TooFewError where a class has fewer pictures than there are folds."""
    counts = split.labels.bincount(minlength=len(classes)).tolist()
    few = {name: count for name, count in zip(classes, counts, strict=True) if count < FEWEST}
    if few:
        told = ", ".join(f"{name} {count}" for name, count in list(few.items())[:5])
        raise TooFewError(f"each class needs {FEWEST} pictures to train on, and some have fewer ({told}): add some")


def folds_of(split: Split, seed: int) -> Tensor:
    """Number the fold of each picture: (N,) int64. Pictures of one group are in one fold."""
    groups = torch.arange(len(split)) if split.groups is None else split.groups
    # Series and scenes may be all that a class has: then some folds lack it, which is no reason not to judge.
    divided = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    folds = torch.zeros(len(split), dtype=torch.long)
    for number, (_, chosen) in enumerate(divided.split(folds.numpy(), split.labels.numpy(), groups.numpy())):
        folds[torch.from_numpy(chosen)] = number
    return folds


def config_of(recipe: str, dataset: str, seed: int = 0) -> RunConfig:
    """Return a recipe's config for a data set."""
    return RECIPES[recipe].config.model_copy(update={"dataset": dataset, "seed": seed})


def frozen_features(config: RunConfig, spec: DatasetSpec, split: Split) -> FeatureWork:
    """Prepare to compute what the frozen layers of ``config``'s network make of the images of ``split``.

    Raises PretrainedError where the weights are not here.
    """
    network = network_for(config, spec)
    accelerator = Accelerator.of(config)
    frozen, _ = parted(accelerator.place(network), config.learn_from)
    standardise = Standardise(*scaling(spec, config.normalise), accelerator.device)
    return feature_work(frozen, frozen_layers(config, spec), standardise, accelerator, [Source(split)])


def _nearest(
    config: RunConfig, spec: DatasetSpec, split: Split, folds: Tensor
) -> Iterator[tuple[float, Tensor, Tensor]]:
    """Let the nearest pictures of other folds vote, by the features of the frozen layers."""
    nothing = torch.empty(0, dtype=torch.long)
    work = frozen_features(config, spec, split)
    for done in work:
        yield done / work.images, nothing, nothing
    features = work.splits()[0].images.float()  # (N, F)
    for fold in range(FOLDS):
        judged = (folds == fold).nonzero().flatten()
        if len(judged):
            index = FeatureIndex(features[folds != fold], split.labels[folds != fold])
            _, nearest = index.query(features[judged], VOTERS)
            yield 1.0, judged, index.elected(nearest, len(spec.classes))


def _trained(
    config: RunConfig, spec: DatasetSpec, split: Split, folds: Tensor
) -> Iterator[tuple[float, Tensor, Tensor]]:
    """Train on all folds but one, and answer that one, for each fold."""
    nothing = torch.empty(0, dtype=torch.long)
    for fold in range(FOLDS):
        chosen, others = split.part(folds == fold), split.part(folds != fold)
        if not len(chosen):
            continue
        training = Training(network_for(config, spec), Data(spec, others, chosen, chosen), config)
        for event in training.events():
            if event.kind == "epoch":
                yield (fold + event.epoch / config.epochs) / FOLDS, nothing, nothing
            elif event.kind == "tick":  # a moment to be cancelled in
                yield (fold + training.epoch / config.epochs) / FOLDS, nothing, nothing
        yield (fold + 1) / FOLDS, (folds == fold).nonzero().flatten(), training.answers().cpu()
