from __future__ import annotations

from itertools import pairwise
from math import dist, log

import pytest
import torch
from torch import Tensor

from cnnlab.analysis.stroke_ablation import SHORTEST, effects, erased, halfway, in_pieces
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.drawings.strokes import Drawing, Stroke
from tests.samples import SEVEN

BARS = Drawing(strokes=[[(0.1, 0.1), (0.1, 0.9)], [(0.5, 0.1), (0.5, 0.9)], [(0.9, 0.1), (0.9, 0.9)]], pen=0.1)
PENS = pytest.mark.parametrize("pen", [0.03, 0.1, 0.2])


def with_pen(drawing: Drawing, pen: float) -> Drawing:
    return drawing.model_copy(update={"pen": pen})


def length(stroke: Stroke) -> float:
    return sum(dist(*step) for step in pairwise(stroke))


def test_long_strokes_are_cut_into_pieces_of_equal_length_that_hang_together() -> None:
    pieces = in_pieces(SEVEN).strokes
    (whole,) = SEVEN.strokes
    lengths = [length(piece) for piece in pieces]
    assert 4 <= len(pieces) <= 8
    assert lengths == pytest.approx([length(whole) / len(pieces)] * len(pieces))
    assert all(before[-1] == after[0] for before, after in pairwise(pieces))
    assert (pieces[0][0], pieces[-1][-1]) == (whole[0], whole[-1])
    assert {point for piece in pieces for point in piece} >= set(whole)


@PENS
@pytest.mark.parametrize("count", [1, 4, 8, 50])
def test_a_piece_is_long_enough_to_be_missed(count: int, pen: float) -> None:
    drawing = with_pen(SEVEN, pen)
    pieces = in_pieces(drawing, count)
    assert len(pieces.strokes) <= count
    assert all(length(piece) >= SHORTEST * pen - 1e-9 for piece in pieces.strokes)
    assert in_pieces(pieces, 1) == pieces  # short ones stay as they are


def test_a_dot_is_not_cut() -> None:
    dot = Drawing(strokes=[[(0.3, 0.3)]])
    assert in_pieces(dot) == dot
    assert halfway(dot.strokes[0]) == (0.3, 0.3)


def test_halfway_is_in_the_middle_of_the_length() -> None:
    assert halfway([(0.0, 0.0), (1.0, 0.0), (1.0, 3.0)]) == pytest.approx((1.0, 1.0))


@PENS
@pytest.mark.parametrize("size", [(28, 28), (32, 32), (20, 32)])
def test_only_the_erased_stroke_is_missing(pen: float, size: tuple[int, int]) -> None:
    drawing = with_pen(BARS, pen)
    whole, *images = erased(drawing, drawing, size)
    ink = whole[0].any(0).nonzero().flatten().tolist()  # columns
    thirds = [ink[0], (2 * ink[0] + ink[-1]) // 3, (ink[0] + 2 * ink[-1]) // 3, ink[-1]]
    for missing, image in enumerate(images):
        for third, (left, right) in enumerate(pairwise(thirds)):
            expected = torch.zeros_like(whole) if third == missing else whole
            assert torch.equal(image[..., left:right], expected[..., left:right])


@PENS
def test_the_whole_is_what_the_network_gets_however_it_is_cut(pen: float) -> None:
    drawing = with_pen(SEVEN, pen)
    pieces = in_pieces(drawing)
    whole, *images = erased(drawing, pieces, (28, 28))
    assert torch.equal(whole[None], prepare(stroke_ink(drawing)))
    assert len(images) == len(pieces.strokes)
    assert all((image <= whole).all() and (image < whole).any() for image in images)
    left = torch.stack(images)
    assert ((left == whole).sum(0) >= len(images) - 2).all()  # a pixel is lost with at most two neighbours


def test_without_its_only_stroke_nothing_is_left() -> None:
    _, nothing = erased(SEVEN, SEVEN, (28, 28))
    assert not nothing.any()


def odds(probability: float) -> float:
    return log(probability / (1 - probability))


def test_an_effect_is_the_change_of_the_log_odds_and_what_is_read_then() -> None:
    logits = torch.tensor([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.8, 0.1, 0.1]]).log()
    matters, disturbs = effects(logits, 0)
    assert matters.support == pytest.approx(odds(0.7) - odds(0.3), abs=1e-5)
    assert disturbs.support == pytest.approx(odds(0.7) - odds(0.8), abs=1e-5)
    assert (matters.answer, disturbs.answer) == (1, 0)
    assert (matters.probability, matters.confidence) == pytest.approx((0.3, 0.6))


def test_an_effect_is_told_also_where_probabilities_round_to_one() -> None:
    (effect,) = effects(torch.tensor([[200.0, 0.0], [150.0, 0.0]]), 0)
    assert effect.support == pytest.approx(50)


def test_a_network_that_weighs_left_against_right_finds_left_strokes_for_and_right_ones_against() -> None:
    images = erased(BARS, BARS, (28, 28)).double() / 255
    left, right = images[..., :14].sum((1, 2, 3)), images[..., 14:].sum((1, 2, 3))
    logits: Tensor = torch.stack([left, right], 1)
    first, middle, last = effects(logits, 0)
    assert first.support > 10
    assert last.support < -10
    assert abs(middle.support) < abs(first.support) / 2
    assert (first.answer, last.answer) == (1, 0)
