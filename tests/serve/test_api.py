"""The address of the app's own server: who is answered, within which limits, and what keeps it from waiting."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from torch import Tensor
from uvicorn import Config

from cnnlab.analysis.ood import Reading, TrainingFeatures, read
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import load_trained
from cnnlab.serve import api as module
from cnnlab.serve.answers import QuestionError
from cnnlab.serve.api import MOST_BYTES, OF_KEY, PATH, WRONG_KEYS, Api
from cnnlab.training.config import RunConfig
from tests.data.pictures.photos import saved, scene
from tests.samples import SEVEN

KEY = "the key"
STROKES = json.dumps({"strokes": SEVEN.strokes, "pen": SEVEN.pen})
JSON = "application/json"
Ask = Callable[..., Any]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders of the networks that were loaded."""
    folders: list[Path] = []
    load = module._load

    def noted(folder: Path, epoch: int) -> object:
        folders.append(folder)
        return load(folder, epoch)

    monkeypatch.setattr(module, "_load", noted)
    return folders


@pytest.fixture
def client(finished_run: Run, loaded: list[Path], tmp_path: Path) -> Iterator[TestClient]:
    empty = RunStore(tmp_path / "empty").create(RunConfig())

    def find(key: str, run_id: str) -> Run:
        if key != KEY:
            raise QuestionError("send the key", 401)
        found = {run.id: run for run in (finished_run, empty)}.get(run_id or empty.id)
        if found is None:
            raise QuestionError("there is no such run", 404)
        return found

    async def quick(request: object) -> PlainTextResponse:
        return PlainTextResponse("there")

    routes = [Route(PATH, Api(find)), Route("/quick", quick), Route("/{page:path}", quick)]  # as Streamlit's pages
    with TestClient(Starlette(routes=routes)) as client:
        yield client


@pytest.fixture
def ask(client: TestClient, finished_run: Run) -> Ask:
    def asked(content: bytes | str = STROKES, kind: str = JSON, key: str = KEY, run: str = finished_run.id) -> Any:
        headers = {"Content-Type": kind, **({"Authorization": f"Bearer {key}"} if key else {})}
        return client.post(PATH, params={"run": run}, content=content, headers=headers)

    return asked


