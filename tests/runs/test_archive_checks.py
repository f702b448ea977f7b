from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from cnnlab.data.datasets import DATASETS
from cnnlab.networks.backbones import lite0
from cnnlab.networks.build import build
from cnnlab.networks.presets import PRESETS
from cnnlab.pretrained.table import BACKBONES
from cnnlab.runs import archive_checks
from cnnlab.runs.archive_checks import MAX_HEADER, admit
from cnnlab.runs.run import MAX_LINE, Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from cnnlab.training.loop import Training
from cnnlab.training.resources import MOST, Sample, to_line
from tests.samples import TINY, WITH_DROPOUT, few_digits

WEIGHTS = "weights/epoch-001.safetensors"
SAMPLE = to_line(Sample(seconds=2.0, core_percent=180.0, machine_percent=90.0, memory_mb=600.0))
KEPT = "checkpoints/epoch-002.safetensors"


Rewrite = Callable[[dict[str, Tensor]], dict[str, Tensor]]


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.fixture
def run(finished_run: Run, tmp_path: Path) -> Run:
    """A copy that may be changed."""
    return Run(shutil.copytree(finished_run.folder, tmp_path / finished_run.id))


def change(run: Run, name: str, **fields: object) -> None:
    path = run.folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_a_finished_run_is_admitted_as_it_is(run: Run) -> None:
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    admit(run)
    assert before == {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}


def test_a_run_without_history_and_weights_is_admitted_as_interrupted(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RunConfig())
    admit(run)
    assert json.loads((run.folder / "summary.json").read_text())["status"] == "interrupted"
    assert not (run.folder / "lock").exists()


def test_a_last_line_torn_by_a_kill_is_admitted(run: Run) -> None:
    with (run.folder / "history.jsonl").open("a") as history:
        history.write('{"step": 8, "epoch": 0.2')
    admit(run)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"{}{"),
        ("config.json", b'{"epochs": -1}'),
        ("config.json", b'{"foreign": 1}'),
        ("config.json", b"[" * 100_000),
        ("summary.json", b"null"),
        ("summary.json", b"{}"),
        ("about.json", b"[]"),
        ("about.json", b'{"note": "'),
        ("about.json", b'{"a":' * 100_000),
        ("history.jsonl", b"hello\n"),
        ("history.jsonl", b"[" * 100_000 + b"\n"),
        ("history.jsonl", b"\xff\x00\n"),
        (WEIGHTS, b""),
        (WEIGHTS, b"\xff" * 64),
        (WEIGHTS, b"\x02\0\0\0\0\0\0\0{}and more"),
    ],
)
def test_a_damaged_file_is_named(name: str, content: bytes, run: Run) -> None:
    (run.folder / name).write_bytes(content)
    with pytest.raises(RunError, match=f"run {run.id}: its {name} is (damaged|no safetensors file)"):
        admit(run)


def test_a_pickle_is_refused_and_not_run(run: Run, tmp_path: Path) -> None:
    content = pickle.dumps(Trap(tmp_path / "sprung"))
    (run.folder / WEIGHTS).write_bytes(content)
    with pytest.raises(RunError, match="no safetensors file"):
        admit(run)
    assert not (tmp_path / "sprung").exists()
    pickle.loads(content)  # it does spring where it is run
    assert (tmp_path / "sprung").exists()


@pytest.mark.parametrize("field", [{"loss": "1.5"}, {"loss": None}, {"accuracy": [1]}, {"step": 0.5}])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_value_that_charts_could_not_draw_is_refused(field: dict[str, object], end: str, run: Run) -> None:
    path = run.folder / "history.jsonl"
    line = json.loads(path.read_text().splitlines()[0])
    path.write_text(json.dumps(line | field) + end)
    with pytest.raises(RunError, match=r"history\.jsonl is damaged"):
        admit(run)


@pytest.mark.parametrize(
    "fields",
    [
        {"classes": ["[log in](http://stranger.invalid)", *"123456789"], "per_class": {}, "support": {}},
        {"classes": ["0", "1"], "per_class": {}, "support": {}},
        {"shape": [1, 27, 28]},
    ],
)
def test_classes_and_images_that_are_not_the_data_sets_are_refused(fields: dict[str, object], run: Run) -> None:
    change(run, "summary.json", **fields)
    with pytest.raises(RunError, match=r"summary\.json is of other classes or images than those of MNIST sample"):
        admit(run)


def test_a_run_of_an_unknown_data_set_is_refused(run: Run) -> None:
    change(run, "config.json", dataset="[log in](http://stranger.invalid)")
    with pytest.raises(RunError, match=r"config\.json is of a data set that is not known here"):
        admit(run)


