"""A file from elsewhere as a run: taken in, checked against the file, judged on a data set, kept."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from cnnlab.data.datasets import dataset_spec
from cnnlab.importing.foreign_file import ForeignError, Kind, kind_of
from cnnlab.importing.metadata import Described, described
from cnnlab.importing.new_head import UNTOLD, with_new_head
from cnnlab.importing.onnx_graph import parsed
from cnnlab.importing.taking import Normalise, Taken, of_design, of_graph
from cnnlab.runs.judged_run import EPOCH, judged_run
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About
from cnnlab.text import one_line
from cnnlab.training.config import RunConfig
from cnnlab.training.run_data import load_for

TAG = "brought in"
MAX_TITLE = 80
UNTRAINED_BY = 300  # images of each part, where the last layer is untrained: all would only cost time


@dataclass(frozen=True)
class Source:
    """A file from elsewhere: an ONNX file, or a design's JSON with its weights as safetensors."""

    name: str
    content: bytes
    weights: bytes | None = None

    @property
    def digest(self) -> str:
        return sha256(self.content + (self.weights or b"")).hexdigest()


@dataclass(frozen=True)
class Brought:
    """The run that a file became."""

    run: Run
    taken: Taken


def bring(
    source: Source,
    dataset: str,
    store: RunStore,
    title: str = "",
    normalise: Normalise | None = None,
    *,
    new_head: bool = False,
    side: int | None = None,
) -> Brought:
    """Make a finished run of a file from elsewhere, judged on a data set whose images and classes it must fit.

    With a ``new_head`` an ONNX file need not fit them: its last layer is replaced by an untrained one for the data
    set's classes, and the images are resized to the file's own side, or to ``side`` pixels where it takes any.
    ``normalise`` is the scale of the pixels that the file takes, where it does not scale them itself; without it the
    one with the most right answers on validation images is taken, and with a new head, which cannot tell, "imagenet".
    Raises ForeignError where the file cannot be taken in, ArchitectureError where its layers do not fit the images,
    DesignError where a design is none, DatasetError where the images are missing, RunError where the run cannot be
    kept.
    """
    spec, kind = dataset_spec(dataset), kind_of(source.content)
    _check(source, kind, new_head, side)
    config = RunConfig(dataset=spec.name, epochs=EPOCH)
    if kind == "design":
        known, data = None, load_for(config)
        taken = of_design(source.content, source.weights or b"", data, normalise)
    else:
        graph = parsed(source.content)
        known, data = described(graph.model), load_for(config)
        name = _title(title, source, known)
        if new_head:
            taken = with_new_head(graph, name, data, normalise or UNTOLD, side)
        else:
            taken = of_graph(graph, known, name, data, normalise)
    config = config.model_copy(update={"architecture": taken.architecture, "normalise": taken.normalise})
    about = About(title=_title(title, source, known), tags=(TAG,), note=_note(source, known, taken))
    most = UNTRAINED_BY if taken.new_head else None
    return Brought(judged_run(store, config, about, taken.trained, data, most), taken)


def _check(source: Source, kind: Kind, new_head: bool, side: int | None) -> None:
    """Raise ForeignError where what was given does not go together."""
    if kind == "safetensors" or (kind == "design" and source.weights is None):
        raise ForeignError("weights and layer list come together: give the design's JSON, and its .safetensors beside")
    if kind == "onnx" and source.weights is not None:
        raise ForeignError("an ONNX file has its weights inside: leave the .safetensors out")
    if kind == "design" and kind_of(source.weights or b"") != "safetensors":
        raise ForeignError("the weights are no safetensors file")
    if kind == "design" and new_head:
        raise ForeignError("a new last layer is put into an ONNX file's network: export yours as ONNX")
    if side is not None and not new_head:
        raise ForeignError("images are resized to a side where the last layer is new: ask for that too")


def _title(title: str, source: Source, known: Described | None) -> str:
    stem = source.name.rpartition(".")[0] or source.name
    return one_line(title or (known.title if known else "") or stem)[:MAX_TITLE] or "Brought in"


def _note(source: Source, known: Described | None, taken: Taken) -> str:
    """Say where a run came from, and what its figures are."""
    told = [f"Imported from {one_line(source.name)[:200]} (SHA-256 {source.digest})."]
    if known and known.run:
        told.append(f"It was exported from the run {one_line(known.run)}, after epoch {known.epoch}.")
    if taken.difference is not None:
        own = "With its own last layer its" if taken.new_head else "Its"
        told.append(f"{own} answers are the file's, within {taken.difference:.0e} of the largest one.")
    if taken.is_guessed:
        told.append(
            f"The file does not tell how its pixels are scaled: of four ways, {taken.normalise} gave the most right "
            "answers on validation images."
        )
    if taken.new_head:
        told.append(
            f"Its last layer, {taken.new_head}, is new and untrained, so that its accuracy, on up to "
            f"{UNTRAINED_BY:,} images, is that of chance: branch it, or start from it, with learn_from "
            f"{taken.new_head}. The layers before were trained elsewhere, and the settings of that are not known."
        )
        return " ".join(told)
    told.append(
        "It was trained elsewhere: its single epoch is an evaluation on this data set's images, some of which it may "
        "have learned from, and the settings of its training are not known."
    )
    return " ".join(told)
