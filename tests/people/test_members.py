from __future__ import annotations

from pathlib import Path

from cnnlab.people.members import Member, Members

ADA, BOB = "a" * 32, "b" * 32


def test_members_are_kept_by_id(tmp_path: Path) -> None:
    members = Members(tmp_path / "people")
    assert members.get(ADA) is None
    assert members.names() == {}
    members.put(ADA, Member(name="Ada", proof="p"))
    members.put(BOB, Member(name="Bob"))
    members.put(BOB, Member(name="Robert"))
    assert members.get(ADA) == Member(name="Ada", proof="p")
    assert members.names() == {ADA: "Ada", BOB: "Robert"}


def test_files_of_others_and_damaged_ones_are_nobody(tmp_path: Path) -> None:
    (tmp_path / f"{ADA}.json").write_text("{}")
    (tmp_path / "notes.json").write_text('{"name": "Eve"}')
    assert Members(tmp_path).names() == {}
