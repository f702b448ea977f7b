"""A key for each browser, in a cookie that scripts cannot read: by it a server for a class knows who joined.

The key is given with a page, never with what a page loads, so that a browser gets one. A ``POST`` to ``/leave`` gives
a new one: whoever uses that browser next is somebody else. Links and pictures send none, and what other sites send
comes without the key (``SameSite``), so that nobody is made to leave by them.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from http.cookies import SimpleCookie

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "cnnlab_browser"
LEAVE = "/leave"
SECONDS = 180 * 24 * 3600  # half a school year
_TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # these bytes in base 64


class BrowserKey:
    """ASGI middleware that gives each browser a key."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        has_key = bool(token_of(request.cookies))
        if request.method == "POST" and request.url.path.endswith(LEAVE):
            answer = Response(status_code=204, headers={"set-cookie": _new_cookie(scope)} if has_key else None)
            await answer(scope, receive, send)
        elif has_key or "text/html" not in request.headers.get("accept", ""):
            await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, _with_cookie(send, _new_cookie(scope)))


def token_of(cookies: Mapping[str, object]) -> str:
    """Return the key among a browser's cookies; empty where there is none of ours."""
    token = cookies.get(COOKIE)
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else ""


def _with_cookie(send: Send, cookie: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).append("set-cookie", cookie)
        await send(message)

    return sending


def _new_cookie(scope: Scope) -> str:
    cookie = SimpleCookie({COOKIE: secrets.token_urlsafe(_TOKEN_BYTES)})
    attributes = {"path": "/", "max-age": SECONDS, "samesite": "Lax", "httponly": True}
    for name, value in (attributes | {"secure": scope["scheme"] == "https"}).items():
        cookie[COOKIE][name] = value
    return cookie[COOKIE].OutputString()


MIDDLEWARE = [Middleware(BrowserKey)]
