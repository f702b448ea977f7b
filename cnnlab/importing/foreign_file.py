"""What a file from elsewhere is, told by how it begins; what could run code is refused unread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np

from cnnlab.errors import CnnLabError
from cnnlab.files import plain_json

MAX_BYTES = 600_000_000  # the largest network that is common, VGG-16, has 553 MB

Kind = Literal["onnx", "safetensors", "design"]

_INSTEAD = "write the network with torch.onnx.export, or its weights as safetensors beside the design's JSON"
_RUNS_CODE = f"opening it can run code that somebody put into it, so it is never opened here: {_INSTEAD}"
_REFUSED = {
    b"PK": f"this is a ZIP archive, as PyTorch (.pt, .pth, .pt2) and Keras (.keras) write them: {_RUNS_CODE}",
    b"\x89HDF": f"this is an HDF5 file, as Keras (.h5) writes them: {_RUNS_CODE}",
}
_DAMAGE = (
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    MemoryError,
    RuntimeError,
)
_PICKLES = tuple(bytes((0x80, protocol)) for protocol in range(2, 6))


class ForeignError(CnnLabError):
    """A network from elsewhere that cannot be taken in; the message names the place and says what can be done."""


@contextmanager
def read_as_untrusted() -> Iterator[None]:
    """Turn what reading a damaged file runs into, values of any type in any place, into ForeignError."""
    try:
        with np.errstate(all="ignore"):
            yield
    except CnnLabError:
        raise
    except _DAMAGE as error:
        reason = ascii(" ".join(str(error).split())[:100])
        raise ForeignError(f"the file is damaged ({reason}): write it again, with torch.onnx.export") from error


def content_of(path: Path) -> bytes:
    """Read a file from elsewhere. Raises ForeignError where it is missing or too large."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ForeignError(f"{path.name} cannot be read ({error.strerror or error})") from error
    if len(content) > MAX_BYTES:
        raise ForeignError(f"{path.name} has more than {MAX_BYTES // 1_000_000} MB: so large a network is not taken in")
    return content


def kind_of(content: bytes) -> Kind:
    """Tell by its first bytes what a file is. Raises ForeignError where opening it could run code, or it is empty."""
    if _begins_as_safetensors(content):  # before the others: the length of its header may look like their beginnings
        return "safetensors"
    for begin, reason in _REFUSED.items():
        if content.startswith(begin):
            raise ForeignError(reason)
    if content.startswith(_PICKLES):
        raise ForeignError(f"this is a pickle, as PyTorch (.pt, .pth) once wrote them: {_RUNS_CODE}")
    if not content.strip():
        raise ForeignError("the file is empty: write it again")
    return "design" if plain_json(content[:1000]).lstrip().startswith(b"{") else "onnx"


def _begins_as_safetensors(content: bytes) -> bool:
    return content[8:9] == b"{" and int.from_bytes(content[:8], "little") <= len(content) - 8
