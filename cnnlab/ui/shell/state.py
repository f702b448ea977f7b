"""What a session holds, by name and type: what pages put there for one another, and widgets' values that code reads.

A widget's key that nobody else reads or writes stays beside the widget.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import streamlit as st

from cnnlab.drawings.strokes import PEN
from cnnlab.networks.architecture import Draft, Place
from cnnlab.networks.designs import read_design
from cnnlab.networks.edit import UndoStack
from cnnlab.training.config import Parent

if TYPE_CHECKING:
    from cnnlab.analysis.feature_visualization import Dream
    from cnnlab.analysis.tsne import Layout, Places
    from cnnlab.drawings.challenge import Challenge
    from cnnlab.jobs.worker import Worker
    from cnnlab.training.events import StepMetrics

T = TypeVar("T")


class Key(Generic[T]):
    """A value of the session; ``name`` is also the key of the widget that shows it, where one does."""

    def __init__(self, name: str, default: T) -> None:
        self.name = name
        self._default = default  # of what is not there; never changed in place

    @property
    def is_set(self) -> bool:
        """Tell whether the session has a value."""
        return self.name in st.session_state

    def get(self) -> T:
        """Give the value, else the default."""
        value: T = st.session_state.get(self.name, self._default)
        return value

    def put(self, value: T) -> T:
        """Keep ``value`` and give it back."""
        st.session_state[self.name] = value
        return value

    def fill(self, value: T) -> T:
        """Keep ``value`` unless there is one; give what is there then, to be changed in place where it can be."""
        kept: T = st.session_state.setdefault(self.name, value)
        return kept

    def take(self) -> T:
        """Forget the value and give it back, else the default."""
        value: T = st.session_state.pop(self.name, self._default)
        return value

    def drop(self) -> None:
        """Forget the value."""
        self.take()


# Every page.
OWN_RUN: Key[str | None] = Key("run", None)  # the id of the one that this session is about
WORKS: Key[list[Worker[Any]]] = Key("session.works", [])  # computations in the background that it watches
TRIALS: Key[dict[str, Any]] = Key("learn.trials", {})  # experiments by their widget's key
SHOWN_QUERY: Key[dict[str, str] | None] = Key("learn.shown", None)  # the address of what Learn drew last
_PAGE: Key[str] = Key("frame.at", "")
_VISIT: Key[int] = Key("frame.visit", 0)

# Train.
FORM_RECIPE: Key[str] = Key("form.recipe", "default")
FORM_PARENT: Key[Parent | None] = Key("form.parent", None)  # of the branch that the form makes
FORM_OWN_NETWORK: Key[str] = Key("form.own_network", "")  # a design's JSON
RATE: Key[float] = Key("live.rate", 0.0)
RATE_OPEN: Key[bool] = Key("live.rate.open", False)
RATE_RAMP: Key[tuple[str, Worker[tuple[StepMetrics, ...]] | None]] = Key("finder.work", ("", None))  # of which config
BRANCH_OPEN: Key[bool] = Key("branch.open", False)

# Sweep and Compare.
SWEEP_CHOSEN: Key[str | None] = Key("sweep.chosen", None)
SEARCH: Key[str] = Key("compare.search", "")
COMPARED: Key[dict[str | None, list[str]]] = Key("compare.chosen", {})  # ids, for the session's run
COMPARED_CLEARED: Key[int] = Key("compare.cleared", 0)  # how often the ticks were set from elsewhere
COMPARED_IMAGE: Key[int | None] = Key("compare.image", None)
DELETED_RUNS: Key[list[str]] = Key("compare.deleted", [])  # to undo

# Design.
DESIGN_PICKED: Key[list[int]] = Key("design.picked", [-1])
DESIGN_VERSION: Key[int] = Key("design.version", 0)
DESIGN_DRAWN: Key[int | None] = Key("design.drawn", None)  # the version whose widgets the page shows
DESIGN_REFUSAL: Key[str] = Key("design.refusal", "")  # why the last edit was refused
DESIGN_ERROR: Key[str] = Key("design.error", "")
DESIGN_DELETE_OPEN: Key[bool] = Key("design.delete.open", False)
DESIGN_AWAY: Key[tuple[str, str]] = Key("design.away", ("", ""))  # restores what was deleted or replaced; what was done
DESIGN_PICTURE: Key[Any] = Key("design.picture", None)
DESIGN_STACK: Key[Any] = Key("design.stack", None)
DESIGN_QUIET: Key[object] = Key("design.quiet", None)  # what was asked for at the last look
DESIGN_ME: Key[str] = Key("design.me", "")
DESIGN_DATASET: Key[str] = Key("design.dataset", "")
DESIGN_BATCH: Key[int] = Key("design.batch", 0)
DESIGN_CLASSES: Key[int] = Key("design.classes", 10)
_DESIGN: Key[tuple[Any, ...] | None] = Key("design.history", None)

# Inside and Evaluate.
PLAYING: Key[str | None] = Key("explore.playing", None)  # the run whose epochs play
OWN_EPOCHS: Key[tuple[int, ...]] = Key("explore.own", ())  # those that the page itself went to last
SHOWN_VIEW: Key[str] = Key("explore.shown", "")
GROWING_IMAGE: Key[tuple[str, Worker[Dream]] | None] = Key("inside.growing", None)  # of what, and the work
LAYOUTS: Key[dict[str, Places]] = Key("inside.layouts", {})  # finished ones by what they are of
LAYOUT_WORK: Key[tuple[str, Worker[Layout]] | None] = Key("inside.layout", None)  # of what, and the work
OPENED_IMAGE: Key[int | None] = Key("inside.opened", None)
IMAGE_SOURCE: Key[str | None] = Key("inside.source", None)
IMAGE_CLASS: Key[str] = Key("inside.class", "")
IMAGE_WRONG: Key[bool] = Key("inside.wrong", False)
ERROR_IMAGE: Key[int | None] = Key("evaluate.image", None)
CONFUSION_CELL: Key[int | None] = Key("evaluate.cell", None)
VERDICTS: Key[dict[str, dict[int, str]]] = Key("labels.verdicts", {})  # {images: {index: verdict}}

# Draw.
CANVAS_DRAWN: Key[Any] = Key("canvas", None)
CANVAS_LATEST: Key[dict[str, Any] | None] = Key("canvas.latest", None)  # the drawing as the canvas tells it
CANVAS_GIVEN: Key[dict[str, Any]] = Key("canvas.given", {})  # what the canvas was told to show; changing it redraws
CANVAS_TIMES: Key[int] = Key("canvas.times", 0)  # how often: the same drawing given again is a change too
CANVAS_REPORTED: Key[dict[str, Any] | None] = Key("canvas.reported", None)  # what the canvas told last
# What it told before it was given something else, and tells until that arrived.
CANVAS_OUTDATED: Key[dict[str, Any] | None] = Key("canvas.outdated", None)
CANVAS_PEN: Key[int] = Key("canvas.pen", PEN)
DRAWINGS: Key[dict[str, str]] = Key("teaching.kept", {})  # {a drawing's JSON: its label}, the oldest first
DRAWINGS_BEFORE: Key[dict[str, str]] = Key("teaching.before", {})  # the same as before the last removal
DRAWINGS_CHANGED: Key[bool] = Key("teaching.changed", False)  # another part of the page is to show it too
DRAWINGS_FILE: Key[Any] = Key("teaching.import", None)
CHALLENGE: Key[Challenge | None] = Key("draw.challenge", None)
CHALLENGE_KEPT: Key[int] = Key("draw.challenge.kept", 0)  # how many drawings the last click kept
SHOWN_REASON: Key[str] = Key("draw.why.shown", "")

# Learn.
FILTER: Key[str] = Key("learn.convolution.filter", "")
CONV2D_EXAMPLE: Key[str] = Key("learn.conv2d.example", "")
CONTESTS: Key[dict[Any, Any]] = Key("learn.flatten.tried", {})  # by their terms
RUNNING_STATISTICS: Key[list[Any]] = Key("learn.machines.norm.seen", [])  # after each batch so far
DROPOUT_DRAW: Key[int] = Key("learn.machines.dropout.draw", 0)
SOFTMAX_COUNT: Key[int] = Key("learn.machines.softmax.count", 0)
STEP_STAGE: Key[str] = Key("learn.step.stage", "Forward")
STEPS_TAKEN: Key[int] = Key("learn.step.taken", 1)
PITFALL: Key[str] = Key("learn.traps.chosen", "")
PROGRAM_TRAINING: Key[str] = Key("learn.program.training", "")


def compared_table(rows: str) -> Key[Any]:
    """Name the table of runs that lists ``rows``, as its ticks were set last."""
    return Key(f"compare.table.{COMPARED_CLEARED.get()}.{rows}", None)


def view_of(page: str) -> Key[str]:
    """Name the view that Inside or Evaluate shows."""
    return Key(f"{page}.view", "")


def epoch_of(run_id: str) -> Key[int]:
    """Name the epoch of a run that Inside and Evaluate show."""
    return Key(f"explore.epoch.{run_id}", 0)


def follows(run_id: str) -> Key[bool]:
    """Name whether they go with a run that trains to its newest epoch."""
    return Key(f"explore.follow.{run_id}", True)


def layout_of(series: str) -> Key[Places | None]:
    """Name the last layout among those that differ by epoch only."""
    return Key(f"{LAYOUTS.name}.{series}", None)


def image_number(label: str, only_wrong: bool) -> Key[int]:
    """Name which test image of a class is looked at."""
    return Key(f"inside.number.{label}.{only_wrong}", 1)


def judged_at(run_id: str) -> Key[int]:
    """Name the epoch after which wrong test images were asked for."""
    return Key(f"{IMAGE_WRONG.name}.{run_id}", 0)


def tile_of(what: str, layer: str) -> Key[int | None]:
    """Name which filter or map of a layer is open."""
    return Key(f"inside.{what}.{layer}", None)


def design_size(axis: str) -> Key[int]:
    """Name the channels, height or width of the images that a network is designed for."""
    return Key(f"design.{axis}", 0)


def design_field(form: str, name: str = "") -> Key[Any]:
    """Name a field of one of Design's forms, which begin anew with each version of the design."""
    return Key(".".join(filter(None, ("design", form, str(DESIGN_VERSION.get()), name))), None)


