from __future__ import annotations

import pickle
from time import perf_counter

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab.data.loading import load_test
from cnnlab.data.splits import Split, few_of_each, fingerprints, held_out_groups


def test_fingerprints_tell_images_apart_by_one_pixel() -> None:
    images = load_test("mnist-sample").images.repeat(2, 1, 1, 1)
    images[500:, 0, 13, 13] ^= 1
    assert len(set(fingerprints(images).tolist())) == 1000


def test_sixty_thousand_fingerprints_take_less_than_a_second() -> None:
    images = torch.randint(0, 256, (60_000, 1, 28, 28), dtype=torch.uint8)
    start = perf_counter()
    fingerprints(images)
    assert perf_counter() - start < 1


def test_images_without_room_on_a_device_are_copied_batch_by_batch() -> None:
    images = torch.arange(24, dtype=torch.uint8).view(6, 1, 2, 2)
    split = Split(images, torch.arange(6), torch.tensor([5, 4, 3, 2, 1, 0]))
    device = torch.device("meta")
    streamed, whole = split.to(device, room=23), split.to(device, room=24)
    assert (streamed.pixels.device.type, whole.pixels.device.type) == ("cpu", "meta")
    for moved in (streamed, whole):
        assert moved.labels.device == moved.image(0).device == moved.images.device == device
        assert [part.device for part in moved.split(4)] == [device] * 2
    assert streamed.take(torch.tensor([1, 2])).device == device
    assert streamed.part(slice(2, 4)).rows.tolist() == [3, 2]  # type: ignore[union-attr]


def test_parts_and_single_images_are_those_of_the_whole() -> None:
    images = torch.arange(24, dtype=torch.uint8).view(6, 1, 2, 2)
    split = Split(images, torch.arange(6), torch.tensor([5, 4, 3, 2, 1, 0]))
    assert torch.equal(torch.cat(list(split.split(4))), images.flip(0))
    assert torch.equal(split.image(1), images[4])
    assert (fingerprints(split) == fingerprints(images)[::-1]).all()


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), min_size=2, max_size=80),
    st.sampled_from([0.1, 0.15, 0.3, 0.5]),
    st.integers(0, 3),
)
@settings(deadline=None, max_examples=60)
def test_no_group_is_divided_and_shares_are_kept(pictures: list[tuple[int, int]], fraction: float, seed: int) -> None:
    labels, groups = (torch.tensor(column) for column in zip(*pictures, strict=True))
    mask = held_out_groups(labels, groups, fraction, seed)
    assert torch.equal(mask, held_out_groups(labels, groups, fraction, seed))
    assert not set(groups[mask].tolist()) & set(groups[~mask].tolist())
    for label in labels.unique().tolist():
        own = labels == label
        wanted = max(1, round(fraction * int(own.sum())))
        largest = max(torch.bincount(groups[own]).tolist())
        assert int((mask & own).sum()) <= max(wanted, largest)
        assert int((~mask & own).sum()) >= 1


def test_groups_that_are_small_give_every_class_its_share() -> None:
    labels = torch.arange(4).repeat_interleave(60)
    groups = torch.arange(240) // 3
    for seed in range(5):
        mask = held_out_groups(labels, groups, 0.2, seed)
        shares = torch.bincount(labels[mask], minlength=4)
        assert shares.tolist() == [12, 12, 12, 12]
    assert not torch.equal(mask, held_out_groups(labels, groups, 0.2, 0))


def test_pictures_alone_give_every_class_exactly_its_share() -> None:
    labels = torch.arange(4).repeat_interleave(50)
    mask = held_out_groups(labels, torch.arange(200), 0.1, 0)
    assert torch.bincount(labels[mask]).tolist() == [5, 5, 5, 5]


def test_a_part_is_rows_of_the_same_pixels() -> None:
    pixels = torch.arange(20, dtype=torch.uint8).view(20, 1, 1, 1)
    split = Split(pixels, torch.arange(20), groups=torch.arange(20) // 2)
    part = split.part(torch.arange(20) % 3 == 0).part(torch.tensor([2, 0]))
    assert part.images.flatten().tolist() == [6, 0]
    assert part.labels.tolist() == [6, 0]
    assert part.groups is not None
    assert part.groups.tolist() == [3, 0]
    assert part.pixels.data_ptr() == pixels.data_ptr()
    assert part.take(torch.tensor([1])).flatten().tolist() == [0]
    assert split.part(slice(3, 5)).images.flatten().tolist() == [3, 4]
    assert part.to(torch.device("cpu")) is part


def test_an_image_alone_does_not_take_all_others_along() -> None:
    split = Split(torch.zeros(1_000, 1, 28, 28, dtype=torch.uint8), torch.zeros(1_000))
    assert len(pickle.dumps(split.image(3))) < 2_000


def test_images_in_a_row_are_not_copied() -> None:
    images = torch.arange(24, dtype=torch.uint8).view(6, 1, 2, 2)
    part = Split(images, torch.arange(6), torch.arange(6)).part(slice(2, 4))
    assert part.images.data_ptr() == images[2:].data_ptr()
    assert len(part.part(torch.tensor([], dtype=torch.int64)).images) == 0


def test_few_images_are_of_as_many_classes_as_there_are() -> None:
    labels = torch.tensor([3, 3, 3, 0, 1, 0, 1, 3])
    assert few_of_each(labels, 2).tolist() == [3, 4]
    assert few_of_each(labels, 5).tolist() == [3, 4, 0, 5, 6]
    assert sorted(few_of_each(labels).tolist()) == list(range(8))
