"""The base class of all layers, and its types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from keyword import iskeyword
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from cnnlab.errors import CnnLabError

if TYPE_CHECKING:
    from cnnlab.networks.layers.chains import Chain
    from cnnlab.networks.layers.registry import Layer

Shape = tuple[int, ...]
# Kernel, stride, dilation and padding, each of rows and columns; what enlarges has a stride below 1.
Window = tuple[tuple[int, int], tuple[float, float], tuple[int, int], tuple[float, float]]

Size = Annotated[int, Field(ge=1, le=64)]
Border = Annotated[int, Field(ge=0, le=64)]
Channels = Annotated[int, Field(ge=1, le=4096)]
Padding = Literal["same", "valid", "same-upper"]  # same-upper: any stride, as TensorFlow and ONNX pad
Fraction = Annotated[float, Field(ge=0, lt=1)]
Initialisation = Literal[
    "default", "xavier-uniform", "xavier-normal", "kaiming-uniform", "kaiming-normal", "uniform", "normal"
]
Spread = Annotated[float, Field(gt=0, le=10)]  # of initial weights: "uniform": ±spread; "normal": standard deviation
INITS: dict[Initialisation, str] = {
    "xavier-uniform": "xavier_uniform_",
    "xavier-normal": "xavier_normal_",
    "kaiming-uniform": "kaiming_uniform_",
    "kaiming-normal": "kaiming_normal_",
    "uniform": "uniform_",
    "normal": "normal_",
}
Function = Literal[
    "relu", "relu6", "leaky-relu", "gelu", "silu", "hard-swish", "elu", "tanh", "sigmoid", "hard-sigmoid"
]
Family = Literal["convolution", "pool", "norm", "activation", "linear", "block", "other"]
Linearity = Literal["weighted", "passive", "nonlinear"]  # weighted: a learned linear map; passive: a fixed one
Merge = Literal["sum", "concatenation", "product", "none"]  # what a block makes of its branches' outputs


# Attributes of every nn.Sequential: a layer of that name would hide one.
_ATTRIBUTES = """
T_destination add_module append apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches
eval extend extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half insert ipu
load_state_dict modules mtia named_buffers named_children named_modules named_parameters parameters pop
register_backward_hook register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state
set_submodule share_memory state_dict to to_empty train training type xpu zero_grad
"""
RESERVED = frozenset(_ATTRIBUTES.split())


class LayerError(CnnLabError, ValueError):
    """Report that a layer cannot take its input; the message says why and what to change."""


def _code(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


class Call(NamedTuple):
    """Name a callable of ``torch.nn`` or ``torch.nn.init``, with the arguments that differ from PyTorch's defaults."""

    name: str
    arguments: tuple[object, ...] = ()
    keywords: Mapping[str, object] = MappingProxyType({})

    def __str__(self) -> str:
        """Return the source of the call: ``Conv2d(1, 8, kernel_size=3)``."""
        keywords = (f"{name}={_code(value)}" for name, value in self.keywords.items())
        return f"{self.name}({', '.join([*map(_code, self.arguments), *keywords])})"


def _is_free(name: str) -> str:
    if name in RESERVED or iskeyword(name):
        raise ValueError(f"{name!r} has a meaning of its own in PyTorch or Python: choose another name")
    return name


def initialiser(init: Initialisation, spread: float) -> Call | None:
    """Return the function of ``torch.nn.init`` for an initialisation; None for PyTorch's default."""
    if init == "default":
        return None
    keywords: dict[str, object] = {}
    if init.startswith("kaiming"):
        keywords = {"nonlinearity": "relu"}
    elif init == "uniform":
        keywords = {"a": -spread, "b": spread}
    elif init == "normal":
        keywords = {"std": spread}
    return Call(INITS[init], (), keywords)