def form_field(field: str) -> Key[Any]:
    """Name a field of the form for a run, by the config's name."""
    return Key(f"form.{field}", None)


def about_field(form: str, field: str) -> Key[Any]:
    """Name a field of the form for what an owner says of a run."""
    return Key(f"{form}.{field}", None)


def picked_run(picker: str, own_run: str | None) -> Key[Any]:
    """Name what a picker of runs stands on, while the session is about ``own_run``."""
    return Key(f"{picker}.{own_run}", None)


def picked_layer(picture: str) -> Key[Place | None]:
    """Name the layer that was clicked in a network's picture."""
    return Key(f"{picture}.chosen", None)


def label_of(run_id: str, drawing: str) -> Key[str | None]:
    """Name what a drawing was, among the classes of a run."""
    return Key(f"teach.{run_id}.{drawing}", None)


def filter_weight(row: int, column: int) -> Key[float | None]:
    """Name a weight of one's own filter."""
    return Key(f"learn.convolution.weight.{row}.{column}", None)


def conv2d_field(name: str) -> Key[Any]:
    """Name a field of the form for Conv2d."""
    return Key(f"learn.conv2d.{name}", None)


def softmax_logit(name: str) -> Key[float]:
    """Name a logit of softmax."""
    return Key(f"learn.machines.softmax.logit.{name}", 0.0)


