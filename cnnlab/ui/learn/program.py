"""Chapter: a training as a PyTorch program in seven steps, each with its result here, to download."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import streamlit as st

from cnnlab.charts.png import inline
from cnnlab.charts.program import logit_bars
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.download import is_present
from cnnlab.export.program import (
    Program,
    ProgramError,
    Step,
    ThreadChanges,
    program_of,
    thread_changes,
    to_notebook,
    to_script,
    without_helpers,
)
from cnnlab.learn import program_preview as found
from cnnlab.networks.architecture import ArchitectureError, summarise
from cnnlab.networks.layers import shown
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.device import threads_each
from cnnlab.ui.learn.program_choice import choose
from cnnlab.ui.learn.program_training import train_and_plot
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.glossary_links import linked
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.widgets.figure import show_figure

LONGEST = 32  # lines of code shown without a scroll bar
HEIGHT = 640  # pixels of longer code


@dataclass(frozen=True)
class _Written:
    """A program and its files."""

    program: Program
    script: str
    notebook: str


def show() -> None:
    """Show the choice of a training, its program, its training and the downloads."""
    choice = choose()
    if choice is None:
        return
    config = choice.config
    try:
        changes = thread_changes(choice.run) if choice.run else ()
        is_of_run = choice.run and config == choice.run.config
        written = _written(config.model_dump_json(), changes if is_of_run else ())
    except (ArchitectureError, ConfigError, ProgramError) as error:
        st.error(as_reason(error), title="No program for this training")
        return
    *before, training, plot = written.program.steps
    for number, (step, come_to) in enumerate(zip(before, _COME_TO, strict=True), start=1):
        with _step(number, step):
            come_to(config)
    train_and_plot(config, lambda number: _step(number, training if number == 6 else plot))
    _take_home(written)


@st.cache_data(max_entries=64, show_spinner=False)
def _written(config: str, threads: ThreadChanges) -> _Written:
    """Write the program for a config in JSON, with changes of torch's threads."""
    program = program_of(RunConfig.model_validate_json(config), threads)
    return _Written(program, to_script(program), to_notebook(program))


def _take_home(written: _Written) -> None:
    program = written.program
    files = {
        "Script": (written.script, f"{program.name}.py", "text/x-python"),
        "Notebook": (written.notebook, f"{program.name}.ipynb", "application/x-ipynb+json"),
    }
    with st.container(border=True):
        st.markdown(f"**Download the program.** {frame.literal(program.about)}")
        with st.container(horizontal=True):
            for label, (content, name, mime) in files.items():
                _download(label, content, name, mime)
            if program.beside:
                _download("Data file", program.beside.read_bytes(), program.beside.name, "application/octet-stream")
        st.code(f"pip install torch numpy plotly\npython {program.name}.py", language="sh")
        st.caption(
            f"Or open the notebook in Jupyter. On this machine, with OMP_NUM_THREADS={threads_each()}, both reproduce "
            "the weights and test accuracy of a training here, bit for bit, unless other programs made it change its "
            "threads: then select its run. Elsewhere the last digits may differ."
        )


def _download(label: str, content: str | bytes, name: str, mime: str) -> None:
    st.download_button(
        label, content, name, mime, key=f"learn.program.{label}", icon=":material/download:", on_click="ignore"
    )


def _step(number: int, step: Step) -> st.delta_generator.DeltaGenerator:
    """Show a step's heading, explanation and code, its functions folded away; return the container beside the code."""
    st.header(f"{number}. {step.title}", anchor=False)
    st.markdown(linked(step.told))
    left, beside = st.columns([5, 3], gap="large")
    helpers, code = without_helpers(step.code)
    with left:
        _show_code(code)
        if helpers:
            with st.expander(f"Its helpers: {frame.counted(helpers.count(chr(10)) + 1, 'line')} before these"):
                _show_code(helpers)
    return beside


def _show_code(code: str) -> None:
    height: int | Literal["content"] = HEIGHT if code.count("\n") > LONGEST else "content"
    st.code(code, language="python", height=height)


def _versions(config: RunConfig) -> None:
    versions = found.versions()
    st.dataframe(pd.DataFrame({"What": list(versions), "Here": list(versions.values())}), hide_index=True)


def _splits(config: RunConfig) -> None:
    if not _has_data(config):
        return
    splits, _ = _first_look(config.model_dump_json())
    with st.container(horizontal=True):
        for name, count in splits.images.items():
            st.metric(f"{name.capitalize()} images", f"{count:,}")
    st.image(inline(splits.wall[..., None]), alt="A few training images, one class a column", width="stretch")
    st.caption(
        f"Training images, one class a column. A batch of one has the shape {splits.shape}; its pixels lie between "
        f"{splits.lowest:.2f} and {splits.highest:.2f}."
    )


def _layers(config: RunConfig) -> None:
    spec = dataset_spec(config.dataset)
    rows = summarise(config.architecture, spec.shape, len(spec.classes))
    table = [(row.name, shown(row.output_shape), row.parameters) for row in rows]
    st.dataframe(pd.DataFrame(table, columns=["Layer", "Output", "Parameters"]), hide_index=True)
    st.caption(f"Images of {shown(spec.shape)} go in, {len(spec.classes)} logits come out.")


def _guess(config: RunConfig) -> None:
    spec = dataset_spec(config.dataset)
    rows = summarise(config.architecture, spec.shape, len(spec.classes))
    guess = _first_look(config.model_dump_json())[1] if _has_data(config) else None
    with st.container(horizontal=True):
        st.metric("Parameters", f"{sum(row.parameters for row in rows):,}")
        if guess:
            st.metric("Loss, untrained", f"{guess.loss:.3f}", help=f"ln {len(spec.classes)} = {guess.by_chance:.3f}")
            st.metric("Accuracy, untrained", f"{guess.accuracy:.1%}")
    if guess:
        show_figure(
            logit_bars(guess.logits, guess.label),
            "untrained-logits",
            "The untrained network's logit of each class",
            lambda: pd.DataFrame({"class": list(guess.logits), "logit": list(guess.logits.values())}),
            f"Its logits for the first validation image, whose class is {frame.literal(guess.label)}. Measured on "
            f"{guess.images} images. Equal probabilities for all classes give a loss of {guess.by_chance:.3f}.",
        )


def _optimiser(config: RunConfig) -> None:
    settings = _found_settings(config.model_dump_json())
    st.dataframe(pd.DataFrame({"Setting": list(settings), "Value": list(settings.values())}), hide_index=True)
    st.caption("All settings of the optimiser, including PyTorch's defaults.")


def _has_data(config: RunConfig) -> bool:
    """Check whether the data set is available; if not, show what to do."""
    if is_present(config.dataset):
        return True
    spec = dataset_spec(config.dataset)
    st.info(
        f"{spec.title} is not on this machine yet. Step 6 downloads it, about {spec.download_bytes / 1e6:.0f} MB.",
        icon=":material/download:",
    )
    return False


@st.cache_data(max_entries=64, show_spinner="Reading the images")
def _first_look(config: str) -> tuple[found.Splits, found.Guess]:
    return found.first_look(RunConfig.model_validate_json(config))


@st.cache_data(max_entries=32, show_spinner=False)
def _found_settings(config: str) -> dict[str, str]:
    return found.optimiser_settings(RunConfig.model_validate_json(config))


_COME_TO: tuple[Callable[[RunConfig], None], ...] = (_versions, _splits, _layers, _guess, _optimiser)
