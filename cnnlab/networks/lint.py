"""Hints on what is unwise in a network though it works, each at its layer, with the reason and a remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from cnnlab.networks.architecture import LayerSummary, Place
from cnnlab.networks.layers import Shape

SHARE = 0.9  # of all parameters in one linear layer
FEW = 20_000  # parameters: below, nobody minds where they are
OBJECT = 0.5  # of the image's shorter side: what is to be recognised is seldom smaller
LONG_SATURATING = 5  # tanh or sigmoid layers, one behind the other

Hint = tuple[Place, str]
Chain = Sequence[LayerSummary]  # rows of one chain, one behind the other


def advise(rows: Sequence[LayerSummary], input_shape: Shape) -> dict[Place, list[str]]:
    """Return the hints by place, for the rows of ``follow`` for images of ``input_shape`` = (C, H, W)."""
    hints: dict[Place, list[str]] = {}
    own = [row for row in rows if row.is_own and row.output_shape]
    for chain in _chains(own):
        for rule in _CHAIN_RULES:
            for place, hint in rule(chain):
                hints.setdefault(place, []).append(hint)
    # Hints on the whole network need all of its layers to fit.
    top = [] if any(row.problem for row in rows) else [row for row in own if len(row.place) == 1]
    for place, hint in (*_most_parameters_in_one_linear(top), *_receptive_field_too_small(top, input_shape)):
        hints.setdefault(place, []).append(hint)
    return hints


def _chains(rows: Sequence[LayerSummary]) -> list[Chain]:
    chains: dict[Place, list[LayerSummary]] = {}
    for row in rows:
        chains.setdefault(row.place[:-1], []).append(row)
    return list(chains.values())


def _no_function_between(chain: Chain) -> Iterator[Hint]:
    """Find linear maps without a non-linearity between them: together they are one linear map."""
    before: LayerSummary | None = None
    for row in chain:
        if before is not None and row.layer.linearity == "weighted":
            yield (
                row.place,
                f"no activation since {before.name}: together the two are one linear map",
            )
        if row.layer.linearity == "nonlinear" or row.layer.ends_non_linear:
            before = None
        elif row.layer.linearity == "weighted":
            before = row


def _dropout_before_batch_norm(chain: Chain) -> Iterator[Hint]:
    """Find dropout before batch norm (Li et al. 2018, arXiv:1801.05134)."""
    for before, row in pairwise(row for row in chain if not row.layer.passes_variance_shift):
        if before.layer.drops_out and row.layer.uses_batch_statistics:
            yield (
                before.place,
                f"dropout before {row.name}: batch norm learns the variance of training, which differs in evaluation; "
                "put dropout after the last batch norm",
            )


def _bias_before_batch_norm(chain: Chain) -> Iterator[Hint]:
    for row, after in pairwise(chain):
        if row.layer.has_bias and after.layer.uses_batch_statistics:
            yield row.place, f"its bias has no effect: {after.name} subtracts each channel's mean"


def _softmax_before_cross_entropy(chain: Chain) -> Iterator[Hint]:
    last = chain[-1]
    if last.layer.may_follow_logits and len(last.place) == 1:
        yield (
            last.place,
            "cross-entropy expects logits and has its own softmax: with two, gradients are small and learning is "
            "slow; remove this one",
        )


def _skips_pixels(chain: Chain) -> Iterator[Hint]:
    for row in chain:
        windows = None if row.layer.chains else row.layer.windows(row.input_shape)  # those of a block's own layers
        for kernel, stride, dilation, _ in (windows or [])[:1]:
            if any(stride[axis] > dilation[axis] * (kernel[axis] - 1) + 1 for axis in (0, 1)):
                yield row.place, f"its stride of {stride[0]}×{stride[1]} is larger than its window: it skips pixels"


def _mostly_padding(chain: Chain) -> Iterator[Hint]:
    for row in chain:
        if row.layer.family == "convolution":
            _, height, width = row.input_shape
            ((kernel, _, dilation, _),) = row.layer.windows(row.input_shape) or []
            if any(dilation[axis] * (kernel[axis] - 1) >= 2 * (height, width)[axis] for axis in (0, 1)):
                yield row.place, f"a window of {kernel[0]}×{kernel[1]} on {height}×{width} maps sees mostly padding"


def _saturates(chain: Chain) -> Iterator[Hint]:
    """Find many tanh or sigmoid layers, through which gradients vanish (Glorot and Bengio 2010)."""
    saturating = [row for row in chain if row.layer.saturates]
    if len(saturating) >= LONG_SATURATING and not any(row.layer.family == "norm" for row in chain):
        yield (
            saturating[-1].place,
            f"{len(saturating)} layers of tanh or sigmoid in a row: gradients vanish in the backward pass; use ReLU "
            "or add norms",
        )


def _most_parameters_in_one_linear(top: Chain) -> Iterator[Hint]:
    total = sum(row.parameters for row in top)
    for row in top:
        if row.layer.family == "linear" and total > FEW and row.parameters > SHARE * total and len(top) > 2:
            yield (
                row.place,
                f"{row.parameters / total:.0%} of all parameters are in this layer: pool more before flatten, or use "
                "a global average pool",
            )


def _receptive_field_too_small(top: Chain, input_shape: Shape) -> Iterator[Hint]:
    """Check the last layer whose maps are larger than a pixel: later layers only weigh whole maps."""
    maps = [row for row in top if len(row.output_shape) == 3 and not row.layer.has_fixed_output_size]
    if not maps or not any(row.macs for row in maps):
        return
    last = maps[-1]
    field, side = min(last.receptive_field), min(input_shape[1:])
    if field < OBJECT * side and max(last.output_shape[1:]) > 1:
        yield (
            last.place,
            f"a receptive field of {last.receptive_field[0]}×{last.receptive_field[1]} pixels, the image has "
            f"{input_shape[1]}×{input_shape[2]}: no feature covers a whole object; add a pool, a stride or more layers",
        )


_CHAIN_RULES: list[Callable[[Chain], Iterator[Hint]]] = [
    _no_function_between,
    _dropout_before_batch_norm,
    _bias_before_batch_norm,
    _softmax_before_cross_entropy,
    _skips_pixels,
    _mostly_padding,
    _saturates,
]
