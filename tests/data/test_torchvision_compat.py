from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cnnlab.data import torchvision_compat
from cnnlab.data.loading import load
from cnnlab.data.spec import DatasetError
from cnnlab.data.torchvision_compat import datasets


def test_the_data_sets_can_be_imported_whatever_the_pair() -> None:
    assert torchvision_compat.datasets.MNIST.resources
    assert torch.ops.torchvision.nms


def test_in_a_fresh_process_torchvision_imports_through_the_door() -> None:
    code = "from cnnlab.data.torchvision_compat import datasets; import torchvision; print(datasets.MNIST.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "MNIST\n"


def test_with_a_matching_pair_nothing_is_defined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision_compat, "_library_loads", lambda: True)
    monkeypatch.setattr(torch.library, "Library", None)  # calling it would fail
    assert torchvision_compat.define_missing_operators() is None


def test_with_a_mismatched_pair_both_schemas_are_defined(monkeypatch: pytest.MonkeyPatch) -> None:
    class Recorder:
        def __init__(self, *place: str) -> None:
            self.place = place
            self.schemas: list[str] = []

        def define(self, schema: str) -> None:
            self.schemas.append(schema)

    def fail(path: Path) -> None:
        raise OSError(f"{path.name} wants another torch")

    monkeypatch.setattr(torch.ops, "load_library", fail)
    monkeypatch.setattr(torch.library, "Library", Recorder)
    library = torchvision_compat.define_missing_operators()
    assert isinstance(library, Recorder)
    boxes = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
    assert library.place == ("torchvision", "DEF")
    assert library.schemas == [f"nms{boxes}", f"qnms{boxes}"]


def test_a_missing_torchvision_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision_compat, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install -r requirements\.txt"):
        torchvision_compat.define_missing_operators()


@pytest.mark.parametrize("name", ["mnist", "usps"])
def test_a_server_that_takes_the_call_and_never_answers_is_given_up(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torchvision_compat, "SILENCE_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the system accepts for it
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setattr(datasets.MNIST, "mirrors", [address])
        monkeypatch.setattr(datasets.USPS, "split_list", {"train": [address, "usps.bz2", ""]})
        with pytest.raises(DatasetError, match=r"could not be downloaded \(the server does not answer\)"):
            load(name, folder=tmp_path)
