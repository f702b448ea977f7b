from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab.classroom.digits import MOST_POINTS, ClassDigits, fingerprint, judges_of, takes_digits
from cnnlab.classroom.folder import class_folder
from cnnlab.data.datasets import DATASETS
from cnnlab.data.table import DIGITS
from cnnlab.drawings.strokes import Drawing, DrawingError, rounded
from tests.classroom.samples import ADA, BOB, digits, handed


def test_a_writer_counts_with_ten_digits_and_may_replace_them(tmp_path: Path) -> None:
    kept = ClassDigits(tmp_path)
    for digit in digits()[1:]:
        kept.put(ADA.id, digit, digit.label)
    assert kept.writers() == {}
    kept.put(ADA.id, digits()[5], "0")
    kept.put(ADA.id, digits()[0], "0")
    kept.put(BOB.id, digits()[0], "0")
    assert list(kept.writers()) == [ADA.id]
    assert [one.label for one in kept.writers()[ADA.id]] == list(DIGITS)
    assert kept.of(ADA.id)["0"].strokes == rounded(digits()[0]).strokes
    before = kept.of(ADA.id)
    kept.forget(ADA.id)
    assert kept.of(ADA.id) == {}
    kept.put_back(ADA.id, before)
    assert kept.of(ADA.id) == before


@pytest.mark.parametrize(
    ("writer", "label", "points"),
    [("../" + "a" * 29, "0", 2), ("", "0", 2), (ADA.id, "ten", 2), (ADA.id, "0", MOST_POINTS + 1)],
)
def test_what_is_no_digit_of_a_person_is_refused(writer: str, label: str, points: int, tmp_path: Path) -> None:
    with pytest.raises(DrawingError):
        ClassDigits(tmp_path).put(writer, Drawing(strokes=[[(0.1, 0.2)] * points]), label)
    if writer != ADA.id:
        ClassDigits(tmp_path).put_back(writer, {"0": digits()[0]})
    assert not class_folder(tmp_path).exists()


def test_damaged_files_have_no_digits(tmp_path: Path) -> None:
    folder = class_folder(tmp_path) / "digits"
    folder.mkdir(parents=True)
    (folder / f"{ADA.id}.json").write_text('[{"strokes": []}]')
    (folder / "others.json").write_text("[]")
    assert ClassDigits(tmp_path).writers() == {}


def test_no_writer_judges_what_they_taught() -> None:
    plain, taught = handed(ADA, [True]), handed(ADA, [True], taught=(fingerprint(digits()[3]),))
    others = digits(shift=0.05)
    assert judges_of(plain, {ADA.id: digits(), BOB.id: digits()}) == {ADA.id, BOB.id}
    assert judges_of(taught, {ADA.id: others, BOB.id: others}) == {BOB.id}  # not her own
    assert judges_of(taught, {BOB.id: digits()}) == set()  # one of his taught it, whoever gave it away


def test_a_drawing_is_known_again_whatever_its_label() -> None:
    one = digits()[3]
    assert fingerprint(one) == fingerprint(one.model_copy(update={"label": "8"}))
    assert fingerprint(one) != fingerprint(digits(0.01)[3])


def test_only_networks_of_drawn_digits_read_them() -> None:
    taken = {name for name, spec in DATASETS.items() if takes_digits(spec)}
    assert {"mnist", "mnist-sample"} <= taken
    assert not taken & {"fashion", "cifar10", "emnist-letters", "svhn"}