class BaseLayer(BaseModel):
    """Describe one kind of layer: its settings are fields, what is known about the kind are the members below.

    Sizes that follow from the input are no fields. Shapes leave out the batch. What a kind does not override suits a
    non-linear layer without weights that keeps its input's shape.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    examples: ClassVar[Mapping[str, Mapping[str, object]]] = {}  # what Design adds: label → settings
    family: ClassVar[Family] = "other"  # its look in diagrams
    linearity: ClassVar[Linearity] = "nonlinear"
    uses_batch_statistics: ClassVar[bool] = False
    drops_out: ClassVar[bool] = False
    passes_variance_shift: ClassVar[bool] = False  # dropout before it still disturbs a batch norm behind it
    may_follow_logits: ClassVar[bool] = False
    has_fixed_output_size: ClassVar[bool] = False
    # Of blocks:
    merge: ClassVar[Merge] = "none"
    title: ClassVar[str] = ""
    chain_fields: ClassVar[frozenset[str]] = frozenset()  # the fields that ``chains`` are made of
    branch_counts: ClassVar[range] = range(0)  # how many chains it may hold, where that can be chosen
    needs_layers: ClassVar[bool] = False  # none of its chains may be empty
    _stem: ClassVar[str] = ""

    if TYPE_CHECKING:
        kind: str  # each class has its own Literal

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$"), AfterValidator(_is_free)] | None = None

    @property
    def stem(self) -> str:
        """Return what names of unnamed layers begin with: ``conv`` of conv1, conv2, …"""
        return self._stem or self.kind

    @property
    def kind_title(self) -> str:
        """The kind as users read it, as Design offers it."""
        return next(iter(self.examples), self.kind)

    @property
    def label(self) -> str:
        """Return what a diagram calls a layer without a name."""
        return self.stem

    @property
    def window_label(self) -> str:
        """Return the kernel and, where it is not 1, the stride: ``3×3 /2``; empty for a layer without a window."""
        return ""

    @property
    def has_bias(self) -> bool:
        """Tell whether the layer's last operation adds a learned offset to each output channel."""
        return False

    @property
    def saturates(self) -> bool:
        """Tell whether the gradient vanishes for large inputs of either sign."""
        return False

    @property
    def gives_logits(self) -> bool:
        """Tell whether the output is one number for each class."""
        return False

    @property
    def ends_non_linear(self) -> bool:
        """Tell whether a layer of linear maps ends with a non-linearity of its own."""
        return False

    @property
    def final_activation(self) -> str:
        """Return the function that a block applies to its merged branches; empty if there is none."""
        return ""

    @property
    def branch_number(self) -> int:
        """Return the number of branches of a block."""
        return 0

    def merge_modules(self) -> dict[str, Call]:
        """Return the modules that a block's own module takes beside its branches, by argument."""
        return {}

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        """Return the shape of the output for an input of ``shape``. Raises LayerError if the layer cannot take it."""
        return shape

    def parameters(self, shape: Shape, classes: int) -> int:
        """Count the learned numbers for an input of ``shape``."""
        return 0

    def macs(self, shape: Shape, classes: int) -> int:
        """Count the multiply-accumulates for one image, of convolutions and linear layers only, without the bias."""
        return 0

    def activations(self, shape: Shape, classes: int) -> int:
        """Count the outputs for one image, those of inner layers included: what training keeps for backward."""
        return prod(self.output_shape(shape, classes))

    def peak(self, shape: Shape, classes: int) -> int:
        """Count the numbers in memory at once for one image in inference: the input and the output."""
        return prod(shape) + prod(self.output_shape(shape, classes))

    def windows(self, shape: Shape) -> list[Window] | None:
        """List the sliding windows from input to output; None if every input reaches every output."""
        return []

    def initial_weights(self) -> Call | None:
        """Return the function of ``torch.nn.init`` for the weights; None for PyTorch's default."""
        return None

    @property
    def chains(self) -> dict[str, Chain]:
        """Return a block's editable chains of layers, by name, in the order of ``branches``; empty for other layers."""
        return {}

    def with_chains(self, chains: Sequence[Chain]) -> Layer:
        """Return the same block with other ``chains``. Raises ValidationError if it cannot hold them."""
        raise TypeError(f"a {type(self).__name__} holds no layers to edit")

    def branches(self, shape: Shape, classes: int) -> dict[str, Chain]:
        """Return a block's chains of layers, by name; each gets the block's input. Empty for other layers.

        A single chain named "" is the whole block. Raises LayerError if the block cannot take ``shape``.
        """
        return {}

    def call(self, shape: Shape, classes: int) -> Call:
        """Return the layer's PyTorch module. Raises TypeError for a block, which is made of several."""
        raise TypeError(f"{type(self).__name__} is no single module of PyTorch")

    def _chosen(self, *left_out: str) -> dict[str, object]:
        """Return the fields that PyTorch's module shares, where they differ from its defaults."""
        return self.model_dump(exclude_defaults=True, exclude={"kind", "name", "init", "spread", *left_out})

    def shape_formula(self, shape: Shape, classes: int) -> str:
        """Write out how the output's shape follows from ``shape``, with the numbers."""
        return f"keeps {shown(shape)}"

    def parameter_formula(self, shape: Shape, classes: int) -> str:
        """Write out how the number of parameters follows from ``shape``; empty if there are none."""
        return ""


def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """Return a size as (rows, columns): ``3`` → ``(3, 3)``; a pair stays as it is."""
    return (size, size) if isinstance(size, int) else size


def shown(shape: Shape) -> str:
    """Format a shape: ``(8, 14, 14)`` → ``8×14×14``."""
    return "×".join(map(str, shape))
