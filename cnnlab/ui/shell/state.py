"""Typed keys of the session state: values that pages share, and widgets' values that code reads.

A widget's key that no other code uses stays beside the widget.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import streamlit as st

from cnnlab.data.pictures.collecting import Collection
from cnnlab.drawings.strokes import PEN, LabelledDrawing
from cnnlab.networks.architecture import Draft, Place
from cnnlab.networks.designs import read_design
from cnnlab.networks.edit import UndoStack
from cnnlab.people.rights import Person
from cnnlab.training.config import Parent
from cnnlab.training.recipes import DEFAULT

if TYPE_CHECKING:
    from cnnlab.analysis.feature_visualization import Dream
    from cnnlab.analysis.first_look import FirstLook
    from cnnlab.analysis.tsne import Layout, Places
    from cnnlab.drawings.challenge import Challenge
    from cnnlab.jobs.worker import Worker
    from cnnlab.learn.guess_record import Habit, KeptScore
    from cnnlab.learn.guesses import Guess, Outcome
    from cnnlab.training.events import StepMetrics

T = TypeVar("T")


class Key(Generic[T]):
    """A value of the session; ``name`` is also the key of the widget that shows it, where there is one."""

    def __init__(self, name: str, default: T) -> None:
        self.name = name
        self._default = default  # returned where there is no value; never changed in place

    @property
    def is_set(self) -> bool:
        """Whether the session has a value."""
        return self.name in st.session_state

    def get(self) -> T:
        """Return the value, else the default."""
        value: T = st.session_state.get(self.name, self._default)
        return value

    def put(self, value: T) -> T:
        """Store ``value`` and return it."""
        st.session_state[self.name] = value
        return value

    def move_to(self, value: T) -> None:
        """Store ``value`` where it differs: to store it sets the browser's widget, over what is done there then."""
        if not self.is_set or self.get() != value:
            self.put(value)

    def fill(self, value: T) -> T:
        """Store ``value`` unless there is one; return the stored one, which may be changed in place."""
        kept: T = st.session_state.setdefault(self.name, value)
        return kept

    def take(self) -> T:
        """Remove the value and return it, else the default."""
        value: T = st.session_state.pop(self.name, self._default)
        return value

    def drop(self) -> None:
        """Remove the value."""
        self.take()


# All pages.
OWN_RUN: Key[str | None] = Key("run", None)  # id of the session's run
WORKS: Key[list[Worker[Any]]] = Key("session.works", [])  # background work that the session watches
TRIALS: Key[dict[str, Any]] = Key("learn.trials", {})  # experiments by their widget's key
SHOWN_QUERY: Key[dict[str, str] | None] = Key("learn.shown", None)  # the URL parameters that Learn showed last
ME: Key[Person | None] = Key("session.me", None)  # who uses it, since the page was last drawn
JOIN_CODE: Key[str] = Key("join.code", "")
JOIN_NAME: Key[str] = Key("join.name", "")
LEAVING: Key[bool] = Key("session.leaving", False)  # until the browser has its new key
API_KEY: Key[str] = Key("session.api_key", "")  # just made, to be copied
_PAGE: Key[str] = Key("frame.at", "")
_VISIT: Key[int] = Key("frame.visit", 0)

# Learn and Compare: guesses of results.
GUESSES_KEPT: Key[str | None] = Key("guess.kept", None)  # what the browser keeps; None until it has said so
GUESS_HABIT: Key[Habit] = Key("guess.habit", "")  # chosen in this session, until the browser keeps it
GUESSES_SCORED: Key[tuple[KeptScore, ...]] = Key("guess.scored", ())  # in this session
GUESSES_GIVEN: Key[dict[str, tuple[Guess, Outcome | None]]] = Key("guess.given", {})  # by id, with what came out
RESULTS_SEEN: Key[set[str]] = Key("guess.seen", set())  # ids of what was shown without a guess

# Train and Compare.
LOG_LOSS: Key[bool] = Key("curves.log", False)

