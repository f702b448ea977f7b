from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cnnlab.data.pictures.raw import RawImages


def test_rows_of_a_file_are_read_as_an_array_gives_them(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (7, 3, 4, 5), np.uint8)
    (tmp_path / "raw").write_bytes(images.tobytes())
    with RawImages(tmp_path / "raw", images.shape) as raw:
        assert len(raw) == 7
        for at in (3, -1, slice(2, 5), slice(None, None, 3), slice(5, 2), np.array([6, 0, 0])):
            assert np.array_equal(raw[at], images[at])
        with pytest.raises(IndexError):
            raw[7]
