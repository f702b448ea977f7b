"""Every kind of layer, by the name that it has in files."""

from __future__ import annotations

from typing import Annotated, Any, Union

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from cnnlab.networks.layers.base import BaseLayer
from cnnlab.networks.layers.blocks import DepthwiseSeparable, Parallel, Residual, SqueezeExcite
from cnnlab.networks.layers.convolution import Conv2d
from cnnlab.networks.layers.norms import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm
from cnnlab.networks.layers.plain import Activation, Dropout, Flatten, LayerScale, Linear, Softmax
from cnnlab.networks.layers.pooling import AdaptivePool2d, AvgPool2d, MaxPool2d
from cnnlab.networks.layers.resizing import Resize

KINDS: dict[str, type[BaseLayer]] = {
    layer.model_fields["kind"].default: layer
    for layer in (  # in the order in which Design offers them
        Conv2d,
        Activation,
        MaxPool2d,
        AvgPool2d,
        AdaptivePool2d,
        Resize,
        BatchNorm2d,
        BatchNorm1d,
        GroupNorm,
        LayerNorm,
        LayerScale,
        Dropout,
        Flatten,
        Linear,
        Residual,
        DepthwiseSeparable,
        Parallel,
        SqueezeExcite,
        Softmax,
    )
}


class _OfAnyKind:
    """Make pydantic read a layer as the class of its ``kind``, as registered when a model is built."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        kinds: Any = Union[tuple(KINDS.values())]  # noqa: UP007 - not known before it runs
        return handler.generate_schema(Annotated[kinds, Field(discriminator="kind")])


Layer = Annotated[BaseLayer, _OfAnyKind()]

for _block in (Residual, Parallel):
    _block.model_rebuild(_types_namespace={"Layer": Layer})
