"""Planted faults: are they named within three epochs, are healthy trainings left alone, does the change help?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from hashlib import blake2s
from pathlib import Path
from tempfile import gettempdir
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from benchmarks.planted_faults import FAULTS, Planted, faulty, untouched
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.loading import Data, load
from cnnlab.diagnosis.case import Case
from cnnlab.diagnosis.facts import DataFacts
from cnnlab.diagnosis.finding import Finding
from cnnlab.diagnosis.probe import Probe, Sample, probe
from cnnlab.diagnosis.rules import diagnose
from cnnlab.diagnosis.trial import changed
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.events import to_record
from cnnlab.training.history import History, from_line
from cnnlab.training.loop import Training
from cnnlab.training.remedy import TrainingError
from cnnlab.training.run_data import network_for

OF_EACH = 5  # trainings with each fault
WITHIN = 3  # epochs from the fault's first
TESTED = 1_000  # test images
ATTEMPTS = 6  # at a fault that harms, and a recipe that works without it
HARMED = 0.95  # of the healthy accuracy: a fault that leaves more is none, a change that gives as much has helped
LEARNED = 0.95  # training accuracy of a network that has learned few images by heart
HEALTHY = 0.7  # test accuracy that a healthy training reaches
FOLDER = Path(gettempdir()) / "cnnlab-diagnosing"
SEED, HEALTHY_SEED = 2027, 2029  # of the trainings that judge, ill and healthy

Record = dict[str, Any]
Figures = dict[str, Any]


def measure(folder: Path = FOLDER, seed: int = SEED, of_each: int = OF_EACH) -> Figures:
    """Return how many faults were named and mended, and how many healthy trainings raised an alarm.

    Records in ``folder`` are not made again, so that a benchmark that was stopped continues.
    """
    cases = list(_cases(folder, seed, of_each))
    named = {fault: sum(case["named"] == fault for case in cases if case["fault"] == fault) for fault in FAULTS}
    mended = {fault: sum(case["mended"] for case in cases if case["fault"] == fault) for fault in FAULTS}
    return {
        "trainings": len(cases),
        "of_each": of_each,
        "named": named,
        "mended": mended,
        "cases": cases,
        **_alarms(folder / "healthy", of_each),
    }


def _alarms(folder: Path, of_each: int) -> Figures:
    """Count the alarms in healthy trainings of other draws, those left out that do not reach HEALTHY."""
    kinds = [(fault, number) for number in range(of_each) for fault in FAULTS]
    configs = {f"{fault}-{number}": faulty(fault, number, HEALTHY_SEED).healthy for fault, number in kinds}
    records = {
        name: _kept(folder / f"{name}.json", partial(trained, Planted("", config), config))
        for name, config in configs.items()
    }
    well = [name for name, record in records.items() if record["test"] >= HEALTHY]
    return {"healthy": len(well), "alarms": sum(_first(configs[name], records[name]) is not None for name in well)}


def table(figures: Figures) -> str:
    """Write a row for each fault, then the alarms."""
    of_each = figures["of_each"]
    rows = [
        f"| {fault} | {figures['named'][fault]} of {of_each} | {figures['mended'][fault]} of {of_each} |"
        for fault in figures["named"]
    ]
    total = f"| **all** | {sum(figures['named'].values())} | {sum(figures['mended'].values())} |"
    head = "| planted | named within three epochs | the change gives 95 % of the healthy accuracy |\n|---|---|---|"
    alarms = f"Alarms in {figures['healthy']} healthy trainings of other draws: {figures['alarms']}."
    return "\n".join([head, *rows, total, "", alarms])


def _cases(folder: Path, seed: int, of_each: int) -> Iterator[Record]:
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for number in range(of_each):
        for fault in FAULTS:
            if found := _case(folder / f"{fault}-{number}", fault, number, seed):
                yield found


def _case(folder: Path, fault: str, number: int, seed: int) -> Record | None:
    """Return what was found and mended in a training; None where no draw of the fault did harm."""
    record = _kept(folder / "trained.json", lambda: _harmed(folder, fault, number, seed))
    if "ill" not in record:
        return None
    planted = faulty(fault, number, seed, record["attempt"])
    found = _first(planted.config, record["ill"])
    fields = {
        "fault": fault,
        "network": planted.config.architecture.name,
        "dataset": planted.config.dataset,
        "healthy": record["well"]["test"],
        "ill": record["ill"]["test"],
        "named": "",
        "mended": False,
    }
    if not found:
        return fields
    first = found.findings[0]
    is_soon = found.epoch < _begins(fault, planted, record["ill"]) + WITHIN
    fields |= {"named": first.name if is_soon else "", "epoch": found.epoch, "change": first.change.says}
    try:
        config = changed("planted", planted.config, first.change)
    except ConfigError:
        return fields
    after = _kept(folder / f"mended-{_digest(config)}.json", lambda: _mended(planted, config, folder, first))
    return fields | {"after": after["test"], "mended": after["test"] >= HARMED * record["well"]["test"]}


def _digest(config: RunConfig) -> str:
    return blake2s(config.model_dump_json().encode(), digest_size=6).hexdigest()


def _begins(fault: str, planted: Planted, record: Record) -> int:
    """Return the first epoch with the fault; overfitting begins after the epoch of the lowest validation loss."""
    if fault != "overfitting":
        return planted.begins
    epochs = [event for event in record["events"] if event["kind"] == "epoch"]
    return min(range(len(epochs)), key=lambda at: epochs[at]["validation_loss"]) + 2


def _harmed(folder: Path, fault: str, number: int, seed: int) -> Record:
    """Train with and without the fault, drawn again until it harms."""
    for attempt in range(ATTEMPTS):
        planted = faulty(fault, number, seed, attempt)
        well = trained(Planted("", planted.healthy), planted.healthy)
        ill = trained(planted, planted.config, folder)
        print(fault, number, attempt, f"{well['test']:.3f} {ill['test']:.3f}", ill["error"][:60], flush=True)
        if well["test"] >= HEALTHY and ill["test"] < HARMED * well["test"] and _is_planted(fault, ill):
            return {"attempt": attempt, "well": well, "ill": ill}
    return {"attempt": ATTEMPTS}


def _is_planted(fault: str, record: Record) -> bool:
    """Whether a training shows what was planted: few images overfit where they are learned by heart."""
    last = [event for event in record["events"] if event["kind"] == "epoch"][-1:]
    return fault != "overfitting" or bool(last and last[0]["train_accuracy"] >= LEARNED)


def _mended(planted: Planted, config: RunConfig, folder: Path, finding: Finding) -> Record:
    """Train with the change: from the weights of a good epoch, or from new ones."""
    cured = replace(planted, damage=untouched, rates={})
    weights = folder / f"epoch-{finding.change.epoch}.safetensors" if finding.change.epoch else None
    record = trained(cured, config, begin=weights)
    print(folder.name, "->", finding.name, finding.change.says, f"{record['test']:.3f}", flush=True)
    return record


def trained(planted: Planted, config: RunConfig, keep: Path | None = None, begin: Path | None = None) -> Record:
    """Train on the fault's data, from its first weights, at its rates; return history, probes and how it ended."""
    data = planted.spoil(_data_for(config))
    network = network_for(config, data.spec)
    if begin:
        network.load_state_dict(load_file(begin))
    planted.damage(network)
    training, sample = Training(network, data, config), Sample.of(data.train, config, data.spec)
    probes, events, error, factor = [_probed(network, sample, 0, keep)], [], "", 1.0
    try:
        for event in training.events():
            if event.kind in ("step", "epoch", "rate"):
                events.append(to_record(event))
            if event.kind == "epoch":
                probes.append(_probed(network, sample, event.epoch, keep))
                wanted = planted.rates.get(event.epoch + 1, 1.0)
                if wanted != factor and event.epoch < config.epochs:
                    training.change_learning_rate(training.learning_rate * wanted / factor)
                    factor = wanted
    except TrainingError as failed:
        error = str(failed)
    return {
        "events": events,
        "probes": [each.model_dump() for each in probes],
        "facts": DataFacts.of(data.train, len(data.spec.classes)).model_dump(),
        "error": error,
        "test": training.judge_test().accuracy,
    }


