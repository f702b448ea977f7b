"""TensorFlow Lite, where its converter is installed; elsewhere it says how to install it."""

from __future__ import annotations

import json
from importlib.util import find_spec
from io import BytesIO
from zipfile import ZipFile

import pytest
import torch

from cnnlab.export.formats import tflite_file
from cnnlab.export.formats.table import EXPORTS
from cnnlab.export.portable import ExportError
from cnnlab.networks.architecture import Draft
from cnnlab.networks.layers import Conv2d, Flatten, Linear, Resize
from cnnlab.networks.presets import PRESETS
from tests.export.portables import portable

installed = pytest.mark.skipif(
    find_spec(tflite_file.PACKAGE) is None, reason="the optional package litert-torch is not installed"
)


def test_without_its_converter_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflite_file, "PACKAGE", "litert_torch_that_is_nowhere")
    with pytest.raises(ExportError, match="pip install litert-torch"):
        EXPORTS["tflite"].write(portable(PRESETS["quick"], (1, 28, 28)))


@installed
def test_it_answers_alike_and_tells_what_it_is() -> None:
    given = portable(PRESETS["small-resnet"], (3, 32, 32))
    content, answer = EXPORTS["tflite"].write(given)
    assert answer
    images = torch.randint(0, 256, (7, 3, 32, 32), dtype=torch.uint8)
    assert (answer(images) - given.trained.probabilities(images)).abs().max() <= 1e-5
    with ZipFile(BytesIO(content)) as archive:
        assert archive.read(tflite_file.LABELS).decode().split("\n") == list(given.trained.classes)
        assert json.loads(archive.read(tflite_file.DESCRIPTION)) == json.loads(json.dumps(given.description()))


@installed
def test_a_layer_that_it_lacks_is_told() -> None:
    resized = Draft(
        name="resized",
        title="Resized",
        layers=(Conv2d(out_channels=2), Resize(size=7), Flatten(), Linear(out_features="classes")),
    )
    with pytest.raises(ExportError, match=r"TensorFlow Lite has no such layer: .*upsample"):
        EXPORTS["tflite"].write(portable(resized, (1, 12, 12)))
