from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from cnnlab.networks.architecture import Architecture, Draft, follow, summarise
from cnnlab.networks.build import build
from cnnlab.networks.diagram import COLOURS, draw_network
from cnnlab.networks.edit import addable_layers
from cnnlab.networks.layers import KINDS, BaseLayer, Call, Conv2d, Flatten, Linear, Parallel, Residual, Shape
from cnnlab.networks.lint import advise
from cnnlab.networks.source import class_name, pytorch_code

IMAGE: Shape = (1, 8, 8)
MODELS = (Residual, Parallel, Draft, Architecture)


class LearnedSlopes(BaseLayer):
    """``nn.PReLU`` with a slope for each channel: a kind that only this test knows."""

    examples: ClassVar = {"Learned slopes": {"slope": 0.1}}
    family = "activation"
    _stem = "slopes"

    kind: Literal["learned-slopes"] = "learned-slopes"
    slope: float = 0.25

    @property
    def saturates(self) -> bool:
        return True

    def parameters(self, shape: Shape, classes: int) -> int:
        return shape[0]

    def call(self, shape: Shape, classes: int) -> Call:
        return Call("PReLU", (shape[0],), {"init": self.slope})


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setitem(KINDS, "learned-slopes", LearnedSlopes)
        rebuild()
        yield
    rebuild()


def rebuild() -> None:
    for model in MODELS:
        model.model_rebuild(force=True)


def network(slopes: int = 2) -> Architecture:
    layers = (
        Conv2d(out_channels=3, kernel_size=5, bias=False),
        *(LearnedSlopes(),) * slopes,
        Flatten(),
        Linear(out_features="classes"),
    )
    return Architecture(name="toy", title="Toy net", layers=layers)


@pytest.mark.usefixtures("registered")
def test_a_new_kind_is_read_from_json_also_within_a_block() -> None:
    block = Residual(body=(LearnedSlopes(slope=0.5),))
    draft = Draft(name="toy", title="Toy", layers=(LearnedSlopes(name="first"), block))
    assert Draft.model_validate_json(draft.model_dump_json()) == draft


def test_a_kind_that_is_not_registered_is_refused() -> None:
    with pytest.raises(ValidationError, match="learned-slopes"):
        network()


@pytest.mark.usefixtures("registered")
def test_a_network_with_a_new_kind_learns() -> None:
    built = build(network(), IMAGE, 10)
    assert isinstance(built.slopes2, nn.PReLU)
    optimizer = torch.optim.SGD(built.parameters(), lr=0.1)
    before = built.slopes2.weight.clone()
    loss = nn.functional.cross_entropy(built(torch.randn(4, *IMAGE)), torch.arange(4))
    loss.backward()
    optimizer.step()
    assert not torch.equal(built.slopes2.weight, before)


@pytest.mark.usefixtures("registered")
def test_the_summary_follows_a_new_kind() -> None:
    row = summarise(network(), IMAGE, 10)[1]
    assert (row.name, row.parameters, row.output_shape) == ("slopes1", 3, (3, 4, 4))
    assert sum(row.parameters for row in summarise(network(), IMAGE, 10)) == sum(
        weights.numel() for weights in build(network(), IMAGE, 10).parameters()
    )


@pytest.mark.usefixtures("registered")
def test_the_diagram_draws_a_new_kind_in_its_familys_colour() -> None:
    svg = draw_network(follow(network(), IMAGE, 10), IMAGE, "Toy")
    assert '<g class="layer activation" data-place="1"><title>slopes1: learned-slopes' in svg
    assert COLOURS["activation"] in svg


@pytest.mark.usefixtures("registered")
def test_the_source_of_a_new_kind_runs_and_gives_the_same() -> None:
    space: dict[str, object] = {}
    exec(pytorch_code(network(), IMAGE, 10), space)
    written = space[class_name("Toy net")]()  # type: ignore[operator]
    built = build(network(), IMAGE, 10)
    written.load_state_dict(built.state_dict())
    images = torch.randn(2, *IMAGE)
    assert torch.equal(written(images), built(images))


@pytest.mark.usefixtures("registered")
def test_the_hints_hold_for_a_new_kind() -> None:
    assert not advise(follow(network(slopes=2), IMAGE, 10), IMAGE)
    ((hint,),) = advise(follow(network(slopes=5), IMAGE, 10), IMAGE).values()
    assert "gradients vanish" in hint


@pytest.mark.usefixtures("registered")
def test_design_offers_a_new_kind() -> None:
    assert addable_layers()["Learned slopes"] == LearnedSlopes(slope=0.1)


def test_what_design_offers_is_of_every_kind() -> None:
    assert {layer.kind for layer in addable_layers().values()} == KINDS.keys()
