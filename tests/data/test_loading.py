from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from cnnlab.data import readers
from cnnlab.data.datasets import DATASETS
from cnnlab.data.loading import divided, load, load_train
from cnnlab.data.spec import DatasetError
from cnnlab.data.splits import Split


def test_the_sample_is_small_and_balanced() -> None:
    assert readers.SAMPLE.stat().st_size < 1_000_000
    loaded = load("mnist-sample")
    labels = torch.cat([loaded.train.labels, loaded.validation.labels, loaded.test.labels])
    assert labels.bincount().tolist() == [500] * 10
    assert len(loaded.test) == DATASETS["mnist-sample"].sizes[1]


def test_the_sample_is_from_mnists_training_set_and_not_its_test_set(real_data: Path) -> None:
    sample, whole = load("mnist-sample"), load("mnist", folder=real_data)
    splits = [sample.train, sample.validation, sample.test]
    known = {
        (image.numpy().tobytes(), int(label)) for s in (whole.train, whole.validation) for image, label in pairs(s)
    }
    judged = {image.numpy().tobytes() for image, _ in pairs(whole.test)}
    chosen = {(image.numpy().tobytes(), int(label)) for s in splits for image, label in pairs(s)}
    assert len(chosen) == 5000
    assert chosen <= known
    assert not {image for image, _ in chosen} & judged


def pairs(split: Split) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    return zip(split.images, split.labels, strict=True)


def test_validation_is_a_stratified_part_of_train_the_same_for_a_seed() -> None:
    first, again, other = load("mnist-sample", 0.2, 1), load("mnist-sample", 0.2, 1), load("mnist-sample", 0.2, 2)
    assert first.validation.labels.bincount().tolist() == [90] * 10
    assert len(first.train) + len(first.validation) == DATASETS["mnist-sample"].sizes[0]
    assert torch.equal(first.validation.images, again.validation.images)
    assert not torch.equal(first.validation.images, other.validation.images)
    train = {image.numpy().tobytes() for image in first.train.images}
    assert not train & {image.numpy().tobytes() for image in first.validation.images}


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_tables_statistics_are_the_real_ones(name: str, real_data: Path) -> None:
    loaded, spec = load(name, folder=real_data), DATASETS[name]
    pixels = torch.cat([loaded.train.images, loaded.validation.images]).double() / 255
    assert (len(pixels), len(loaded.test)) == spec.sizes
    assert pixels.mean().item() == pytest.approx(spec.mean[0], abs=1e-4)
    assert pixels.std().item() == pytest.approx(spec.std[0], abs=1e-4)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(DatasetError, match="mnist-sample, mnist, fashion-mnist"):
        load("minst")


def test_excluded_images_are_left_out_of_train_alone() -> None:
    whole, rows = load_train("mnist-sample"), divided(load_train("mnist-sample"), 0.2, 1, 0.5)[0]
    gone = rows[[0, 7]].tolist()
    before, after = load("mnist-sample", 0.2, 1, None, 0.5), load("mnist-sample", 0.2, 1, None, 0.5, gone)
    assert torch.equal(after.train.images, whole.part(rows[~torch.isin(rows, torch.tensor(gone))]).images)
    assert torch.equal(before.train.images, whole.part(rows).images)
    assert torch.equal(before.validation.images, after.validation.images)


def test_images_that_do_not_exist_or_all_of_them_are_not_excluded() -> None:
    with pytest.raises(DatasetError, match="no training image 4500, the last is 4499"):
        load("mnist-sample", excluded=[4500])
    rows = divided(load_train("mnist-sample"), 0.1, 0, 0.001)[0]
    with pytest.raises(DatasetError, match="no training image of mnist-sample is left"):
        load("mnist-sample", train_fraction=0.001, excluded=rows.tolist())
