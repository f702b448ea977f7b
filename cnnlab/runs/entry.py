"""A run as lists show it: plain values, made once from its files and kept in the index."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache, cached_property, lru_cache
from hashlib import blake2s
from typing import Any, NamedTuple

from cnnlab.data.datasets import dataset_title
from cnnlab.networks.architecture import Architecture, ArchitectureError, summarise
from cnnlab.networks.layers import Chain, Layer, Shape
from cnnlab.people.belonging import NOBODYS, Belonging
from cnnlab.pretrained.matching import stem
from cnnlab.runs.disk import MB, taken_by
from cnnlab.runs.run import Run
from cnnlab.runs.summary import About, Summary, brief_title, title_of
from cnnlab.training.config import RunConfig, field_title, last_epoch
from cnnlab.training.epoch_time import unnamed


@dataclass(frozen=True)
class Entry:
    """A run as it was when it was last read. Its config, summary and notes are read from its files when asked for.

    Digests are equal where what they are of is equal, so that runs can be compared without reading their files.
    """

    run: Run
    row: dict[str, Any]  # every setting and result, in columns named for readers
    dataset: str
    is_trained: bool  # it has weights that can be shown
    last_saved: int  # the last epoch with weights
    speed: tuple[str, str, int]  # what decides it: device, precision and threads
    settings: str  # digest of its config
    unseeded: str  # digest of the settings that its repeats with other seeds share
    layers: str  # digest of its network's layers
    stem: str  # digest of the first layers, whose weights fit networks with the same ones
    as_configured: bool = False  # its config alone says how it was trained: from new weights, without changes by hand
    forecast: tuple[float, ...] = ()  # accuracy, low and high, as in Forecast; empty where none was made
    owner: str = ""  # id of whose it is; empty: nobody's
    is_shown: bool = False  # to the class

    @property
    def id(self) -> str:
        return self.run.id

    @property
    def is_open(self) -> bool:
        """Whether visitors may ask it for predictions; read from its file, as lists do not say it."""
        return self.run.is_open

    @property
    def title(self) -> str:
        title: str = self.row["Name"]
        return title

    @property
    def status(self) -> str:
        status: str = self.row["State"]
        return status

    @property
    def test_accuracy(self) -> float | None:
        accuracy: float | None = self.row["Test"]
        return accuracy

    @property
    def epochs(self) -> int:
        """The number of epochs that it is to have, or had, in the end."""
        return int(self.row["Epochs"])

    @cached_property
    def label(self) -> str:
        """Its title with its state and test accuracy, for choices."""
        accuracy = "" if self.test_accuracy is None else f", test {self.test_accuracy:.1%}"
        state = "" if self.status == "finished" else f", {self.status}"
        return self.title + accuracy + state

    @property
    def progress(self) -> str:
        """How far a training came that ended before its planned epochs: "7 of 45"; else empty."""
        return _progress(self.status, self.last_saved, self.epochs)

    @cached_property
    def config(self) -> RunConfig:
        """The run's settings. Raises RunError where it was deleted meanwhile, as ``summary`` does."""
        return self.run.config

    @cached_property
    def summary(self) -> Summary:
        return self.run.summary

    @cached_property
    def about(self) -> About:
        return self.run.about


_PLAIN = {field.name for field in fields(Entry)} - {"run"}


def read_entry(run: Run) -> Entry:
    """Read a run from disk. Raises RunError where it is damaged."""
    return describe(run, run.config, run.summary, run.about, run.epochs(), run.belonging)


def describe(
    run: Run,
    config: RunConfig,
    summary: Summary,
    about: About,
    saved: Sequence[int],
    belonging: Belonging = NOBODYS,
) -> Entry:
    """Return the entry of a run with these contents; ``saved`` are the epochs with weights."""
    last_saved = max(saved, default=0)
    network = _network(config.architecture)
    return Entry(
        run=run,
        row=_row(run.id, config, summary, about, last_saved, taken_by(run, summary)),
        dataset=config.dataset,
        is_trained=bool(saved),
        last_saved=last_saved,
        speed=(summary.device, summary.precision, summary.threads),
        settings=settings_digest(config),
        unseeded=_digest(json.dumps(trained_with(config, summary) | {"seed": 0})),
        layers=network.layers,
        stem=network.stem,
        as_configured=_is_as_configured(config, summary),
        forecast=(told.accuracy, told.low, told.high) if (told := summary.forecast) else (),
        owner=belonging.owner,
        is_shown=belonging.is_shown,
    )


def to_json(entry: Entry) -> str:
    """Return all but the run's folder as JSON."""
    plain = {name: value for name, value in vars(entry).items() if name in _PLAIN}
    return json.dumps(plain, default=datetime.isoformat, separators=(",", ":"))