def test_it_answers_as_the_app_does_and_loads_a_network_once(ask: Ask, finished_run: Run, loaded: list[Path]) -> None:
    trained = load_trained(finished_run)
    familiar = TrainingFeatures.of(trained, data_of(finished_run), finished_run.config)
    reading = read(trained, prepare(stroke_ink(SEVEN)), familiar)
    for _ in range(2):
        answer = ask()
        assert answer.status_code == 200
        told = answer.json()
        assert (told["class"], told["doubt"]) == (reading.name, reading.doubt)
        assert list(told["probabilities"].values()) == pytest.approx(reading.probabilities, abs=1e-5)
        assert (told["run"], told["epoch"]) == (finished_run.id, trained.epoch)
    assert loaded == [finished_run.folder]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"key": ""}, 401),
        ({"key": "another"}, 401),
        ({"run": "none"}, 404),
        ({"run": ""}, 409),  # one without weights
        ({"content": b"{"}, 400),
        ({"content": b"no picture", "kind": "image/png"}, 422),
        ({"content": b"x" * (MOST_BYTES + 1), "kind": "image/png"}, 413),
        ({"content": b"x", "kind": "text/plain"}, 415),
        ({"content": saved(scene(3, 40), "PNG"), "kind": "image/png"}, 200),
    ],
)
def test_each_refusal_has_its_status_and_a_sentence(asked: dict[str, Any], status: int, ask: Ask) -> None:
    answer = ask(**asked)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert list(answer.json()) == ["error"]
    assert ("www-authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_only_a_post_is_answered_and_no_page_in_its_place(method: str, client: TestClient) -> None:
    refused = client.request(method, PATH, headers={"Authorization": f"Bearer {KEY}"})
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


def test_a_key_has_a_limit_a_minute(ask: Ask) -> None:
    assert {ask().status_code for _ in range(OF_KEY)} == {200}
    refused = ask()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert "this key" in refused.json()["error"]


def test_questions_for_runs_that_are_not_there_count_too(ask: Ask) -> None:
    assert {ask(run="none").status_code for _ in range(OF_KEY)} == {404}
    assert ask().status_code == 429


def test_who_tries_keys_has_to_wait_even_with_the_right_one(ask: Ask) -> None:
    assert {ask(key="guess").status_code for _ in range(WRONG_KEYS)} == {401}
    assert "this address" in ask(key="guess").json()["error"]
    assert ask().status_code == 429


def asked_by(run: Run, questions: Iterable[tuple[str, str]], keys: Collection[str]) -> Counter[int]:
    """How often each status comes of questions from addresses with keys, of which ``keys`` are right."""

    def find(key: str, run_id: str) -> Run:
        if key not in keys:
            raise QuestionError("send the key", 401)
        return run

    async def asked() -> Counter[int]:
        api, found = Api(find), Counter[int]()
        for address, key in questions:
            headers = [(b"authorization", f"Bearer {key}".encode())]
            question = {"type": "http", "client": (address, 1), "headers": headers, "query_string": b""}
            try:
                await api._found(Request(question))
                found[200] += 1
            except QuestionError as error:
                found[error.status] += 1
        return found

    return asyncio.run(asked())


def test_strangers_at_many_addresses_do_not_keep_others_out(finished_run: Run) -> None:
    guesses = [(f"2001:db8::{number % 20}", "guess") for number in range(400)]
    assert asked_by(finished_run, [*guesses, ("2001:db8:1::1", KEY)], [KEY]) == {401: 400, 200: 1}


def test_a_class_behind_one_address_has_the_limit_of_each_key(finished_run: Run) -> None:
    keys = [f"key {number}" for number in range(30)]
    questions = [("192.0.2.1", key) for _ in range(OF_KEY) for key in keys]
    assert asked_by(finished_run, questions, keys) == {200: 30 * OF_KEY}


def test_a_classmates_wrong_keys_do_not_keep_out_who_asks_from_the_same_address(finished_run: Run) -> None:
    wrong = [("192.0.2.1", "of last year")] * (WRONG_KEYS + 5)
    questions = [("192.0.2.1", KEY), *wrong, ("192.0.2.1", KEY), ("192.0.2.1", "new")]
    assert asked_by(finished_run, questions, [KEY, "new"]) == {200: 2, 401: WRONG_KEYS, 429: 6}


def test_only_a_trusted_proxy_says_who_asks(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """As uvicorn, which serves the app, reads its environment."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "192.0.2.0/28")
    served = Config(client.app, lifespan="off", log_config=None)
    served.load()

    def status(peer: str, forwarded: str) -> int:
        with TestClient(served.loaded_app, client=(peer, 1)) as proxy:
            return proxy.post(PATH, headers={"X-Forwarded-For": forwarded}).status_code

    assert {status("192.0.2.7", "203.0.113.1, 192.0.2.8") for _ in range(WRONG_KEYS)} == {401}
    assert status("192.0.2.9", "203.0.113.1") == 429
    assert status("192.0.2.7", "203.0.113.2") == 401
    assert {status("198.51.100.1", f"203.0.113.{number}") for number in range(WRONG_KEYS)} == {401}
    assert status("198.51.100.1", "203.0.113.99") == 429


def test_while_a_network_thinks_the_server_answers_others_and_refuses_what_would_wait_too_long(
    ask: Ask, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    thinking, goes_on = threading.Event(), threading.Event()
    answer = module.Network.answer

    def slow(network: module.Network, image: Tensor) -> Reading:
        thinking.set()
        assert goes_on.wait(60)
        return answer(network, image)

    monkeypatch.setattr(module.Network, "answer", slow)
    monkeypatch.setattr(module, "WAITING", 1)
    with ThreadPoolExecutor(1) as asker:
        waiting = asker.submit(ask)
        assert thinking.wait(60)
        assert client.get("/quick").text == "there"
        assert ask().status_code == 503
        goes_on.set()
        assert waiting.result().status_code == 200
    assert ask().status_code == 200