# Train.
FORM_RECIPE: Key[str] = Key("form.recipe", DEFAULT)
FORM_PARENT: Key[Parent | None] = Key("form.parent", None)  # of the branch that the form creates
FORM_OWN_NETWORK: Key[str] = Key("form.own_network", "")  # a design's JSON
PROVABLE: Key[bool] = Key("form.provable", False)  # whether the checkpoint of each epoch is kept
FORM_MORE: Key[bool] = Key("form.more", False)  # whether the fold is open
FORM_OPENING: Key[bool] = Key("form.more.opening", False)  # from the next drawing on
FORM_WRONG: Key[str] = Key("form.wrong", "")  # why the settings cannot run
RATE: Key[float] = Key("live.rate", 0.0)
RATE_OPEN: Key[bool] = Key("live.rate.open", False)
RATE_RAMP: Key[tuple[str, Worker[tuple[StepMetrics, ...]] | None]] = Key("finder.work", ("", None))  # with its config
BRANCH_OPEN: Key[bool] = Key("branch.open", False)

# Train and Class.
ASSIGNMENT_TRAINED: Key[str] = Key("assignment.trained", "")  # whose settings the form holds fixed
ASSIGNMENT_FILLED: Key[str] = Key("assignment.filled", "")  # with which the form was filled
ASSIGNMENT_SHOWN: Key[str] = Key("class.assignment", "")  # on Class
CLASS_VERIFYING: Key[tuple[str, ...]] = Key("class.verifying", ())  # handed-in runs
CLASS_REDRAWN: Key[str] = Key("class.redrawn", "")  # the digit that is drawn once more
CLASS_FORGOTTEN: Key[dict[str, LabelledDrawing]] = Key("class.forgotten", {})  # one's digits, to undo
CLASS_REMOVED: Key[str] = Key("class.removed", "")  # an assignment, to undo

# Data.
DATA_CHOSEN: Key[str] = Key("data.chosen", "")
DATA_VIEW: Key[str] = Key("data.view", "Pictures")
DATA_ADDING: Key[Worker[Any] | None] = Key("data.adding", None)
DATA_JUDGED: Key[dict[str, Worker[Any]]] = Key("data.judged", {})  # cross-validations by version
DATA_PACKED: Key[Any] = Key("data.packed", None)  # the uploaded archive
DATA_ADDED_FROM: Key[str] = Key("data.added_from", "")  # the way that is being added
DATA_NAME: Key[str] = Key("data.name", "")
DATA_CLASSES: Key[list[str]] = Key("data.classes", [])  # names typed for uploads, class by class
DATA_RECORDED: Key[Collection] = Key("data.recorded", Collection())
DATA_DRAWN_CLASS: Key[str] = Key("data.drawn.class", "")
RECORDER: Key[Any] = Key("data.recorder", None)
RECORDER_TAKEN: Key[Any] = Key("data.recorder.taken", 0)  # number of the browser's last action
RECORDER_ERROR: Key[str] = Key("data.recorder.error", "")
RECORDER_SEEN: Key[bytes] = Key("data.recorder.seen", b"")  # the file of what the camera shows now
RECORDER_LOOK: Key[FirstLook | None] = Key("data.recorder.look", None)
DATA_FINDING: Key[str] = Key("data.finding", "")
DATA_MOVE_TO: Key[str] = Key("data.move_to", "")
DATA_MOVE_LIKELY: Key[str] = Key("data.move_likely", "")  # where each picture looks like a class
DATA_NEW_CLASS: Key[str] = Key("data.new_class", "")

# Sweep and Compare.
SWEEP_CHOSEN: Key[str | None] = Key("sweep.chosen", None)
MORE_TRIALS: Key[int] = Key("sweep.more", 0)
SEARCH: Key[str] = Key("compare.search", "")
COMPARED: Key[dict[str | None, list[str]]] = Key("compare.chosen", {})  # ids, by the session's run
COMPARED_CLEARED: Key[int] = Key("compare.cleared", 0)  # how often the ticks were set by other parts
COMPARED_REVEALED: Key[frozenset[str] | None] = Key("compare.revealed", None)  # whose results the list tells; None: all
COMPARED_IMAGE: Key[int | None] = Key("compare.image", None)
BEST_ASKED: Key[str] = Key("compare.best", "")  # the data set and the runs whose best one is to be corrected
DELETED_RUNS: Key[list[str]] = Key("compare.deleted", [])  # to undo

