from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import torch
from safetensors.torch import load

from cnnlab.export import huggingface_hub
from cnnlab.export.formats.onnx_file import opened
from cnnlab.export.formats.table import EXPORTS
from cnnlab.export.huggingface_hub import FILES, to_hugging_face
from cnnlab.export.metrics import InteropError
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.build import build
from cnnlab.runs.run import Run
from cnnlab.runs.trained import load_trained

TOKEN = "hf_secret"


@dataclass
class Hub:
    """Stand in for the server's HTTP API: one account, which keeps what is committed."""

    address: str = ""
    repositories: dict[str, bool] = field(default_factory=dict)  # name → whether it is private
    files: dict[str, bytes] = field(default_factory=dict)
    message: str = ""
    asked: int = 0

    def answer(self, path: str, token: str, body: bytes) -> tuple[int, Any]:
        self.asked += 1
        if token != f"Bearer {TOKEN}":
            return 401, {"error": "Invalid username or password."}
        if path == "/api/repos/create":
            given = json.loads(body)
            name = f"{given.get('organization') or 'me'}/{given['name']}"
            private = given.get("private") or given.get("visibility") == "private"
            self.repositories.setdefault(name, private)
            return 200, {"url": f"{self.address}/{name}"}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if "/preupload/" in path:
            files = json.loads(body)["files"]
            told = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in files]
            return 200, {"files": told}
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "header":
                self.message = line["value"]["summary"]
            else:
                self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
        return 200, {
            "commitUrl": f"{self.address}/me/digits/commit/{'1' * 40}",
            "commitOid": "1" * 40,
            "pullRequestUrl": None,
        }


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = b"".join(self.parts())
            status, told = hub.answer(self.path.split("?")[0], self.headers["Authorization"], body)
            content = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def parts(self) -> Iterator[bytes]:
            if length := self.headers["Content-Length"]:
                yield self.rfile.read(int(length))
                return
            while length := int(self.rfile.readline(), 16):  # commits come in chunks
                yield self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()

        def log_message(self, *given: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield hub
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_network_arrives_with_its_card_and_answers_as_here(
    listed_run: Run, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    for slow in ("page.html", "predict.py", "card.json"):
        assert FILES[slow] in EXPORTS
        monkeypatch.delitem(FILES, slow)
    address = to_hugging_face(listed_run, "me/digits")
    assert address == f"{hub.address}/me/digits"
    assert hub.repositories == {"me/digits": True}
    assert set(hub.files) == {"README.md", "network.onnx", "model.safetensors", "network.json"}
    assert hub.files["README.md"].startswith(b"---\nlibrary_name:")
    trained = load_trained(listed_run)
    layers = Architecture.model_validate_json(hub.files["network.json"])
    network = build(layers, trained.shape, len(trained.classes))
    network.load_state_dict(load(hub.files["model.safetensors"]))
    images = torch.randint(0, 256, (3, *trained.shape), dtype=torch.uint8)
    assert torch.equal(network.eval()(trained.inputs(images)), trained.network(trained.inputs(images)))
    assert torch.allclose(opened(hub.files["network.onnx"])(images), trained.probabilities(images), atol=1e-5)


@pytest.fixture
def only_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing all files takes seconds."""
    monkeypatch.setattr(huggingface_hub, "_contents", lambda portable: {"README.md": b"# Digits"})


@pytest.mark.usefixtures("only_a_card")
def test_a_repository_is_public_only_where_that_is_said(listed_run: Run, hub: Hub) -> None:
    to_hugging_face(listed_run, "me/digits", public=True)
    assert hub.repositories == {"me/digits": False}


@pytest.mark.usefixtures("only_a_card")
def test_a_server_that_refuses_is_told_in_a_sentence(
    listed_run: Run, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    with pytest.raises(InteropError, match="Hugging Face did not take it"):
        to_hugging_face(listed_run, "me/digits")
    with pytest.raises(InteropError, match="Hugging Face did not take it"):
        to_hugging_face(listed_run, "no such name/at all/")
    assert not hub.files


def test_without_a_token_nothing_is_sent(listed_run: Run, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(InteropError, match="set HF_TOKEN"):
        to_hugging_face(listed_run, "me/digits")
    assert not hub.asked
