"""The proof of a diagnosis: the run trained again with the change, and a paired test of both on validation images."""

from __future__ import annotations

from dataclasses import dataclass

from cnnlab.diagnosis.finding import Change
from cnnlab.evaluation.significance import LEVEL, mcnemar
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run
from cnnlab.runs.trained import load_trained
from cnnlab.training.config import ConfigError, Parent, RunConfig, parse_config

# A branch has its run's weights as they are, and another network has none that would fit.
_ORIGIN = {"operations": (), "filters_kept": 1.0, "start": None, "start_rate": 1.0, "learn_from": ""}


def changed(run: str, config: RunConfig, change: Change) -> RunConfig:
    """Return the config that tries a change of a run: a branch off its last good epoch, or the whole run again.

    A branch trains the epochs that the run had left; another network starts from new weights. Raises ConfigError where
    the change is nothing to train, or does not go with the run's other settings.
    """
    if not (change.fields or change.epoch):
        raise ConfigError(f"no training can try this: {change.says[:1].lower()}{change.says[1:]}")
    fields = {name: getattr(config, name) for name in config.model_fields_set} | change.plain
    if change.epoch:
        parent = Parent(run=run, epoch=change.epoch)
        fields |= _ORIGIN | {"parent": parent, "epochs": max(1, config.epochs - change.epoch)}
        fields.pop("split_seed", None)  # a branch has its parent's
    elif "architecture" in change.fields:
        fields |= _ORIGIN | {"parent": None}
    return parse_config(fields)


@dataclass(frozen=True)
class Verdict:
    """What a change did, on the validation images of a run and of the one that tries the change."""

    before: float  # accuracy, a fraction
    after: float
    images: int
    p: float  # McNemar's test

    @property
    def helped(self) -> bool:
        """Whether the change helped, beyond chance."""
        return self.p < LEVEL and self.after > self.before

    @property
    def harmed(self) -> bool:
        """Whether the change did harm, beyond chance."""
        return self.p < LEVEL and self.after < self.before


def judged(run: Run, tried: Run) -> Verdict:
    """Ask both networks about the validation images of ``run``, each after the epoch that counts, and compare them.

    Raises DatasetError where the images are not available, RunError where weights are missing.
    """
    images = data_of(run).validation
    before, after = (load_trained(each).answers(images).hits for each in (run, tried))
    return Verdict(float(before.mean()), float(after.mean()), len(before), mcnemar(before, after).p)
