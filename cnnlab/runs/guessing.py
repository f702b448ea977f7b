"""What may be guessed of runs before they are compared: which is better on validation, by how much, at which class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cnnlab.evaluation.luck import Seeds, seed_noise
from cnnlab.runs.entry import Entry
from cnnlab.runs.seeds import one_per_seed


def is_guessable(named: Mapping[str, Entry]) -> bool:
    """Whether two or more runs have finished on the same data set, with a validation accuracy each."""
    entries = list(named.values())
    return (
        len(entries) > 1
        and len({entry.dataset for entry in entries}) == 1
        and all(entry.row["Validation"] is not None and entry.status != "running" for entry in entries)
    )


def validation_points(named: Mapping[str, Entry]) -> dict[str, float]:
    """Return each run's validation accuracy in percent."""
    return {name: 100 * float(entry.row["Validation"]) for name, entry in named.items()}


def class_spreads(named: Mapping[str, Entry]) -> dict[str, float]:
    """Return how far the runs' validation accuracies of each class lie apart, in points.

    Empty where a run's history lacks the epoch whose weights were kept. Raises RunError where one was deleted
    meanwhile.
    """
    each = [_per_class(entry) for entry in named.values()]
    if not all(each) or len({tuple(one) for one in each}) > 1:
        return {}
    return {label: 100 * (max(one[label] for one in each) - min(one[label] for one in each)) for label in each[0]}


def validation_noise(named: Mapping[str, Entry], everything: Sequence[Entry]) -> float | None:
    """Return how far two seeds of the same settings differ on validation at most, in 95 % of the cases, in points.

    None where no settings have seeds enough to tell.
    """
    noise = seed_noise(*(_validation_seeds(entry, everything) for entry in named.values()))
    return 100 * noise.reach if noise else None


def _validation_seeds(entry: Entry, everything: Sequence[Entry]) -> Seeds:
    known = [other.row["Validation"] for other in one_per_seed(entry, everything)]
    return Seeds(entry.unseeded, tuple(accuracy for accuracy in known if accuracy is not None))


def _per_class(entry: Entry) -> dict[str, float]:
    """Return the validation accuracy of each class after the epoch whose weights were kept."""
    summary = entry.summary
    rows = [row["per_class"] for row in entry.run.history().epochs if row["epoch"] == summary.epoch]
    return dict(zip(summary.classes, rows[-1], strict=False)) if rows else {}
