"""What a file that was written here says of itself; a stranger's says nothing."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from typing import Annotated

import onnx
import torch
from pydantic import BaseModel, Field, FiniteFloat, ValidationError
from torch import Tensor

from cnnlab.data.spec import DatasetSpec
from cnnlab.export.formats.onnx_file import METADATA
from cnnlab.importing.foreign_file import ForeignError
from cnnlab.networks.layers import shown
from cnnlab.training.config import MAX_EPOCHS

MAX_LISTED = 3  # classes that a message names


class _Examples(BaseModel):
    images: Annotated[str, Field(max_length=50_000_000)]
    probabilities: Annotated[tuple[tuple[FiniteFloat, ...], ...], Field(max_length=100)]


class Described(BaseModel):
    """The description that the app writes into its ONNX files."""

    title: Annotated[str, Field(max_length=200)] = ""
    run: Annotated[str, Field(max_length=100)] = ""
    epoch: Annotated[int, Field(ge=-1, le=MAX_EPOCHS)] = 0
    classes: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=10_000)]
    shape: tuple[int, int, int]
    examples: _Examples | None = None

    def check(self, spec: DatasetSpec) -> None:
        """Raise ForeignError where the file tells other classes apart than the data set has, or takes other images."""
        if self.shape != spec.shape:
            raise ForeignError(
                f"the file takes images of {shown(self.shape)}, and those of {spec.title} have {shown(spec.shape)}: "
                "choose the data set that it learned from"
            )
        if self.classes != spec.classes:
            other = [name for name in self.classes if name not in spec.classes] or list(self.classes)
            raise ForeignError(
                f"the file tells other classes apart than {spec.title} has, or in another order "
                f"({', '.join(name[:40] for name in other[:MAX_LISTED])}, …): choose the data set that it learned from"
            )

    def answers(self) -> tuple[Tensor, Tensor] | None:
        """Return the example images (N, C, H, W) uint8 and their probabilities (N, classes); None where there are none.

        Raises ForeignError where they are damaged.
        """
        if self.examples is None:
            return None
        try:
            content = b64decode(self.examples.images, validate=True)
            images = torch.frombuffer(bytearray(content), dtype=torch.uint8).view(-1, *self.shape)
            answers = torch.tensor(self.examples.probabilities, dtype=torch.float32)
        except (Error, RuntimeError, ValueError) as error:
            raise ForeignError("the file's examples are damaged: export it again") from error
        if answers.shape != (len(images), len(self.classes)):
            raise ForeignError("the file has other examples than answers to them: export it again")
        return images, answers


def described(model: onnx.ModelProto) -> Described | None:
    """Return what an ONNX file of ours says of itself; None for a stranger's."""
    found = next((one.value for one in model.metadata_props if one.key == METADATA), "")
    try:
        return Described.model_validate_json(found) if found else None
    except ValidationError:
        return None
