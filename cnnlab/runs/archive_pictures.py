"""The pictures that runs were trained on, in an archive of runs: an archive of each version of the user's own sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from zipfile import ZipFile

from cnnlab.data.datasets import own_pictures
from cnnlab.data.pictures import archive as pictures
from cnnlab.data.pictures.store import is_own_key
from cnnlab.data.pictures.version import NAME, Version

FOLDER = "pictures"
ENTRY = rf"{FOLDER}/{NAME}-[1-9]\d{{0,3}}\.zip"


def versions_of(datasets: Iterable[str]) -> list[Version]:
    """List the versions of the user's own data sets among the names of data sets, each once.

    Raises PictureSetError where one is not here.
    """
    library = own_pictures()
    found = [library.version(name) for name in datasets if is_own_key(name)]
    return list({version.key: version for version in found}.values())


def size(versions: Iterable[Version]) -> int:
    """Return about how many bytes the archives of ``versions`` have. Raises PictureSetError."""
    return sum(pictures.packed_bytes(own_pictures(), version) for version in versions)


def write(versions: Iterable[Version], archive: ZipFile) -> None:
    """Write an archive of each version into ``archive``. Raises PictureSetError."""
    for version in versions:
        with archive.open(f"{FOLDER}/{version.name}-{version.number}.zip", "w", force_zip64=True) as file:
            pictures.write(own_pictures(), version, file)


def take_in(folder: Path, owner: str = "") -> list[pictures.Unpacked]:
    """Add the versions whose archives were put into ``folder``, as the ``owner``'s: all are whole, or none is added.

    Raises PictureSetError where one is not.
    """
    paths: Sequence[Path] = sorted((folder / FOLDER).glob("*.zip"))
    if not paths:
        return []
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("rb")) for path in paths]
        return pictures.unpack_all(files, own_pictures(owner))
