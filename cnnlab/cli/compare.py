"""The command that compares runs: chance on the test images, and the noise of seeds."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from math import isnan
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import click
import numpy as np

from cnnlab.cli.options import as_json, beside, open_run, runs_option
from cnnlab.errors import CnnLabError
from cnnlab.evaluation.chosen import best_of
from cnnlab.evaluation.luck import Seeds
from cnnlab.evaluation.metrics import Answers
from cnnlab.runs.comparison import comparable_pairs, short_names
from cnnlab.runs.entry import Entry, read_entry
from cnnlab.runs.seeds import seeds_of
from cnnlab.text import one_line


class CompareError(CnnLabError):
    """Runs that cannot be compared."""


@click.command("compare")
@click.argument("run", nargs=-1, required=True)
@runs_option
@as_json
def compare_command(run: tuple[str, ...], runs: Path | None, as_json: bool) -> None:
    """Tell whether one RUN is better than another, by more than chance and by more than the noise of seeds.

    Repeats beside the runs, which differ from them only by their seed, tell that noise. The best RUN's accuracy is also
    corrected for having been chosen among these. Each RUN (an id or a folder) looks at the test images once more, and
    that is counted.
    """
    found = list({one.id: one for one in (open_run(name, runs) for name in run)}.values())
    named = short_names([read_entry(one) for one in found])
    pairs = comparable_pairs(named)
    if not pairs:
        raise CompareError("these runs have no test images in common: name two finished runs on the same data set")
    everything = beside(found)
    seeds = {name: seeds_of(entry, everything) for name, entry in named.items()}
    judged = _judged(named, pairs)
    rows, best = _compared(judged, pairs, seeds), _best(judged, named, pairs)
    if as_json:
        told = {"runs": [_run(name, entry, seeds[name]) for name, entry in named.items()]}
        click.echo(json.dumps(told | {"pairs": [_pair(row, named) for row in rows], "best": best}))
        return
    for name, known in seeds.items():
        click.echo(f"{one_line(name)}: {_written(known)}")
    for row in rows:
        click.echo(_sentence(row))
    if best:
        corrected, low, high = (f"{best[name]:.2%}" for name in ("corrected", "low", "high"))
        click.echo(f"best of {best['candidates']}: {best['run']}, expect {corrected} on other images ({low}–{high})")


def _judged(named: Mapping[str, Entry], pairs: Sequence[tuple[str, str]]) -> dict[str, Answers]:
    from cnnlab.runs.trained import test_answers  # noqa: PLC0415 - torch, which others do without

    return {name: test_answers(named[name].run) for name in dict.fromkeys(chain.from_iterable(pairs))}


def _compared(
    judged: Mapping[str, Answers], pairs: Sequence[tuple[str, str]], seeds: Mapping[str, Seeds]
) -> list[dict[Hashable, Any]]:
    from cnnlab.evaluation.significance import by_pair  # noqa: PLC0415 - scipy's tests

    return by_pair(judged, pairs, seeds).to_dict("records")


def _best(
    judged: Mapping[str, Answers], named: Mapping[str, Entry], pairs: Sequence[tuple[str, str]]
) -> dict[str, Any] | None:
    """Tell of the best run, its accuracy corrected for the choice among all; None where their test images differ."""
    if len(pairs) < len(judged) * (len(judged) - 1) // 2:
        return None
    told = asdict(best_of(np.stack([answers.hits for answers in judged.values()])))
    return {"run": named[list(judged)[told.pop("number")]].id, **told}


def _run(name: str, entry: Entry, seeds: Seeds) -> dict[str, Any]:
    """Tell of a run and its repeats; accuracies are fractions."""
    known = seeds.accuracies
    return {
        "run": entry.id,
        "name": name,
        "test_accuracy": entry.test_accuracy,
        "seeds": len(known),
        "mean": fmean(known) if known else None,
        "sd": stdev(known) if len(known) > 1 else None,
    }


def _pair(row: Mapping[Hashable, Any], named: Mapping[str, Entry]) -> dict[str, Any]:
    """Tell of a pair; null where the noise of seeds is not known."""
    told = {
        "one": named[row["One"]].id,
        "other": named[row["Other"]].id,
        "verdict": row["Verdict"],
        "difference_points": row["Difference, points"],
        "noise_of_seeds_points": row["Noise of seeds, points"],
        "p": row["p"],
        "p_of_settings": row["p of the settings"],
        "only_one_right": row["Only one right"],
        "only_other_right": row["Only other right"],
        "images": row["Images"],
    }
    return {name: None if isinstance(value, float) and isnan(value) else value for name, value in told.items()}


def _written(seeds: Seeds) -> str:
    known = seeds.accuracies
    if not known:
        return "not tested"
    if len(known) == 1:
        return f"test {known[0]:.2%}, one seed"
    return f"test {fmean(known):.2%} ± {100 * stdev(known):.2f} points over {len(known)} seeds"


def _sentence(row: Mapping[Hashable, Any]) -> str:
    noise = row["Noise of seeds, points"]
    told = "not known: train three seeds of one" if isnan(noise) else f"{noise:.2f} points"
    return (
        f"{one_line(row['Other'])} − {one_line(row['One'])}: {row['Difference, points']:+.2f} points, {row['Verdict']} "
        f"(noise of seeds {told})"
    )
