"""Training as tutorials write it, only for comparison: one image at a time, a reading every batch."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader, Dataset, Subset

from cnnlab.data.batches import scaling
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.folders import data_folder
from cnnlab.data.loading import load
from cnnlab.data.torchvision_compat import datasets, transforms
from cnnlab.training.config import RunConfig


@contextmanager
def training_set(config: RunConfig, folder: Path | None = None) -> Iterator[Dataset[Any]]:
    """Return the config's training images (MNIST or Fashion-MNIST) as a torchvision data set of PIL images.

    They are unpacked into a temporary folder, because torchvision reads no gzipped files. Raises DatasetError as
    ``load``.
    """
    load(config.dataset, folder=folder)  # downloads missing files
    spec = dataset_spec(config.dataset)
    steps: list[object] = [transforms.ToTensor()]
    if config.normalise != "unit":
        steps.append(transforms.Normalize(*scaling(spec, config.normalise)))
    kind = {"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST}[config.dataset]
    with tempfile.TemporaryDirectory(prefix="cnnlab-") as root:
        for file in spec.files:
            target = Path(root) / file
            target.parent.mkdir(parents=True, exist_ok=True)
            _unpack((folder or data_folder()) / file, target)
        yield kind(root, train=True, transform=transforms.Compose(steps))


def train(
    network: nn.Module, images: Dataset[Any], config: RunConfig, device: torch.device, count: int | None = None
) -> Iterator[int]:
    """Train in place on ``images``, or the first ``count`` of them; yield the images seen after each batch."""
    if count is not None:
        images = Subset(images, range(count))
    loader = DataLoader(images, config.batch_size, shuffle=True, num_workers=0)
    network.to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=config.learning_rate)
    decay = CosineAnnealingLR(optimizer, config.epochs * len(loader)) if config.schedule == "cosine" else None
    seen = 0
    for _ in range(config.epochs):
        network.train()
        running_loss, correct = 0.0, 0
        for batch, answers in loader:
            inputs, labels = batch.to(device), answers.to(device)
            optimizer.zero_grad()
            logits = network(inputs)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            optimizer.step()
            if decay:
                decay.step()
            running_loss += loss.item()
            correct += int((logits.argmax(1) == labels).sum().item())
            seen += len(labels)
            yield seen


def _unpack(source: Path, target: Path) -> None:
    if source.exists():
        shutil.copyfile(source, target)
        return
    with gzip.open(source.with_name(f"{source.name}.gz")) as packed, target.open("wb") as file:
        shutil.copyfileobj(packed, file)