# Design.
DESIGN_PICKED: Key[list[int]] = Key("design.picked", [-1])
DESIGN_VERSION: Key[int] = Key("design.version", 0)
DESIGN_DRAWN: Key[int | None] = Key("design.drawn", None)  # the version whose widgets the page shows
DESIGN_REFUSAL: Key[str] = Key("design.refusal", "")  # reason of the last refused edit
DESIGN_ERROR: Key[str] = Key("design.error", "")
DESIGN_DELETE_OPEN: Key[bool] = Key("design.delete.open", False)
DESIGN_AWAY: Key[tuple[str, str]] = Key("design.away", ("", ""))  # restores what was deleted or replaced; description
DESIGN_PICTURE: Key[Any] = Key("design.picture", None)
DESIGN_STACK: Key[Any] = Key("design.stack", None)
DESIGN_DATASET: Key[str] = Key("design.dataset", "")
DESIGN_BATCH: Key[int] = Key("design.batch", 0)
DESIGN_CLASSES: Key[int] = Key("design.classes", 10)
_DESIGN: Key[tuple[Any, ...] | None] = Key("design.history", None)

# Measuring the time of an epoch.
TIMED: Key[object] = Key("timing.timed", None)  # what was asked for at the last update
TIMING_ME: Key[str] = Key("timing.me", "")

# Inside and Evaluate.
PLAYING: Key[str | None] = Key("explore.playing", None)  # the run whose epochs play
OWN_EPOCHS: Key[tuple[int, ...]] = Key("explore.own", ())  # set last by the page itself
ASKS_PUBLISHED: Key[bool] = Key("explore.published", False)
SHOWN_VIEW: Key[str] = Key("explore.shown", "")
GROWING_IMAGE: Key[tuple[str, Worker[Dream]] | None] = Key("inside.growing", None)  # its subject, and the work
LAYOUTS: Key[dict[str, Places]] = Key("inside.layouts", {})  # finished ones by their settings
LAYOUT_WORK: Key[tuple[str, Worker[Layout]] | None] = Key("inside.layout", None)  # its settings, and the work
LAYER_STRIP: Key[Any] = Key("inside.strip", None)
LOOPED_IMAGES: Key[list[int]] = Key("inside.looped", [])  # indices of test images in the embedding's loop
OPENED_IMAGE: Key[int | None] = Key("inside.opened", None)
IMAGE_SOURCE: Key[str | None] = Key("inside.source", None)
IMAGE_CLASS: Key[str] = Key("inside.class", "")
IMAGE_WRONG: Key[bool] = Key("inside.wrong", False)
ERROR_IMAGE: Key[int | None] = Key("evaluate.image", None)
CONFUSION_CELL: Key[int | None] = Key("evaluate.cell", None)
SURGERY_REFUSAL: Key[str] = Key("surgery.refusal", "")  # reason of the last refused operation
SURGERY_CLICKED: Key[int | None] = Key("surgery.clicked", None)  # a filter's number
VERDICTS: Key[dict[str, dict[int, str]]] = Key("labels.verdicts", {})  # {images: {index: verdict}}

# Draw.
LIVE_CAMERA: Key[Any] = Key("draw.live", None)
CANVAS_DRAWN: Key[Any] = Key("canvas", None)
CANVAS_LATEST: Key[dict[str, Any] | None] = Key("canvas.latest", None)  # the drawing as the canvas reports it
CANVAS_GIVEN: Key[dict[str, Any]] = Key("canvas.given", {})  # the drawing to show on the canvas; a change redraws it
CANVAS_TIMES: Key[int] = Key("canvas.times", 0)  # counter, as the same drawing given again is also a change
CANVAS_REPORTED: Key[dict[str, Any] | None] = Key("canvas.reported", None)  # the canvas's last report
# The report before it was given another drawing, repeated until that arrives.
CANVAS_OUTDATED: Key[dict[str, Any] | None] = Key("canvas.outdated", None)
CANVAS_PEN: Key[int] = Key("canvas.pen", PEN)
PEN_ENGINE: Key[Any] = Key("pen.engine", None)
PEN_ANSWERS: Key[Any] = Key("pen.answers", None)
PEN_MAPS: Key[Any] = Key("pen.maps", None)
DRAWINGS: Key[dict[str, str]] = Key("teaching.kept", {})  # {a drawing's JSON: its label}, oldest first
DRAWINGS_BEFORE: Key[dict[str, str]] = Key("teaching.before", {})  # the collection before the last removal
DRAWINGS_CHANGED: Key[bool] = Key("teaching.changed", False)  # another part of the page must refresh
DRAWINGS_FILE: Key[Any] = Key("teaching.import", None)
CHALLENGE: Key[Challenge | None] = Key("draw.challenge", None)
CHALLENGE_KEPT: Key[int] = Key("draw.challenge.kept", 0)  # number of drawings stored by the last click
SHOWN_REASON: Key[str] = Key("draw.why.shown", "")

