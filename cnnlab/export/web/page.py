"""The network of a run as one HTML file: it opens from a disk, offline, on a phone, and answers as the app does."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any, Literal

from cnnlab.data.table import DIGITS
from cnnlab.export.portable import Portable
from cnnlab.export.web.bundle import bundle
from cnnlab.export.web.kernel import kernel
from cnnlab.networks.architecture import LayerSummary, follow
from cnnlab.networks.diagram import draw_network
from cnnlab.networks.layers import shown
from cnnlab.text import one_line

_HERE = Path(__file__).parent
ENGINE = ("unpacking.js", "engine.js", "steps.js")
PREPARATION = ("drawing.js", "preparation.js", "picture.js")
ANSWERS = (*ENGINE, *PREPARATION, "doubt.js", "answering.js")
MAPS, PERCENT = "maps.js", "percent.js"
_SCRIPTS = (*ANSWERS, MAPS, PERCENT, "files.js", "camera.js", "showing.js", "page.js")

Weights = Literal["float32", "float16", "int8"]
_BITS: dict[Weights, int] = {"float32": 32, "float16": 16, "int8": 8}

_WORDS = {
    "drawn": ("Draw a character: the network answers while you draw.", "Draw, or choose an example."),
    "light-on-dark": ("Show it a picture: the network names what is on it.", "Choose a picture or an example."),
    "photo": ("Show it a picture: the network names what is on it.", "Choose a picture or an example."),
}


def html_page(portable: Portable, weights: Weights = "float16") -> bytes:
    """Write the page. ``weights`` says how the network's numbers are kept: with fewer bits the file is smaller.

    It asks for nothing but itself, and refuses to answer where it computes other probabilities for its examples.
    Raises ExportError where rounded weights answer otherwise than the app does.
    """
    content = bundle(portable, weights) | {"kernel": b64encode(kernel()).decode("ascii")}
    script = "\n".join(source(name) for name in _SCRIPTS)
    style, diagram = source("page.css"), _diagram(portable)
    lead, hint = _WORDS[portable.preparation]
    if portable.trained.classes == DIGITS:
        lead = lead.replace("a character", "a digit")
    parts = {
        "policy": escape(_policy(script, [style, *re.findall(r"<style>(.*?)</style>", diagram, re.DOTALL)])),
        "title": escape(one_line(portable.title)),
        "lead": escape(lead),
        "hint": escape(hint),
        "input": escape(shown(portable.trained.shape)),
        "style": style,
        "diagram": diagram,
        "card": _card(portable, weights),
        "data": _json(content),
        "script": script,
    }
    page = re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], source("page.html"))
    return page.replace("<body>", _body(portable), 1).encode()


def source(name: str) -> str:
    """Return one of the page's files: JavaScript, CSS or HTML."""
    return (_HERE / name).read_text(encoding="utf-8")


def _body(portable: Portable) -> str:
    """Begin the body with the classes that its style depends on."""
    names = ["drawn" if portable.preparation == "drawn" else "pictures"]
    if max(map(len, portable.trained.classes)) > 3:
        names.append("named")
    return f'<body class="{" ".join(names)}">'


def _policy(script: str, styles: list[str]) -> str:
    """Allow this very script and these styles, WebAssembly, and nothing from anywhere."""
    hashes = " ".join(map(_hash, styles))
    return (
        f"default-src 'none'; script-src {_hash(script)} 'wasm-unsafe-eval'; style-src {hashes}; "
        "img-src data: blob:; media-src blob:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}'"


def _json(content: Mapping[str, Any]) -> str:
    """Return JSON that can end no script and begin no comment, whatever names it holds."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _rows(portable: Portable) -> list[LayerSummary]:
    trained = portable.trained
    return follow(portable.architecture, trained.shape, len(trained.classes))


def _diagram(portable: Portable) -> str:
    return draw_network(_rows(portable), portable.trained.shape, f"The layers of {portable.title}")


def _card(portable: Portable, weights: Weights) -> str:
    """Return terms and their descriptions as HTML."""
    trained = portable.trained
    names = ", ".join(trained.classes[:30]) + (", …" if len(trained.classes) > 30 else "")
    parameters = sum(row.parameters for row in _rows(portable) if len(row.place) == 1)
    entries = {
        "Data set": portable.dataset,
        "Classes": f"{len(trained.classes)}: {names}",
        "Images": shown(trained.shape),
        "Parameters": f"{parameters:,}",
        "Test accuracy": "" if portable.accuracy is None else f"{portable.accuracy:.1%}",
        "Weights": f"{trained.when}, in {_BITS[weights]} bits",
        "Exported": f"{datetime.now(UTC):%Y-%m-%d}",
    }
    return "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in entries.items() if text)
