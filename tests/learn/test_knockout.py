"""Which images a network loses without its filters, one at a time and together."""

from __future__ import annotations

from functools import cache

import pytest

from cnnlab.jobs.worker import completed
from cnnlab.learn.chapters import CHAPTERS
from cnnlab.learn.knockout import Knockout, example_network, knock_out, together

LAST = "conv3"


@cache
def found(layer: str = LAST) -> Knockout:
    return completed(knock_out(example_network(), layer))


def test_every_filter_is_switched_off_once_on_the_same_images() -> None:
    patient, knockout = example_network(), found()
    assert knockout.alone.shape == knockout.confidence.shape == (64, 10)
    assert knockout.images.sum() == len(patient.whole.labels) == 450
    assert (knockout.whole == patient.whole.right).all()
    number = knockout.order(7)[0]
    assert (together(patient, LAST, [number]) == knockout.alone[number]).all()
    assert (together(patient, LAST, []) == knockout.whole).all()
    assert sorted(knockout.order(7)) == list(range(64))


@pytest.mark.parametrize(("label", "lost"), [(7, 30), (0, 30)])
def test_a_class_loses_far_more_without_its_own_filters_than_the_others(label: int, lost: int) -> None:
    knockout = found()
    now = together(example_network(), LAST, knockout.order(label)[:24])
    fallen = knockout.whole - now
    assert fallen[label] > lost
    assert fallen.sum() - fallen[label] < lost


def test_the_chapter_tells_these_numbers() -> None:
    opening, closing = CHAPTERS["knockout"].questions
    knockout = found()
    assert f"{knockout.whole[7]} of {knockout.images[7]} sevens" in opening.asks
    assert (knockout.losses[:, 7] <= 0).all()
    assert f" {knockout.losses.max()} of 45" not in opening.reveal  # which the chapter asks next
    now = together(example_network(), LAST, knockout.order(7)[:24])
    others = [int(counts.sum() - counts[7]) for counts in (now, knockout.images, knockout.whole)]
    assert f"Only {now[7]} of 45 sevens" in closing.asks
    assert closing.reveal.startswith(f"{others[0]} of {others[1]} are still right, of {others[2]} before")
    first = found("conv1")
    left = together(example_network(), "conv1", first.order(7)[:6])
    assert (len(first.alone), left[7]) == (16, 0)
    assert f"{others[2] - int(left.sum())} others" in closing.reveal
