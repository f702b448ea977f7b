"""The list of users who may log in: e-mail addresses and domains from an environment variable and the class's rules."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

VARIABLE = "CNNLAB_ALLOWED"

_ADDRESS = re.compile(r"[!-?A-~]+@[A-Za-z0-9.-]+")  # other letters look like these, or become them in lower case
_SHARED = re.compile(r"/(common|organizations|consumers)/")  # Microsoft's URLs for accounts of every tenant


def allowed() -> frozenset[str]:
    """Read who may log in from the environment: addresses (``ada@school.org``) and domains (``@school.org``)."""
    return as_names(os.environ.get(VARIABLE, "").split(","))


def as_names(entries: Iterable[str]) -> frozenset[str]:
    """Return a list of addresses and domains as ``is_allowed`` compares them."""
    whole = (entry.strip().lower() for entry in entries)
    return frozenset(entry if "@" in entry else f"@{entry}" for entry in whole if entry)


def is_allowed(claims: Mapping[str, object], names: frozenset[str], is_shared: bool = False) -> bool:
    """Check whether a login's ``claims`` have a verified e-mail address whose text or domain is in ``names``.

    A domain does not include its subdomains. Claims that do not say whether the address is verified are trusted, unless
    the provider ``is_shared``: there anybody can give an account any address.
    """
    address = str(claims.get("email") or "").strip()
    verified = claims.get("email_verified", claims.get("xms_edov", not is_shared))
    if str(verified).lower() not in ("true", "1") or not _ADDRESS.fullmatch(address):
        return False
    whole, domain = address.lower(), f"@{address.lower().partition('@')[2]}"
    return whole in names or domain in names


def is_shared(login: Mapping[str, object]) -> bool:
    """Check whether a server's login (its secrets' section ``auth``) admits accounts of every Microsoft tenant."""
    return any(
        is_shared(value)
        if isinstance(value, Mapping)
        else name == "server_metadata_url" and bool(_SHARED.search(str(value)))
        for name, value in login.items()
    )
