"""Questions that arrive while the network answers others are answered together: a batch costs little more than one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from cnnlab.analysis.ood import Reading
from cnnlab.serve.answers import QuestionError

Answering = Callable[[Tensor], list[Reading]]
"""Images (N, C, H, W) uint8 → N readings."""


class Batches:
    """A queue of images, and a thread in which they are answered."""

    def __init__(self, answer: Answering, at_once: int, waiting: int) -> None:
        """Answer up to ``at_once`` images together; up to ``waiting`` others may wait."""
        self._answer = answer
        self._at_once = at_once
        self._queue: asyncio.Queue[tuple[Tensor, asyncio.Future[Reading]]] = asyncio.Queue(waiting)
        self._thread = ThreadPoolExecutor(1, "answers")

    async def ask(self, image: Tensor) -> Reading:
        """Return the reading of an image (C, H, W) uint8. Raises QuestionError where too many wait."""
        answered: asyncio.Future[Reading] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((image, answered))
        except asyncio.QueueFull as error:
            raise QuestionError("too many questions wait: ask again in a second", 503) from error
        return await answered

    async def run(self) -> None:
        """Answer until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            asked = [await self._queue.get()]
            while len(asked) < self._at_once and not self._queue.empty():
                asked.append(self._queue.get_nowait())
            images = torch.stack([image for image, _ in asked])
            try:
                readings = await loop.run_in_executor(self._thread, self._answer, images)
            except Exception as error:  # of whoever asked, not of the server, which goes on
                for _, answered in asked:
                    if not answered.done():
                        answered.set_exception(error)
                continue
            for (_, answered), reading in zip(asked, readings, strict=True):
                if not answered.done():  # who asked may be gone
                    answered.set_result(reading)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)
