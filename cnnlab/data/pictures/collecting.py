"""Pictures collected in the app, class by class and burst by burst, until they become a data set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image

from cnnlab.data.pictures.bursts import BURST
from cnnlab.data.pictures.layout import MAX_CLASS_NAME
from cnnlab.data.pictures.sources import BytesSource
from cnnlab.errors import CnnLabError
from cnnlab.text import one_line

MAX_CLASSES = 20
MAX_BURST = 100  # pictures: ten seconds of a camera
MIN_BURST = 3  # pictures: fewer are a tap, which was to be a hold
MAX_PICTURES = 2_000
MAX_BYTES = 60_000_000  # of all their files, in memory: 2,000 of 224 × 224 pixels have 20 MB
THUMB = 64  # pixels a side


class CollectingError(CnnLabError):
    """Pictures that cannot be collected; the message says why and what to do."""


@dataclass(frozen=True)
class Burst:
    """Pictures taken in a row: so alike that no split may divide them."""

    files: tuple[bytes, ...]
    thumb: bytes  # JPEG of the middle one


@dataclass
class CollectedClass:
    """A class, and its bursts in the order in which they were taken."""

    name: str = ""
    bursts: list[Burst] = field(default_factory=list)

    @property
    def count(self) -> int:
        """The number of its pictures."""
        return sum(len(burst.files) for burst in self.bursts)

    @property
    def bytes(self) -> int:
        """The size of its files."""
        return sum(len(file) for burst in self.bursts for file in burst.files)


@dataclass
class Collection:
    """Classes of pictures that grow burst by burst, within bounds."""

    classes: list[CollectedClass] = field(default_factory=lambda: [CollectedClass(), CollectedClass()])
    waits: bool = False  # has pictures that no data set has yet

    @property
    def count(self) -> int:
        """The number of all pictures."""
        return sum(one.count for one in self.classes)

    @property
    def is_ready(self) -> bool:
        """Whether two classes or more have pictures, as a data set needs."""
        return len({name for name, _ in self._named()}) > 1

    @property
    def names(self) -> list[str]:
        """The names of its classes, without those of no name and no pictures."""
        return [one.name or f"class {at}" for at, one in enumerate(self.classes, 1) if one.name or one.bursts]

    @property
    def by_class(self) -> dict[str, list[bytes]]:
        """The files of each class that has any."""
        files: dict[str, list[bytes]] = {}
        for name, burst in self._named():
            files.setdefault(name, []).extend(burst.files)
        return files

    def add_class(self, name: str = "") -> None:
        """Add an empty class. Raises CollectingError where there are too many."""
        if len(self.classes) >= MAX_CLASSES:
            raise CollectingError(f"at most {MAX_CLASSES} classes are possible here: for more, upload a ZIP")
        self.classes.append(CollectedClass(cleaned(name)))

    def rename(self, number: int, name: str) -> None:
        """Name the class ``number``."""
        self.classes[number].name = cleaned(name)

    def add_burst(self, number: int, files: Sequence[bytes], middle: Image.Image) -> None:
        """Add pictures taken in a row to the class ``number``; ``middle`` is one of them.

        Raises CollectingError where there are too many already.
        """
        if len(files) > MAX_BURST:
            raise CollectingError(f"too many pictures at once: {len(files)}, at most {MAX_BURST}")
        size = sum(one.bytes for one in self.classes) + sum(map(len, files))
        if self.count + len(files) > MAX_PICTURES or size > MAX_BYTES:
            raise CollectingError(
                f"{MAX_PICTURES:,} pictures or {MAX_BYTES // 1_000_000} MB are possible here: add these to a data set, "
                "or remove some"
            )
        self.classes[number].bursts.append(Burst(tuple(files), _thumb(middle)))
        self.waits = True

    def remove_burst(self, number: int) -> None:
        """Remove the last burst of the class ``number``."""
        self.classes[number].bursts.pop()
        self.waits = self.count > 0

    def source(self, title: str, suffix: str = "jpg") -> BytesSource:
        """Return all pictures in folders by class and burst; a class without a name is called by its number."""
        files: dict[str, bytes] = {}
        for number, (name, burst) in enumerate(self._named(), 1):
            folder = f"{name}/{BURST}{number}" if len(burst.files) > 1 else name
            files |= {f"{folder}/{at:04}.{suffix}": file for at, file in enumerate(burst.files, len(files))}
        return BytesSource(files, title)

    def _named(self) -> list[tuple[str, Burst]]:
        """List all bursts with the names of their classes."""
        return [(one.name or f"class {at}", burst) for at, one in enumerate(self.classes, 1) for burst in one.bursts]


def cleaned(name: str) -> str:
    """Make a class name of any text: one line that is a folder's name, of bounded length."""
    return one_line(name).replace("/", "-").strip(" .")[:MAX_CLASS_NAME]


def same_name(names: Iterable[str]) -> str:
    """Return a name that two classes have, but for case and blanks; empty where each has its own.

    Single letters may differ by case alone: characters are classes, too.
    """
    known = set()
    for name in filter(None, map(cleaned, names)):
        bare = name.casefold() if len(name) > 1 else name
        if bare in known:
            return name
        known.add(bare)
    return ""


def _thumb(picture: Image.Image) -> bytes:
    file = BytesIO()
    small = picture.copy()
    small.thumbnail((THUMB, THUMB))
    small.save(file, "JPEG")
    return file.getvalue()
