"""The files that a user's own pictures were added from."""

from __future__ import annotations

from collections.abc import Sequence

from cnnlab.data.datasets import DATASETS, own_pictures
from cnnlab.data.splits import Split


def file_names(dataset: str, split: Split, chosen: Sequence[int]) -> list[str]:
    """Tell which file each of the ``chosen`` images of a data set's split was added from.

    Nothing where there are no files: in a data set of the table, and in a split with labelled drawings among it.
    Raises PictureSetError where the table of the pictures is damaged.
    """
    if split.rows is None or not DATASETS[dataset].digest:
        return []
    library = own_pictures()
    asked = split.rows[list(chosen)].tolist()
    wanted = set(asked)
    paths = {row.row: row.path for row in library.rows(library.version(dataset)) if row.row in wanted}
    return [paths[row] for row in asked]
