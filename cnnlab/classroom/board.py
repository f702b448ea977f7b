"""The board of an assignment: a row a person, with the run that validation chooses among those they handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from math import isnan, nan
from operator import attrgetter
from typing import Literal

import numpy as np

from cnnlab.classroom.assignment import Assignment
from cnnlab.classroom.hand_ins import HandIn
from cnnlab.evaluation.metrics import Booleans, Counted
from cnnlab.evaluation.significance import LEVEL, mcnemar

Part = Literal["all", "public", "private"]  # of the test images


@dataclass(frozen=True)
class Row:
    """A person on the board."""

    person: str
    best: HandIn  # by validation accuracy
    hand_ins: int
    looks: int  # at the test images, with all of the person's runs until the last hand-in
    test: Counted  # of the part of the test images that the board shows
    p: float = nan  # of the difference to the last row above with a place of its own; nan without one to compare with

    @property
    def is_same(self) -> bool:
        """Whether chance explains that difference, so that it has no place of its own."""
        return self.p >= LEVEL


def board(hand_ins: Sequence[HandIn], assignment: Assignment, part: Part = "all") -> list[Row]:
    """Return a row for each person, the best test accuracy first.

    A row has a place of its own where it is worse than the last one that has, by McNemar's exact test on the same
    images, its p multiplied by the number of tests (Bonferroni). To compare neighbours alone would call the best and
    the worst of a long board the same.
    """
    by_person = groupby(sorted(hand_ins, key=attrgetter("person", "at")), key=attrgetter("person"))
    masks = {images: part_of(assignment, images, part) for images in {one.images for one in hand_ins}}
    unordered = [_row(person, list(own), masks) for person, own in by_person]
    rows = sorted(unordered, key=lambda row: (-row.test.accuracy, row.best.at))
    placed: list[Row] = []
    head: Row | None = None
    for row in rows:
        p = nan if head is None else _p(head, row, masks)
        placed.append(replace(row, p=p if isnan(p) else min(1.0, p * (len(rows) - 1))))
        head = head if placed[-1].is_same else row
    return placed


def best_of(own: Sequence[HandIn]) -> HandIn:
    """Return the one with the best validation accuracy, of equal ones the earliest."""
    return max(own, key=lambda one: (one.validation_accuracy, -one.at.timestamp()))


def part_of(assignment: Assignment, images: int, part: Part) -> Booleans:
    """Choose the images (N,) of a part: the public half at random by the assignment's id, the private one the rest."""
    if part == "all":
        return np.ones(images, np.bool_)
    is_public = np.zeros(images, np.bool_)
    is_public[np.random.default_rng(int(assignment.id, 16)).permutation(images)[: images // 2]] = True
    return is_public if part == "public" else ~is_public


def shown_part(assignment: Assignment, now: datetime) -> Part:
    """Return the part of the test images that the class sees."""
    if not assignment.has_halves:
        return "all"
    return "private" if assignment.is_over(now) else "public"


def _row(person: str, own: list[HandIn], masks: dict[int, Booleans]) -> Row:
    best = best_of(own)
    hits = best.hits[masks[best.images]]
    return Row(person, best, len(own), max(one.looks for one in own), Counted(int(hits.sum()), len(hits)))


def _p(upper: Row, lower: Row, masks: dict[int, Booleans]) -> float:
    """Return McNemar's p of two rows; nan where they did not answer to the same images."""
    if upper.best.images != lower.best.images:
        return nan
    mask = masks[upper.best.images]
    return mcnemar(upper.best.hits[mask], lower.best.hits[mask]).p
