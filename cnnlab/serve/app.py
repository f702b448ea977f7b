"""The web application: a page, its health, what the network is, and its answers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from cnnlab.analysis.ood import read_all
from cnnlab.export.portable import Portable
from cnnlab.serve.answers import MAX_BYTES, QuestionError, Reader, answer_of
from cnnlab.serve.batches import Batches, BusyError

AT_ONCE = 32  # images answered together
WAITING = 1_000  # questions
PAGE = Path(__file__).with_name("page.html")


def application(portable: Portable, key: str = "") -> Starlette:
    """Return the application for one network; with a ``key`` only those who send it as a bearer are answered."""
    trained = portable.trained
    batches = Batches(partial(read_all, trained, familiar=portable.familiar), min(AT_ONCE, trained.at_once), WAITING)
    reader = Reader(portable)

    @asynccontextmanager
    async def running(app: Starlette) -> AsyncIterator[None]:
        work = asyncio.create_task(batches.run())
        try:
            yield
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
            batches.close()

    async def predict(request: Request) -> Response:
        if key and not secrets.compare_digest(
            request.headers.get("authorization", "").encode(), f"Bearer {key}".encode()
        ):
            return _refused(QuestionError("send the key: Authorization: Bearer …", 401))
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            content = await _content(request, kind)
            # Pixels are read at once; what must be decoded or drawn first would keep others waiting.
            is_quick = kind == "application/octet-stream"
            image = reader.image(kind, content) if is_quick else await run_in_threadpool(reader.image, kind, content)
            reading = await batches.ask(image)
        except QuestionError as error:
            return _refused(error)
        except BusyError:
            return _refused(QuestionError("too many questions wait: ask again in a second", 503))
        return JSONResponse(answer_of(reading, trained.classes))

    async def metadata(request: Request) -> Response:
        return JSONResponse(
            {
                "title": portable.title,
                "run": portable.run,
                "epoch": trained.epoch,
                "classes": trained.classes,
                "shape": trained.shape,
                "preparation": portable.preparation,
                "needs_key": bool(key),
            }
        )

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def page(request: Request) -> Response:
        return HTMLResponse(PAGE.read_text(encoding="utf-8"), headers={"Content-Security-Policy": POLICY})

    routes = [
        Route("/", page),
        Route("/health", health),
        Route("/metadata", metadata),
        Route("/predict", predict, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=running)


POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src blob:"


def _has_key(request: Request, key: str) -> bool:
    sent = request.headers.get("authorization", "")
    return secrets.compare_digest(sent.encode(), f"Bearer {key}".encode())


async def _content(request: Request, kind: str) -> bytes:
    """Read a question of bounded size. Raises QuestionError."""
    most = next((most for pattern, most in MAX_BYTES.items() if fnmatch(kind, pattern)), None)
    if most is None:
        raise QuestionError("send a picture (image/…), application/json or application/octet-stream", 415)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise QuestionError(f"this is larger than {most // 1000:,} kB", 413)
        parts.append(part)
    return b"".join(parts)


def _refused(error: QuestionError) -> Response:
    return JSONResponse({"error": str(error)}, status_code=error.status)
