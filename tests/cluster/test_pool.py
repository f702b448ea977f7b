from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

from cnnlab.cluster.connection import Connection, Node, Process
from cnnlab.cluster.pool import Pool


class FakeProcess:
    def __init__(self, node: str) -> None:
        self.node, self.avoid, self.is_ended, self.cleared = node, 0.0, False, 0

    def clear(self) -> None:
        self.cleared += 1


class FakeConnection:
    def __init__(self, *nodes: Node) -> None:
        self.known = list(nodes)
        self.started: list[str] = []

    def nodes(self) -> list[Node]:
        return self.known

    def start(self, node: Node) -> Process:
        self.started.append(node.id)
        return cast("Process", FakeProcess(node.id))


A, B, GPU = Node("a", "10.0.0.1", 4, 0), Node("b", "10.0.0.2", 2, 0), Node("gpu", "10.0.0.3", 64, 2)


class World:
    def __init__(self) -> None:
        self.places: list[int] = []
        self.connection = FakeConnection(A, B)
        self.pool = Pool(cast("Connection", self.connection), threads=2, changed=self.places.append)

    def take(self) -> Process:
        process = self.pool.take(lambda: True)
        assert process
        return process


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.pool.end()


def test_every_place_has_a_warm_process_from_the_start(world: World) -> None:
    assert world.connection.started == ["a", "a", "b"]
    assert world.places == [3]
    assert sorted(world.take().node for _ in range(3)) == ["a", "a", "b"]
    assert len(world.connection.started) == 3


def test_work_goes_where_most_places_are_free(world: World) -> None:
    assert [world.take().node for _ in range(4)] == ["a", "a", "b", "a"]  # the fourth is one too many anywhere


def test_what_is_given_back_is_cleared_and_taken_again(world: World) -> None:
    process = world.take()
    world.pool.give_back(process)
    world.pool.give_back(process)
    assert cast("FakeProcess", process).cleared == 1
    assert len({id(world.take()) for _ in range(3)}) == 3
    assert len(world.connection.started) == 3


def test_a_node_that_lost_a_process_is_avoided_unless_there_is_no_other(world: World) -> None:
    process = world.take()
    process.avoid = 60.0
    world.pool.give_back(process)
    assert {world.take().node for _ in range(3)} == {"b"}
    world.connection.known = [A]
    world.pool._look()
    assert world.take().node == "a"


def test_a_process_that_was_ended_is_replaced(world: World) -> None:
    process = world.take()
    process.is_ended = True
    world.pool.give_back(process)
    world.pool._look()
    assert world.connection.started == ["a", "a", "b", "a"]


def test_nodes_come_and_go(world: World) -> None:
    world.connection.known = [B, GPU]
    world.pool._look()
    assert world.places == [3, 3]
    assert world.connection.started == ["a", "a", "b", "gpu", "gpu"]  # a place for each GPU
    assert sorted(world.take().node for _ in range(3)) == ["b", "gpu", "gpu"]


def test_who_waits_for_a_node_can_give_up(world: World) -> None:
    world.connection.known = []
    world.pool._look()
    assert world.pool.take(lambda: True) is None
