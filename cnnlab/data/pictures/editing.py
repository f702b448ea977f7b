"""Changes to a version's pictures: moved to other classes or removed, as the next version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from cnnlab.data.pictures.layout import LayoutError, check_classes
from cnnlab.data.pictures.store import Library
from cnnlab.data.pictures.version import PictureSetError, Version, digest_of, now

SPLITS = {"train": "training", "test": "test"}


def change(
    library: Library, version: Version, moved: Mapping[int, str], removed: Collection[int] = frozenset()
) -> Version:
    """Move pictures, by their numbers in the table, to other classes or remove them; return the new version.

    A class that has no picture left goes; a name that is no class yet becomes one. The pixels stay where they are.
    Raises LayoutError where what is left cannot be trained on, PictureSetError where nothing would change.
    """
    rows = library.rows(version)
    names = {
        number: moved.get(number, version.classes[row.label])
        for number, row in enumerate(rows)
        if number not in removed
    }
    if len(names) == len(rows) and all(version.classes[rows[number].label] == name for number, name in names.items()):
        raise PictureSetError("nothing to change: choose pictures, and a class to move them to")
    check_classes(Counter(names.values()))
    splits = _splits(rows[number].split for number in names)
    present = set(names.values())
    known = [name for name in version.classes if name in present]
    classes = (*known, *sorted(present - set(known)))
    changed = [replace(rows[number], label=classes.index(name)) for number, name in names.items()]
    count = sum(version.classes[rows[number].label] != name for number, name in names.items())
    parts = [f"{count} moved"] * (count > 0) + [f"{len(rows) - len(names)} removed"] * (len(names) < len(rows))
    return library.settle(
        None,
        version.model_copy(
            update={
                "classes": classes,
                **splits,
                "digest": digest_of(changed, classes, version.pixels),
                "change": f"{', '.join(parts)}, from version {version.number}",
                "created": now(),
            }
        ),
        changed,
        library.contents(version),
    )


def _splits(splits: Iterable[str]) -> Counter[str]:
    """Count the pictures of either split. Raises LayoutError where one has none."""
    counts = Counter(splits)
    for split, words in SPLITS.items():
        if not counts[split]:
            raise LayoutError(f"no {words} pictures would be left: keep some")
    return counts


def revert(library: Library, version: Version) -> Version:
    """Make an older version the latest once more. Raises PictureSetError where it is damaged, or as the latest is."""
    if library.version(version.name).digest == version.digest:
        raise PictureSetError(f"the latest version is the same as version {version.number}")
    again = version.model_copy(
        update={
            "change": f"copy of version {version.number}",
            "created": now(),
        }
    )
    return library.settle(None, again, library.rows(version), library.contents(version))
