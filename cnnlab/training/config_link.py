"""The address (URL) of a set-up: a recipe, and the settings that differ from it. Addresses are untrusted input."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

from cnnlab.data.datasets import DATASETS
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.designs import DesignError, from_link, to_link
from cnnlab.pretrained.table import NETWORKS
from cnnlab.training.config import ConfigError, RunConfig, parse_config
from cnnlab.training.recipes import DEFAULT, RECIPES

RECIPE, PRESET, DESIGN = "recipe", "architecture", "design"  # parameters beside the scalar fields
MAX_VALUE = 60  # characters of any value but a design and a list of images
MAX_TOLD = 3  # parameters that no setting has

_NOT_LINKED = {
    PRESET,
    "parent",
    "filters_kept",
    "operations",
    "lessons",
    "lesson_share",
}  # fields of a run that no address holds
FIELDS = tuple(name for name in RunConfig.model_fields if name not in _NOT_LINKED)
_LONG = {DESIGN, "excluded"}  # which check their length themselves
NAMES = (RECIPE, PRESET, DESIGN, *FIELDS)

_Entry = TypeVar("_Entry")


def to_query(config: RunConfig) -> dict[str, str]:
    """Return the query that ``from_query`` reads as ``config``: the nearest recipe and settings that differ from it.

    Raises ConfigError for a branch and for a fine-tuned network, whose first weights an address cannot hold, and for a
    network too large for an address.
    """
    if config.comes_from or config.lessons:
        raise ConfigError("a network that continues another run has no link: start a new run")
    query = min((_query_from(name, config) for name in RECIPES), key=len)
    if query.get(DESIGN) == "":
        raise ConfigError("this network is too large for a link: share its file from Design")
    return query


def _query_from(recipe: str, config: RunConfig) -> dict[str, str]:
    query = {RECIPE: recipe}
    for name in differing(config, RECIPES[recipe].config):
        if name == PRESET:
            query |= _network_query(config.architecture)
        else:
            value = getattr(config, name)
            query[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return query


def differing(config: RunConfig, base: RunConfig) -> list[str]:
    """List the settings in which ``config`` differs from ``base``, of those that an address can hold."""
    return [name for name in (*FIELDS, PRESET) if getattr(config, name) != getattr(base, name)]


def _network_query(network: Architecture) -> dict[str, str]:
    if NETWORKS.get(network.name) == network:
        return {PRESET: network.name}
    return {DESIGN: to_link(network)}


def from_query(query: Mapping[str, str]) -> RunConfig:
    """Return the config that an address describes; settings that it leaves out are the recipe's.

    Raises ConfigError, in one line, for the first parameter that is unknown or wrong; DesignError for a design that
    cannot be read.
    """
    for name, value in query.items():
        _check_parameter(name, value)
    base = _known("recipe", query.get(RECIPE, DEFAULT), RECIPES).config
    if PRESET in query and DESIGN in query:
        raise ConfigError("design: the link also has an architecture, but only one of them can be the network")
    fields = dict(base) | {name: query[name] for name in (PRESET, *FIELDS) if name in query}
    if DESIGN in query:
        fields[PRESET] = from_link(query[DESIGN]).model_dump()
    config = parse_config(fields)
    return config.model_copy(update={"dataset": _known("dataset", config.dataset, DATASETS).name})


def without_mistakes(query: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Part a query into the settings that ``from_query`` takes together, and a line on each parameter it refuses.

    Of parameters that are no settings at most MAX_TOLD are told.
    """
    sound: dict[str, str] = {}
    refused = {name: "" for name in NAMES if name in query}  # the recipe first, which the others change
    while refused:
        before = list(refused)
        for name in before:
            refused[name] = _refusal(sound | {name: query[name]})
            if not refused[name]:
                sound[name] = query[name]
                del refused[name]
        if len(refused) == len(before):
            break  # else another setting may have made one possible
    unknown = [name for name in query if name not in NAMES][:MAX_TOLD]
    return sound, [*(_refusal({name: query[name]}) for name in unknown), *refused.values()]


def _refusal(query: Mapping[str, str]) -> str:
    """Say why an address cannot be; nothing where it can."""
    try:
        from_query(query)
    except (ConfigError, DesignError) as error:
        return str(error)
    return ""


def _check_parameter(name: str, value: str) -> None:
    if name not in NAMES:
        near = get_close_matches(name[:MAX_VALUE], NAMES, n=1)
        hint = f": did you mean {near[0]}?" if near else f": there are {', '.join(NAMES)}"
        raise ConfigError(f"there is no setting {name[:MAX_VALUE]!r}{hint}")
    if name not in _LONG and len(value) > MAX_VALUE:
        raise ConfigError(f"{name}: longer than {MAX_VALUE} characters")


def _known(what: str, name: str, entries: Mapping[str, _Entry]) -> _Entry:
    if name not in entries:
        raise ConfigError(f"{what}: there is no {name!r}: choose one of {', '.join(entries)}")
    return entries[name]