def test_a_run_of_own_pictures_that_are_not_here_is_admitted(run: Run) -> None:
    change(run, "config.json", dataset="pets@3:0123abcd")
    admit(run)


def test_weights_that_train_beside_their_average_are_admitted_of_this_network_only(run: Run) -> None:
    path = run.folder / "checkpoint.safetensors"
    with safe_open(path, "pt") as file:
        about = file.metadata()
    weights = {f"trained.{name}": tensor for name, tensor in load_file(run.folder / WEIGHTS).items()}
    tensors = load_file(path)
    save_file(tensors | weights, path, about)
    admit(run)
    save_file(tensors | {"trained.other": torch.zeros(2)}, path, about)
    with pytest.raises(RunError, match="of another training"):
        admit(run)


def test_accuracies_of_fewer_classes_than_the_run_has_are_refused(run: Run) -> None:
    path = run.folder / "history.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    cut = [line | {"per_class": line["per_class"][:2]} if line["kind"] == "epoch" else line for line in lines]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in cut))
    with pytest.raises(RunError, match=r"history\.jsonl is damaged"):
        admit(run)


@pytest.mark.parametrize("fields", [{"id": "another"}, {"created": "0001-01-01T00:00:00Z"}])
def test_a_summary_of_another_run_or_time_is_refused(fields: dict[str, object], run: Run) -> None:
    change(run, "summary.json", **fields)
    with pytest.raises(RunError, match=r"summary\.json is of another run or time"):
        admit(run)


HEAD = [
    {"kind": "adaptive-pool2d", "output_size": 1},
    {"kind": "flatten"},
    {"kind": "linear", "out_features": "classes"},
]
HEAVY = [{"kind": "flatten"}, {"kind": "linear", "out_features": 65_536}, HEAD[-1]]
WIDE = [{"kind": "conv2d", "out_channels": 4096, "kernel_size": 1}, *[{"kind": "activation"}] * 10, *HEAD]
SLOW_WITHIN = [
    {"kind": "residual", "body": [{"kind": "conv2d", "out_channels": n, "padding": 1} for n in (512, 512, 1)]},
    *HEAD,
]


# First layers that a published backbone has make what follows no lighter.
BEHIND_A_BACKBONE = [*(layer.model_dump() for layer in lite0()[:10]), WIDE[0], *[{"kind": "activation"}] * 40, *HEAD]


@pytest.mark.parametrize(
    "layers",
    [HEAVY, WIDE, SLOW_WITHIN, BEHIND_A_BACKBONE],
    ids=["weights", "activations", "work", "behind a backbone"],
)
def test_a_network_that_takes_the_machines_memory_is_refused(layers: list[object], run: Run) -> None:
    change(run, "config.json", architecture={"name": "huge", "title": "Huge", "layers": layers})
    with pytest.raises(RunError, match=r"config\.json is of too large a network"):
        admit(run)


@pytest.mark.parametrize("name", BACKBONES)
def test_a_published_backbone_is_not_too_large(name: str, run: Run) -> None:
    config = run.config.model_copy(update={"architecture": BACKBONES[name].network(224)})
    archive_checks._check_network(run, config, run.summary)


@pytest.mark.parametrize("name", PRESETS)
def test_the_weights_of_every_preset_are_admitted(name: str, tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RunConfig.model_validate({"architecture": name}))
    digits = DATASETS["mnist-sample"]
    run.write_summary(
        run.summary.model_copy(
            update={"classes": digits.classes, "shape": digits.shape, "mean": digits.mean, "std": digits.std}
        )
    )
    run.save_weights(0, build(run.config.architecture, digits.shape, len(digits.classes)).state_dict())
    admit(run)


@pytest.mark.parametrize(
    "fields",
    [
        {"optimizer": "sgd"},
        {"optimizer": "adam", "early_stopping": 1},
        {"optimizer": "rmsprop"},
        {"architecture": WITH_DROPOUT, "optimizer": "adamw"},
    ],
)
def test_the_checkpoint_of_every_training_is_admitted(fields: dict[str, object], run: Run) -> None:
    config = RunConfig.model_validate({"architecture": TINY, "epochs": 1, **fields})
    data = few_digits()
    network = build(config.architecture, data.spec.shape, len(data.spec.classes))
    training = Training(network, data, config)
    list(training.events())
    (run.folder / "config.json").write_text(config.model_dump_json())
    shutil.rmtree(run.folder / "weights")
    run.save_weights(1, network.state_dict())
    run.save_checkpoint(training.checkpoint())
    admit(run)


