"""Designs, networks built layer by layer, as files, links and a folder; all are read as untrusted."""

from __future__ import annotations

import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile

from pydantic import ValidationError

from cnnlab.errors import CnnLabError, first_error
from cnnlab.files import DELETED_ARE_KEPT, atomic_file, atomic_write, exclusive, is_older, plain_json, read_limited
from cnnlab.networks.architecture import Architecture, Draft
from cnnlab.people.identity import is_person

MAX_BYTES = 500_000  # of a design's JSON: the largest network of the app has 20,000
MAX_LINK = 6_000  # characters of an address that every browser and server takes

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_STAMP = "%Y%m%d-%H%M%S-%f"
_KEY = re.compile(rf"{_NAME.pattern}@[0-9]{{8}}-[0-9]{{6}}-[0-9]{{6}}")


class DesignError(CnnLabError, ValueError):
    """Report a design that cannot be read or saved; the message says why."""


def write_design(draft: Draft) -> str:
    """Return a design as JSON, every setting of every layer, for ``read_design``."""
    return draft.model_dump_json(indent=1)


def read_design(content: bytes | str) -> Draft:
    """Read a design from JSON. Raises DesignError, which says what is wrong, if ``content`` is none."""
    if len(content) > MAX_BYTES:
        raise DesignError(f"the file is larger than {MAX_BYTES // 1000} kB, too large for a design")
    try:
        return Draft.model_validate_json(plain_json(content) if isinstance(content, bytes) else content)
    except ValidationError as error:
        raise DesignError(f"this is not a design: {first_error(error)}") from error
    except RecursionError as error:
        raise DesignError("this is not a design: it is nested too deeply") from error


def to_link(draft: Draft) -> str:
    """Pack a design into one word for an address; empty if it would be longer than MAX_LINK."""
    packed = zlib.compress(draft.model_dump_json().encode(), 9)
    word = urlsafe_b64encode(packed).decode().rstrip("=")
    return word if len(word) <= MAX_LINK else ""


def from_link(word: str) -> Draft:
    """Unpack a design from a word of ``to_link``. Raises DesignError for any other word."""
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
    """Derive a design's name from a title: "My net 2" → ``my-net-2``."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60].strip("-") or "design"


class Shelf:
    """Keep designs as files beside a folder of runs: an ``owner``'s, or those that are nobody's.

    Without a class all are nobody's, and all users of the server see them. Deleted and replaced designs stay in
    ``.deleted`` until they are restored or too old.
    """

    def __init__(self, runs: Path, owner: str = "") -> None:
        self.folder = runs / ".designs" / owner
        self._deleted = self.folder / ".deleted"

    def others(self) -> dict[str, Shelf]:
        """Return the shelves of owners within this one, by their ids; those in charge see them."""
        folders = (path for path in self.folder.glob("*") if is_person(path.name))
        return {path.name: Shelf(self.folder.parent, path.name) for path in sorted(folders)}

    def names(self) -> list[str]:
        """List the names of all designs, in alphabetical order."""
        return sorted(path.stem for path in self.folder.glob("*.json") if _NAME.fullmatch(path.stem))

    def save(self, draft: Draft) -> str:
        """Save a design under its name; move another design of that name to the deleted ones.

        Returns the other design's key for ``restore``, empty if there was none. Raises DesignError if the folder cannot
        be written.
        """
        path, content = self._path(draft.name), write_design(draft)
        with self._changing():
            replaced = "" if _holds(path, content) else self._put_away(path)
            atomic_write(path, content)
        return replaced

    def load(self, name: str) -> Draft:
        """Load a design. Raises DesignError if there is none of that name or it is damaged."""
        path = self._path(name)
        try:
            content = read_limited(path, MAX_BYTES)
        except OSError as error:
            raise DesignError(f"there is no readable design {name!r}") from error
        return read_design(content)

    def networks(self) -> dict[str, Architecture]:
        """Return the designs that can be trained, by name, without damaged and unfinished ones."""
        networks = {}
        for name in self.names():
            with suppress(DesignError, ValidationError):
                networks[name] = Architecture.model_validate({**dict(self.load(name)), "name": name})
        return networks

    def delete(self, name: str) -> str:
        """Delete a design. Returns its key for ``restore``, empty if there is none of that name. Raises DesignError."""
        path = self._path(name)
        with self._changing():
            key = self._put_away(path)
            path.unlink(missing_ok=True)
        return key

    def restore(self, key: str) -> None:
        """Restore a deleted or replaced design; a design that has its name by now is deleted in turn.

        Raises DesignError if there is no design of that key or the folder cannot be written.
        """
        if key not in self.deleted():
            raise DesignError("this deleted design does not exist: it may have expired, or it was restored")
        path = self._path(deleted_name(key))
        with self._changing():
            self._put_away(path)
            (self._deleted / f"{key}.json").replace(path)

    def deleted(self) -> list[str]:
        """List the keys of designs that can be restored, the latest first: name and time, as ``name@20261128-…``."""
        keys = [path.stem for path in self._deleted.glob("*.json") if _KEY.fullmatch(path.stem)]
        return sorted(keys, key=lambda key: key.partition("@")[2], reverse=True)

    def _put_away(self, path: Path) -> str:
        """Copy a design to the deleted ones and remove those that are too old. Returns the copy's key."""
        if not path.exists():
            return ""
        self._deleted.mkdir(exist_ok=True)
        for old in self._deleted.glob("*.json"):
            if is_older(old, DELETED_ARE_KEPT):
                old.unlink()
        key = f"{path.stem}@{datetime.now(UTC).strftime(_STAMP)}"
        with atomic_file(self._deleted / f"{key}.json") as aside:
            copyfile(path, aside)
        return key

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Lock the folder for a change by one session. Raises DesignError if it cannot be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with exclusive(self.folder):
                yield
        except OSError as error:
            raise DesignError(f"the design cannot be saved: {error.strerror or error}") from error

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise DesignError(f"{name[:60]!r} is not a name for a design: use small letters, digits and hyphens")
        return self.folder / f"{name}.json"


def deleted_name(key: str) -> str:
    """Return the name that a deleted design had."""
    return key.partition("@")[0]


def deleted_at(key: str) -> str:
    """Format when a design was deleted, in this machine's time zone: ``28 Nov 14:05:09``."""
    when = datetime.strptime(key.partition("@")[2], _STAMP).replace(tzinfo=UTC)
    return f"{when.astimezone():%d %b %H:%M:%S}"


def _holds(path: Path, content: str) -> bool:
    return path.is_file() and path.read_bytes() == content.encode()
