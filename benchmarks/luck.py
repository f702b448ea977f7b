"""What seeds decide: pairs of the same settings that are called better, and flips of test images that were foreseen.

It uses the pool of ``small_runs``. The rules were chosen on its configs CHOOSING and are judged on JUDGING.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.small_runs import CHOOSING, DATASETS, JUDGING, SEEDS, repeats
from cnnlab.evaluation.luck import SEEDS as KNOWN
from cnnlab.evaluation.luck import Seeds, images_of_luck, p_of_settings
from cnnlab.evaluation.metrics import Answers
from cnnlab.evaluation.significance import BETTER, LEVEL, mcnemar, verdict

PAIRS = 200  # of each config and data set: seeds of the same settings against each other
DRAWS = 20  # of the seeds that are known, for each config and data set

Figures = dict[str, Any]


def measure() -> dict[str, Figures]:
    """Return shares of pairs that are called better, of flips that images of luck hold, and of images of luck."""
    return {
        f"{role}: {name}, {dataset}": _figures([run.answers for run in repeats(name, dataset)])
        for role, names in (("chosen on", CHOOSING), ("judged on", JUDGING))
        for name in names
        for dataset in DATASETS
    }


def table(figures: dict[str, Figures]) -> str:
    """Write the figures as a table, and those of what judges together."""
    head = (
        "| config | accuracy, sd of seeds | by McNemar alone | by both, 3 and 3 seeds | 3 and 1 | "
        "flips held, mean (lowest) | images ever flipping held | images of luck | ever flipping |\n"
    )
    judged = [row for name, row in figures.items() if name.startswith("judged")]
    every = {key: float(np.mean([row[key] for row in judged])) for key in judged[0]}
    every["lowest"] = min(row["lowest"] for row in judged)
    rows = [_row(name, row) for name, row in [*figures.items(), (f"**judged, all {len(judged)}**", every)]]
    return head + "|---" * 9 + "|\n" + "\n".join(rows)


def _row(name: str, row: Figures) -> str:
    cells = [
        f"{row['accuracy']:.2%}, {row['sd_points']:.2f}",
        *(f"{row[share]:.1%}" for share in ("mcnemar", "better", "better_alone")),
        f"{row['held']:.1%} ({row['lowest']:.1%})",
        *(f"{row[share]:.1%}" for share in ("ever_held", "luck", "ever")),
    ]
    return f"| {' | '.join([name, *cells])} |"


def _figures(answers: list[Answers]) -> Figures:
    accuracies = [float(one.hits.mean()) for one in answers]
    draws = np.random.default_rng(0)
    return {
        "accuracy": float(np.mean(accuracies)),
        "sd_points": 100 * float(np.std(accuracies, ddof=1)),
        **_pairs(answers, accuracies, draws),
        **_flips(answers, draws),
    }


def _pairs(answers: list[Answers], accuracies: list[float], draws: np.random.Generator) -> Figures:
    """Compare seeds of the same settings as if they were two settings, with three seeds each, and three and one."""
    found = []
    for _ in range(PAIRS):
        order = draws.permutation(SEEDS)
        one, other = order[:KNOWN], order[KNOWN : 2 * KNOWN]
        p = mcnemar(answers[one[0]].hits, answers[other[0]].hits).p
        first, second = (Seeds(name, tuple(accuracies[at] for at in some)) for name, some in (("a", one), ("b", other)))
        alone = Seeds("b", second.accuracies[:1])
        both, single = (verdict(p, p_of_settings(first, seeds)) == BETTER for seeds in (second, alone))
        found.append((p < LEVEL, both, single))
    shares = np.mean(found, 0).tolist()
    return dict(zip(("mcnemar", "better", "better_alone"), shares, strict=True))


def _flips(answers: list[Answers], draws: np.random.Generator) -> Figures:
    """Foresee from three seeds on which images the others differ."""
    hits = np.stack([one.hits for one in answers])
    found = []
    for _ in range(DRAWS):
        order = draws.permutation(SEEDS)
        luck = images_of_luck([answers[at] for at in order[:KNOWN]])
        right = hits[order[KNOWN:]].sum(0)
        flips = right * (SEEDS - KNOWN - right)  # pairs of the other seeds that differ
        ever = flips > 0
        held = flips[luck.numbers].sum() / flips.sum()
        found.append((held, ever[luck.numbers].sum() / ever.sum(), luck.share, ever.mean()))
    means = dict(zip(("held", "ever_held", "luck", "ever"), np.mean(found, 0).tolist(), strict=True))
    return {**means, "lowest": float(np.min(found, 0)[0])}
