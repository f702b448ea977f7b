"""The command that forecasts what a training will come to, and what it takes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from cnnlab.cli.options import as_json, config_options, configured, open_store, recipe_option, runs_option
from cnnlab.data.datasets import dataset_spec
from cnnlab.errors import CnnLabError
from cnnlab.forecasting.forecast import Outlook, outlook
from cnnlab.forecasting.record import Record, record
from cnnlab.forecasting.training import BOUNDED
from cnnlab.quantities import estimate, percent, size
from cnnlab.runs.catalogue import Catalogue
from cnnlab.runs.epoch_times import rough_epoch_seconds
from cnnlab.runs.summary import Forecast
from cnnlab.training.memory import needs


class ForecastError(CnnLabError):
    """A training whose accuracy cannot be forecast."""


@click.command("forecast")
@recipe_option
@config_options
@runs_option
@as_json
def forecast_command(recipe: str, runs: Path | None, as_json: bool, **fields: object) -> None:
    """Forecast the validation accuracy of a training with a 90% interval, its time and its memory. It trains nothing.

    The forecast is made from the finished runs on the same data set.
    """
    config = configured(recipe, fields)
    spec, entries = dataset_spec(config.dataset), Catalogue(open_store(runs)).entries()
    memory = needs(config, spec).total  # first: raises where the network does not take such images
    found = outlook(config, spec, entries)
    if not found:
        raise ForecastError("a forecast is of new weights: leave out parent, start and lessons")
    epoch = rough_epoch_seconds(entries, config, spec)
    seconds, known = epoch and epoch * config.epochs, record(entries, "")
    if as_json:
        told = {"dataset": config.dataset, **asdict(found), "missing": found.missing, "forecast": plain(found.forecast)}
        takes = {"seconds": seconds, "memory_bytes": memory}
        click.echo(json.dumps(told | takes | {"record": asdict(known) if known else None}))
        return
    click.echo(_sentence(found, config.dataset))
    click.echo(f"time {estimate(seconds) if seconds else 'not known'}, memory up to {size(memory)}")
    if known:
        click.echo(_judged(known))


def in_words(told: Forecast) -> str:
    """Write a forecast: 97.4% (96.1% to 98.3%)."""
    return f"{percent(told.accuracy)} ({percent(told.low)} to {percent(told.high)})"


def plain(told: Forecast | None) -> dict[str, float] | None:
    """Return a forecast for JSON; accuracies are fractions."""
    return told.model_dump(mode="json") if told else None


def _sentence(found: Outlook, dataset: str) -> str:
    if found.forecast:
        return f"validation accuracy {in_words(found.forecast)}, from {found.runs:,} earlier runs"
    if found.beyond:
        return f"no forecast: no earlier run is like this one in its {BOUNDED[found.beyond]}"
    more = "run" if found.missing == 1 else "runs"
    return f"no forecast: it needs {found.missing} more finished {more} on {dataset}"


def _judged(known: Record) -> str:
    held = f"{known.held} of the last {known.forecasts} forecasts held the result"
    return f"{held}, median error {100 * known.error:.1f} points"
