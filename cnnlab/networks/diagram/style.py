"""The style sheet inside a diagram: the page's theme if it is part of one, else the reader's light or dark."""

from __future__ import annotations

from cnnlab.networks.diagram.families import COLOURS

NAME = "network-drawing"  # the SVG's class, which scopes all rules

_INPUT = "#8a94a3"
_RED = "#e5383b"

_SHEET = f"""
.{NAME} {{
  --paper: var(--st-background-color, #ffffff);
  --ink: var(--st-text-color, #1b2430);
  font-family: var(--st-font, system-ui, sans-serif);
}}
@media (prefers-color-scheme: dark) {{
  .{NAME} {{ --paper: var(--st-background-color, #11161d); --ink: var(--st-text-color, #e6ebf2); }}
}}
.{NAME} .paper {{ fill: #fff; fill: var(--paper); }}
.{NAME} text {{ fill: #1b2430; fill: var(--ink); font-size: 10.5px; }}
.{NAME} .detail, .{NAME} .shape {{ font-size: 9.5px; opacity: .72; }}
.{NAME} .shape {{ font-variant-numeric: tabular-nums; opacity: .85; }}
.{NAME} .flow {{ fill: none; stroke: #8a94a3; stroke-width: 1.3; }}
.{NAME} .head, .{NAME} .fork {{ fill: #8a94a3; }}
.{NAME} .flow.unknown {{ stroke-dasharray: 3 3; opacity: .7; }}
.{NAME} .top, .{NAME} .side, .{NAME} .front {{
  stroke: #fff; stroke: var(--paper); stroke-width: .8; stroke-linejoin: round;
}}
.{NAME} .pixels {{ fill: none; stroke: #fff; stroke-opacity: .55; stroke-width: .7; }}
.{NAME} .sign {{ fill: #fff; fill: var(--paper); stroke: {COLOURS["block"]}; stroke-width: 1.6; }}
.{NAME} .stroke {{ fill: none; stroke: {COLOURS["block"]}; stroke-width: 1.6; stroke-linecap: round; }}
.{NAME} .bus {{ fill: {COLOURS["block"]}; }}
.{NAME} .bus-name {{ fill: #fff; font-size: 9.5px; }}
.{NAME} .frame {{ fill: {COLOURS["block"]}; fill-opacity: .07; stroke: {COLOURS["block"]}; stroke-opacity: .55; }}
.{NAME} .title {{ font-size: 10.5px; font-weight: 600; }}
.{NAME} .kind {{ font-weight: 400; opacity: .72; }}
.{NAME} .unknown > .top, .{NAME} .unknown > .side, .{NAME} .unknown > .front, .{NAME} .unknown > .frame {{
  fill: #fff; fill: var(--paper); stroke: #8a94a3; stroke-dasharray: 3 3;
}}
.{NAME} .unknown > .frame {{ fill-opacity: 0; }}
.{NAME} .unknown > text {{ opacity: .6; }}
.{NAME} .problem > .top, .{NAME} .problem > .side, .{NAME} .problem > .front, .{NAME} .problem > .frame {{
  stroke: {_RED}; stroke-opacity: 1; stroke-width: 2;
}}
.{NAME} .warning {{ fill: {_RED}; }}
.{NAME} .mark {{ fill: #fff; font-weight: 700; font-size: 12px; }}
.{NAME} .selected > .top, .{NAME} .selected > .side, .{NAME} .selected > .front, .{NAME} .selected > .frame {{
  stroke: #1b2430; stroke: var(--ink); stroke-opacity: 1; stroke-width: 2; stroke-dasharray: none;
}}
.{NAME} .selected > text {{ font-weight: 700; opacity: 1; }}
"""


def sheet() -> str:
    """Return the CSS: each family's colour, with solids lit from the right, then the rules."""
    colours = [_lit("input", _INPUT), *(_lit(family, colour) for family, colour in COLOURS.items())]
    return "".join(colours) + _SHEET  # last, as a layer's state overrides its family's colour


def _lit(family: str, colour: str) -> str:
    faces = {"front": colour, "top": _mixed(colour, 255, 0.3), "side": _mixed(colour, 255, 0.6)}
    return "".join(f".{NAME} .{family} > .{face} {{ fill: {fill}; }}\n" for face, fill in faces.items())


def _mixed(colour: str, other: int, share: float) -> str:
    """Mix a colour ``#rrggbb`` with a ``share`` of white (255) or black (0)."""
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(part + (other - part) * share):02x}" for part in parts)
