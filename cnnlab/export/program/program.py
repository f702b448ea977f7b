"""The seven steps, each with its code and what to say of it; what has no such program is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from cnnlab.data.datasets import dataset_spec
from cnnlab.data.readers import SAMPLE
from cnnlab.data.spec import DatasetSpec
from cnnlab.export.program.data_step import PROGRAMMED, data_code, data_text, downloads
from cnnlab.export.program.loss_step import loss_code, loss_text
from cnnlab.export.program.plot_step import plot_code
from cnnlab.export.program.setting import ProgramError, Setting, ThreadChanges
from cnnlab.export.program.training_steps import instance_code, training_code, training_text
from cnnlab.export.program.words import import_code
from cnnlab.networks.source import network_source
from cnnlab.runs.run import Run
from cnnlab.training.config import RunConfig
from cnnlab.training.device import choose_device, choose_precision

IMPORTS_TOLD = (
    "PyTorch calculates, NumPy reads files, Plotly draws. One seed decides everything random: which images are held "
    "out, the first weights, the order of the images."
)
NETWORK_TOLD = (
    "The class makes its layers and says how a batch of images flows through them. A comment tells the shape where it "
    "changes."
)
INSTANCE_TOLD = (
    "An object of the class draws its first weights, from the seed. Until it is trained it guesses, and its loss is "
    "about the logarithm of the number of classes."
)
PLOT_TOLD = (
    "Loss and accuracy, epoch by epoch. Where the validation loss rises while the training loss still falls, the "
    "network starts to memorise its images."
)


@dataclass(frozen=True)
class Step:
    """One of the seven: its title, its description (Markdown), its code."""

    title: str
    told: str
    code: str


@dataclass(frozen=True)
class Program:
    """A program, and the file that must lie beside it, where there is one."""

    name: str  # of its files, without an ending
    title: str
    about: str
    steps: tuple[Step, ...]
    beside: Path | None = None


def program_of(config: RunConfig, threads: ThreadChanges = ()) -> Program:
    """Write the program that trains ``config`` as this machine would, with changes of torch's ``threads`` at steps.

    Raises ProgramError where there is none, ArchitectureError where the network does not fit the images, ConfigError
    where the device is missing.
    """
    setting = replace(_setting(config), threads=threads)
    spec = setting.spec
    network = network_source(config.architecture, spec.shape, len(spec.classes)).rstrip()
    steps = [
        Step("Data", data_text(setting), data_code(setting)),
        Step("Network", NETWORK_TOLD, network),
        Step("Instantiate", INSTANCE_TOLD, instance_code(setting)),
        Step("Loss and optimiser", loss_text(config), loss_code(setting)),
        Step("Train", training_text(setting), training_code(setting)),
        Step("Plot", PLOT_TOLD, plot_code()),
    ]
    imports = Step("Import", IMPORTS_TOLD, import_code([step.code for step in steps], setting))
    return Program(
        name=f"seven-steps-{config.architecture.name}",
        title=f"{_heading(config.architecture.title)} on {spec.title}",
        about=_about(spec),
        steps=(imports, *steps),
        beside=None if spec.name in downloads() else SAMPLE,
    )


def program_of_run(run: Run) -> Program:
    """Write the program of a run's config, which changes its threads where the run did.

    Raises as ``program_of`` and ``thread_changes``.
    """
    return program_of(run.config, thread_changes(run))


def thread_changes(run: Run) -> ThreadChanges:
    """Return where a run changed its torch threads.

    Raises ProgramError where the run was trained on or its learning rate set, which no program repeats.
    """
    summary = run.summary
    if summary.extensions or summary.rates_set:
        raise ProgramError(
            f"run {run.id} was extended or its learning rate was set by hand, and no program can repeat that: train "
            "its settings again"
        )
    return tuple((change["step"], change["threads"]) for change in run.history().threads)


def _setting(config: RunConfig) -> Setting:
    if config.parent or config.start or config.lessons:
        raise ProgramError(
            "a run that starts from other weights or learns your drawings needs files that a program does not have: "
            "choose a network with random initial weights"
        )
    spec = dataset_spec(config.dataset)
    if spec.name not in PROGRAMMED:
        raise ProgramError(
            f"there is no program for {spec.title}, whose files need a reader of their own: choose "
            f"{', '.join(PROGRAMMED)}"
        )
    device = choose_device(config.device)
    return Setting(config, spec, device.type, choose_precision(config.precision, device))


def _about(spec: DatasetSpec) -> str:
    source = f"reads {spec.title} in the folder data, or downloads it there"
    if spec.name not in downloads():
        source = f"reads {SAMPLE.name}, which lies beside it"
    return f"It needs torch, numpy and plotly, and {source}."


def _heading(title: str) -> str:
    """Remove from a title all characters with a meaning in Markdown or HTML."""
    return " ".join(re.sub(r"[^\w ,.+×-]", " ", title).split()) or "Network"
