"""The command that names the training images behind a mistake: blame."""

from __future__ import annotations

import json
from pathlib import Path
from time import perf_counter
from typing import Any

import click
from torch import Tensor

from cnnlab.analysis.activations import penultimate
from cnnlab.analysis.blame import COUNT, Blamed, Influence, influence, without
from cnnlab.analysis.nearest import FeatureIndex
from cnnlab.cli.options import as_json, content_of, open_run, runs_option
from cnnlab.cli.train import trained
from cnnlab.drawings.images import read_picture
from cnnlab.jobs.worker import completed
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import Trained, load_trained, seen_by, test_split
from cnnlab.text import one_line, percent


@click.command("blame")
@click.argument("run")
@click.argument("image")
@click.option("--label", default=None, help="The right class. Needed where IMAGE is a file.")
@click.option("--count", type=click.IntRange(1, 50), default=COUNT, show_default=True, help="Images to name at most.")
@click.option("--retrain", is_flag=True, help="Train a new run without the blamed images, and ask it, too.")
@runs_option
@as_json
def blame_command(
    run: str, image: str, label: str | None, count: int, retrain: bool, runs: Path | None, as_json: bool
) -> None:
    """Name the training images of RUN (an id or a folder) that taught it to misread IMAGE, beside the nearest ones.

    IMAGE is a test image by its number, from 1 as pages show it, or a file.
    """
    found = open_run(run, runs)
    network = load_trained(found)
    pixels, right = _image(found, image, label)
    began = perf_counter()
    known = completed(influence(found, network.epoch))
    blamed = known.blamed(pixels, right, count)
    report = {
        "run": found.id,
        "epoch": network.epoch,
        "label": network.classes[right],
        **_answer(network, pixels),
        "blamed": [_row(known, one, network.classes) for one in blamed],
        "nearest": _nearest(known, network, pixels, count),
        "searched": len(known.split),
        "trained_on": known.trained_on,
        "seconds": perf_counter() - began,
    }
    if retrain and blamed:
        again = trained(without(found.config, blamed), RunStore(found.folder.parent)).run
        after = _answer(load_trained(again), pixels)
        report["retrained"] = {"run": again.id, **after, "turned": after["answer"] == report["label"]}
    if as_json:
        click.echo(json.dumps(report))
    else:
        _print(report)


def _image(run: Run, image: str, label: str | None) -> tuple[Tensor, int]:
    """Return the pixels (1, C, H, W) of a test image or a file, and its class."""
    classes = run.summary.classes
    if label is not None and label not in classes:
        raise click.BadParameter(f"no class {label[:60]!r}: choose one of {', '.join(map(one_line, classes))}")
    if image.isascii() and image.isdigit() and not Path(image).is_file():
        split = test_split(run)
        if not 1 <= int(image) <= len(split):
            raise click.BadParameter(f"there are test images 1 to {len(split)}, not {image[:20]}")
        number = int(image) - 1
        return split.image(number)[None], int(split.labels[number]) if label is None else classes.index(label)
    if not Path(image).is_file():
        raise click.BadParameter(f"there is no file {click.format_filename(image)}")
    if label is None:
        raise click.UsageError("name the right class of the file with --label")
    return seen_by(run, read_picture(content_of(Path(image)))).image, classes.index(label)


def _answer(network: Trained, pixels: Tensor) -> dict[str, Any]:
    certainty, named = network.probabilities(pixels)[0].max(0)
    return {"answer": network.classes[int(named)], "probability": float(certainty)}


def _row(known: Influence, one: Blamed, classes: tuple[str, ...]) -> dict[str, Any]:
    return {"index": one.index, "label": classes[int(known.split.labels[one.position])], "score": one.score}


def _nearest(known: Influence, network: Trained, pixels: Tensor, count: int) -> list[dict[str, Any]]:
    neighbours = FeatureIndex(penultimate(network.network, known.split, network.inputs), known.split.labels)
    found = neighbours.query(penultimate(network.network, pixels, network.inputs), count)
    return [
        {
            "index": int(known.indices[position]),
            "label": network.classes[int(known.split.labels[position])],
            "distance": distance,
        }
        for distance, position in zip(*(row[0].tolist() for row in found), strict=True)
    ]


def _print(report: dict[str, Any]) -> None:
    told = [one_line(report[name]) for name in ("answer", "label")]
    click.echo(f"says {told[0]} ({percent(report['probability'])}), is {told[1]}")
    click.echo(f"blamed, of {report['searched']:,} training images, by index from 0, with their share of the first")
    for row in report["blamed"]:
        click.echo(
            f"  {row['index']:>7}  {one_line(row['label']):14} {row['score'] / report['blamed'][0]['score']:.0%}"
        )
    click.echo("nearest, with their distance")
    for row in report["nearest"]:
        click.echo(f"  {row['index']:>7}  {one_line(row['label']):14} {row['distance']:.3f}")
    if again := report.get("retrained"):
        verdict = "turned" if again["turned"] else "did not turn"
        answer = f"{one_line(again['answer'])} ({percent(again['probability'])})"
        click.echo(f"without the blamed images, run {again['run']} says {answer}: the answer {verdict}")
