"""What is doubtful about a version's pictures: copies, leaks, blur, darkness, odd sizes, classes of few."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import laplace
from torch import Tensor

from cnnlab.data.pictures import bursts, similar
from cnnlab.data.pictures.doubtful import contradictions, outliers
from cnnlab.data.pictures.features import Floats, Halves, Images, Part, tones
from cnnlab.data.pictures.version import Row, Version
from cnnlab.data.splits import stratified

BLOCK_BYTES = 4_000_000  # of pictures looked at together; in floating point they are many times as many
BLURRED = 0.1  # share of the usual sharpness of the set, below which a picture is blurred
DARK, BRIGHT = 0.08, 0.95  # mean of pixels in 0…1
PLAIN = 0.02  # deviation of pixels
ODD = 2.5  # longer side over the shorter one
FEW = 20  # pictures of a class: below, accuracy is luck
KNOWN = 0.2  # share of test pictures with a shot of their scene in training, from which that is told
UNEVEN = 3.0  # largest class over the smallest, from which classes are not balanced

ENOUGH = 50  # pictures, from which it can be told which labels and which pictures stand out
LOOKED_THROUGH = 0.1  # share of the pictures whose labels are shown as doubtful, at the most

Kind = Literal[
    "two classes",
    "leaks",
    "divided bursts",
    "scene leaks",
    "labels",
    "unlike",
    "scenes",
    "near duplicates",
    "copies",
    "blurred",
    "dark",
    "bright",
    "plain",
    "tiny",
    "odd shape",
]
TITLES: dict[Kind, tuple[str, str]] = {
    "two classes": ("Same picture in two classes", "At most one label is right: move or remove the others."),
    "leaks": (
        "Test pictures that look like training pictures",
        "The network trains on the same pictures, so the test accuracy is too high. Remove them from one side.",
    ),
    "divided bursts": (
        "Bursts with training and test pictures",
        "Their classes have too few bursts to keep one for testing, so the test accuracy is too high. Record more, "
        "each in front of another background.",
    ),
    "scene leaks": (
        "Test pictures of a scene that training pictures show",
        (
            "Shots of one burst or series are on both sides, so the test accuracy may be too high. Remove them "
            "from one side."
        ),
    ),
    "labels": (
        "Labels worth a look",
        "Compared with the other pictures, these look like another class; the most likely mistakes come first. Many "
        "are right, only difficult. In a test with 5% wrong labels among 1,000 photos, the first tenth contained "
        "about half of them. At most a tenth is shown. Pictures you keep do not appear again.",
    ),
    "unlike": (
        "Unlike all others",
        "No other picture is similar in pattern or tone. Do they belong to the data set?",
    ),
    "scenes": (
        "Shots of one scene or series",
        "They stay on one side of every split. Check them: small pictures may only look similar, and very different "
        "shots may be missed.",
    ),
    "near duplicates": (
        "Near duplicates",
        "They always stay on one side of a split, so they do no harm. But many copies teach the network little.",
    ),
    "copies": ("Copies of one file", "They are on one side of a split. You can remove all but one."),
    "blurred": ("Blurred", "Far less sharp than the others. Keep them only if you expect such pictures in use."),
    "dark": ("Nearly black", "They show hardly anything."),
    "bright": ("Nearly white", "They show hardly anything."),
    "plain": ("Of a single tone", "They show nothing."),
    "tiny": ("Smaller than the network's images", "They were enlarged and look blurred."),
    "odd shape": ("Much wider or higher than a square", "They were heavily cropped or stretched."),
}


@dataclass(frozen=True)
class Finding:
    """A kind of doubt, and the groups of pictures that it is about, as numbers in the table."""

    kind: Kind
    groups: tuple[tuple[int, ...], ...]
    likely: tuple[int, ...] = ()  # of doubtful labels: the class that each picture looks like

    @property
    def title(self) -> str:
        """What pages call it."""
        return TITLES[self.kind][0]

    @property
    def advice(self) -> str:
        """Why it matters, and what to do."""
        return TITLES[self.kind][1]

    def without(self, numbers: Collection[int]) -> Finding:
        """Return the finding without the doubtful labels of the pictures ``numbers``."""
        left = [(group, name) for group, name in zip(self.groups, self.likely, strict=True) if group[0] not in numbers]
        return Finding(self.kind, tuple(group for group, _ in left), tuple(name for _, name in left))

    @property
    def pictures(self) -> list[int]:
        """The numbers of all its pictures, group by group."""
        return [number for group in self.groups for number in group]


@dataclass(frozen=True)
class ClassCount:
    """Tell how many pictures a class has."""

    name: str
    train: int
    test: int

    @property
    def total(self) -> int:
        """All of its pictures."""
        return self.train + self.test


def check(version: Version, rows: Sequence[Row], pixels: Tensor, features: Halves) -> list[Finding]:
    """Look at all pictures of a version; return the kinds of findings that there are.

    ``pixels`` and ``features`` are of all pictures that the rows count in.
    """
    order = np.array([row.row for row in rows])
    images = Part(pixels.numpy(), order)
    labels = [row.label for row in rows]
    digests, hashes = [row.digest for row in rows], [row.hash for row in rows]
    alike = similar.alike(digests, hashes, images, by_looks=not version.is_drawn)
    same, near, copies = similar.findings(alike, labels)
    scenes = _scenes(rows, alike[1])
    leaks, scene_leaks = (_on_both_sides(rows, found) for found in (alike[1].several(), scenes))
    described = features[order].astype(np.float32)
    doubtful, likely = _doubtful_labels(described, rows)
    unlike = outliers(described, tones(images)) if len(rows) >= ENOUGH else []
    alone = {"labels": doubtful, "unlike": unlike, **_looking_odd(version, rows, images)}
    groups: dict[Kind, Sequence[Sequence[int]]] = {
        "two classes": same,
        "leaks": leaks,
        "divided bursts": bursts.divided(rows),
        "scene leaks": scene_leaks,
        "scenes": [group for group in scenes if group not in scene_leaks],
        "near duplicates": [group for group in near if group not in leaks],
        "copies": copies,
        **{kind: [[number] for number in found] for kind, found in alone.items()},
    }
    return [
        Finding(kind, tuple(map(tuple, groups[kind])), tuple(likely) if kind == "labels" else ())
        for kind in TITLES
        if groups.get(kind)
    ]


def unconfirmed(found: Sequence[Finding], numbers: Collection[int]) -> list[Finding]:
    """Return the findings without the doubtful labels of the pictures ``numbers``: a person found these right."""
    return [left for finding in found if (left := finding.without(numbers) if finding.likely else finding).groups]


def _on_both_sides(rows: Sequence[Row], groups: Iterable[Sequence[int]]) -> list[Sequence[int]]:
    return [group for group in groups if len({rows[number].split for number in group}) > 1]


def _scenes(rows: Sequence[Row], near: similar.Groups) -> list[list[int]]:
    """List the groups that no split divides and that are more than near duplicates of one picture."""
    members: dict[int, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        members[row.group].append(number)
    return [group for group in members.values() if len({near.root(number) for number in group}) > 1]


def _looking_odd(version: Version, rows: Sequence[Row], images: Images) -> dict[Kind, list[int]]:
    """List the pictures (N, C, H, W) that are blurred, dark and so on, by kind."""
    looks = _looks(images)
    darkest = 0 if version.is_drawn else DARK  # strokes are thin
    usual = float(np.median(looks["sharp"]))
    tests: dict[Kind, Callable[[int], bool]] = {
        "blurred": lambda number: looks["sharp"][number] < BLURRED * usual and looks["deviation"][number] >= PLAIN,
        "dark": lambda number: looks["mean"][number] < darkest and looks["deviation"][number] >= PLAIN,
        "bright": lambda number: looks["mean"][number] > BRIGHT and looks["deviation"][number] >= PLAIN,
        "plain": lambda number: looks["deviation"][number] < PLAIN,
        "tiny": lambda number: min(rows[number].width, rows[number].height) < version.size,
        "odd shape": lambda number: _ratio(rows[number]) > ODD,
    }
    return {kind: [number for number in range(len(rows)) if holds(number)] for kind, holds in tests.items()}


def _doubtful_labels(features: Floats, rows: Sequence[Row]) -> tuple[list[int], list[int]]:
    """List pictures with doubtful labels, the worst first, and the class of each by its looks; of too few none."""
    if len(rows) < ENOUGH:
        return [], []
    labels, groups = (np.array([getattr(row, name) for row in rows]) for name in ("label", "group"))
    found = contradictions(features, labels, groups, int(labels.max()) + 1)
    worst = np.argsort(-found.margins, kind="stable")[: max(1, round(LOOKED_THROUGH * len(rows)))]
    doubtful = worst[found.margins[worst] > 0]
    return doubtful.tolist(), found.classes[doubtful].tolist()


def counts(version: Version, rows: Sequence[Row]) -> list[ClassCount]:
    """Count the pictures of each class."""
    found = Counter((row.label, row.split) for row in rows)
    return [ClassCount(name, found[label, "train"], found[label, "test"]) for label, name in enumerate(version.classes)]


def advice(classes: Sequence[ClassCount]) -> list[str]:
    """Say what the numbers of pictures let one expect; empty where there is nothing to say."""
    lines = []
    if small := sorted((one for one in classes if one.total < FEW), key=lambda one: one.total):
        named = ", ".join(f"{one.name} ({one.total})" for one in small[:3])
        more = f" and {len(small) - 3} more" if len(small) > 3 else ""
        lines.append(
            f"Fewer than {FEW} pictures: {named}{more}. With so few, a class's accuracy is mostly luck: add some."
        )
    most, least = max(one.total for one in classes), min(one.total for one in classes)
    if most >= UNEVEN * least:
        lines.append(
            f"The largest class has {most / least:.1f} times as many pictures as the smallest. A network that always "
            "answers the largest class looks good. Use balanced accuracy."
        )
    return lines


def all_advice(version: Version, rows: Sequence[Row]) -> list[str]:
    """Say all that the numbers of pictures, and what belongs together, let one expect; empty where that is nothing."""
    return [*advice(counts(version, rows)), *(bursts.advice(version.classes, rows) or scene_advice(rows))]


def scene_advice(rows: Sequence[Row]) -> list[str]:
    """Say what a split that divides scenes would do; empty where few pictures share one."""
    known, test = known_scenes(rows)
    if known < KNOWN * test:
        return []
    return [
        f"Many pictures are shots of one scene or series. In a random split, {known:,} of {test:,} test pictures "
        "would show a scene from training. The accuracy would be too high. Here each scene stays on one side."
    ]


def known_scenes(rows: Sequence[Row], seed: int = 0) -> tuple[int, int]:
    """Count the test pictures whose scene training would know if pictures were split one by one, and all of them."""
    labels, groups = (torch.tensor([getattr(row, name) for row in rows]) for name in ("label", "group"))
    is_test = stratified(labels, sum(row.split == "test" for row in rows) / len(rows), seed)
    return int(torch.isin(groups[is_test], groups[~is_test]).sum()), int(is_test.sum())


def _looks(images: Images) -> dict[str, npt.NDArray[np.float32]]:
    """Measure mean, deviation and sharpness of each picture, of its mean over channels in 0…1."""
    found: dict[str, list[npt.NDArray[np.float32]]] = defaultdict(list)
    at_once = max(1, BLOCK_BYTES // images[0].size)
    for start in range(0, len(images), at_once):
        grey = images[start : start + at_once].mean(1, dtype=np.float32) / 255  # (B, H, W)
        found["mean"].append(grey.mean((1, 2)))
        found["deviation"].append(grey.std((1, 2)))
        found["sharp"].append(laplace(grey, axes=(1, 2)).std((1, 2)) / grey.std((1, 2)).clip(1e-6))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _ratio(row: Row) -> float:
    return max(row.width, row.height) / max(1, min(row.width, row.height))
