"""What a client sends: its kind, its bytes within limits, and its key."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch

from starlette.requests import Request

from cnnlab.serve.answers import QuestionError

MAX_BYTES = {"application/json": 1_000_000, "application/octet-stream": 10_000_000, "image/*": 10_000_000}
"""The most bytes of a question, by its kind."""


def kind_of(request: Request) -> str:
    """Return the media type of a question, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def content_of(request: Request, kind: str, limits: Mapping[str, int]) -> bytes:
    """Read a question of bounded size. Raises QuestionError where it is too large, or of no kind in ``limits``."""
    most = next((most for pattern, most in limits.items() if fnmatch(kind, pattern)), None)
    if most is None:
        raise QuestionError("send a picture (image/…), application/json or application/octet-stream", 415)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise QuestionError(f"this is larger than {most // 1000:,} kB", 413)
        parts.append(part)
    return b"".join(parts)


def bearer_of(request: Request) -> bytes:
    """Return the key that a client sent; empty where there is none."""
    sent = request.headers.get("authorization", "").encode("latin-1")  # as headers were decoded
    return sent.removeprefix(b"Bearer ") if sent.startswith(b"Bearer ") else b""


def refused(key: str | bytes) -> QuestionError:
    """Return what to say of a key that opens nothing, or of none."""
    what = "this key is unknown or revoked" if key else "send the key: Authorization: Bearer …"
    return QuestionError(what, 401)