# Learn.
READING: Key[Any] = Key("learn.reading", None)
CHAPTERS_READ: Key[list[str]] = Key("learn.read", [])  # as the browser keeps them
CHAPTER_FINISHED: Key[str] = Key("learn.finished", "")  # whose last question was just answered
FILTER: Key[str] = Key("learn.convolution.filter", "")
CONV2D_EXAMPLE: Key[str] = Key("learn.conv2d.example", "")
ENDING: Key[Any] = Key("learn.flatten.ending", "flattened")
CONTESTS: Key[dict[Any, Any]] = Key("learn.flatten.tried", {})  # by their settings
RUNNING_STATISTICS: Key[list[Any]] = Key("learn.machines.norm.seen", [])  # after each batch so far
DROPOUT_DRAW: Key[int] = Key("learn.machines.dropout.draw", 0)
SOFTMAX_COUNT: Key[int] = Key("learn.machines.softmax.count", 0)
STEP_STAGE: Key[str] = Key("learn.step.stage", "Forward")
STEPS_TAKEN: Key[int] = Key("learn.step.taken", 1)
PITFALL: Key[str] = Key("learn.traps.chosen", "")
FEW_PICTURES_OF: Key[str] = Key("learn.few_pictures.dataset", "")
PROGRAM_TRAINING: Key[str] = Key("learn.program.training", "")


def compared_table(rows: str) -> Key[Any]:
    """Return the key of the run table that lists ``rows``, with the current set of ticks."""
    return Key(f"compare.table.{COMPARED_CLEARED.get()}.{rows}", None)


def guess_field(ask_id: str, name: str) -> Key[Any]:
    """Return the key of a part of a guess."""
    return Key(f"guess.{name}.{ask_id}", None)


def guess_record_at(place: str) -> Key[Any]:
    """Return the key of the component that shows the record of guesses at a place."""
    return Key(f"guess.record.{place}", None)


def class_name(number: int) -> Key[str]:
    """Return the key of the name of a class whose pictures are uploaded."""
    return Key(f"data.class.{number}", "")


def lender_of(version: str) -> Key[str]:
    """Return the key of the data set that lends a version the pictures of a class "none"."""
    return Key(f"data.lender.{version}", "")


def branch_epoch(run_id: str) -> Key[int]:
    """Return the key of the epoch from whose weights a branch of a run starts."""
    return Key(f"branch.epoch.{run_id}", 0)


def formats_chosen(run_id: str) -> Key[list[str]]:
    """Return the key of the formats that are ticked for a run's network."""
    return Key(f"export.chosen.{run_id}", [])


def formats_made(run_id: str) -> Key[tuple[str, ...]]:
    """Return the key of the formats in which a run's network was last asked for."""
    return Key(f"export.made.{run_id}", ())


def view_of(page: str) -> Key[str]:
    """Return the key of the view shown on Inside or Evaluate."""
    return Key(f"{page}.view", "")


def view_group_of(page: str) -> Key[str]:
    """Return the key of the group whose views Inside or Evaluate offers."""
    return Key(f"{page}.group", "")


def epoch_of(run_id: str) -> Key[int]:
    """Return the key of a run's epoch on Inside and Evaluate."""
    return Key(f"explore.epoch.{run_id}", 0)


def follows(run_id: str) -> Key[bool]:
    """Return the key that tells whether these pages follow a training run to its newest epoch."""
    return Key(f"explore.follow.{run_id}", True)


def layout_of(series: str) -> Key[Places | None]:
    """Return the key of the last layout among those that differ only by epoch."""
    return Key(f"{LAYOUTS.name}.{series}", None)


def image_number(label: str, only_wrong: bool) -> Key[int]:
    """Return the key of the chosen test image of a class."""
    return Key(f"inside.number.{label}.{only_wrong}", 1)


def judged_at(run_id: str) -> Key[int]:
    """Return the key of the epoch for which wrong test images were requested."""
    return Key(f"{IMAGE_WRONG.name}.{run_id}", 0)


def tile_of(what: str, layer: str) -> Key[int | None]:
    """Return the key of the open filter or map of a layer."""
    return Key(f"inside.{what}.{layer}", None)


def cloud_of(name: str) -> Key[Any]:
    """Return the key of a cloud of points."""
    return Key(f"cloud.{name}", None)


