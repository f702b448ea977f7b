"""Files of weights to start from, known by their contents; published ones are converted once. Nothing is unpickled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from http.client import HTTPException
from importlib.util import find_spec
from pathlib import Path
from urllib.request import urlopen

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor, nn

from cnnlab.data.folders import cache_folder
from cnnlab.errors import CnnLabError
from cnnlab.files import atomic_file, atomic_write, regular
from cnnlab.networks.build import build
from cnnlab.places import how_to_install
from cnnlab.pretrained.table import BACKBONES, IMAGENET_CLASSES, Backbone

SILENCE_SECONDS = 30.0  # of a server: then a download has failed
SMALLEST = (3, 64, 64)  # images that every backbone takes

Weights = Mapping[str, Tensor]


class PretrainedError(CnnLabError):
    """Weights that cannot be had or do not fit; the message says why and what to do."""


def content_digest(tensors: Weights) -> str:
    """Return the SHA-256 of names, types, shapes and numbers, whatever the file's format."""
    digest = sha256()
    for name, tensor in sorted(tensors.items()):
        plain = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {plain.dtype} {tuple(plain.shape)}\n".encode())
        digest.update(plain.view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


class WeightStore:
    """A folder of weights, each in a file named by its contents."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str) -> Path:
        return self.folder / f"{digest}.safetensors"

    def put(self, tensors: Weights) -> str:
        """Write tensors unless they are there; return their digest. Raises OSError."""
        digest = content_digest(tensors)
        if not self.path(digest).exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_file(self.path(digest)) as aside:
                save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, aside)
        return digest

    def get(self, digest: str) -> dict[str, Tensor]:
        """Return the tensors, shared by all who ask. Raises PretrainedError where they are missing or others."""
        return _read(self.path(digest), digest)


@lru_cache(maxsize=2)  # up to 120 MB each
def _read(path: Path, digest: str) -> dict[str, Tensor]:
    try:
        tensors = load(regular(path).read_bytes())  # not mapped: who shortens a mapped file ends the process
    except (OSError, SafetensorError) as error:
        raise PretrainedError(f"the weights {digest[:12]}… are missing or damaged ({error})") from error
    if content_digest(tensors) != digest:
        raise PretrainedError(f"the file of the weights {digest[:12]}… holds others: delete {path}")
    return tensors


def published(name: str) -> dict[str, Tensor]:
    """Return a backbone's published weights by our layers' names; the first time they are fetched and converted.

    Raises PretrainedError where they are not on this machine and cannot be fetched, or are not what was published.
    """
    backbone = BACKBONES[name]
    store = _store()
    try:
        if digest := _known_digest(backbone, store):
            with suppress(PretrainedError):
                return store.get(digest)
            store.path(digest).unlink(missing_ok=True)  # damaged: it is converted again
        digest = store.put(_converted(backbone, _published_file(backbone, store.folder)))
        atomic_write(_note(backbone, store), digest)
    except OSError as error:
        raise PretrainedError(
            f"the weights of {backbone.title} cannot be kept in {store.folder} ({error.strerror or error}): make room "
            "or allow it there, or name another folder with CNNLAB_CACHE"
        ) from error
    return store.get(digest)


def known_digest(name: str) -> str:
    """Return the digest of a backbone's weights; empty where only those who fetch them find out."""
    return BACKBONES[name].digest or _known_digest(BACKBONES[name], _store())


def _store() -> WeightStore:
    return WeightStore(cache_folder() / "pretrained")


def _known_digest(backbone: Backbone, store: WeightStore) -> str:
    """Return the digest of weights that were converted before; empty where they are not here."""
    note = _note(backbone, store)
    noted = note.read_text(encoding="ascii") if note.is_file() else ""
    digest = backbone.digest or (noted if re.fullmatch("[0-9a-f]{64}", noted) else "")
    return digest if digest and store.path(digest).exists() else ""


def _note(backbone: Backbone, store: WeightStore) -> Path:
    """Return the file that names the digest of a backbone's converted weights."""
    return store.folder / f"{backbone.name}.sha256"


def _published_file(backbone: Backbone, folder: Path) -> Path:
    """Find the file that a package brought, else fetch it into ``folder`` unless it lies there. Raises OSError."""
    if not backbone.package:
        fetched = folder / backbone.file
        return fetched if fetched.exists() else _fetch(backbone, fetched)
    spec = find_spec(backbone.package)
    if spec is None or spec.origin is None:
        raise PretrainedError(f"the weights of {backbone.title} are not on this machine: {how_to_install()}")
    found = next(Path(spec.origin).parent.rglob(backbone.file), None)
    if found is None:
        raise PretrainedError(f"{backbone.package} lacks {backbone.file}: install it again")
    return found


def _fetch(backbone: Backbone, target: Path) -> Path:
    """Download a backbone's file. Raises OSError where it cannot be written, PretrainedError where it cannot be had."""
    target.parent.mkdir(parents=True, exist_ok=True)
    limit = int(1.1e6 * backbone.megabytes)
    with atomic_file(target) as aside:
        try:
            with urlopen(f"{backbone.folder}/{backbone.file}", timeout=SILENCE_SECONDS) as answer:
                content = answer.read(limit + 1)
        except (OSError, HTTPException) as error:
            raise PretrainedError(
                f"the weights of {backbone.title} ({backbone.megabytes:.0f} MB) are not here and could not be fetched "
                f"({error}): connect to the internet and try again, put {backbone.file} into {target.parent}, or start "
                "from lite0, which needs no download"
            ) from error
        if len(content) > limit:
            raise PretrainedError(f"{backbone.folder} sends more than the weights of {backbone.title}: try again later")
        aside.write_bytes(content)
    return target


def _converted(backbone: Backbone, file: Path) -> dict[str, Tensor]:
    """Read a published file, which unpickles nothing but tensors, and name them as our layers do."""
    if not sha256(file.read_bytes()).hexdigest().startswith(backbone.file_digest):
        raise PretrainedError(f"{file} is not the file that was published: delete it, or install its package again")
    tensors = torch.load(file, map_location="cpu", weights_only=True)
    with torch.device("meta"):
        own = build(backbone.original(), SMALLEST, IMAGENET_CLASSES).state_dict()
    ordered = in_our_order(tensors)
    return {name: value.reshape(own[name].shape) for name, value in zip(own, ordered, strict=True)}


def in_our_order(state: Weights) -> list[Tensor]:
    """List a published network's tensors in the order of our layers, which is the published one for all but ConvNeXt.

    ConvNeXt's has the factors of a block before its layers, where ours end it.
    """
    values, factors = [], []
    for name, value in state.items():
        if name.endswith("layer_scale"):
            factors.append(value)
            continue
        values.append(value)
        if name.endswith("block.5.bias"):
            values.append(factors.pop())
    return values


def take_weights(network: nn.Sequential, weights: Weights) -> list[str]:
    """Copy ``weights`` into the network's layers, up to the first that has others; return the names of those that took.

    Where the network takes grey images, a convolution of colour ones gets the sum of its three channels' weights, which
    answers to a grey image as the three do to its copies. Raises PretrainedError where not even the first layer fits.
    """
    taken: list[str] = []
    for name, layer in network.named_children():
        own = layer.state_dict()
        found = {inner: weights.get(f"{name}.{inner}") for inner in own}
        if any(tensor is None for tensor in found.values()):
            break
        fitted = {inner: _fitted(tensor, own[inner]) for inner, tensor in found.items() if tensor is not None}
        if any(tensor.shape != own[inner].shape for inner, tensor in fitted.items()):
            break
        layer.load_state_dict(fitted)
        taken.append(name)
    if not any(network.get_submodule(name).state_dict() for name in taken):
        raise PretrainedError("the weights to start from are of a network with other first layers")
    return taken


def _fitted(found: Tensor, own: Tensor) -> Tensor:
    """Sum the weights of a convolution's input channels where the network has only one."""
    if found.dim() == own.dim() == 4 and own.shape[1] == 1 < found.shape[1] and own.shape[0] == found.shape[0]:
        is_first = found.shape[1] == SMALLEST[0]  # not a filter for each of many maps
        return found.sum(1, keepdim=True) if is_first else found
    return found
