from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab.people.identity import (
    SECRET_BYTES,
    id_of_browser,
    id_of_login,
    is_person,
    keyed,
    people_folder,
    server_secret,
)

SECRET = b"for this test"


def test_the_secret_is_made_once_and_for_the_servers_user_alone(tmp_path: Path) -> None:
    folder = people_folder(tmp_path)
    secret = server_secret(folder)
    assert len(secret) == SECRET_BYTES
    assert (folder / "secret").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    server_secret.cache_clear()  # as another process
    assert server_secret(folder) == secret


def test_a_damaged_secret_is_not_used(tmp_path: Path) -> None:
    folder = people_folder(tmp_path)
    folder.mkdir()
    (folder / "secret").write_bytes(b"short")
    with pytest.raises(OSError, match="damaged"):
        server_secret(folder)


def test_ids_are_stable_and_differ_by_person_provider_way_and_server() -> None:
    ids = [
        id_of_login(SECRET, "https://a.example", "1"),
        id_of_login(SECRET, "https://b.example", "1"),
        id_of_login(SECRET, "https://a.example", "2"),
        id_of_browser(SECRET, "1"),
        id_of_login(b"another server", "https://a.example", "1"),
    ]
    assert len({*ids}) == len(ids)
    assert ids[0] == id_of_login(SECRET, "https://a.example", "1")
    assert keyed(SECRET, "ab", "c") != keyed(SECRET, "a", "bc")


@pytest.mark.parametrize("name", ["", "a" * 31, "a" * 33, "A" * 32, "../" + "a" * 29, "a" * 32 + "\n"])
def test_only_what_is_made_here_is_a_persons_id(name: str) -> None:
    assert is_person(id_of_browser(SECRET, "token"))
    assert not is_person(name)
