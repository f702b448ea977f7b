"""Layer by layer: one image through the whole network on one strip, from the pixels to the probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st
from torch import Tensor, nn

from cnnlab import charts
from cnnlab.analysis.activations import leaves
from cnnlab.analysis.passage import Stage, passage, reach
from cnnlab.charts.png import inline
from cnnlab.networks.architecture import follow
from cnnlab.networks.diagram import COLOURS
from cnnlab.networks.layers import shown
from cnnlab.ui.inspect.opened_map import show_image, show_opened
from cnnlab.ui.shell.state import LAYER_STRIP, Key, passage_map
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import download_table, paged
from cnnlab.ui.widgets.images import upright
from cnnlab.ui.widgets.layer_strip import ROWS, Answer, Column, layer_strip

LAYERS_AT_ONCE = 48  # on a page
FEW = 30  # layers that are all shown at first, also those within blocks

_BLOCKS, _LAYERS = "Blocks", "Every layer"
IMAGE = ""  # the name of the image's column


def show(at: Look) -> None:
    """Show the strip, on several pages where there are many layers; below it the map that was clicked."""
    trained = at.trained
    strip, below = st.container(), st.container(horizontal=True, vertical_alignment="center")
    with below:
        by_blocks = _by_blocks(trained.network, at.run.id)
    stages = passage(trained.network, trained.inputs(at.picked.pixels), ROWS, by_blocks)
    opens = passage_map(at.run.id)
    with strip:
        some = stages[paged(len(stages), LAYERS_AT_ONCE, f"inside.passage.{at.run.id}")]
        _strip(at, stages, some, opens)
    with below:
        st.caption(
            "Blue is above zero, red below; one scale a layer. A row follows one map until filters mix them. **Click a "
            "map** to see how it is computed.",
            width="content",
        )
        download_table(lambda: _table(some), f"layers-{at.at}")
    if not opens.get():
        return
    name, _, unit = opens.get().rpartition("/")
    by_name = {stage.name: stage for stage in some}
    if name == IMAGE:
        show_image(at, opens)
    elif name in by_name:
        show_opened(at, by_name[name], int(unit) if unit else None, opens)


def _strip(at: Look, stages: Sequence[Stage], some: Sequence[Stage], opens: Key[str]) -> None:
    """Show ``some`` of the ``stages``, with the image before the first and the answer after the last of all."""
    colours = _colours(at)
    columns = [_column(stage, stages, colours) for stage in some]
    if some[0] is stages[0]:
        columns.insert(0, _image(at.picked.pixels[0], at.picked.title))
    is_end = some[-1] is stages[-1]
    layer_strip(
        columns,
        _answer(at.trained.classes, stages[-1].after, bool(at.doubt)) if is_end else None,
        LAYER_STRIP.name,
        f"{at.picked.title.replace('**', '')} through {len(some)} layers",
        opens.get(),
        bool(at.doubt),
        on_click=lambda: _open(opens),
    )


def _by_blocks(network: nn.Sequential, run_id: str) -> bool:
    """Choose whether a block is one column, where the network has blocks."""
    layers = len(leaves(network))
    if layers == len(network):
        return False
    shown_at_first = _BLOCKS if layers > FEW else _LAYERS
    key = f"inside.passage.by.{run_id}"
    chosen = st.segmented_control(
        "Columns",
        [_BLOCKS, _LAYERS],
        default=shown_at_first,
        required=True,
        key=key,
        label_visibility="collapsed",
        width="content",
    )
    return chosen == _BLOCKS


def _open(opens: Key[str]) -> None:
    """Open the clicked map; a second click closes it."""
    clicked = str(LAYER_STRIP.get()["clicked"])
    opens.put("" if clicked == opens.get() else clicked)


def _image(pixels: Tensor, title: str) -> Column:
    alt = title.replace("**", "")
    picture = inline(upright(pixels))
    return Column(
        IMAGE, "Image", "standardised", shown(tuple(pixels.shape)), COLOURS["other"], picture, (alt,), shows="image"
    )


def _colours(at: Look) -> Mapping[str, str]:
    """Return the colour of each layer as the network's diagram has it."""
    rows = follow(at.run.config.architecture, at.trained.shape, len(at.trained.classes))
    return {row.name: COLOURS[row.layer.family] for row in rows}


def _column(stage: Stage, stages: Sequence[Stage], colours: Mapping[str, str]) -> Column:
    within, _, title = stage.name.partition(".") if "." in stage.name else ("", "", stage.name)
    kind, shape = stage.kind, shown(tuple(stage.after.shape))
    colour = colours.get(stage.name) or colours.get(stage.name.split(".")[0]) or COLOURS["other"]
    if not stage.units:
        picture = inline(charts.bar_column(stage.after.numpy()))
        label = f"{stage.name}: {len(stage.after)} features"
        return Column(stage.name, title, kind, shape, colour, picture, (label,), shows="tall", source=stage.source)
    maps = stage.after[list(stage.units)]
    picture = inline(charts.tile_column(maps.numpy()))
    labels = tuple(
        f"Map {unit} of {stage.name}, mean {mean:.2f}".replace("-", "−")
        for unit, mean in zip(stage.units, maps.mean((1, 2)).tolist(), strict=True)
    )
    count = len(stage.after)
    return Column(
        name=stage.name,
        title=title,
        kind=kind,
        shape=shape,
        colour=colour,
        picture=picture,
        labels=labels,
        units=stage.units,
        more=f"{len(stage.units)} of {count}" if count > len(stage.units) else "",
        source=stage.source,
        within=within,
        keeps=stage.keeps_maps,
        reach=_reach(stage, stages),
    )


def _reach(stage: Stage, stages: Sequence[Stage]) -> tuple[tuple[float, ...], ...] | None:
    """Return how much each shown filter reads of each map that is shown of its source."""
    source = next((one for one in stages if one.name == stage.source), None)
    if source is None or not source.units or not isinstance(stage.module, nn.Conv2d):
        return None
    return tuple(tuple(reach(stage.module, unit, source.units)) for unit in stage.units)


def _answer(classes: Sequence[str], logits: Tensor, doubtful: bool) -> Answer:
    title = "If it were one of them" if doubtful else "Answer"
    return Answer(classes, logits.softmax(0).tolist(), title, ["Softmax of the logits", f"{len(classes)} classes"])


def _table(stages: Sequence[Stage]) -> pd.DataFrame:
    """List the mean of each map and the value of each feature."""
    rows: list[tuple[str, int, float]] = []
    for stage in stages:
        values = stage.after.mean((1, 2)) if stage.after.dim() == 3 else stage.after
        rows += [(stage.name, unit, value) for unit, value in enumerate(values.tolist())]
    return pd.DataFrame(rows, columns=["layer", "map or feature", "mean"])