def passage_map(run_id: str) -> Key[str]:
    """Return the key of the map that is open in Layer by layer: its layer, a slash and its number."""
    return Key(f"inside.passage.map.{run_id}", "")


def design_size(axis: str) -> Key[int]:
    """Return the key of the channels, height or width of a design's images."""
    return Key(f"design.{axis}", 0)


def design_field(form: str, name: str = "") -> Key[Any]:
    """Return the key of a field in one of Design's forms, which are reset with each version of the design."""
    return Key(".".join(filter(None, ("design", form, str(DESIGN_VERSION.get()), name))), None)


def form_field(field: str) -> Key[Any]:
    """Return the key of a field of the run form, by the config's field name."""
    return Key(f"form.{field}", None)


def about_field(form: str, field: str) -> Key[Any]:
    """Return the key of a field of the form for a run's name, tags and notes."""
    return Key(f"{form}.{field}", None)


def assignment_field(form: str, field: str) -> Key[Any]:
    """Return the key of a field of the form for an assignment."""
    return Key(f"assignment.{form}.{field}", None)


def picked_run(picker: str, own_run: str | None) -> Key[Any]:
    """Return the key of a run picker, while ``own_run`` is the session's run."""
    return Key(f"{picker}.{own_run}", None)


def picked_layer(picture: str) -> Key[Place | None]:
    """Return the key of the layer clicked in a network diagram."""
    return Key(f"{picture}.chosen", None)


def label_of(run_id: str, drawing: str) -> Key[str | None]:
    """Return the key of a drawing's label, among the classes of a run."""
    return Key(f"teach.{run_id}.{drawing}", None)


def filter_weight(row: int, column: int) -> Key[float | None]:
    """Return the key of a weight of the user's own filter."""
    return Key(f"learn.convolution.weight.{row}.{column}", None)


def conv2d_field(name: str) -> Key[Any]:
    """Return the key of a field of the Conv2d form."""
    return Key(f"learn.conv2d.{name}", None)


def softmax_logit(name: str) -> Key[float]:
    """Return the key of a logit of softmax."""
    return Key(f"learn.machines.softmax.logit.{name}", 0.0)


def program_field(name: str, training: str) -> Key[Any]:
    """Return the key of a field of the program: data set and epochs are stored per training, the seed for all."""
    return Key("learn.program.seed" if name == "seed" else f"learn.program.{name}.{training}", None)


def chapter_choice(parameter: str) -> Key[str]:
    """Return the key of a chapter's choice that is part of the URL."""
    return Key(f"learn.chosen.{parameter}", "")


def followed(place: str) -> Key[object]:
    """Return the key of the last request of the URL to ``place``."""
    return Key(f"{place}.followed", None)


def visit() -> int:
    """Return a number that grows whenever this session switches pages."""
    return _VISIT.get()


def note_visit(page: str) -> None:
    """Record that this session is on ``page``."""
    if _PAGE.get() != page:
        _PAGE.put(page)
        _VISIT.put(visit() + 1)


def search_runs(words: str) -> None:
    """Set the search field of Compare to ``words``; for callbacks."""
    SEARCH.put(words)


def surgery_field(run_id: str, name: str) -> Key[Any]:
    """Return the key of a field that chooses an operation on a run's network."""
    return Key(f"surgery.{run_id}.{name}", None)


def surgery_history(run_id: str) -> UndoStack:
    """Return the undo history of the operations on a run's network, each version as JSON."""
    parts = _surgery(run_id).get()
    return UndoStack(*parts) if parts else UndoStack("[]")


def keep_surgery_history(run_id: str, history: UndoStack) -> None:
    """Store the history of the operations on a run's network in the session."""
    _surgery(run_id).put((history.present, history.past, history.future))


def _surgery(run_id: str) -> Key[tuple[Any, ...] | None]:
    return Key(f"surgery.{run_id}.history", None)


def design_history() -> UndoStack | None:
    """Return the undo history of Design, each version as JSON; None before the first edit."""
    parts = _DESIGN.get()  # tuples, as a class of an edited source file would not match
    return None if parts is None else UndoStack(*parts)


def keep_design_history(history: UndoStack) -> None:
    """Store the history in the session."""
    _DESIGN.put((history.present, history.past, history.future))


def own_design() -> Draft | None:
    """Return the network that this session designs; None if it has not started one."""
    history = design_history()
    return None if history is None else parsed(history.present)


parsed = lru_cache(maxsize=64)(read_design)  # called several times in each run of a page
