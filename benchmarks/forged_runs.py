"""Runs that are not what they say, for the benchmark of verifying: each way changes what a training would give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from benchmarks.honest_runs import random_fields, trained
from cnnlab.jobs.job import Job
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig, parse_config
from cnnlab.verification.claims import Claims
from cnnlab.verification.judging import Judge
from tests.verification.reports import edit_history, edit_json, of_epoch

NOISE = 0.01  # of a weight: a forger who keeps off large changes
EPOCHS = 20  # of a run that can be proved
PROVABLE = {"schedule": "constant", "early_stopping": 0}
FIGURES = {"step": ["loss", "accuracy"], "epoch": ["train_accuracy", "validation_loss"]}  # that are edited

Record = dict[str, Any]


def forged_run(number: int, store: RunStore, other: Run) -> tuple[str, Run]:
    """Make the forgery of a number; return in which way, and the run. ``other`` is an honest run of its network."""
    draws = Random(number)
    ways = list(WAYS)
    way = ways[number % len(ways)]
    config = parse_config(random_fields(draws) | {"early_stopping": 0})
    return way, WAYS[way](config, store, other, draws)


def _edited_figure(config: RunConfig, store: RunStore, other: Run, draws: Random) -> Run:
    def edit(records: list[Record]) -> None:
        record = draws.choice([record for record in records if record["kind"] in FIGURES])
        figure = draws.choice(FIGURES[record["kind"]])
        record[figure] = record[figure] * 0.99 if record[figure] else 0.01

    run = trained(config, store)
    edit_history(run, edit)
    return run


def _other_weights(config: RunConfig, store: RunStore, other: Run, draws: Random) -> Run:
    """Put the weights of another run, or of another epoch, in an epoch's place."""
    run = trained(config, store)
    epoch = draws.choice(run.epochs()[1:])
    source = draws.choice([_weights(other, other.epochs()[-1]), _weights(run, epoch - 1)])
    copyfile(source, _weights(run, epoch))
    return run


def _other_data(config: RunConfig, store: RunStore, other: Run, draws: Random) -> Run:
    """Train on other images than those that the settings choose."""
    run = trained(config.model_copy(update={"split_seed": config.seed + 1}), store)
    edit_json(run, "config.json", split_seed=config.seed)
    return run


def _other_settings(config: RunConfig, store: RunStore, other: Run, draws: Random) -> Run:
    settings: list[dict[str, Any]] = [
        {"learning_rate": 1.01 * config.learning_rate},
        {"weight_decay": config.weight_decay + 0.001},
        {"batch_size": config.batch_size + 1},
        {"seed": config.seed + 1},
        {"augmentation": "none" if config.augmentation != "none" else "shift"},
    ]
    chosen = draws.choice(settings)
    run = trained(config.model_copy(update=chosen), store)
    edit_json(run, "config.json", **{name: getattr(config, name) for name in chosen})
    return run


def _more_epochs(config: RunConfig, store: RunStore, other: Run, draws: Random) -> Run:
    """Train an epoch more than told, and leave the first one out."""
    longer = config.model_copy(update={"epochs": config.epochs + 1, "schedule": "constant"})
    run = trained(longer, store)
    each = run.history().epochs[0]["step"]

    def shift(records: list[Record]) -> None:
        records[:] = [record for record in records if record["step"] > each]
        for record in records:
            record["step"] -= each
            record["epoch"] -= 1

    edit_history(run, shift)
    for epoch in range(1, longer.epochs):
        copyfile(_weights(run, epoch + 1), _weights(run, epoch))
    _weights(run, longer.epochs).unlink()
    edit_json(run, "config.json", epochs=config.epochs)
    edit_json(run, "summary.json", epoch=config.epochs)
    return run


WAYS: dict[str, Callable[[RunConfig, RunStore, Run, Random], Run]] = {
    "an edited figure": _edited_figure,
    "other weights": _other_weights,
    "other images": _other_data,
    "other settings": _other_settings,
    "more epochs": _more_epochs,
}


def forged_epoch(number: int, store: RunStore) -> tuple[Run, int]:
    """Make a run that can be proved but for one epoch, whose weights were changed and then trained on honestly.

    Figures and later checkpoints are those of the changed weights, so that only its own epoch shows the forgery.
    """
    draws = Random(number)
    epoch = draws.randint(2, EPOCHS - 1)
    config = parse_config(random_fields(draws) | PROVABLE | {"epochs": epoch})
    run = trained(config, store, provable=True)
    tensors = load_file(_weights(run, epoch))
    generator = torch.Generator().manual_seed(number)
    noise = {name: NOISE * torch.randn(t.shape, generator=generator) for name, t in tensors.items() if t.dim()}
    changed = {name: tensor * (1 + noise[name]) if name in noise else tensor for name, tensor in tensors.items()}
    save_file(changed, _weights(run, epoch))
    _judge_again(run, epoch)
    job = Job.resume(run, EPOCHS - epoch)
    job.join()
    return run, epoch


def _judge_again(run: Run, epoch: int) -> None:
    """Write the validation figures of the weights that an epoch has now."""
    claims = Claims.of(run)
    with TemporaryDirectory() as folder:
        found = Judge(claims, data_of(run), Path(folder)).validation(claims.weights(epoch))
    figures = {
        "validation_loss": found.loss,
        "validation_accuracy": found.accuracy,
        "per_class": list(found.per_class),
    }
    edit_history(run, lambda records: of_epoch(records, epoch).update(figures))


def _weights(run: Run, epoch: int) -> Path:
    return run.folder / "weights" / f"epoch-{epoch:03d}.safetensors"
