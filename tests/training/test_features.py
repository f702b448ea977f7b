from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from cnnlab.data.folders import cache_folder
from cnnlab.data.splits import Split
from cnnlab.networks.build import build
from cnnlab.training import features
from cnnlab.training.config import RunConfig
from cnnlab.training.events import EpochMetrics, Prepared
from cnnlab.training.features import FeatureCache, FeaturesError, FeatureWork, Source
from cnnlab.training.loop import Training, fit
from tests.samples import few_digits
from tests.training.trainings import config, measured, weights_of

FROZEN = config(start="someone@1", learn_from="linear1")


def network_of(settings: RunConfig) -> nn.Sequential:
    """The network with random weights in place of someone's."""
    return build(settings.architecture, (1, 28, 28), 10, settings.seed)


def split_of(count: int, seed: int = 0) -> Split:
    draws = torch.Generator().manual_seed(seed)
    return Split(torch.randint(0, 256, (count, 1, 4, 4), generator=draws, dtype=torch.uint8), torch.arange(count) % 3)


def brightness(images: Tensor) -> Tensor:
    return torch.stack([images.float().mean((1, 2, 3)), images.float().amax((1, 2, 3))], 1)


def work(cache: FeatureCache, *splits: Split) -> FeatureWork:
    return FeatureWork(cache, brightness, [Source(split) for split in splits])


def test_features_come_in_the_order_of_their_images(tmp_path: Path) -> None:
    first, second = split_of(70), split_of(40, seed=1)
    done = work(FeatureCache(tmp_path, (2,)), first, second)
    assert list(done)[-1] == done.images == done.computed == 110
    for split, found in zip((first, second), done.splits(), strict=True):
        assert torch.equal(found.images, brightness(split.images).half())
        assert torch.equal(found.labels, split.labels)


def test_nothing_is_computed_twice(tmp_path: Path) -> None:
    first, cache = split_of(70), FeatureCache(tmp_path, (2,))
    list(work(cache, first, first.part(slice(10))))
    again = work(FeatureCache(tmp_path, (2,)), first.part(torch.arange(30, 60)), split_of(5, seed=2))
    list(again)
    assert again.computed == 5
    assert torch.equal(again.splits()[0].images, brightness(first.images[30:60]).half())
    assert len(cache.prints()) == 75


def test_what_a_killed_process_left_is_gone_on_with(tmp_path: Path) -> None:
    """Features without prints, and half of either, are overwritten."""
    first, cache = split_of(100), FeatureCache(tmp_path, (2,))
    killed = work(cache, first)
    assert next(iter(killed)) == 0
    kept = len(cache.prints())
    assert 0 < kept < 100
    for name, torn in (("features.f16", b"\x01\x02\x03"), ("images.u64", b"\x04")):
        with (tmp_path / name).open("ab") as file:
            file.write(torn)
    again = work(FeatureCache(tmp_path, (2,)), first)
    list(again)
    assert again.computed == 100 - kept
    assert torch.equal(again.splits()[0].images, brightness(first.images).half())


def test_images_that_are_changed_have_features_of_their_own(tmp_path: Path) -> None:
    split = split_of(10)
    done = FeatureWork(FeatureCache(tmp_path, (2,)), brightness, [Source(split, lambda images, _: 255 - images)])
    list(done)
    assert torch.equal(done.splits()[0].images, brightness(255 - split.images).half())


def training(epochs: int = 2) -> Training:
    data = few_digits()
    return Training(network_of(FROZEN), data, FROZEN.model_copy(update={"epochs": epochs}))


def test_frozen_layers_stay_and_the_others_learn() -> None:
    trained = training()
    before, last = trained.frozen.state_dict()["conv1.weight"].clone(), weights_of(trained.learning)
    events = list(trained.events())
    assert torch.equal(trained.frozen.state_dict()["conv1.weight"], before)
    assert not torch.equal(weights_of(trained.learning), last)
    assert [event.computed for event in events if isinstance(event, Prepared)][-1] == 84
    assert not any(parameter.requires_grad for parameter in trained.frozen.parameters())


