"""A network at an address: it answers as the app does, and refuses in a sentence what it cannot read."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from http.client import HTTPConnection
from typing import Any

import pytest
import torch
from starlette.testclient import TestClient

from cnnlab.analysis.ood import read
from cnnlab.cli.serve import _listening
from cnnlab.data.loading import load
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.export.portable import Portable
from cnnlab.networks.presets import PRESETS
from cnnlab.runs.run import Run
from cnnlab.serve import app as serving
from cnnlab.serve.answers import Reader
from cnnlab.serve.app import application
from tests.cli.commands import refusal
from tests.data.pictures.photos import saved, scene
from tests.export.portables import portable
from tests.processes import await_event, running
from tests.samples import SEVEN

BYTES, JSON = "application/octet-stream", "application/json"
STROKES = json.dumps({"strokes": SEVEN.strokes, "pen": SEVEN.pen})


@pytest.fixture
def client(packed: Portable) -> Iterator[TestClient]:
    with TestClient(application(packed)) as client:
        yield client


def ask(client: TestClient, content: bytes | str, kind: str, **headers: str) -> Any:
    return client.post("/predict", content=content, headers={"Content-Type": kind, **headers})


@pytest.mark.parametrize("form", ["bytes", "pixels", "grey pixels", "strokes"])
def test_it_answers_as_the_app_does(form: str, client: TestClient, packed: Portable) -> None:
    image = load("mnist-sample").test.images[3]  # (1, 28, 28)
    match form:
        case "bytes":
            answer = ask(client, image.numpy().tobytes(), BYTES).json()
        case "pixels":
            answer = ask(client, json.dumps({"pixels": image.tolist()}), JSON).json()
        case "grey pixels":
            answer = ask(client, json.dumps({"pixels": image[0].tolist()}), JSON).json()
        case _:
            image = prepare(stroke_ink(SEVEN))[0]
            answer = ask(client, STROKES, JSON).json()
    reading = read(packed.trained, image[None], packed.familiar)
    assert (answer["class"], answer["doubt"], answer["sure"]) == (reading.name, reading.doubt, not reading.doubt)
    assert list(answer["probabilities"].values()) == pytest.approx(reading.probabilities, abs=1e-5)


def test_a_picture_is_prepared_before_it_is_answered() -> None:
    network = portable(PRESETS["quick"], (3, 32, 32))
    with TestClient(application(network)) as client:
        for kind in ("PNG", "JPEG", "WEBP"):
            answer = ask(client, saved(scene(3, 90), kind), f"image/{kind.lower()}")
            assert sum(answer.json()["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert "does not read drawings" in ask(client, STROKES, JSON).json()["error"]


@pytest.mark.parametrize(
    ("content", "kind", "status", "words"),
    [
        (b"12", BYTES, 422, "these are 2 bytes; the network takes 1×28×28"),
        (b"", BYTES, 422, "0 bytes"),
        (b"x", "text/plain", 415, "send a picture"),
        (b"x", "", 415, "send a picture"),
        (b"{", JSON, 400, "no JSON"),
        (b"[" * 100_000, JSON, 400, "no JSON"),
        (b"3", JSON, 422, "send"),
        (json.dumps({"pixels": [[1, 2], [3]]}), JSON, 422, "whole numbers from 0 to 255"),
        (json.dumps({"pixels": [[256] * 28] * 28}), JSON, 422, "whole numbers from 0 to 255"),
        (json.dumps({"pixels": [[0.5] * 28] * 28}), JSON, 422, "whole numbers from 0 to 255"),
        (json.dumps({"pixels": [["a"] * 28] * 28}), JSON, 422, "whole numbers from 0 to 255"),
        (json.dumps({"pixels": [[10**30] * 28] * 28}), JSON, 422, "whole numbers from 0 to 255"),
        (json.dumps({"strokes": []}), JSON, 422, "the drawing is empty"),
        (json.dumps({"strokes": [[[0, 0], ["x", 1]]]}), JSON, 422, ""),
        (b"no picture", "image/png", 422, "not a readable image"),
        (saved(scene(1))[:99], "image/png", 422, "damaged"),
        (b" " * 1_000_001, JSON, 413, "larger than 1,000 kB"),
        (b" " * 10_000_001, "image/png", 413, "larger than 10,000 kB"),
    ],
)
def test_what_cannot_be_read_is_told(
    content: bytes | str, kind: str, status: int, words: str, client: TestClient
) -> None:
    refused = ask(client, content, kind)
    assert (refused.status_code, set(refused.json())) == (status, {"error"})
    assert words in refused.json()["error"]


def test_with_a_key_only_who_sends_it_is_answered(packed: Portable) -> None:
    image = bytes(28 * 28)
    with TestClient(application(packed, key="söme key")) as client:
        assert ask(client, image, BYTES).status_code == 401
        assert ask(client, image, BYTES, Authorization="Bearer other").status_code == 401
        headers = {b"Content-Type": BYTES.encode(), b"Authorization": "Bearer söme key".encode()}
        assert client.post("/predict", content=image, headers=headers).status_code == 200
        assert client.get("/metadata").json()["needs_key"]


def test_it_says_what_it_is_and_that_it_is_well(client: TestClient, packed: Portable) -> None:
    told = client.get("/metadata").json()
    assert (told["classes"], told["shape"], told["title"]) == (list("0123456789"), [1, 28, 28], "Two epochs")
    assert client.get("/health").json() == {"status": "ok"}
    page = client.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert client.get("/predict").status_code == 405


def test_a_question_that_fails_harms_no_other(packed: Portable, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def fails_first(trained: object, images: torch.Tensor, familiar: object) -> list[Any]:
        calls.append(len(images))
        if len(calls) == 1:
            raise RuntimeError("no memory")
        return [read(packed.trained, image[None], packed.familiar) for image in images]

    monkeypatch.setattr(serving, "read_all", fails_first)
    with TestClient(application(packed), raise_server_exceptions=False) as client:
        assert ask(client, bytes(28 * 28), BYTES).status_code == 500
        assert ask(client, bytes(28 * 28), BYTES).status_code == 200


def test_few_pictures_are_read_at_once_however_many_are_sent(packed: Portable, monkeypatch: pytest.MonkeyPatch) -> None:
    many = serving.READ_AT_ONCE + 3
    under_way: list[None] = []
    seen: list[int] = []
    full = threading.Event()

    def counted(reader: Reader, kind: str, content: bytes) -> torch.Tensor:
        under_way.append(None)
        seen.append(len(under_way))
        if len(seen) == serving.READ_AT_ONCE:
            full.set()
        assert full.wait(30)
        under_way.pop()
        return torch.zeros(1, 28, 28, dtype=torch.uint8)

    monkeypatch.setattr(Reader, "image", counted)
    with TestClient(application(packed)) as client, ThreadPoolExecutor(many) as askers:
        answers = list(askers.map(lambda _: ask(client, b"", "image/png").status_code, range(many)))
    assert (answers, max(seen)) == ([200] * many, serving.READ_AT_ONCE)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def test_a_client_that_never_ends_its_question_does_not_keep_the_server(finished_run: Run, free_port: int) -> None:
    half = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 99\r\n\r\nhalf"

    def is_there() -> bool:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", free_port)) as leaving:
            leaving.sendall(half)
            return True
        return False

    with running(["-m", "cnnlab", "serve", str(finished_run.folder), "--port", str(free_port)]) as process:
        await_event(process, is_there)
        with socket.create_connection(("127.0.0.1", free_port)) as staying:
            staying.sendall(half)
            staying.settimeout(1)
            with suppress(TimeoutError):
                staying.recv(1)  # the server has the half
            process.send_signal(signal.SIGINT)
            told, complaints = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "Traceback" not in f"{told}{complaints}"


def test_an_address_that_is_taken_is_told(finished_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"127.0.0.1:{port}" in refusal(capsys, "serve", str(finished_run.folder), "--port", port)


def test_the_command_serves_on_this_machine_and_stops_cleanly(finished_run: Run, free_port: int) -> None:
    port = free_port
    answers: list[Any] = []

    def is_answered() -> bool:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        with closing(connection), suppress(ConnectionRefusedError):
            connection.request("POST", "/predict", bytes(28 * 28), {"Content-Type": BYTES})
            answers.append(json.loads(connection.getresponse().read()))
        return bool(answers)

    with running(["-m", "cnnlab", "serve", str(finished_run.folder), "--port", str(port)]) as process:
        await_event(process, is_answered)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=30)
        assert f"http://127.0.0.1:{port}" in told
        assert process.returncode == 0
    assert "probabilities" in answers[0]


def test_answers_do_not_wait_for_more_to_send() -> None:
    """Without its protocol asyncio would leave Nagle's algorithm on."""
    with _listening("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
