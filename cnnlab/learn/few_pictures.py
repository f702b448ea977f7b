"""Few pictures: what a network that has seen a million photos gains over one from scratch, by pictures a class."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from cnnlab.data.datasets import dataset_spec, offered
from cnnlab.data.download import is_present
from cnnlab.learn.guesses import Ask, Guessable, Outcome, leads
from cnnlab.learn.repeats import Training, effects, repeat, train_and_judge
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import Resize
from cnnlab.training.config import RunConfig
from cnnlab.training.recipes import RECIPES
from cnnlab.training.run_data import load_for, network_for

Way = Literal["from scratch", "frozen", "fine-tuned"]

WAYS: tuple[Way, ...] = get_args(Way)
RECIPE_OF: dict[Way, str] = {"from scratch": "quick", "frozen": "transfer", "fine-tuned": "transfer-best"}
NUMBERS = (10, 20, 50, 100)  # pictures a class
JUDGED = 500  # validation images, where the data set can spare as many
LARGEST = 64  # pixels of an image's side, from scratch: larger ones take minutes
MANY_STEPS: dict[str, Any] = {"epochs": 30, "batch_size": 16}  # from scratch: an epoch of few pictures has few steps
_HELD_OUT = (0.01, 0.5)  # least and most of the pictures that a RunConfig holds out
_LEAST = 0.001  # of the others, that a RunConfig trains on


class Arm(NamedTuple):
    """A way to learn, and how many pictures a class it learns from."""

    way: Way
    number: int


@dataclass(frozen=True)
class Terms:
    """Settings of a comparison."""

    dataset: str = "mnist-sample"
    ways: tuple[Way, ...] = ("from scratch", "frozen")
    numbers: tuple[int, ...] = (10, 20)
    seeds: int = 3

    @property
    def arms(self) -> dict[str, Arm]:
        """Way and number of each training by its name, the fewest pictures first."""
        return {f"{way}, {number}": Arm(way, number) for number in self.numbers for way in self.ways}

    @property
    def judged_on(self) -> int:
        """Number of validation images, about: the same share of each class. Test images are never used."""
        return _judged_on(self.dataset)

    def config(self, arm: Arm, seed: int) -> RunConfig:
        """Build the config of one training; Train gives the same result with it.

        The splits follow the seed too, so that the spread of an accuracy includes the choice of pictures. The
        augmentation is the data set's own for all ways, as mirrored digits would teach the wrong thing.
        """
        changes = {"architecture": _small_network(self.dataset), **MANY_STEPS} if arm.way == "from scratch" else {}
        return RECIPES[RECIPE_OF[arm.way]].config.model_copy(
            update={
                **changes,
                "dataset": self.dataset,
                "seed": seed,
                "augmentation": "auto",
                "validation_fraction": _held_out(self.dataset),
                "train_fraction": _trained_share(self.dataset, arm.number),
            }
        )


class Point(NamedTuple):
    """The accuracy of a way to learn from so many pictures a class, over the seeds so far."""

    way: Way
    number: int
    seeds: int
    mean: float
    sd: float  # with n − 1; NaN for one seed


@dataclass(frozen=True)
class Compared:
    """Results of a comparison so far."""

    terms: Terms
    done: float
    accuracies: Mapping[str, tuple[float, ...]]  # of each training by its name, one per seed

    @property
    def points(self) -> list[Point]:
        """Mean and standard deviation of each way and number that a seed has reached."""
        found = zip(self.terms.arms.values(), effects(self.accuracies), strict=True)
        return [Point(*arm, effect.seeds, effect.mean, effect.sd) for arm, effect in found if effect.seeds]


def suitable() -> list[str]:
    """List the data sets on this machine that have pictures enough for a comparison, the user's own last."""
    return [name for name in offered(None) if is_present(name) and possible_numbers(name)]


def possible_numbers(dataset: str) -> tuple[int, ...]:
    """Return the numbers of pictures a class that a data set has beside its validation images."""
    return tuple(number for number in NUMBERS if _LEAST <= _trained_share(dataset, number) <= 1)


def compare(terms: Terms) -> Generator[Compared]:
    """Train each way on each number of pictures under the first seed, then under the next; yield the results so far.

    Raises PretrainedError where the published weights are not on this machine.
    """

    def train(name: str, seed: int) -> Training:
        config = terms.config(terms.arms[name], seed)
        data = load_for(config)
        return train_and_judge(network_for(config, data.spec), data, config)

    for reached in repeat(terms, list(terms.arms), terms.seeds, train):
        yield Compared(terms, reached.done, reached.accuracies)


def to_guess(terms: Terms) -> Guessable[Compared] | None:
    """Ask which way reads most with the most pictures; None where there is only one way."""
    if len(terms.ways) < 2:
        return None
    most = max(terms.numbers)
    ask = Ask(
        f"few pictures {terms}",
        f"Each class has {most} pictures to learn from. Which way is best, and how many points ahead of the next?",
        terms.ways,
        "How many points ahead?",
    )

    def outcome(reached: Compared) -> Outcome | None:
        if reached.done < 1:
            return None
        return Outcome(leads({point.way: 100 * point.mean for point in reached.points if point.number == most}))

    return Guessable(ask, outcome)


def _small_network(dataset: str) -> Architecture:
    """Return the network that learns from scratch, which shrinks large pictures."""
    quick = RECIPES[RECIPE_OF["from scratch"]].config.architecture
    if max(dataset_spec(dataset).shape[1:]) <= LARGEST:
        return quick
    return quick.model_copy(update={"layers": (Resize(size=LARGEST), *quick.layers)})


def _held_out(dataset: str) -> float:
    least, most = _HELD_OUT
    return min(most, max(least, JUDGED / dataset_spec(dataset).sizes[0]))


def _judged_on(dataset: str) -> int:
    return round(_held_out(dataset) * dataset_spec(dataset).sizes[0])


def _trained_share(dataset: str, number: int) -> float:
    """Return the share of the pictures beside validation that ``number`` a class are."""
    spec = dataset_spec(dataset)
    return number * len(spec.classes) / max(1, spec.sizes[0] - _judged_on(dataset))
