from __future__ import annotations

import random

import numpy as np

from cnnlab.drawings.non_digits import sample_non_digit
from cnnlab.drawings.preprocess import prepare
from cnnlab.drawings.strokes import CANVAS


def test_junk_is_ink_of_many_kinds_that_can_be_prepared() -> None:
    draws = random.Random(0)
    pieces = [sample_non_digit(draws) for _ in range(50)]
    assert all(piece.shape == (CANVAS, CANVAS) and piece.dtype == np.uint8 for piece in pieces)
    assert len({prepare(piece).numpy().tobytes() for piece in pieces}) > 40


def test_a_seed_decides_the_junk() -> None:
    first, again, other = (sample_non_digit(random.Random(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
