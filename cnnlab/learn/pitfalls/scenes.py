"""Pitfall: shots of one scene on both sides of a split; the network is tested on what it has seen."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from statistics import fmean

import pandas as pd
import torch
from torch import Tensor

from cnnlab.data.augmentation import shift
from cnnlab.data.splits import Split
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.learn.pitfalls.pictures import MENDED, TRAPPED, Picture, judged
from cnnlab.learn.pitfalls.pitfall import Finding, Measured, Pitfall
from cnnlab.learn.pitfalls.plain_loop import UNIT, Training, digits, trained

SCENES = 6  # digits of each class: what a camera would see
SHOTS = 10  # of each
FRESH = 1000  # digits that no network trains on, a shot of each
FOLDS = 3
EPOCHS = 15
GAIN, NOISE = 0.2, 0.02  # of pixels in 0…1: how much darker a shot may be, and its grain


def deal_pictures(scenes: Tensor, draw: torch.Generator) -> Tensor:
    """Deal picture by picture into three folds (N,), at random."""
    order = torch.randperm(len(scenes), generator=draw)
    return order % 3


def deal_scenes(scenes: Tensor, draw: torch.Generator) -> Tensor:
    """Deal scene by scene into three folds (N,), at random."""
    order = torch.randperm(int(scenes.max()) + 1, generator=draw)
    return order[scenes] % 3


WAYS: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {TRAPPED: deal_pictures, MENDED: deal_scenes}


@dataclass
class _Score:
    """Hits among the pictures tested so far, and the accuracies on fresh ones."""

    hits: int = 0
    tested: int = 0
    fresh: list[float] = field(default_factory=list)

    @property
    def accuracy(self) -> float | None:
        return self.hits / self.tested if self.tested else None


def fall(seed: int) -> Generator[Finding]:
    """Cross-validate on shots of a few digits, dealt each way; ask each network about new digits too."""
    draw = torch.Generator().manual_seed(seed)
    shots, scenes, fresh = _photographed(seed, draw)
    scores = {way: _Score() for way in WAYS}
    for number, (way, deal) in enumerate(WAYS.items()):
        folds = deal(scenes, draw)
        for fold in range(FOLDS):
            network = trained(Training(_of(shots, folds != fold), EPOCHS, seed))
            test, score = _of(shots, folds == fold), scores[way]
            score.hits += round(evaluate(network, test, UNIT).accuracy * len(test))
            score.tested += len(test)
            score.fresh.append(evaluate(network, fresh, UNIT).accuracy)
            yield Finding((number * FOLDS + fold + 1) / (len(WAYS) * FOLDS), _measured(scores), _picture(scores))


def _photographed(seed: int, draw: torch.Generator) -> tuple[Split, Tensor, Split]:
    """Return shots of a few digits of each class, the number of the digit on each, and a shot of each fresh digit."""
    images = digits(4_500, seed).train
    chosen = torch.cat([(images.labels == label).nonzero().flatten()[:SCENES] for label in images.labels.unique()])
    rest = torch.ones(len(images), dtype=torch.bool).index_fill(0, chosen, False)
    scenes = torch.arange(len(chosen)).repeat_interleave(SHOTS)
    return _shot(images.part(chosen[scenes]), draw), scenes, _shot(images.part(rest).part(slice(FRESH)), draw)


def _shot(split: Split, draw: torch.Generator) -> Split:
    """Photograph each image (N, 1, 28, 28) by hand: moved a little, darker, grainy."""
    moved = shift(split.images.float() / 255, split.labels, (), draw)
    gain = 1 - GAIN * torch.rand(len(split), 1, 1, 1, generator=draw)
    grain = NOISE * torch.randn(moved.shape, generator=draw)
    return Split(((moved * gain + grain).clamp(0, 1) * 255).round().byte(), split.labels)


def _of(split: Split, chosen: Tensor) -> Split:
    return Split(split.images[chosen], split.labels[chosen])


def _measured(scores: dict[str, _Score]) -> tuple[Measured, ...]:
    trapped, mended = scores[TRAPPED], scores[MENDED]
    fresh = (fmean(trapped.fresh) if trapped.fresh else None, fmean(mended.fresh) if mended.fresh else None)
    return (
        Measured("Test accuracy", (trapped.accuracy, mended.accuracy)),
        Measured("Accuracy on new digits", fresh),
    )


def _picture(scores: dict[str, _Score]) -> Picture:
    rows = [
        row
        for way, score in scores.items()
        for row in (
            judged(way, "test pictures", round(score.hits / SHOTS), score.tested // SHOTS),
            judged(way, "new digits", round(fmean(score.fresh or [0]) * FRESH), FRESH if score.fresh else 0),
        )
    ]
    return Picture(
        "points",
        pd.DataFrame(rows),
        "tested on",
        "accuracy",
        f"{SHOTS} shots each of {SCENES} digits per class, in {FOLDS} folds. A network trained on the other folds "
        f"tests each. New digits: {FRESH:,} others, one shot each. Intervals count digits, not shots.",
    )


PITFALL = Pitfall(
    slug="scenes",
    title="Shots of one scene on both sides",
    story="Each object is photographed several times, and the pictures are split at random. So training and test "
    "pictures show the same objects.",
    wrong=(deal_pictures,),
    right=(deal_scenes,),
    symptom="The test accuracy is high, but the same network is much worse on new objects. A split by scene predicts "
    "new objects far better. With so few objects it is still off by some points. Its networks are a little "
    "worse, because each learns from two thirds of the objects.",
    why="A shot differs from its neighbour by a pixel or two, so memorising one is enough for the other. The test "
    "then measures memory, not answers about new objects.",
    notice="Find out how the pictures were taken: bursts, video frames, several views of one object, one person's "
    "scans. Split by that. Data finds near duplicates, name series, bursts and similar shots. It keeps each on "
    "one side.",
    fall=fall,
    guessed=("test accuracy", 0),
)
