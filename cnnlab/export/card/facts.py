"""The facts of a card, measured on the run's own test images."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from torch import Tensor

from cnnlab.data.datasets import dataset_spec
from cnnlab.evaluation import metrics
from cnnlab.evaluation.balance import balanced_accuracy
from cnnlab.evaluation.corruptions import robustness
from cnnlab.export.portable import ExportError, Portable
from cnnlab.networks.operations import as_text
from cnnlab.places import command
from cnnlab.pretrained.table import NETWORKS
from cnnlab.runs.ancestry import caveat, data_of
from cnnlab.runs.run import Run
from cnnlab.runs.trained import test_split
from cnnlab.training.config import RunConfig
from cnnlab.training.config_link import differing
from cnnlab.training.recipes import RECIPES

Facts = dict[str, Any]  # as JSON has it

UNTESTED = (
    "pictures from elsewhere: other cameras, other light, other people, other styles than its data set's",
    "pictures of none of its classes: it names one of them unless a doubt is raised",
    "images that were changed on purpose to mislead it",
    "fairness towards groups of people",
)
TRAINED_ON = {"device", "precision", "threads", "seconds"}
CURVES = ("epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "learning_rate", "seconds")


def facts(portable: Portable, answers: metrics.Answers | None = None) -> Facts:
    """Gather what is known of a run's network. Whoever asks counts a look at the run's test images.

    Its ``answers`` to these are computed unless given.

    Of a network from elsewhere, which was only judged here, nothing is said of its training. Raises ExportError where
    the network is of no run; DatasetError where its images are missing.
    """
    run = portable.origin
    if run is None:
        raise ExportError("a card tells of a training, and of this network none is known")
    history = run.history()
    trained = history.was_trained
    return {
        "title": portable.title,
        "run": run.id,
        "created": run.summary.created.isoformat(),
        "epoch": portable.trained.epoch,
        "fingerprint": fingerprint(portable.trained.network.state_dict()),
        "network": _network(portable),
        "data": _data(run),
        "trained_on": run.summary.model_dump(include=TRAINED_ON) if trained else None,
        "settings": run.config.scalars() if trained else {},
        "curves": [{name: epoch.get(name) for name in CURVES} for epoch in history.epochs if trained],
        **_judged(portable, run, answers or portable.trained.answers(test_split(run))),
        "untested": list(UNTESTED),
        "reproduce": reproduce(run.config) if trained else None,
        "since": {
            "more_epochs": len(run.summary.extensions),
            "rates_set": run.summary.rates_set,
            "threads_changed": len(history.threads),
        },
    }


def fingerprint(weights: Mapping[str, Tensor]) -> str:
    """Return a SHA-256 of all numbers of a network, in the order of their names."""
    digest = sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].contiguous().numpy().tobytes())
    return digest.hexdigest()


def _network(portable: Portable) -> Facts:
    network = portable.trained.network
    return {
        "title": portable.architecture.title,
        "parameters": sum(tensor.numel() for tensor in network.parameters()),
        "classes": list(portable.trained.classes),
        "input": list(portable.trained.shape),  # channels, rows, columns
        "preparation": portable.preparation,
        "layers": portable.architecture.model_dump(mode="json")["layers"],
    }


def _data(run: Run) -> Facts:
    spec, data = dataset_spec(run.config.dataset), data_of(run)
    return {
        "name": spec.name,
        "title": spec.title,
        "source": spec.source,
        "licence": spec.licence,
        "training": len(data.train),
        "validation": len(data.validation),
        "test": len(data.test),
        "caveat": caveat(run),
    }


def _judged(portable: Portable, run: Run, answers: metrics.Answers) -> Facts:
    """Judge the network on its test images: in all, by class, how sure it is, and on worse images."""
    trained, test = portable.trained, test_split(run)
    temperature = metrics.fit_temperature(trained.answers(data_of(run).validation))
    hits, classes = int(answers.hits.sum()), metrics.per_class(answers)
    return {
        "test": {
            "images": len(test),
            "accuracy": hits / len(test),
            "interval": list(metrics.interval(hits, len(test))),
            "balanced_accuracy": balanced_accuracy(classes["Accuracy"].tolist(), classes["Images"].tolist()),
            "looks": run.looks,
            "classes": classes.to_dict("records"),
        },
        "calibration": {
            "error": metrics.calibration_error(metrics.reliability(answers)),
            "temperature": temperature,
            "error_at_temperature": metrics.calibration_error(metrics.reliability(answers, temperature)),
        },
        "robustness": robustness(trained.answers, test).to_dict("records"),
    }


def reproduce(config: RunConfig) -> Facts:
    """Return the command that trains alike, the design's file where it needs one, and what it needs besides."""
    recipe = min(RECIPES, key=lambda name: len(differing(config, RECIPES[name].config)))
    plain = RECIPES[recipe].config.model_dump(mode="json")
    given = config.model_dump(mode="json", exclude={"architecture", "parent", "operations", "start", "lessons"})
    parts = [*command().split(), "train", "--recipe", recipe]  # named, as the default changes between versions
    known = next((name for name, draft in NETWORKS.items() if _layers(draft) == _layers(config.architecture)), None)
    parts += ["--architecture", known or "design.json"]
    for name, value in given.items():
        if value != plain[name]:
            parts += _option(name, value)
    if config.start:
        parts += ["--start", str(config.start)]
    if config.parent:
        parts += ["--parent", str(config.parent)]
    if config.operations:
        parts += ["--operations", as_text(config.operations)]
    needs = []
    if config.comes_from:
        needs.append("the run that it began from")
    if config.lessons:
        needs.append("the drawings that taught it (--lessons)")
    return {
        "command": shlex.join(parts),
        "design": None if known else config.architecture.model_dump(mode="json"),
        "needs": needs,
    }


def _layers(architecture: Any) -> Any:
    return architecture.model_dump(mode="json")["layers"]


def _option(name: str, value: object) -> list[str]:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    return [f"--{flag}", str(value)]