def test_samples_of_resources_are_admitted_also_with_a_torn_last_line(run: Run) -> None:
    path = run.folder / "resources.jsonl"
    for end in ("", '{"seconds": 3'):
        path.write_text(f"{SAMPLE}\n" * 2 + end)
        admit(run)


@pytest.mark.parametrize(
    "text", ["{}\n", f"{SAMPLE}\nmore\n", SAMPLE.replace("2.0", "-2.0") + "\n", f"{SAMPLE}\n" * (MOST + 1)]
)
def test_resources_that_are_no_samples_or_too_many_are_refused(text: str, run: Run) -> None:
    (run.folder / "resources.jsonl").write_text(text)
    with pytest.raises(RunError, match=r"its resources\.jsonl is damaged"):
        admit(run)


def rewritten(path: Path, make: Rewrite) -> None:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    save_file(make(load_file(path)), path, metadata)


def with_one_more(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return tensors | {"more": torch.zeros(1000)}


def with_a_longer_one(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    name = max(tensors, key=lambda name: tensors[name].numel())
    return tensors | {name: torch.zeros(*tensors[name].shape, 2)}


def of_longer_numbers(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.double() for name, tensor in tensors.items()}


def with_a_long_generator(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return tensors | {"draws": torch.zeros(1_000_000, dtype=torch.uint8)}


def with_moments_of_more_parameters(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return tensors | {f"optimizer.{place}.exp_avg": tensors["optimizer.0.exp_avg"].clone() for place in range(1000)}


WEIGHTS_CHANGES: tuple[Rewrite, ...] = (with_one_more, with_a_longer_one, of_longer_numbers, lambda tensors: {})
TRAINING_CHANGES: tuple[Rewrite, ...] = (*WEIGHTS_CHANGES[:3], with_a_long_generator, with_moments_of_more_parameters)


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        *((WEIGHTS, make, "of another network") for make in WEIGHTS_CHANGES),
        *(("checkpoint.safetensors", make, "of another training") for make in TRAINING_CHANGES),
        (KEPT, with_one_more, "of another training"),
    ],
)
def test_tensors_of_any_other_network_or_training_are_refused(name: str, make: Rewrite, words: str, run: Run) -> None:
    run.checkpoints.folder.mkdir()
    shutil.copyfile(run.folder / "checkpoint.safetensors", run.folder / KEPT)
    rewritten(run.folder / name, make)
    with pytest.raises(RunError, match=f"run {run.id}: its {name} is {words}"):
        admit(run)


def test_a_header_longer_than_its_tensors_is_refused_unread(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def noted(path: Path, framework: str) -> Any:
        read.append(path.name)
        return safe_open(path, framework)

    monkeypatch.setattr("cnnlab.runs.archive_checks.safe_open", noted)
    path = run.folder / WEIGHTS
    save_file(load_file(path), path, {"more": " " * MAX_HEADER})
    with pytest.raises(RunError, match="longer than its tensors"):
        admit(run)
    assert path.name not in read


def test_weights_of_an_epoch_that_the_run_has_not_are_refused(run: Run) -> None:
    run.save_weights(3, run.weights(2))
    with pytest.raises(RunError, match=r"epoch-003\.safetensors is of none of its 2 epochs"):
        admit(run)


def test_a_checkpoint_of_an_epoch_that_the_run_has_not_is_refused(run: Run) -> None:
    run.checkpoints.folder.mkdir()
    shutil.copyfile(run.folder / "checkpoint.safetensors", run.checkpoints.path(3))
    with pytest.raises(RunError, match=r"checkpoints/epoch-003\.safetensors is of none of its 2 epochs"):
        admit(run)


def test_weights_of_a_network_that_cannot_be_built_are_refused(run: Run) -> None:
    layers = [{"kind": "conv2d", "out_channels": 2, "kernel_size": 30}, *HEAD]
    change(run, "config.json", architecture={"name": "none", "title": "None", "layers": layers})
    with pytest.raises(RunError, match="of another network"):
        admit(run)


@pytest.mark.parametrize("shape", [(1, 100_000, 100_000), (1, -28, 28), (1, 0, 28)])
def test_images_of_impossible_size_are_refused(shape: tuple[int, ...], run: Run) -> None:
    change(run, "summary.json", shape=shape)
    with pytest.raises(RunError, match=r"summary\.json is damaged"):
        admit(run)


def test_a_line_too_long_for_a_record_is_refused(run: Run) -> None:
    path = run.folder / "history.jsonl"
    path.write_text(" " * MAX_LINE + path.read_text())
    with pytest.raises(RunError, match=r"history\.jsonl is damaged"):
        admit(run)
