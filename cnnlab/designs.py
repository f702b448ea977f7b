"""Designs as files, links and a shelf: what somebody built layer by layer, read as untrusted."""

from __future__ import annotations

import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from cnnlab.architectures import Architecture, Draft
from cnnlab.config import told
from cnnlab.runs import RunError, read_bounded, write_aside

MAX_BYTES = 500_000  # of a design's JSON: the largest network of the app has 20,000
MAX_LINK = 6_000  # characters of an address that every browser and server takes


class DesignError(ValueError):
    """A design that cannot be read or kept; the message says why."""


def write_design(draft: Draft) -> str:
    """What ``read_design`` reads: every setting of every layer as JSON."""
    return draft.model_dump_json(indent=1)


def read_design(content: bytes | str) -> Draft:
    """Raises DesignError, with what is wrong, where ``content`` is not a design's JSON."""
    if len(content) > MAX_BYTES:
        raise DesignError(f"the file is larger than {MAX_BYTES // 1000} kB: no design is")
    try:
        return Draft.model_validate_json(content)
    except ValidationError as error:
        raise DesignError(f"this is no design: {told(error)}") from error
    except RecursionError as error:
        raise DesignError("this is no design: it is nested too deeply") from error


def to_link(draft: Draft) -> str:
    """The design as one word for an address; empty where it would be too long for one."""
    packed = zlib.compress(draft.model_dump_json().encode(), 9)
    word = urlsafe_b64encode(packed).decode().rstrip("=")
    return word if len(word) <= MAX_LINK else ""


def from_link(word: str) -> Draft:
    """Raises DesignError where ``word`` is not one of ``to_link``."""
    if len(word) > MAX_LINK:
        raise DesignError("the link is too long")
    try:
        packed = urlsafe_b64decode(word + "=" * (-len(word) % 4))
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(packed, MAX_BYTES)
    except (ValueError, zlib.error) as error:
        raise DesignError("the link is damaged") from error
    if unpacking.unconsumed_tail or not unpacking.eof:
        raise DesignError("the link is damaged")
    return read_design(content)


def name_of(title: str) -> str:
    """A title as a design's name: "My net 2" → ``my-net-2``."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60].strip("-") or "design"


class Shelf:
    """Saved designs, beside a folder of runs: all who use the server see them."""

    def __init__(self, runs: Path) -> None:
        self.folder = runs / ".designs"

    def names(self) -> list[str]:
        """Of all designs, in alphabetical order."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def save(self, draft: Draft) -> None:
        """Under its name; one of that name is replaced. Raises DesignError where it cannot be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_aside(self._path(draft.name), write_design(draft))
        except (OSError, RunError) as error:
            raise DesignError(f"the design cannot be saved: {error}") from error

    def load(self, name: str) -> Draft:
        """Raises DesignError where there is none of that name, or a damaged one."""
        path = self._path(name)
        try:
            content = read_bounded(path, MAX_BYTES)
        except OSError as error:
            raise DesignError(f"there is no readable design {name!r}") from error
        return read_design(content)

    def networks(self) -> dict[str, Architecture]:
        """The designs that can be trained, by name; those that are damaged or not finished are left out."""
        networks = {}
        for name in self.names():
            with suppress(DesignError, ValidationError):
                networks[name] = Architecture.model_validate({**dict(self.load(name)), "name": name})
        return networks

    def delete(self, name: str) -> None:
        """Nothing happens where there is none of that name."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", name):
            raise DesignError(f"{name[:60]!r} is no name of a design: small letters, digits and hyphens")
        return self.folder / f"{name}.json"
