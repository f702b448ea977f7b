"""The diagram of a network on a page: zoom, drag, save; a click on a layer shows its numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from cnnlab.networks.architecture import Draft, LayerSummary, follow
from cnnlab.networks.diagram import draw_network
from cnnlab.networks.layers import Shape
from cnnlab.runs.run import Run
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.state import picked_layer

_component = st.components.v2.component(
    "cnnlab_network_picture",
    html="""
<div class="network-tools" role="toolbar" aria-label="The diagram">
  <button type="button" data-tool="out" aria-label="Zoom out" title="Zoom out">−</button>
  <span class="network-zoom" aria-live="polite"></span>
  <button type="button" data-tool="in" aria-label="Zoom in" title="Zoom in (Ctrl and wheel)">+</button>
  <button type="button" data-tool="fit" title="As wide as the page">Fit</button>
  <button type="button" data-tool="save" title="Download the diagram as a file">SVG</button>
</div>
<div class="network-frame"></div>
""",
    css="""
.network-frame {
  max-height: 420px;
  overflow: auto;
  overscroll-behavior-x: contain;
  border: 1px solid var(--st-border-color);
  border-radius: var(--st-base-radius);
  background: var(--st-background-color);
  cursor: grab;
  user-select: none;
}
.network-frame:active { cursor: grabbing; }
.network-frame svg { display: block; margin: 0 auto; }
.layer { cursor: pointer; outline: none; }
.layer:hover > .front, .layer:hover > .side, .layer:hover > .top { filter: brightness(1.12); }
.layer:focus-visible > .front, .layer:focus-visible > .frame {
  stroke: var(--st-primary-color);
  stroke-opacity: 1;
  stroke-width: 3;
}
.network-tools {
  display: flex;
  justify-content: flex-end;
  align-items: center;
  gap: 0.25rem;
  margin-bottom: 0.35rem;
  font-family: var(--st-font);
  font-size: 0.8rem;
  color: var(--st-text-color);
}
.network-tools button {
  min-width: 1.9rem;
  height: 1.9rem;
  padding: 0 0.5rem;
  border: 1px solid var(--st-border-color);
  border-radius: var(--st-button-radius);
  background: var(--st-background-color);
  color: inherit;
  font: inherit;
  cursor: pointer;
}
.network-tools button:hover, .network-tools button:focus-visible {
  border-color: var(--st-primary-color);
  color: var(--st-primary-color);
}
.network-zoom {
  min-width: 3.2rem;
  text-align: center;
  font-variant-numeric: tabular-nums;
}
""",
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


def network_picture(svg: str, key: str, alt: str, name: str, on_click: Callable[[], None] = lambda: None) -> str | None:
    """Show ``draw_network``'s ``svg``; return the place of the layer just clicked, joined by dots, or None.

    Zoom and scroll position survive updates; ``name`` is the download's, without its extension. ``on_click`` is called
    before the page is redrawn, with the place in the session state under ``key``.
    """
    data = {"svg": svg, "alt": alt, "name": name}
    result = _component(data=data, key=key, on_clicked_change=on_click)
    clicked: str | None = result.clicked
    return clicked


@st.fragment
def show_network(draft: Draft, shape: Shape, classes: int, key: str) -> None:
    """Show the diagram for images of ``shape`` = (C, H, W), and below it the details of the layer clicked last."""
    rows = {row.place: row for row in follow(draft, shape, classes)}
    place = picked_layer(key).get()
    alt = f"{draft.title}, {frame.counted(len(rows), 'layer')}"
    svg = draw_network(list(rows.values()), shape, alt, place)
    network_picture(svg, key, alt, draft.name, on_click=lambda: _choose(key))
    if place is not None and place in rows:
        st.markdown(_told(rows[place], classes))
    else:
        st.caption("Click a layer to see how its numbers are computed.")


def network_of(run: Run, key: str) -> None:
    """Show the network of ``run``, for its data set's images, in an expander."""
    with st.expander("The network"), frame.errors_shown():
        summary = run.summary
        show_network(run.config.architecture, summary.shape, len(summary.classes), key)


def _choose(key: str) -> None:
    """Select the clicked layer; a second click deselects it."""
    place = tuple(map(int, st.session_state[key]["clicked"].split(".")))
    picked = picked_layer(key)
    picked.put(None if place == picked.get() else place)


def _told(row: LayerSummary, classes: int) -> str:
    """Describe a layer's shapes and parameters with their formulas."""
    name = f"**{frame.literal(row.name)}** ({row.layer.kind_title})"
    if row.problem:
        return f"{name}: {frame.literal(row.problem)}."
    if not row.output_shape:
        return f"{name}: its input is unknown, because an earlier layer does not fit."
    layer, shape = row.layer, row.input_shape
    told = [f"shape: {frame.literal(layer.shape_formula(shape, classes))}"]
    if row.parameters:
        formula = layer.parameter_formula(shape, classes) or f"{row.parameters:,}"
        told.append(f"parameters: {frame.literal(formula)}")
    return f"{name}: {'; '.join(told)}."