def program_field(name: str, training: str) -> Key[Any]:
    """Name a field of the program: data set and epochs are kept for each training, the seed for all."""
    return Key("learn.program.seed" if name == "seed" else f"learn.program.{name}.{training}", None)


def chapter_choice(parameter: str) -> Key[str]:
    """Name the choice within a chapter that an address names."""
    return Key(f"learn.chosen.{parameter}", "")


def followed(place: str) -> Key[object]:
    """Name what ``place`` was last asked for by the address."""
    return Key(f"{place}.followed", None)


def visit() -> int:
    """Give a number that grows whenever this session comes from one page to another."""
    return _VISIT.get()


def note_visit(page: str) -> None:
    """Note that this session is on ``page``."""
    if _PAGE.get() != page:
        _PAGE.put(page)
        _VISIT.put(visit() + 1)


def search_runs(words: str) -> None:
    """Have Compare list what ``words`` find; for callbacks."""
    SEARCH.put(words)


def design_history() -> UndoStack | None:
    """What was edited on Design, each version as JSON; None before anything was."""
    parts = _DESIGN.get()  # tuples, which a source edit does not turn into strangers
    return None if parts is None else UndoStack(*parts)


def keep_design_history(history: UndoStack) -> None:
    """Keep it for this session."""
    _DESIGN.put((history.present, history.past, history.future))


def own_design() -> Draft | None:
    """The network that this session designs; None before it began to."""
    history = design_history()
    return None if history is None else parsed(history.present)


parsed = lru_cache(maxsize=64)(read_design)  # asked several times in each run of a page
