"""How much of the best run's accuracy is owed to having been chosen by the test images, before and after correction.

It uses the pool of ``small_runs``. In each session some of its runs are candidates: the best one on one half of the
test images is judged on the other half. Each split is used both ways, so that halves of unequal difficulty cancel. The
method was chosen on MNIST and is judged on Fashion-MNIST. 5,000 sessions a row know a bias to some 0.005 points.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.small_runs import DATASETS, REPEATED, SmallRun, repeats, searched
from cnnlab.evaluation.chosen import best_of

SESSIONS = 5_000  # of each row; two of each split
TIED = "lean"  # the repeated config whose seeds are candidates too: no other set of candidates is as much alike
FEWEST, MOST = 5, 100  # candidates

Figures = dict[str, Any]
Hits = npt.NDArray[np.bool_]


def measure() -> dict[str, Figures]:
    """Return biases in points and the interval's coverage, for a search, for seeds of the same settings and for all."""
    return {
        f"{role} {dataset}: {FEWEST} to {min(MOST, len(runs))} {kind}": _figures(
            np.stack([run.answers.hits for run in runs])
        )
        for role, dataset in zip(("chosen on", "judged on"), DATASETS, strict=True)
        for kind, runs in _candidates(dataset).items()
    }


def _candidates(dataset: str) -> dict[str, list[SmallRun]]:
    found = {"settings": searched(dataset), "seeds of one config": repeats(TIED, dataset)}
    repeated = [run for name in REPEATED for run in repeats(name, dataset)]
    return found | {"of all runs": [*found["settings"], *repeated]}


def table(figures: dict[str, Figures]) -> str:
    """Write the figures as a table."""
    head = "| candidates | sessions | raw figure's bias, points | corrected figure's | its interval covers |\n"
    rows = [
        f"| {name} | {row['sessions']:,} | {row['raw']:+.3f} | {row['corrected']:+.3f} ± {row['error']:.3f} | "
        f"{row['covers']:.1%} |"
        for name, row in figures.items()
    ]
    return head + "|---" * 5 + "|\n" + "\n".join(rows)


def _figures(hits: Hits) -> Figures:
    """Hold sessions of choosing among rows of ``hits`` (runs, images)."""
    draws = np.random.default_rng(1)
    found = [both for _ in range(SESSIONS // 2) for both in _split(hits, draws)]
    raw, corrected, covers = np.array(found).T
    together = corrected.reshape(-1, 2).mean(1)  # both ways of a split are not independent
    return {
        "sessions": SESSIONS,
        "raw": float(raw.mean()),
        "corrected": float(corrected.mean()),
        "error": float(together.std(ddof=1) / np.sqrt(len(together))),  # standard error
        "covers": float(covers.mean()),
    }


def _split(hits: Hits, draws: np.random.Generator) -> list[tuple[float, float, bool]]:
    """Choose among some runs on one half of the images and judge on the other, both ways round."""
    runs, images = hits.shape
    some = hits[draws.permutation(runs)[: draws.integers(FEWEST, min(MOST, runs) + 1)]]
    order = draws.permutation(images)
    halves = some[:, order[: images // 2]], some[:, order[images // 2 :]]
    return [_session(chosen, judged) for chosen, judged in (halves, halves[::-1])]


def _session(chosen: Hits, judged: Hits) -> tuple[float, float, bool]:
    """Return the errors of the raw and the corrected figure in points, and whether the interval holds the truth."""
    best = best_of(chosen)
    truth = float(judged[best.number].mean())
    return 100 * (best.accuracy - truth), 100 * (best.corrected - truth), best.low <= truth <= best.high
