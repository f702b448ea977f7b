"""All data sets by name: those of the table, and the user's own."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache, partial

from cnnlab.data.folders import pictures_folder
from cnnlab.data.pictures.store import Library, is_own_key
from cnnlab.data.pictures.version import PictureSetError, Version, split_of
from cnnlab.data.spec import DatasetError, DatasetSpec
from cnnlab.data.splits import Split
from cnnlab.data.table import SPECS

COLOUR = 3  # channels


class Datasets(UserDict[str, DatasetSpec]):
    """All data sets by name: those of the table, and the user's own as ``name@version:digest``, the latest of each.

    An older version of a user's own is found by its name too, and the latest by its name alone. In a class pages set
    ``is_seen``, which says of a user's own whether the person may see it: others are not listed, and are found by their
    digest alone, which is known from runs.
    """

    def __init__(self, specs: Mapping[str, DatasetSpec]) -> None:
        super().__init__(specs)
        self.is_seen: Callable[[str], bool] = lambda _: True

    def __missing__(self, name: str) -> DatasetSpec:
        try:
            return _own_spec(self._own_version(name))
        except PictureSetError as error:
            raise KeyError(name) from error

    def __contains__(self, name: object) -> bool:
        if name in self.data or not isinstance(name, str):
            return name in self.data
        try:
            return bool(self._own_version(name))
        except PictureSetError:
            return False

    def __iter__(self) -> Iterator[str]:
        yield from self.data
        library = own_pictures()
        for name in filter(self.is_seen, library.names()):
            with suppress(PictureSetError):  # damaged: Data tells of it
                yield library.version(name).key

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _own_version(self, name: str) -> Version:
        """Look up a user's own. Raises PictureSetError where there is none, or the person may not see it."""
        if not (is_own_key(name) or self.is_seen(name.partition("@")[0])):
            raise PictureSetError(f"there is no data set {name[:60]!r} here: add its pictures")
        return own_pictures().version(name)


def own_pictures(owner: str = "") -> Library:
    """Open the user's own data sets; with an ``owner``, new ones are theirs, and only theirs can be changed."""
    return Library(pictures_folder(), owner)


@lru_cache(maxsize=256)
def _own_spec(version: Version) -> DatasetSpec:
    return DatasetSpec(
        name=version.key,
        title=str(version),
        classes=version.classes,
        shape=version.shape,
        sizes=(version.train, version.test),
        mean=version.mean,
        std=version.std,
        source=f"your own pictures, from {version.source}",
        licence="yours",
        augmentation="affine" if version.is_drawn else "flip" if version.channels == COLOUR else "shift",
        is_drawn=version.is_drawn,
        files=(),
        download_bytes=0,
        digest=version.digest,
        mapped=partial(_map_own, version),
    )


def _map_own(version: Version) -> tuple[Split, Split]:
    library = own_pictures()
    rows, pixels = library.rows(version), library.mapped(version)
    return split_of(rows, "train", pixels), split_of(rows, "test", pixels)


def offered(chosen: str | None) -> list[str]:
    """List the data sets to choose from: all, the user's own by their latest version, and ``chosen`` if it is older."""
    names = list(DATASETS)
    return [*names, chosen] if chosen and chosen not in names and chosen in DATASETS else names


def dataset_title(name: str) -> str:
    """Return a data set's title as a run is named by it; of one's own pictures the name and the version."""
    spec = DATASETS.data.get(name)
    return spec.title if spec else name.partition(":")[0]


def dataset_spec(name: str) -> DatasetSpec:
    """Look up a data set by name. Raises DatasetError, with the known names, for any other."""
    try:
        return DATASETS[name]
    except KeyError as error:
        if "@" in name:
            raise DatasetError(str(error.__cause__)) from error
        raise DatasetError(f"unknown data set {name[:60]!r}: choose one of {', '.join(DATASETS)}") from error


DATASETS = Datasets({spec.name: spec for spec in SPECS})
