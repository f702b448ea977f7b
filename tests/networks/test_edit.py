from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab.networks.architecture import MAX_LAYERS, Draft, Place, follow
from cnnlab.networks.edit import (
    EditError,
    UndoStack,
    addable_layers,
    behind,
    duplicated,
    inserted,
    landed,
    layer_at,
    moved,
    removed,
    replaced,
)
from cnnlab.networks.layers import Activation, Chain, Conv2d, Flatten, Linear, MaxPool2d, Parallel, Residual
from tests.networks.layer_strategies import drafts

CONV, RELU, POOL = Conv2d(out_channels=4, padding=1), Activation(), MaxPool2d()
BLOCK = Residual(body=(CONV, RELU))
DEEP: Chain = (Residual(body=(Residual(body=(BLOCK,)),)),)
LAYERS: Chain = (CONV, BLOCK, POOL, Flatten(), Linear(out_features="classes"))


def kinds(layers: Chain) -> list[str]:
    return [layer.kind for layer in layers]


def test_a_layer_is_put_in_taken_out_and_doubled() -> None:
    assert inserted(LAYERS, (0,), POOL)[:2] == (POOL, CONV)
    assert removed(LAYERS, (1,)) == (CONV, *LAYERS[2:])
    named = replaced(LAYERS, (0,), CONV.model_copy(update={"name": "edges"}))
    assert [layer.name for layer in duplicated(named, (0,))[:2]] == ["edges", None]


def test_edits_reach_into_blocks() -> None:
    assert layer_at(LAYERS, (1, 0, 1)) == RELU
    assert layer_at(inserted(LAYERS, (1, 0, 2), POOL), (1,)) == Residual(body=(CONV, RELU, POOL))
    assert layer_at(removed(LAYERS, (1, 0, 0)), (1,)) == Residual(body=(RELU,))
    assert layer_at(replaced(LAYERS, (1, 0, 0), POOL), (1,)) == Residual(body=(POOL, RELU))


@pytest.mark.parametrize(
    ("place", "target", "expected"),
    [
        ((0,), (2,), [BLOCK, CONV, POOL]),
        ((2,), (0,), [POOL, CONV, BLOCK]),
        ((2,), (1, 0, 0), [CONV, Residual(body=(POOL, CONV, RELU))]),
        ((0,), (1, 0, 2), [Residual(body=(CONV, RELU, CONV)), POOL]),
        ((1, 0, 0), (0,), [CONV, CONV, Residual(body=(RELU,)), POOL]),
        ((1, 0, 0), (1, 0, 2), [CONV, Residual(body=(RELU, CONV)), POOL]),
    ],
)
def test_a_layer_moves_also_into_and_out_of_a_block(place: Place, target: Place, expected: list[object]) -> None:
    new = moved(LAYERS, place, target)
    assert list(new[: len(expected)]) == expected
    assert layer_at(new, landed(place, target)) == layer_at(LAYERS, place)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda: layer_at(LAYERS, (9,)), "no layer"),
        (lambda: removed(LAYERS, (1, 0, 9)), "no layer"),
        (lambda: inserted(LAYERS, (1, 5, 0), POOL), "no branch"),
        (lambda: inserted(LAYERS, (0, 0, 0), POOL), "no branch"),
        (lambda: moved(LAYERS, (1,), (1, 0, 0)), "into itself"),
        (lambda: removed(removed(LAYERS, (1, 0, 0)), (1, 0, 0)), "remove the block instead"),
        (lambda: inserted(DEEP, (0, 0, 0, 0, 0, 0, 0), Residual(body=(CONV,))), "blocks may be nested 3 deep at most"),
        (lambda: inserted((CONV,) * MAX_LAYERS, (0,), CONV), "200 layers at most"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(edit: object, words: str) -> None:
    with pytest.raises(EditError, match=words):
        edit()  # type: ignore[operator]


@pytest.mark.parametrize("name", addable_layers())
def test_every_brick_can_be_put_into_a_network(name: str) -> None:
    brick = addable_layers()[name]
    at = 4 if name in ("Linear", "Logits", "Batch norm, flat", "Softmax") else 1
    wide = (Conv2d(out_channels=16, padding=1), *LAYERS[1:])
    draft = Draft(name="x", title="x", layers=inserted(wide, (at,), brick))
    assert not [row for row in follow(draft, (1, 28, 28), 10)[:at] if row.problem]
    assert follow(draft, (1, 28, 28), 10)[-1].problem == ""


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(drafts(), st.data())
def test_an_inserted_layer_is_found_and_removed_again(drawn: tuple[Draft, object, int], data: st.DataObject) -> None:
    layers = drawn[0].layers
    places = [row.place for row in follow(drawn[0], (1, 20, 20), 10) if row.is_own]
    place = data.draw(st.sampled_from(places))
    for target in (place, behind(place)):
        try:
            new = inserted(layers, target, POOL)
        except EditError:  # the block is full
            continue
        assert layer_at(new, target) == POOL
        assert removed(new, target) == layers


def test_blocks_of_branches_are_edited_branch_by_branch() -> None:
    block = Parallel(paths=((CONV,), ()))
    new = inserted((block,), (0, 1, 0), RELU)
    assert new[0] == Parallel(paths=((CONV,), (RELU,)))
    assert kinds(removed(new, (0, 0, 0))[0].chains["path2"]) == ["activation"]


def test_a_history_goes_back_and_forward_until_something_new_is_done() -> None:
    history = UndoStack("a").edited("b").edited("c").edited("c")
    assert history.undone().present == "b"
    assert history.undone().undone().undone().present == "a"
    assert history.undone().redone() == history
    assert history.undone().edited("d").redone().present == "d"
    assert UndoStack("a").redone() == UndoStack("a")
