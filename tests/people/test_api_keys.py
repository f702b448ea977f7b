from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab.people.api_keys import ApiKeys, Holder

ADA, BOB = Holder(id="a" * 32, role="member", proof="p"), Holder(role="administrator")


@pytest.fixture
def keys(tmp_path: Path) -> ApiKeys:
    return ApiKeys(tmp_path / "keys", b"secret")


@pytest.mark.parametrize("holder", [ADA, BOB])
def test_a_key_is_its_persons_until_it_is_revoked(holder: Holder, keys: ApiKeys, tmp_path: Path) -> None:
    assert not keys.has(holder.id)
    key = keys.make(holder)
    found = keys.holder(key)
    assert found
    assert (found.id, found.role, found.proof) == (holder.id, holder.role, holder.proof)
    assert keys.has(holder.id)
    token = key.rpartition("_")[2]
    assert not [path for path in tmp_path.rglob("*.json") if token in path.read_text()]
    keys.revoke(holder.id)
    assert keys.holder(key) is None
    keys.revoke(holder.id)


def test_a_new_key_replaces_the_old_one(keys: ApiKeys) -> None:
    old, new = keys.make(ADA), keys.make(ADA)
    assert keys.holder(old) is None
    assert keys.holder(new)


def test_another_servers_key_is_none(keys: ApiKeys, tmp_path: Path) -> None:
    assert ApiKeys(tmp_path / "keys", b"another").holder(keys.make(ADA)) is None


@pytest.mark.parametrize("change", ["", "x", "cnnlab_../../x", "Ä" * 83])
def test_what_is_no_key_finds_nobody(change: str, keys: ApiKeys) -> None:
    keys.make(ADA)
    assert keys.holder(change) is None


def test_a_key_of_one_does_not_open_for_another(keys: ApiKeys) -> None:
    key = keys.make(ADA)
    keys.make(Holder(id="b" * 32, role="teacher"))
    assert keys.holder(key.replace("a" * 32, "b" * 32)) is None


def test_a_damaged_file_is_no_key(keys: ApiKeys, tmp_path: Path) -> None:
    key = keys.make(ADA)
    (tmp_path / "keys" / f"{ADA.id}.json").write_text("{")
    assert keys.holder(key) is None
