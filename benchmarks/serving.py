"""A served network under load: questions a second, their waiting time, memory; one in twenty is garbage."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from statistics import quantiles
from time import perf_counter
from typing import TypedDict

import psutil

from cnnlab.data.loading import load
from cnnlab.jobs.job import Job
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig

CONNECTIONS = 16
QUESTIONS = 10_000
GARBAGE = 0.05
HEAD = "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\n"
CORE = 0  # of the server; whoever asks has the others


class Figures(TypedDict):
    """What the load showed."""

    a_second: float
    p50: float  # ms
    p95: float  # ms
    answered: int  # with 200
    refused: int  # with 4xx
    lost: int
    megabytes: list[float]  # of the server at the begin and at the end
    exit_code: int


def measure() -> Figures:
    """Train, serve, ask."""
    with tempfile.TemporaryDirectory() as folder:
        job = Job.start(RunConfig(epochs=2), RunStore(Path(folder)))
        job.join()
        return _under_load(job.run)


def _under_load(run: Run) -> Figures:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "cnnlab", "serve", str(run.folder), "--port", str(port)]
    with subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}) as server:
        os.sched_setaffinity(server.pid, {CORE})
        os.sched_setaffinity(0, set(range(os.cpu_count() or 1)) - {CORE} or {CORE})
        images = load("mnist-sample").test.images
        questions = [images[number % len(images)].numpy().tobytes() for number in range(QUESTIONS)]
        process = psutil.Process(server.pid)
        _await(port)
        asyncio.run(_ask_all(port, questions[:500]))
        before = process.memory_info().rss / 1e6
        began = perf_counter()
        answers = asyncio.run(_ask_all(port, _with_garbage(questions)))
        seconds = perf_counter() - began
        after = process.memory_info().rss / 1e6
        server.send_signal(signal.SIGINT)
        code = server.wait(30)
    waits = quantiles([1000 * wait for _, wait in answers], n=100)
    return Figures(
        a_second=len(answers) / seconds,
        p50=waits[49],
        p95=waits[94],
        answered=sum(status == 200 for status, _ in answers),
        refused=sum(400 <= status < 500 for status, _ in answers),
        lost=QUESTIONS - len(answers) + sum(status >= 500 for status, _ in answers),
        megabytes=[before, after],
        exit_code=code,
    )


def _with_garbage(questions: list[bytes]) -> list[bytes]:
    draws = Random(0)
    return [draws.randbytes(draws.randrange(2_000)) if draws.random() < GARBAGE else each for each in questions]


def _await(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 0.1).close()
        except OSError:
            asyncio.run(asyncio.sleep(0.1))
        else:
            return
    raise RuntimeError("the server does not answer")


async def _ask_all(port: int, questions: list[bytes]) -> list[tuple[int, float]]:
    """Ask over CONNECTIONS connections; return status and seconds of each question."""
    parts = [questions[start::CONNECTIONS] for start in range(CONNECTIONS)]
    found = await asyncio.gather(*(_ask(port, part) for part in parts))
    return [answer for part in found for answer in part]


async def _ask(port: int, questions: list[bytes]) -> list[tuple[int, float]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for question in questions:
        began = perf_counter()
        writer.write(f"{HEAD}Content-Length: {len(question)}\r\n\r\n".encode() + question)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length"))
        await reader.readexactly(length)
        answers.append((int(lines[0].split()[1]), perf_counter() - began))
    writer.close()
    await writer.wait_closed()
    return answers


def table(figures: Figures) -> str:
    """Write the figures as a sentence."""
    before, after = figures["megabytes"]
    return (
        f"{figures['a_second']:,.0f} questions a second on one core, over {CONNECTIONS} connections; p50 "
        f"{figures['p50']:.1f} ms, p95 {figures['p95']:.1f} ms. Of {QUESTIONS:,} questions {figures['answered']:,} "
        f"were answered, {figures['refused']:,} refused, {figures['lost']} lost; {before:.0f} MB before, {after:.0f} "
        f"after; stopped with exit code {figures['exit_code']}."
    )
