"""How right forecasts of validation accuracies are, by the number of earlier runs that they are made from.

It uses the pool of ``small_runs``: configs that all differ, and seeds of the same one. In each of ORDERS random orders
every run is forecast from those before it. The method was chosen on MNIST and is judged on Fashion-MNIST.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean, median
from typing import Any, NamedTuple

import numpy as np

from benchmarks.small_runs import DATASETS, REPEATED, SmallRun, repeats, searched, varied
from cnnlab.data.datasets import dataset_spec
from cnnlab.forecasting.forecast import FEWEST, Result, foreseen
from cnnlab.forecasting.training import beyond, distances, planned
from cnnlab.training.epoch_time import epoch_images

ORDERS = 12  # random ones
EARLIER = ((5, 9), (10, 19), (20, 49), (50, 100))  # the fewest and the most earlier runs of a row
SEEDS = 3  # known ones of the same config, in the row of repeats
BESIDE = 40  # other runs there

Figures = dict[str, Any]


class Judged(NamedTuple):
    """A forecast beside what came; accuracies in points."""

    run: int
    earlier: int
    error: float
    nearest: float  # error of "as the nearest earlier run"
    holds: bool
    width: float
    is_beyond: bool  # so unlike all earlier ones that nothing would be said


def measure() -> dict[str, Figures]:
    """Return coverage, errors and widths by the number of earlier runs, and those of repeats."""
    figures: dict[str, Figures] = {}
    for role, dataset in zip(("chosen on", "judged on"), DATASETS, strict=True):
        similar = _results(searched(dataset))
        known = [*similar, *_results(varied(dataset))]
        for what, runs in ((f"{role} {dataset}, a search", similar), (f"{role} {dataset}, all", known)):
            judged = in_random_orders(runs)
            for fewest, most in EARLIER:
                some = [one for one in judged if fewest <= one.earlier <= most]
                figures[f"{what}: {fewest} to {most}"] = summed(some)
            figures[f"{what}: {FEWEST} and more"] = summed([one for one in judged if one.earlier >= FEWEST])
        of_repeats = _of_repeats(dataset, known)
        figures[f"{role} {dataset}, repeats: {BESIDE}, and {SEEDS} seeds of the same"] = summed(of_repeats)
    return figures


def table(figures: dict[str, Figures]) -> str:
    """Write the figures as a table."""
    head = (
        "| earlier runs | forecasts, of runs | the interval holds | width, points: mean, median | mean error, points "
        "| of the nearest run | nothing told |\n"
    )
    rows = [
        f"| {name} | {row['forecasts']:,}, {row['runs']} | {row['holds']:.1%} ± {100 * row['holds_error']:.1f} | "
        f"{row['width']:.1f}, {row['median_width']:.1f} | {row['error']:.2f} | {row['nearest']:.2f} | "
        f"{row['silent']:.1%} |"
        for name, row in figures.items()
    ]
    return head + "|---" * 7 + "|\n" + "\n".join(rows)


def in_random_orders(known: Sequence[Result]) -> list[Judged]:
    """Forecast each run from those before it, up to the most earlier runs of any row."""
    draws = np.random.default_rng(0)
    fewest, most = EARLIER[0][0], EARLIER[-1][1]
    return [
        _judged(order[at], order[:at], known)
        for order in (draws.permutation(len(known)).tolist() for _ in range(ORDERS))
        for at in range(fewest, min(most + 1, len(known)))
    ]


def summed(judged: Sequence[Judged]) -> Figures:
    """Return the figures of forecasts that are told; the standard error of the coverage is that between runs."""
    silent = fmean(one.is_beyond for one in judged)
    judged = [one for one in judged if not one.is_beyond]
    by_run: dict[int, list[bool]] = {}
    for one in judged:
        by_run.setdefault(one.run, []).append(one.holds)
    share = fmean(one.holds for one in judged)
    off = np.array([sum(holds) - share * len(holds) for holds in by_run.values()])
    return {
        "forecasts": len(judged),
        "runs": len(by_run),
        "silent": silent,
        "holds": share,
        "holds_error": float(np.sqrt((off**2).sum()) / len(judged)),
        "median_width": median(one.width for one in judged),
        **{name: fmean(getattr(one, name) for one in judged) for name in ("width", "error", "nearest")},
    }


def _of_repeats(dataset: str, known: Sequence[Result]) -> list[Judged]:
    """Forecast seeds of the repeated configs from other seeds and other runs."""
    draws = np.random.default_rng(1)
    found: list[Judged] = []
    for name in REPEATED:
        seeds = _results(repeats(name, dataset))
        for at in range(len(seeds)):
            others = draws.choice([number for number in range(len(seeds)) if number != at], SEEDS, replace=False)
            beside = draws.choice(len(known), BESIDE, replace=False)
            pool = [seeds[at], *(seeds[number] for number in others), *(known[number] for number in beside)]
            one = _judged(0, range(1, len(pool)), pool)
            found.append(one._replace(run=len(found)))
    return found


def _judged(run: int, earlier: Iterable[int], known: Sequence[Result]) -> Judged:
    before, result = [known[number] for number in earlier], known[run]
    told = foreseen(result.training, result.images, before)
    apart = distances([result.training], [one.training for one in before])[0]
    nearest = before[int(apart.argmin())].accuracy
    return Judged(
        run=run,
        earlier=len(before),
        error=100 * abs(told.accuracy - result.accuracy),
        nearest=100 * abs(nearest - result.accuracy),
        holds=told.holds(result.accuracy),
        width=100 * (told.high - told.low),
        is_beyond=bool(beyond(result.training, [one.training for one in before])),
    )


def _results(runs: Iterable[SmallRun]) -> list[Result]:
    found = []
    for run in runs:
        spec = dataset_spec(run.config.dataset)
        training = planned(run.config, spec)
        assert training
        found.append(Result(training, run.epochs[-1]["validation_accuracy"], epoch_images(run.config, spec)[1]))
    return found
