"""Numbers and strangers' text as C writes them."""

from __future__ import annotations

import re

from torch import Tensor

from cnnlab.export.portable import ExportError
from cnnlab.networks.source import plain

LINE = 112  # letters of numbers
_PLAIN = re.compile(rb"[\w .,:;+*/()&'<>=!-]", re.ASCII)  # no quote, no backslash, no question mark of a trigraph


def text(words: str) -> str:
    """Write a string; whatever it holds, it ends where it should."""
    letters = (bytes([byte]) for byte in words.encode("utf-8", "replace"))
    return '"' + "".join(one.decode() if _PLAIN.match(one) else f"\\{one[0]:03o}" for one in letters) + '"'


def comment(words: str) -> str:
    """Make text safe within a comment: it neither ends nor begins one, and holds no trigraph."""
    return re.sub(r"(?<=[*/?])(?=[*/?])", " ", plain(words))


def number(value: float) -> str:
    """Write a float."""
    shown = f"{value:.9g}"
    return f"{shown}f" if "." in shown or "e" in shown else f"{shown}.0f"


def array(kind: str, name: str, words: list[str]) -> str:
    """Define a constant of several values."""
    row = LINE // (max(map(len, words)) + 1)
    lines = ",\n".join("    " + ",".join(words[start : start + row]) for start in range(0, len(words), row))
    return f"static const {kind} {name}[{len(words)}] = {{\n{lines}\n}};\n"


def floats(name: str, tensor: Tensor) -> str:
    """Define an array of floats. Raises ExportError where one is infinite or no number: C cannot write it."""
    if not tensor.isfinite().all():
        raise ExportError("some of its weights are infinite or no numbers at all, which C cannot write")
    return array("float", name, [number(value) for value in tensor.flatten().tolist()])
