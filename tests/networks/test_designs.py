from __future__ import annotations

import json
import os
import zlib
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from time import time

import pytest

from cnnlab.files import DELETED_ARE_KEPT
from cnnlab.networks.architecture import MAX_LAYERS, Draft
from cnnlab.networks.designs import (
    MAX_BYTES,
    MAX_LINK,
    DesignError,
    Shelf,
    from_link,
    name_of,
    read_design,
    to_link,
    write_design,
)
from cnnlab.networks.layers import Conv2d, Linear
from cnnlab.networks.presets import PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_a_design_comes_back_from_a_file_and_a_link(name: str) -> None:
    draft = Draft.model_validate(PRESETS[name].model_dump())
    assert read_design(write_design(draft)) == draft
    assert from_link(to_link(draft)) == draft


def test_owners_have_shelves_of_their_own(tmp_path: Path) -> None:
    draft = Draft.model_validate(PRESETS["quick"].model_dump())
    ada, bob = (Shelf(tmp_path, letter * 32) for letter in "ab")
    ada.save(draft)
    assert (ada.names(), bob.names(), Shelf(tmp_path).names()) == ([draft.name], [], [])
    assert {owner: shelf.names() for owner, shelf in Shelf(tmp_path).others().items()} == {"a" * 32: [draft.name]}
    assert ada.others() == {}


def test_a_draft_that_does_not_work_yet_can_be_kept() -> None:
    draft = Draft(name="half", title="Half", layers=(Linear(out_features=3), Conv2d(out_channels=2)))
    assert read_design(write_design(draft)) == draft


def test_a_network_too_large_for_an_address_has_no_link() -> None:
    names = [f"c{sha256(bytes([number])).hexdigest()[:39]}" for number in range(MAX_LAYERS)]
    layers = tuple(Conv2d(name=name, out_channels=number + 1) for number, name in enumerate(names))
    assert to_link(Draft(name="x", title="x", layers=layers)) == ""


def _packed(content: bytes) -> str:
    return urlsafe_b64encode(zlib.compress(content, 9)).decode()


@pytest.mark.parametrize(
    "word",
    [
        "",
        "!",
        "AAAA",
        "é",
        "x" * (MAX_LINK + 1),
        _packed(b"{}"),
        _packed(b"x" * 10_000_000),
        to_link(PRESETS["quick"])[:-9],
    ],
    ids=["empty", "sign", "no zlib", "accent", "long", "not a design", "bomb", "cut"],
)
def test_a_damaged_link_is_refused(word: str) -> None:
    with pytest.raises(DesignError):
        from_link(word)


def nested(depth: int) -> bytes:
    layer: object = {"kind": "flatten"}
    for _ in range(depth):
        layer = {"kind": "residual", "body": [layer]}
    return json.dumps({"name": "x", "title": "x", "layers": [layer]}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\x80\x04",
        b'{"name": "x"}',
        b'{"name": "../x", "title": "x", "layers": []}',
        b'{"name": "x", "title": "x", "layers": [{"kind": "conv2d", "out_channels": 1e9}]}',
        b'{"name": "x", "title": "x", "layers": [{"kind": "conv2d", "out_channels": 2, "name": "train"}]}',
        b'{"name": "x", "title": "x", "layers": [], "more": 1}',
        json.dumps({"name": "x", "title": "x", "layers": [{"kind": "flatten"}] * 201}).encode(),
        nested(4),
        nested(200),
        b" " * (MAX_BYTES + 1),
    ],
    ids=lambda content: f"{content[:40]!r}",
)
def test_a_file_that_is_no_design_is_refused_in_one_line(content: bytes) -> None:
    with pytest.raises(DesignError) as caught:
        read_design(content)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


MINE = Draft.model_validate(PRESETS["quick"].model_dump() | {"name": "mine"})


def titled(title: str) -> Draft:
    return MINE.model_copy(update={"title": title})