def from_json(run: Run, values: dict[str, Any]) -> Entry:
    """Return the entry that ``to_json`` wrote. Raises KeyError, TypeError or ValueError where it is none."""
    values["row"]["Started"] = datetime.fromisoformat(values["row"]["Started"])
    return Entry(run=run, **values | {name: tuple(values[name]) for name in ("speed", "forecast")})


def settings_digest(config: RunConfig) -> str:
    """Return the digest of all settings."""
    return _digest(config.model_dump_json())


def layers_digest(layers: Iterable[Layer]) -> str:
    """Return the digest of a network's layers, whatever their names."""
    return _digest("\n".join(unnamed(layer).model_dump_json() for layer in layers))


def stem_digest(layers: Chain) -> str:
    """Return the digest of a network's first layers, which others with its weights need; empty for too few layers."""
    first = stem(layers)
    return _digest("\n".join(layer.model_dump_json() for layer in first)) if first else ""


def _is_as_configured(config: RunConfig, summary: Summary) -> bool:
    """Tell whether a training had new weights, no further epochs, no rate set by hand, and took place here."""
    was_only_judged = config.epochs == 1 and not summary.machines  # a network that came from elsewhere
    return not (config.origin or summary.extensions or summary.rates_set or was_only_judged)


@cache
def columns() -> list[str]:
    """Return the columns of a row."""
    return list(_row("", RunConfig(), Summary(id="example", created=datetime.now(UTC)), About(), 0, 0))


def trained_with(config: RunConfig, summary: Summary) -> dict[str, Any]:
    """Return the settings of a training: its config's fields as ``flat``, and the changes made by hand."""
    more = ", ".join(f"{more.epochs} epochs from {more.learning_rate:g}" for more in summary.extensions)
    return flat(config) | {"trained on": more or "no", "learning rate set by hand": summary.rates_set}


def flat(config: RunConfig) -> dict[str, Any]:
    """Return a config's fields as one level of scalars; the network as its title and its layers."""
    return {
        "architecture": config.architecture.title,
        "layers": _network(config.architecture).told,
        **config.scalars(),
    }


@lru_cache(maxsize=1024)
def macs(architecture: Architecture, shape: Shape, classes: int) -> int | None:
    """Return the multiply-accumulates for one image; None where the network does not take such images."""
    try:
        return sum(row.macs for row in summarise(architecture, shape, classes))
    except ArchitectureError:
        return None


class _Network(NamedTuple):
    told: str  # its layers in words
    layers: str  # digests, as in Entry
    stem: str


@lru_cache(maxsize=1024)
def _network(architecture: Architecture) -> _Network:
    """Return what lists ask of a network; kept, as many runs share one."""
    layers = architecture.layers
    return _Network(" · ".join(map(_layer, layers)), layers_digest(layers), stem_digest(layers))


def _row(run_id: str, config: RunConfig, summary: Summary, about: About, last_saved: int, disk: int) -> dict[str, Any]:
    epochs = last_epoch(config, summary.extensions)
    chosen = {name: value for name, value in config.scalars().items() if name != "dataset"} | {"epochs": epochs}
    title = title_of(config, summary, about)
    return {
        "Pinned": about.pinned,
        "Title": about.title or brief_title(config),
        "Name": title,
        "Started": summary.created.astimezone(UTC),
        "Data set": dataset_title(config.dataset),
        "Network": config.architecture.title,
        "State": summary.status,
        "Came to": ", ".join(filter(None, (summary.status, _progress(summary.status, last_saved, epochs)))),
        "Colour": about.colour,
        "Test": summary.test_accuracy,
        "Balanced": summary.balanced_accuracy if summary.is_imbalanced else None,
        "Macro F1": summary.macro_f1 if summary.is_imbalanced else None,
        "Validation": summary.validation_accuracy,
        "Train": summary.train_accuracy,
        "Parameters": summary.parameters,
        "MACs": macs(config.architecture, summary.shape, len(summary.classes)),
        "Time, s": summary.seconds,
        "Disk, MB": disk / MB,
        "Images/s": summary.images_per_second,
        "Tags": list(about.tags),
        **{field_title(name): value for name, value in chosen.items()},
        "Device used": summary.device,
        "Run": run_id,
        "Text": _text(run_id, title, config.dataset, config.architecture.title, *about.tags, about.note),
    }


def _progress(status: str, last_saved: int, epochs: int) -> str:
    return f"{last_saved} of {epochs}" if 0 < last_saved < epochs and status != "running" else ""


def _digest(text: str) -> str:
    return blake2s(text.encode(), digest_size=16).hexdigest()


def _text(*parts: str) -> str:
    return "\n".join(parts).casefold()


def _layer(layer: Layer) -> str:
    if layer.family == "activation":
        return layer.label
    settings = layer.model_dump(exclude_defaults=True, exclude={"kind", "name"})
    shown = ", ".join(f"{name}={value}" for name, value in settings.items())
    return f"{layer.kind_title}({shown})" if shown else layer.kind_title
