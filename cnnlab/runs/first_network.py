"""The network of a run before its first step: new weights, its parent's, or those that it starts from."""

from __future__ import annotations

from torch import nn

from cnnlab.data.spec import DatasetSpec
from cnnlab.networks.build import build
from cnnlab.networks.pruning import pruned
from cnnlab.pretrained.weights import content_digest, published, take_weights
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.surgery import operated_network
from cnnlab.runs.trained import check_fit, load_trained
from cnnlab.training.checkpoint import Checkpoint
from cnnlab.training.config import ConfigError, RunConfig, Start


def first_network(run: Run, spec: DatasetSpec) -> tuple[nn.Sequential, tuple[str, ...]]:
    """Build the run's network, and name the layers that begin with the weights that its config starts from.

    A run that has epochs of its own gets its weights from them later. Raises as ``untrained_network``.
    """
    if not run.whole_epochs:
        return untrained_network(run, spec)
    config = run.config
    return build(config.architecture, spec.shape, len(spec.classes), config.seed), run.summary.started


def untrained_network(run: Run, spec: DatasetSpec) -> tuple[nn.Sequential, tuple[str, ...]]:
    """Build the run's network as it was before its first step, and name the layers that had given weights.

    Raises ConfigError where a parent has other layers or the weights are others than the config names, PretrainedError
    where they cannot be had or do not fit, DatasetError where a parent takes other images, RunError where a run is
    missing.
    """
    config = run.config
    network = build(config.architecture, spec.shape, len(spec.classes), config.seed)
    if config.parent:
        return network, _take_from_parent(network, run, spec)
    taken = _take_start(network, run, config.start) if config.start else []
    _check_frozen(network, config, taken)
    return network, tuple(taken)


def last_network(run: Run, spec: DatasetSpec) -> tuple[nn.Sequential, tuple[str, ...], Checkpoint | None]:
    """Build the run's network with the weights before its next step, and read the checkpoint that goes with them.

    Name the layers that began with given weights as ``first_network`` does; raises as it, and RunError where the
    checkpoint or the weights of its epoch are damaged.
    """
    network, started = first_network(run, spec)
    checkpoint = run.checkpoint()
    if checkpoint:
        network.load_state_dict(load_trained(run, checkpoint.progress.epoch).network.state_dict())
    return network, started, checkpoint


def _take_from_parent(network: nn.Sequential, run: Run, spec: DatasetSpec) -> tuple[str, ...]:
    """Copy the parent's weights, of filters that are kept; return the layers that began with given ones there."""
    config = run.config
    assert config.parent
    parent = RunStore(run.folder.parent).open(config.parent.run)
    trained = load_trained(parent, config.parent.epoch)
    check_fit(parent, spec)
    architecture, weights = parent.config.architecture, trained.network.state_dict()
    if config.filters_kept < 1:
        architecture, weights = pruned(architecture, spec.shape, len(spec.classes), weights, config.filters_kept)
    if architecture.layers != config.architecture.layers:
        hint = f" where it keeps {config.filters_kept:.3g} of its filters: take the command prune, which knows them"
        raise ConfigError(
            f"architecture: run {parent.id}, whose weights are taken, has other layers"
            f"{hint if config.filters_kept < 1 else ''}"
        )
    network.load_state_dict(weights)
    if config.operations:
        store = RunStore(run.folder.parent)
        network.load_state_dict(operated_network(trained, parent, config.operations, store.open).network.state_dict())
    return parent.summary.started


def _take_start(network: nn.Sequential, run: Run, start: Start) -> list[str]:
    """Copy the weights to start from; return the names of the layers that they fit."""
    if start.run:
        weights = load_trained(RunStore(run.folder.parent).open(start.run.run), start.run.epoch).network.state_dict()
    else:
        weights = published(start.name)
    if start.digest and content_digest(weights) != start.digest:
        raise ConfigError(f"start: the weights {start.name} are others than those the run was set up with")
    return take_weights(network, weights)


def _check_frozen(network: nn.Sequential, config: RunConfig, taken: list[str]) -> None:
    """Raise ConfigError where a layer would be frozen with random weights."""
    if not config.learn_from:
        return
    names = [name for name, _ in network.named_children()]
    frozen = names[: names.index(config.learn_from)]
    if random := [name for name in frozen if name not in taken]:
        raise ConfigError(
            f"learn_from: {random[0]} would be frozen, but the weights to start from do not fit it: choose {random[0]}"
        )
