"""The web application: a page, its health, what the network is, and its answers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from torch import Tensor

from cnnlab.analysis.ood import read_all
from cnnlab.export.portable import Portable
from cnnlab.serve.answers import QuestionError, Reader, answer_of
from cnnlab.serve.batches import Batches
from cnnlab.serve.questions import MAX_BYTES, bearer_of, content_of, kind_of, refused

AT_ONCE = 32  # images answered together
WAITING = 1_000  # questions
READ_AT_ONCE = 2  # pictures: one of the most pixels takes 250 MB while it is read
PAGE = Path(__file__).with_name("page.html")


POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src blob:"


def application(portable: Portable, key: str = "") -> Starlette:
    """Return the application for one network; with a ``key`` only those who send it as a bearer are answered."""
    service = _Service(portable, key)
    routes = [
        Route("/", service.page),
        Route("/health", service.health),
        Route("/metadata", service.metadata),
        Route("/predict", service.predict, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=service.running)


class _Service:
    """What is done at each address."""

    def __init__(self, portable: Portable, key: str) -> None:
        trained = portable.trained
        self._portable, self._key = portable, key.encode()
        self._reader = Reader(trained.shape, portable.preparation)
        self._readers = ThreadPoolExecutor(READ_AT_ONCE, "readers")
        answer = partial(read_all, trained, familiar=portable.familiar)
        self._batches = Batches(answer, min(AT_ONCE, trained.at_once), WAITING)

    @asynccontextmanager
    async def running(self, app: Starlette) -> AsyncIterator[None]:
        """Answer what waits for as long as the server runs."""
        work = asyncio.create_task(self._batches.run())
        try:
            yield
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
            self._readers.shutdown(wait=True, cancel_futures=True)
            self._batches.close()

    async def predict(self, request: Request) -> Response:
        """Answer a question, or say in a sentence why it cannot be answered."""
        kind = kind_of(request)
        try:
            self._check_key(request)
            content = await content_of(request, kind, MAX_BYTES)
            # Pixels are read at once; what must be decoded or drawn first would keep others waiting.
            is_quick = kind == "application/octet-stream"
            read = self._reader.image
            image = read(kind, content) if is_quick else await self._aside(read, kind, content)
            reading = await self._batches.ask(image)
        except QuestionError as error:
            return JSONResponse({"error": str(error)}, status_code=error.status)
        except ClientDisconnect:  # nobody is there to be answered
            return Response(status_code=400)
        except asyncio.CancelledError:  # as the server does when it ends
            return JSONResponse({"error": "the server ends"}, status_code=503)
        return JSONResponse(answer_of(reading, self._portable.trained.classes))

    async def _aside(self, read: Callable[[str, bytes], Tensor], kind: str, content: bytes) -> Tensor:
        return await asyncio.get_running_loop().run_in_executor(self._readers, read, kind, content)

    async def metadata(self, request: Request) -> Response:
        """Say what the network is."""
        portable, trained = self._portable, self._portable.trained
        return JSONResponse(
            {
                "title": portable.title,
                "run": portable.run,
                "epoch": trained.epoch,
                "classes": trained.classes,
                "shape": trained.shape,
                "preparation": portable.preparation,
                "needs_key": bool(self._key),
            }
        )

    async def health(self, request: Request) -> Response:
        """Say that the server is there."""
        return JSONResponse({"status": "ok"})

    async def page(self, request: Request) -> Response:
        """Return the small page on which one asks by hand."""
        return HTMLResponse(PAGE.read_text(encoding="utf-8"), headers={"Content-Security-Policy": POLICY})

    def _check_key(self, request: Request) -> None:
        if self._key and not secrets.compare_digest(sent := bearer_of(request), self._key):
            raise refused(sent)