def _data_for(config: RunConfig) -> Data:
    data = load(config.dataset, config.validation_fraction, config.held_out_by, train_fraction=config.train_fraction)
    return replace(data, test=data.test.part(slice(TESTED)))


def _probed(network: nn.Module, sample: Sample, epoch: int, keep: Path | None) -> Probe:
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
        save_file(weights, keep / f"epoch-{epoch}.safetensors")
    return probe(network, sample, epoch)


def _kept(path: Path, make: Any) -> Record:
    if not path.exists():
        record = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record), encoding="utf-8")
    found: Record = json.loads(path.read_text(encoding="utf-8"))
    return found


class Found(NamedTuple):
    """The first epoch in which something was found, and what, the most likely first."""

    epoch: int
    findings: list[Finding]


def _first(config: RunConfig, record: Record) -> Found | None:
    """Diagnose a training after each of its epochs until something is found."""
    done = sum(event["kind"] == "epoch" for event in record["events"])
    for epoch in range(1, max(done, 1) + 1):
        if found := diagnose(_until(epoch, done, config, record)):
            return Found(epoch, found)
    return None


def _until(epoch: int, done: int, config: RunConfig, record: Record) -> Case:
    """Return the case as it was after an epoch; a failure is of the last one."""
    history = History()
    for event in record["events"]:
        if event["epoch"] <= epoch:
            history.add(from_line(json.dumps(event)))
    spec = dataset_spec(config.dataset)
    return Case(
        config=config,
        shape=spec.shape,
        classes=spec.classes,
        facts=DataFacts(**record["facts"]),
        history=history,
        probes=[Probe(**each) for each in record["probes"] if each["epoch"] <= epoch],
        failure=record["error"] if epoch >= done else "",
    )
