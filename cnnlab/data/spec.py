"""What is known of a data set before it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cnnlab.data.readers import Reader
from cnnlab.data.splits import Split
from cnnlab.errors import CnnLabError
from cnnlab.networks.layers import Shape


class DatasetError(CnnLabError):
    """A data set that cannot be had; the message says why and what to do."""


@dataclass(frozen=True)
class DatasetSpec:
    """What is known of a data set before it is loaded."""

    name: str
    title: str
    classes: tuple[str, ...]
    shape: Shape  # (C, H, W)
    sizes: tuple[int, int]  # images in train (validation is held out of it) and test
    mean: tuple[float, ...]  # per channel, of pixels in 0…1
    std: tuple[float, ...]
    source: str
    licence: str
    augmentation: str  # what suits it, used where a config says "auto"
    is_drawn: bool  # characters, light on dark: what the canvas can draw
    files: tuple[str, ...]  # what must lie in the data folder; IDX files may lie there gzipped
    download_bytes: int  # for a progress bar
    read: Reader | None = None  # from the data folder
    fetch: Callable[[Path], None] | None = None  # downloads into a folder; None needs no download
    archives: tuple[str, ...] = ()  # downloads that, lying in the folder, save the download
    digest: str = ""  # of a user's own pictures: two versions of equal content have the same
    mapped: Callable[[], tuple[Split, Split]] | None = None  # maps a user's own pictures: train and test

    @property
    def is_light_on_dark(self) -> bool:
        """Tell whether its images are light on black: the standard deviation of the pixels then exceeds their mean."""
        return all(std > mean for mean, std in zip(self.mean, self.std, strict=True))
