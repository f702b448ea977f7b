"""Who somebody is, by the server's rules, login, address and cookie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st

from cnnlab.people.attempts import OF_ONE, Attempts
from cnnlab.people.rights import ADMINISTRATOR, STRANGER, Person
from cnnlab.people.rules import ClassRulesError
from cnnlab.ui.shell import person
from cnnlab.ui.shell.person import NO_NAME, TOO_MANY, WRONG_CODE, join, me, names

CODES = {"code": "blue whale", "teacher_code": "red panda"}
ADA, BOB = "a" * 43, "b" * 43


class Context:
    """What a browser's connection says."""

    ip_address: str | None = None
    cookies: dict[str, str] = {}

    class headers:  # noqa: N801
        forwarded: list[str] = []

        @classmethod
        def get_all(cls, name: str) -> list[str]:
            return cls.forwarded if name == "X-Forwarded-For" else []


@pytest.fixture(autouse=True)
def context(monkeypatch: pytest.MonkeyPatch) -> type[Context]:
    """A browser on the server's own machine."""
    for name in ("ip_address", "cookies"):
        monkeypatch.setattr(Context, name, getattr(Context, name))
    monkeypatch.setattr(Context.headers, "forwarded", [])
    monkeypatch.setattr(st, "context", Context)
    attempts = Attempts()
    monkeypatch.setattr(person, "_attempts", lambda: attempts)
    return Context


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    return lambda **section: monkeypatch.setattr(st, "secrets", {"class": section})


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    monkeypatch.setattr("streamlit.user_info.get_secrets_auth_section", lambda: {"cookie_secret": "for this test"})
    return lambda **claims: monkeypatch.setattr("streamlit.user_info._get_user_info", lambda: claims)


def use(browser: str) -> None:
    Context.cookies = {"cnnlab_browser": browser}


def test_on_ones_own_machine_one_may_do_everything() -> None:
    assert me() == ADMINISTRATOR
    assert not person.is_class()
    assert person.owner() == ""


@pytest.mark.parametrize(
    ("address", "forwarded", "is_in"),
    [
        (None, [], True),
        ("127.0.0.2", [], True),
        ("10.0.0.7", [], False),
        ("fe80::1%eth0", [], False),
        (None, ["10.0.0.7"], False),
        (None, ["127.0.0.1, 10.0.0.7"], False),
        (None, ["unknown"], False),
        (None, ["127.0.0.1, ::1"], True),
    ],
)
def test_without_rules_only_browsers_of_the_servers_machine_come_in(
    address: str | None, forwarded: list[str], is_in: bool, context: type[Context]
) -> None:
    context.ip_address, context.headers.forwarded = address, forwarded
    assert me() == (ADMINISTRATOR if is_in else STRANGER)


def test_with_rules_nobody_comes_in_by_being_there(rules: Callable[..., None]) -> None:
    rules(**CODES)
    assert me() == STRANGER
    rules(**CODES, visitors=True)
    assert me() == Person("visitor")
    rules(code="short")
    assert me() == STRANGER


def test_a_server_without_a_class_has_visitors_where_its_owner_wants_them(
    context: type[Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    context.ip_address = "10.0.0.7"
    monkeypatch.setenv("CNNLAB_VISITORS", "no")
    assert me() == STRANGER
    monkeypatch.setenv("CNNLAB_VISITORS", "yes")
    assert me() == Person("visitor")
    assert person.may_have_visitors()
    context.ip_address = "127.0.0.1"
    assert me() == ADMINISTRATOR


def test_secrets_that_cannot_be_read_let_nobody_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets.toml").write_text("[class\n")
    monkeypatch.setattr(st, "get_option", lambda name: [str(tmp_path / "secrets.toml")])
    assert me() == STRANGER
    with pytest.raises(ClassRulesError, match="cannot be read"):
        person.class_rules()


def test_codes_let_in_and_the_person_stays_the_same(rules: Callable[..., None]) -> None:
    rules(**CODES)
    use(ADA)
    assert join("wrong one", "Ada") == WRONG_CODE
    assert me() == STRANGER
    assert join("blue whale", " ") == NO_NAME
    assert join("Blue Whale", " Ada\n") == ""
    ada = me()
    assert (ada.role, ada.name) == ("member", "Ada")
    assert person.owner() == ada.id
    use(BOB)
    assert me() == STRANGER
    assert join("red panda", "Bob") == ""
    assert me().role == "teacher"
    assert person.owner() == ""
    assert {*names().values()} == {"Ada", "Bob"}
    use(ADA)
    assert me() == ada


def test_a_new_code_makes_everybody_join_again_and_be_who_they_were(rules: Callable[..., None]) -> None:
    rules(**CODES)
    use(ADA)
    join("blue whale", "Ada")
    ada = me()
    rules(code="grey whale")
    assert me() == STRANGER
    join("grey whale", "Ada")
    assert me() == ada


def test_who_leaves_is_out_on_all_pages_of_that_browser_and_nobody_else_is(rules: Callable[..., None]) -> None:
    rules(**CODES)
    for browser in (ADA, BOB):
        use(browser)
        join("blue whale", "Ada")
    key = person.api_keys().make(person.as_holder())
    person.leave()
    assert me() == STRANGER
    assert person.of_key(key) is None
    assert {*names().values()} == {"Ada"}  # teachers still see whose work it is
    use(ADA)
    assert me().role == "member"


def test_who_tries_many_codes_has_to_wait(rules: Callable[..., None]) -> None:
    rules(**CODES)
    use(ADA)
    for _ in range(OF_ONE):
        assert join("wrong one", "Eve") == WRONG_CODE
    assert join("blue whale", "Eve") == TOO_MANY
    assert me() == STRANGER


def test_without_a_key_a_code_lets_nobody_in(rules: Callable[..., None]) -> None:
    rules(**CODES)
    assert join("blue whale", "Ada") == WRONG_CODE
    assert me() == STRANGER


def test_accounts_are_teachers_members_or_strangers(
    rules: Callable[..., None], account: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(teachers=["ada@school.org"], allow="@school.org")
    told = {"is_logged_in": True, "email_verified": True, "iss": "https://a.example"}
    account(**told, email="ada@school.org", sub="1", name="Ada")
    assert (me().role, me().name) == ("teacher", "Ada")
    account(**told, email="bob@school.org", sub="2", name="Bob")
    bob = me()
    assert (bob.role, bob.name, person.owner()) == ("member", "Bob", bob.id)
    account(**told, email="robert@school.org", sub="2", name="Bob")
    assert me().id == bob.id  # addresses change
    account(**told, email="eve@elsewhere.org", sub="3")
    assert me() == STRANGER
    monkeypatch.setenv("CNNLAB_ALLOWED", "eve@elsewhere.org")
    assert me().role == "member"


def test_with_a_login_and_without_a_class_all_who_are_allowed_share_everything(
    account: Callable[..., None], monkeypatch: pytest.MonkeyPatch, context: type[Context]
) -> None:
    monkeypatch.setattr(st, "secrets", {"auth": {}})
    context.ip_address = "10.0.0.7"
    account(is_logged_in=False)
    assert me() == STRANGER
    account(is_logged_in=True, email="ada@school.org", sub="1")
    assert me() == STRANGER
    monkeypatch.setenv("CNNLAB_ALLOWED", "@school.org")
    assert me().role == "administrator"
    assert person.owner() == ""
