"""A recorder that writes a training to its run's folder: weights, metrics, checkpoints, the final test."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from cnnlab.data.batches import scaling
from cnnlab.data.spec import DatasetSpec
from cnnlab.evaluation.evaluate import Evaluation
from cnnlab.networks.build import parted
from cnnlab.runs.ancestry import ancestors
from cnnlab.runs.kept_epochs import unneeded
from cnnlab.runs.machines import machines_with
from cnnlab.runs.run import Run
from cnnlab.runs.summary import Summary
from cnnlab.training.checkpoint import Checkpoint
from cnnlab.training.config import Extension
from cnnlab.training.events import Event, Record
from cnnlab.training.history import to_line
from cnnlab.training.trainer import Saved


class Recorder:
    """The state of a training in memory, which pages show, and its files on disk.

    ``history`` only grows, and an epoch enters it after its weights and metrics are on disk. Raises RunError where they
    cannot be written.
    """

    def __init__(self, run: Run, more: Extension | None = None) -> None:
        self.run = run
        self.history = run.history()
        self.epoch = 0  # the last complete one
        self._unsaved: list[str] = []  # history lines of the running epoch
        self._found: set[int] | None = None  # epochs with weights from before this training: these stay
        self._before = run.summary
        self._more = more
        extensions = self._before.extensions
        if more:
            extensions = (*(earlier for earlier in extensions if earlier.after < more.after), more)
        running = {"status": "running", "error": "", "extensions": extensions}
        self.summary: Summary = self._before.model_copy(update=running)

    @property
    def is_current(self) -> bool:
        """Whether the run on disk is unchanged, so that no other process has trained it since."""
        now = self.run.summary.model_copy(update={"status": self._before.status})
        return now == self._before and (not self._more or self._more.after == self.run.whole_epochs)

    def update(self, **fields: object) -> None:
        """Change fields of the summary, in memory and on disk; the run's bytes are counted again."""
        self.summary = self.summary.model_copy(update=fields | {"disk_bytes": self.run.disk_bytes})
        self.run.write_summary(self.summary)

    def fail(self, message: str) -> None:
        """Mark the run as failed in memory; the files on disk are unchanged."""
        self.summary = self.summary.model_copy(update={"error": message, "status": "failed"})

    def begin(self, network: nn.Module, spec: DatasetSpec, checkpoint: Checkpoint | None) -> None:
        """Describe the network before its next step, and go back to the checkpoint's epoch, or before the first.

        Steps of the run after it are repeated with the same result.
        """
        frozen, learning = parted(network, self.run.config.learn_from)
        self._describe(network, frozen, spec)
        if checkpoint is None:
            self.run.rewind(0)
            self.run.save_weights(0, learning.state_dict())
        else:
            self.run.rewind(checkpoint.progress.epoch, checkpoint.progress.history)
        if self._found is None:
            self._found = set(self.run.epochs())
        self._unsaved.clear()
        self.history = self.run.history()
        self.update(rates_set=len(self.history.rates))
        self.epoch = checkpoint.progress.epoch if checkpoint else 0

    def add(self, event: Event, saved: Saved | None = None) -> None:
        """Record an event, that of an epoch's end with what is kept of it."""
        match event.kind:
            case "started":
                machines = machines_with(self.summary, event.machine, self.epoch)
                self.update(device=event.device, precision=event.precision, machines=machines)
            case "step" | "threads":
                self._note(event)
            case "rate":
                self._note(event)
                self.update(rates_set=len(self.history.rates))
            case "epoch":
                assert saved
                self._save_epoch(event.epoch, saved, [*self._unsaved, to_line(event)])
                self._unsaved.clear()
                self.epoch = event.epoch
                self.history.add(event)
                self._thin_out()
            case "finished":
                self.epoch = event.epoch

    def end(self) -> None:
        """Write the metrics of an epoch that will stay incomplete."""
        self.run.append_history(self._unsaved)

    def judge(self, test: Evaluation, train: Evaluation) -> None:
        """Write the results of the weights of the last complete (or best) epoch."""
        epochs, names = self.history.epochs, self.summary.classes
        self.update(
            epoch=self.epoch,
            train_accuracy=train.accuracy,
            validation_accuracy=epochs[self.epoch - 1]["validation_accuracy"],
            test_accuracy=test.accuracy,
            test_loss=test.loss,
            per_class=dict(zip(names, test.per_class, strict=True)),
            support=dict(zip(names, test.support, strict=True)),
            macro_f1=test.macro_f1,
            seconds=epochs[-1]["seconds"],
            images_per_second=len(epochs) / sum(1 / epoch["images_per_second"] for epoch in epochs),
        )

    def _describe(self, network: nn.Module, frozen: nn.Module, spec: DatasetSpec) -> None:
        mean, std = scaling(spec, self.run.config.normalise)
        self.update(
            classes=spec.classes,
            shape=spec.shape,
            mean=mean,
            std=std,
            parameters=sum(parameter.numel() for parameter in network.parameters()),
            ancestors=ancestors(self.run),
            frozen=self.summary.frozen or self.run.save_frozen(frozen.state_dict()),
        )

    def _note(self, event: Record) -> None:
        self._unsaved.append(to_line(event))
        self.history.add(event)

    def _save_epoch(self, epoch: int, saved: Saved, lines: list[str]) -> None:
        """Write the files of an epoch, in an order that lets a run continue after a kill between any two of them."""
        self.run.save_weights(epoch, saved.weights)
        kept = saved.checkpoint
        self.run.save_checkpoint(replace(kept, progress=kept.progress.model_copy(update={"history": tuple(lines)})))
        self.run.append_history(lines)

    def _thin_out(self) -> None:
        """Delete the weights that need not be kept, once those of a later epoch and its metrics are on disk."""
        if self.run.checkpoints.are_kept:  # which are of no use without the weights of their epoch
            return
        saved = [epoch for epoch in self.run.epochs() if epoch not in (self._found or ())]
        self.run.delete_weights(unneeded(saved, self.history.best_epochs))