def test_features_give_what_the_images_give() -> None:
    """Up to the 16 bits in which they are kept."""
    losses = []
    for copies in (1, 0):
        data, settings = few_digits(), FROZEN.model_copy(update={"feature_copies": copies})
        events = list(fit(network_of(settings), data, settings))
        losses.append([event.validation_loss for event in events if isinstance(event, EpochMetrics)])
    assert losses[0] == pytest.approx(losses[1], rel=2e-3)


def test_a_second_training_computes_nothing_and_gets_the_same_numbers() -> None:
    first, second = list(training().events()), list(training().events())
    assert {event.computed for event in second if isinstance(event, Prepared)} == {0}
    told = [[row for row in measured(events) if row["kind"] == "epoch"] for events in (first, second)]
    assert told[0] == told[1]


def test_a_training_that_goes_on_takes_the_same_steps() -> None:
    whole = training()
    list(whole.events())
    half = training()
    for event in half.events():
        if isinstance(event, EpochMetrics):
            break
    other = training()
    other.network.load_state_dict(half.network.state_dict())
    other.restore(half.checkpoint())
    list(other.events())
    assert torch.equal(weights_of(other.network), weights_of(whole.network))


def test_an_epoch_sees_each_image_once_in_one_of_its_variants() -> None:
    data = few_digits()
    settings = FROZEN.model_copy(update={"feature_copies": 3, "augmentation": "affine"})
    trained = Training(network_of(settings), data, settings)
    assert [event for event in trained.events() if isinstance(event, Prepared)][-1].of == 3 * 64 + 20
    draws = torch.Generator().manual_seed(0)
    chosen = torch.stack([trained._order(trained._inputs.train.labels, draws) for _ in range(40)])
    assert all(sorted(row.remainder(64).tolist()) == list(range(64)) for row in chosen)
    assert set((chosen // 64).flatten().tolist()) == {0, 1, 2}
    variants = [trained._inputs.train.part(slice(64 * copy, 64 * copy + 64)).images for copy in range(3)]
    assert not torch.equal(variants[0], variants[1])
    assert not torch.equal(variants[1], variants[2])


def test_batch_norms_of_given_weights_keep_their_statistics_and_learn_their_factors() -> None:
    settings = config(architecture="quick", start="someone@1", learn_from="conv2", feature_copies=0, epochs=1)
    data = few_digits()
    trained = Training(network_of(settings), data, settings, started=["conv1", "norm1", "conv2", "norm2"])
    list(trained.events())
    state = trained.network.state_dict()
    assert [int(state[f"norm{number}.num_batches_tracked"]) > 0 for number in (1, 2, 3)] == [False, False, True]
    assert [(state[f"norm{number}.weight"] != 1).any().item() for number in (1, 2, 3)] == [False, True, True]


def test_features_of_other_weights_and_scales_are_kept_apart() -> None:
    data = few_digits()
    for settings in (FROZEN, FROZEN.model_copy(update={"seed": 5}), FROZEN.model_copy(update={"normalise": "unit"})):
        list(fit(network_of(settings), data, settings))
    assert len(list((cache_folder() / "features").iterdir())) == 3


def test_a_full_disk_is_told_before_anything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", ["total", "used", "free"])
    monkeypatch.setattr(features, "disk_usage", lambda folder: usage(10**9, 10**9, 0))
    with pytest.raises(FeaturesError, match="of disk are free"):
        list(training().events())


def test_a_disk_that_fills_up_on_the_way_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(features, "exclusive", full)
    with pytest.raises(FeaturesError, match=r"No space left on device.*CNNLAB_CACHE"):
        list(training().events())


def test_the_features_used_longest_ago_go_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(features, "is_older", lambda path, age: path.name != "in-use")
    monkeypatch.setattr(features, "KEPT_BYTES", 250)
    folder = tmp_path / "features"
    for age, name in enumerate(("in-use", "newest", "older", "oldest")):
        (folder / name).mkdir(parents=True)
        (folder / name / "features.f16").write_bytes(bytes(100))
        stamp = 1_700_000_000 - age
        shutil.os.utime(folder / name, (stamp, stamp))  # type: ignore[attr-defined]
    features._make_room(folder / "new", 50)
    assert sorted(path.name for path in folder.iterdir()) == ["in-use", "new", "newest"]
