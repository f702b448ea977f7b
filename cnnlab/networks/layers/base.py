"""What all layers have in common: validated data that knows its own shapes and costs."""

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
Window = tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]  # kernel, stride, dilation, padding

Size = Annotated[int, Field(ge=1, le=64)]
Border = Annotated[int, Field(ge=0, le=64)]
Channels = Annotated[int, Field(ge=1, le=4096)]
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
Function = Literal["relu", "leaky-relu", "gelu", "silu", "elu", "tanh", "sigmoid"]
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
    """A layer cannot take the input that reaches it; the message says why and what to change."""


def _code(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


class Call(NamedTuple):
    """A name of ``torch.nn`` or ``torch.nn.init`` and the arguments that differ from PyTorch's own defaults."""

    name: str
    arguments: tuple[object, ...] = ()
    keywords: Mapping[str, object] = MappingProxyType({})

    def __str__(self) -> str:
        """``Conv2d(1, 8, kernel_size=3)``."""
        keywords = (f"{name}={_code(value)}" for name, value in self.keywords.items())
        return f"{self.name}({', '.join([*map(_code, self.arguments), *keywords])})"


def _is_free(name: str) -> str:
    if name in RESERVED or iskeyword(name):
        raise ValueError(f"{name!r} has a meaning of its own in PyTorch or Python: choose another name")
    return name


def initialiser(init: Initialisation, spread: float) -> Call | None:
    """The function of ``torch.nn.init`` for an initialisation; None for PyTorch's own."""
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
        """What the names of unnamed layers begin with: ``conv`` of conv1, conv2, …"""
        return self._stem or self.kind

    @property
    def label(self) -> str:
        """What a diagram calls a layer without a name."""
        return self.stem

    @property
    def window_label(self) -> str:
        """Its kernel and, where it is not 1, its stride: ``3×3 /2``; empty where it has no window."""
        return ""

    @property
    def has_bias(self) -> bool:
        """Whether a learned offset is added to each output channel last."""
        return False

    @property
    def saturates(self) -> bool:
        """Whether its gradient vanishes for large inputs of either sign."""
        return False

    @property
    def gives_logits(self) -> bool:
        """Whether its output is one number for each class."""
        return False

    @property
    def ends_non_linear(self) -> bool:
        """Whether a ``weighted`` layer has a non-linearity of its own at its end."""
        return False

    @property
    def final_activation(self) -> str:
        """The function that a block applies to its merged branches; empty where there is none."""
        return ""

    @property
    def branch_number(self) -> int:
        """How many branches a block has."""
        return 0

    def merge_modules(self) -> dict[str, Call]:
        """What a block's module needs beside its branches, by argument."""
        return {}

    def output_shape(self, shape: Shape, classes: int) -> Shape:
        """Shape that leaves the layer. Raises LayerError where the layer cannot take ``shape``."""
        return shape

    def parameters(self, shape: Shape, classes: int) -> int:
        """Learned numbers, for an input of ``shape``."""
        return 0

    def macs(self, shape: Shape, classes: int) -> int:
        """Multiply-accumulates for one image; convolutions and linear layers only, bias left out."""
        return 0

    def activations(self, shape: Shape, classes: int) -> int:
        """Numbers it gives for one image, those within it included: what training keeps for the way back."""
        return prod(self.output_shape(shape, classes))

    def peak(self, shape: Shape, classes: int) -> int:
        """Numbers in memory at once for one image where nothing is kept: what flows in and what flows out."""
        return prod(shape) + prod(self.output_shape(shape, classes))

    def windows(self, shape: Shape) -> list[Window] | None:
        """Sliding windows passed on the way through; None where every input reaches every output."""
        return []

    def initial_weights(self) -> Call | None:
        """The function of ``torch.nn.init`` that draws its weights; None where PyTorch's own way stays."""
        return None

    @property
    def chains(self) -> dict[str, Chain]:
        """Chains of layers that it holds to be edited, by name, in the order of ``branches``; a block's only."""
        return {}

    def with_chains(self, chains: Sequence[Chain]) -> Layer:
        """The same block with other ``chains``. Raises ValidationError where it cannot have them."""
        raise TypeError(f"a {type(self).__name__} holds no layers to edit")

    def branches(self, shape: Shape, classes: int) -> dict[str, Chain]:
        """Chains of layers that all get what flows in, by name; a block's only. Raises LayerError.

        A chain without a name is the block itself.
        """
        return {}

    def call(self, shape: Shape, classes: int) -> Call:
        """The PyTorch module that it is; blocks are none."""
        raise TypeError(f"{type(self).__name__} is no single module of PyTorch")

    def _chosen(self, *left_out: str) -> dict[str, object]:
        """The fields that PyTorch's module has too, where they differ from its defaults."""
        return self.model_dump(exclude_defaults=True, exclude={"kind", "name", "init", "spread", *left_out})

    def shape_formula(self, shape: Shape, classes: int) -> str:
        """How its output's shape follows from ``shape``, with the numbers."""
        return f"keeps {shown(shape)}"

    def parameter_formula(self, shape: Shape, classes: int) -> str:
        """How its number of parameters follows from ``shape``, with the numbers; empty where it has none."""
        return ""


def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """``3`` → ``(3, 3)``; a pair stays as it is."""
    return (size, size) if isinstance(size, int) else size


def shown(shape: Shape) -> str:
    """``(8, 14, 14)`` → ``8×14×14``."""
    return "×".join(map(str, shape))


def spatial(shape: Shape, what: str) -> tuple[int, int, int]:
    """(channels, height, width). Raises LayerError for flat features."""
    if len(shape) != 3:
        raise LayerError(f"{what} needs feature maps, but {shape[0]} flat features come in: move it before flatten")
    return shape[0], shape[1], shape[2]


def slide(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool = False) -> int:
    """Positions of a window along one axis: ⌊(size + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1."""
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    positions = (span + (stride - 1 if ceil_mode else 0)) // stride + 1
    # The last window of a ceil-mode pool must start inside the input or its left padding.
    if ceil_mode and (positions - 1) * stride >= size + padding:
        positions -= 1
    return positions


def slide_formula(shape: Shape, out: Shape, window: Window, ceil_mode: bool = False) -> str:
    """``slide`` with its numbers, once where rows and columns are alike: (28 − 5 + 2·0)/1 + 1 = 24."""
    rows, columns = (_axis_formula(shape[axis + 1], out[axis + 1], *along(window, axis), ceil_mode) for axis in (0, 1))
    return rows if rows == columns else f"rows {rows}; columns {columns}"


def along(window: Window, axis: int) -> tuple[int, int, int, int]:
    """Kernel, stride, dilation and padding of one axis."""
    kernel, stride, dilation, padding = window
    return kernel[axis], stride[axis], dilation[axis], padding[axis]


def _axis_formula(size: int, out: int, kernel: int, stride: int, dilation: int, padding: int, ceil_mode: bool) -> str:
    """Where the stride does not divide evenly it is rounded; up, a window that would begin outside is left out."""
    extent = str(kernel) if dilation == 1 or kernel == 1 else f"({dilation}·({kernel} − 1) + 1)"
    quotient = f"({size} − {extent} + 2·{padding})/{stride}"
    whole, remainder = divmod(size + 2 * padding - dilation * (kernel - 1) - 1, stride)
    if not remainder:
        return f"{quotient} + 1 = {out}"
    if not ceil_mode:
        return f"⌊{quotient}⌋ + 1 = {out}"
    return f"⌈{quotient}⌉ + {1 if out == whole + 2 else 0} = {out}"


def misses(size: int, positions: int, kernel: int, stride: int, dilation: int, padding: int) -> bool:
    """Whether the window, at any of its positions along one axis, has no point on the ``size`` pixels.

    There PyTorch's max pool gives −∞, and its backward pass writes outside the memory that is its own; so does the
    way forward of a dilated convolution that strides, channels-last on a CPU.
    """
    for position in range(positions):
        begin = position * stride - padding
        first = begin if begin >= 0 else begin % dilation  # its first point that is not before the pixels
        if first >= size or first > begin + dilation * (kernel - 1):
            return True
    return False


def window_text(window: Window) -> str:
    """``3×3 /2``: a window's kernel and, where it is not 1, its stride."""
    kernel, stride, _, _ = window
    if stride == (1, 1):
        return shown(kernel)
    return f"{shown(kernel)} /{stride[0] if stride[0] == stride[1] else shown(stride)}"


def no_fit(what: str, kernel: tuple[int, int], height: int, width: int) -> LayerError:
    """A window that is larger than what it is to slide over."""
    return LayerError(
        f"{what} {kernel[0]}×{kernel[1]} does not fit its {height}×{width} input: add padding, or drop a pool before it"
    )
