from __future__ import annotations

import asyncio
from http.cookies import SimpleCookie

import pytest
from starlette.types import Message, Receive, Scope, Send

from cnnlab.ui.shell.browser_key import COOKIE, BrowserKey, token_of

DOCUMENT = "text/html,application/xhtml+xml"


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that answers everything."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"page"})


def answer(
    path: str = "/", accept: str = DOCUMENT, cookie: str = "", scheme: str = "http", method: str = "GET"
) -> tuple[int, str]:
    """The status of an answer, and the cookie it sets."""
    sent: list[Message] = []
    headers = [(b"accept", accept.encode()), (b"cookie", cookie.encode()), (b"host", b"lab")]
    scope = {"type": "http", "method": method, "path": path, "scheme": scheme, "headers": headers, "query_string": b""}

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(BrowserKey(page)(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]).get(b"set-cookie", b"").decode()


def key(cookie: str) -> str:
    return token_of({name: morsel.value for name, morsel in SimpleCookie(cookie).items()})


def test_a_page_gives_a_browser_a_key_that_scripts_and_other_sites_do_not_get() -> None:
    status, cookie = answer()
    assert status == 200
    assert key(cookie)
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie
    assert "Secure" in answer(scheme="https")[1]
    assert key(answer()[1]) != key(cookie)


def test_a_browser_keeps_its_key() -> None:
    assert answer(cookie=f"{COOKIE}={key(answer()[1])}") == (200, "")


def test_what_a_page_loads_gives_no_key() -> None:
    assert answer("/static/app.js", accept="*/*") == (200, "")


@pytest.mark.parametrize("weak", ["", "ada", "a" * 42, "a" * 44, "é" * 43])
def test_a_key_that_is_not_of_the_server_is_replaced(weak: str) -> None:
    assert token_of({COOKIE: weak}) == ""
    assert key(answer(cookie=f"{COOKIE}={weak}" if weak.isascii() else "")[1])


def test_leaving_gives_another_key() -> None:
    old = key(answer()[1])
    status, cookie = answer("/lab/leave", accept="*/*", cookie=f"{COOKIE}={old}", method="POST")
    assert status == 204
    assert key(cookie) not in ("", old)


@pytest.mark.parametrize("accept", [DOCUMENT, "image/avif,*/*"])
def test_neither_a_link_nor_a_picture_makes_anybody_leave(accept: str) -> None:
    """They are asked for by GET, and bring the key along."""
    assert answer("/leave", accept, cookie=f"{COOKIE}={key(answer()[1])}") == (200, "")


def test_what_comes_without_a_key_as_from_other_sites_changes_nothing() -> None:
    assert answer("/leave", method="POST") == (204, "")