def test_a_shelf_keeps_and_deletes(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert shelf.names() == []
    assert shelf.save(MINE) == ""
    assert shelf.save(MINE) == ""  # the same again
    assert shelf.names() == list(shelf.networks()) == ["mine"]
    assert shelf.load("mine") == MINE
    assert shelf.delete("mine")
    assert shelf.delete("mine") == ""
    assert shelf.names() == []


def test_a_deleted_design_comes_back(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.save(MINE)
    key = shelf.delete("mine")
    assert shelf.deleted() == [key]
    shelf.restore(key)
    assert shelf.load("mine") == MINE
    assert shelf.deleted() == []
    with pytest.raises(DesignError, match="may have expired, or it was restored"):
        shelf.restore(key)


def test_a_replaced_design_comes_back_and_its_successor_can_too(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.save(titled("First"))
    replaced = shelf.save(titled("Second"))
    assert shelf.load("mine").title == "Second"
    shelf.restore(replaced)
    assert shelf.load("mine").title == "First"
    (successor,) = shelf.deleted()
    shelf.restore(successor)
    assert shelf.load("mine").title == "Second"


def test_several_who_save_under_one_name_lose_nothing(tmp_path: Path) -> None:
    titles = {f"Number {number}" for number in range(8)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda title: Shelf(tmp_path).save(titled(title)), titles))
    shelf = Shelf(tmp_path)
    kept = {shelf.load("mine").title}
    for key in shelf.deleted():
        shelf.restore(key)
        kept.add(shelf.load("mine").title)
    assert kept == titles


def test_a_design_deleted_long_ago_goes_for_good(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.save(titled("First"))
    old = shelf.folder / ".deleted" / f"{shelf.delete('mine')}.json"
    os.utime(old, times=(time() - DELETED_ARE_KEPT.total_seconds() - 1,) * 2)
    shelf.save(titled("Second"))
    latest = shelf.delete("mine")
    assert shelf.deleted() == [latest]


@pytest.mark.parametrize("key", ["", "mine", "../mine@20261128-120000-000000", "mine@20261128"])
def test_only_deleted_designs_are_restored(key: str, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.save(MINE)
    with pytest.raises(DesignError, match="this deleted design does not exist"):
        shelf.restore(key)


def test_a_failed_save_leaves_the_old_design(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(tmp_path)
    shelf.save(titled("First"))

    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cnnlab.networks.designs.atomic_write", full)
    with pytest.raises(DesignError, match="cannot be saved: No space"):
        shelf.save(titled("Second"))
    assert shelf.load("mine").title == "First"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_design_is_read_behind_a_byte_order_mark(encoding: str) -> None:
    assert read_design(write_design(MINE).encode(encoding)) == MINE


def test_what_computers_leave_beside_files_is_no_design(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.save(MINE)
    (shelf.folder / "._mine.json").write_bytes(b"\0\5\x16\7")
    assert shelf.names() == ["mine"]


def test_a_shelf_offers_only_what_can_be_trained(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.save(Draft(name="half", title="Half", layers=(Linear(out_features=3),)))
    (shelf.folder / "broken.json").write_text("{")
    (shelf.folder / "No Name.json").write_text("{}")
    assert shelf.networks() == {}
    with pytest.raises(DesignError, match="not a design"):
        shelf.load("broken")


@pytest.mark.parametrize("name", ["..", "a/b", "", "A", "x" * 61, "-a"])
def test_a_name_never_leaves_the_shelf(tmp_path: Path, name: str) -> None:
    with pytest.raises(DesignError, match="not a name"):
        Shelf(tmp_path).load(name)
    with pytest.raises(DesignError, match="not a name"):
        Shelf(tmp_path).delete(name)


def test_a_shelf_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DesignError, match="cannot be saved"):
        Shelf(tmp_path / "file").save(PRESETS["quick"])


@pytest.mark.parametrize(("title", "name"), [("My net 2", "my-net-2"), ("  Δ ", "design"), ("x" * 99, "x" * 60)])
def test_a_title_gives_a_name(title: str, name: str) -> None:
    assert name_of(title) == name
