"""The address at which the app's own server answers programs: ``POST /api/predict?run=ID``, with a person's key.

Nothing here waits in the server's event loop: keys, runs and pictures are read in two threads, networks answer in one,
and the last few networks stay at hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import torch
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from torch import Tensor

from cnnlab.analysis.ood import Reading, TrainingFeatures, read
from cnnlab.data.datasets import dataset_spec
from cnnlab.errors import CnnLabError
from cnnlab.export.portable import preparation_of
from cnnlab.people.attempts import Attempts
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained, load_trained
from cnnlab.serve.answers import QuestionError, Reader, answer_of
from cnnlab.serve.questions import bearer_of, content_of, kind_of

PATH = "/api/predict"
MOST_BYTES = 64_000
KINDS = dict.fromkeys(("application/json", "application/octet-stream", "image/*"), MOST_BYTES)
OF_KEY, OF_ALL = 60, 3_000  # questions a minute
WRONG_KEYS = 20  # a minute from one address, which a whole class may share
SECONDS = 10  # for a question to arrive
WAITING = 32  # questions
NETWORKS = 4  # at hand
READERS = 2  # pictures: one of the most pixels takes 250 MB while it is read

_HEADERS = {
    401: {"WWW-Authenticate": "Bearer"},
    405: {"Allow": "POST"},
    429: {"Retry-After": "60"},
    503: {"Retry-After": "1"},
}
_Made = TypeVar("_Made")

Find = Callable[[str, str], Run]
"""Finds the run of an id for the holder of a key; raises QuestionError, 401 for a key that is none, 404 for the run."""


@dataclass(frozen=True)
class Network:
    """A network that is ready to answer."""

    trained: Trained
    familiar: TrainingFeatures
    reader: Reader

    def answer(self, image: Tensor) -> Reading:
        """Answer an image (C, H, W) uint8."""
        return read(self.trained, image[None], self.familiar)


class Api:
    """What is done at the address: an ASGI application, so that its route takes all methods."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._asked = Attempts(of_one=OF_KEY, of_all=OF_ALL)  # by key
        self._wrong = Attempts(of_one=WRONG_KEYS, of_all=OF_ALL)  # by address
        self._right: set[str] = set()  # keys that were right when they were last sent
        self._network = lru_cache(maxsize=NETWORKS)(_load)
        self._readers = ThreadPoolExecutor(READERS, "api readers", torch.set_num_threads, (1,))
        self._answering = ThreadPoolExecutor(1, "api answers", torch.set_num_threads, (1,))
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        answer = await self._predict(Request(scope, receive))
        await answer(scope, receive, send)

    async def _predict(self, request: Request) -> Response:
        """Answer a question, or say in a sentence why it cannot be answered."""
        try:
            if request.method != "POST":
                raise QuestionError("ask by POST", 405)
            return JSONResponse(await self._answer(request))
        except QuestionError as error:
            return JSONResponse({"error": str(error)}, error.status, _HEADERS.get(error.status))
        except ClientDisconnect:  # nobody is there to be answered
            return Response(status_code=400)

    async def _answer(self, request: Request) -> dict[str, object]:
        if self._waiting >= WAITING:
            raise QuestionError("too many questions wait: ask again in a second", 503)
        self._waiting += 1
        try:
            run = await self._found(request)
            kind = kind_of(request)
            async with asyncio.timeout(SECONDS):
                content = await content_of(request, kind, KINDS)
            network, image = await _within(self._readers, lambda: self._prepared(run, kind, content))
            reading = await _within(self._answering, lambda: network.answer(image))
        except TimeoutError as error:
            raise QuestionError(f"the question did not arrive within {SECONDS} seconds", 408) from error
        finally:
            self._waiting -= 1
        return {"run": run.id, "epoch": network.trained.epoch, **answer_of(reading, network.trained.classes)}

    async def _found(self, request: Request) -> Run:
        """Find the run of a question for whoever sent the key, within its limit.

        An address is limited only in wrong keys. Those that share it go on asking with keys that are known to be right.
        """
        address = request.client.host if request.client else ""
        key = bearer_of(request).decode("ascii", errors="replace")
        if key not in self._right and not self._wrong.is_allowed(address):
            raise QuestionError("too many wrong keys from this address: wait a minute", 429)
        if not self._asked.is_allowed(key):
            raise QuestionError("too many questions with this key: wait a minute", 429)
        try:
            run = await _within(self._readers, lambda: self._find(key, request.query_params.get("run", "")))
        except QuestionError as error:
            if error.status == 401:
                self._wrong.note(address)
                self._right.discard(key)
            else:
                self._asked.note(key)
            raise
        self._right.add(key)
        self._asked.note(key)
        return run

    def _prepared(self, run: Run, kind: str, content: bytes) -> tuple[Network, Tensor]:
        try:
            network = self._network(run.folder, run.judged_epoch)
        except CnnLabError as error:  # it has no weights yet, or its pictures are gone
            raise QuestionError(str(error), 409) from error
        return network, network.reader.image(kind, content)


def _load(folder: Path, epoch: int) -> Network:
    run = Run(folder)
    trained = load_trained(run, epoch)
    familiar = TrainingFeatures.of(trained, data_of(run), run.config)
    return Network(trained, familiar, Reader(trained.shape, preparation_of(dataset_spec(run.config.dataset))))


async def _within(threads: ThreadPoolExecutor, work: Callable[[], _Made]) -> _Made:
    return await asyncio.get_running_loop().run_in_executor(threads, work)
