"""Who may come in, by what the login's provider says of them."""

from __future__ import annotations

import pytest

from cnnlab.people.allowed import allowed, is_allowed, is_shared

LIST = " ada@Example.com , @school.org,college.edu,, "
MICROSOFT = "https://login.microsoftonline.com/{}/v2.0/.well-known/openid-configuration"


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> frozenset[str]:
    monkeypatch.setenv("CNNLAB_ALLOWED", LIST)
    return allowed()


@pytest.mark.parametrize("address", ["ada@example.com", " ADA@EXAMPLE.COM ", "bob@school.org", "a.b+c@College.EDU"])
def test_addresses_and_domains_on_the_list_come_in(address: str, names: frozenset[str]) -> None:
    assert is_allowed({"email": address, "email_verified": True}, names)
    assert is_allowed({"email": address}, names)  # not every provider says so


@pytest.mark.parametrize(
    "address",
    [
        "bob@example.com",
        "eve@evilschool.org",
        "eve@school.org.evil.com",
        "eve@mail.school.org",
        "eve@school.org@evil.com",
        "eve@evil.com@school.org",
        "eve@evil.com,bob@school.org",
        "eve@evil.com bob@school.org",
        "eve@evil.com\n@school.org",
        "@school.org",
        "school.org",
        "eve@",
        "eve@sch\u043eol.org",  # a Cyrillic o
        "eve@school\u3002org",  # a full stop that some take for a dot
        "bob@\u017fchool.org",  # a long s, upper case S
        "\u212aim@school.org",  # a Kelvin sign, lower case k
        "bob@school.org\u200b",
        "",
        None,
        ["bob@school.org"],
        True,
    ],
)
def test_others_do_not(address: object, names: frozenset[str]) -> None:
    assert not is_allowed({"email": address, "email_verified": True}, names)


@pytest.mark.parametrize("verified", [False, "false", "False", None, "", 0])
def test_an_address_that_is_not_verified_does_not_count(verified: object, names: frozenset[str]) -> None:
    assert not is_allowed({"email": "bob@school.org", "email_verified": verified}, names)


@pytest.mark.parametrize("claims", [{}, {"name": "bob@school.org"}, {"preferred_username": "bob@school.org"}])
def test_an_account_without_an_address_does_not_come_in(claims: dict[str, object], names: frozenset[str]) -> None:
    assert not is_allowed(claims, names)


@pytest.mark.parametrize("entries", ["", " ", ",", "*", "@", "org", "@.org"])
def test_a_list_without_names_lets_nobody_in(entries: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_ALLOWED", entries)
    assert not is_allowed({"email": "bob@school.org", "email_verified": True}, allowed())


def test_where_every_tenant_logs_in_an_address_must_be_verified(names: frozenset[str]) -> None:
    claims = {"email": "bob@school.org"}
    assert not is_allowed(claims, names, is_shared=True)
    assert is_allowed({**claims, "xms_edov": True}, names, is_shared=True)
    assert not is_allowed({**claims, "xms_edov": "0"}, names, is_shared=True)


@pytest.mark.parametrize(("tenant", "shared"), [("common", True), ("organizations", True), ("2f6c", False)])
def test_a_login_of_every_tenant_is_known_by_its_address(tenant: str, shared: bool) -> None:
    provider = {"client_id": "x", "server_metadata_url": MICROSOFT.format(tenant)}
    assert is_shared(provider) is shared
    assert is_shared({"cookie_secret": "x", "microsoft": provider}) is shared
