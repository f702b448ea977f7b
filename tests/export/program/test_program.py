from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from torch import Tensor

from cnnlab.data.readers import SAMPLE as SAMPLE_FILE
from cnnlab.data.torchvision_compat import datasets
from cnnlab.export.program import ProgramError, program_of, program_of_run, to_notebook, to_script
from cnnlab.export.program.data_step import PROGRAMMED, downloads
from cnnlab.export.program.plot_step import SAVED
from cnnlab.jobs.job import Job
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import (
    Activation,
    BatchNorm1d,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    Linear,
    MaxPool2d,
    Parallel,
    Residual,
    SqueezeExcite,
)
from cnnlab.networks.source import class_name
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training import device
from cnnlab.training.config import RunConfig
from cnnlab.training.recipes import RECIPES
from tests.data.files import first
from tests.trainings import changes_threads

pytestmark = pytest.mark.slow

TUTORIALS = ("basic-cnn", "classification-snippet", "seven-step-mnist", "fashion-part-3", "conv2d-tour")

THREADS = 1  # sums of many numbers depend on it

# What a program ends with, kept where the test finds it: the last line of a run of its own.
KEPT = """
import sys
assert not {"cnnlab", "torchvision"} & set(sys.modules)
torch.save({"weights": network.state_dict(), "history": history, "hits": hits}, "kept.pt")
"""


IMAGES = {"train": 6_000, "t10k": 1_000}  # a tenth of a data set


def short(name: str, **fields: object) -> RunConfig:
    """A tutorial's config on a few of its images, for one epoch."""
    shorter = {"epochs": 1, "train_fraction": 0.1, "validation_fraction": 0.1, "seed": 3, **fields}
    return RunConfig.model_validate({**RECIPES[name].config.model_dump(), **shorter})


def trained(config: RunConfig, folder: Path, threads: int = THREADS) -> Run:
    """The app's own run."""
    job = Job.start(config, RunStore(folder), threads=threads)
    job.join()
    assert job.state == "finished", job.error
    return job.run


def assert_equal(kept: dict[str, Any], run: Run) -> None:
    weights: dict[str, Tensor] = run.weights(run.summary.epoch)
    assert kept["weights"].keys() == weights.keys()
    assert all(torch.equal(kept["weights"][name], weights[name]) for name in weights)
    epochs = run.history().epochs
    for quantity in ("loss", "accuracy"):
        assert kept["history"][f"validation {quantity}"] == [epoch[f"validation_{quantity}"] for epoch in epochs]
        # Summed in another order.
        told = [epoch[f"train_{quantity}"] for epoch in epochs]
        assert kept["history"][f"train {quantity}"] == pytest.approx(told, rel=1e-5)
    assert kept["hits"].sum().item() / len(kept["hits"]) == run.summary.test_accuracy


@pytest.fixture(scope="module", autouse=True)
def as_many_threads_here() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def fewer_data(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of data sets that hold a tenth of the real ones' images."""
    folder = tmp_path_factory.mktemp("data")
    for packed in [path for name in ("MNIST", "FashionMNIST") for path in (real_data / name / "raw").iterdir()]:
        file = folder / packed.relative_to(real_data)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.with_suffix("").write_bytes(first(IMAGES[packed.name.partition("-")[0]], packed))
    return folder


@pytest.fixture
def beside_data(fewer_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the data that programs look for in theirs."""
    monkeypatch.setenv("CNNLAB_DATA", str(fewer_data))
    monkeypatch.setenv("OMP_NUM_THREADS", str(THREADS))
    (tmp_path / "data").symlink_to(fewer_data)
    return tmp_path


def test_the_tutorials_scripts_come_to_the_apps_weights(beside_data: Path) -> None:
    folders = {name: beside_data / name for name in TUTORIALS}
    for name, folder in folders.items():
        folder.mkdir()
        (folder / "data").symlink_to(beside_data / "data")
        (folder / "script.py").write_text(to_script(program_of(short(name))) + KEPT, encoding="utf-8")
    told = run_as_scripts(folders.values())
    for name, folder in folders.items():
        run = trained(short(name), folder)
        assert f"test accuracy {run.summary.test_accuracy:.2%}" in told
        assert "plotly" in (folder / "curves.html").read_text(encoding="utf-8")
        assert_equal(torch.load(folder / "kept.pt"), run)


def test_a_notebook_comes_to_the_apps_weights(beside_data: Path) -> None:
    config = short("basic-cnn")
    run = trained(config, beside_data)
    run_as_notebook(to_notebook(program_of(config)), beside_data)
    assert_equal(torch.load(beside_data / "kept.pt"), run)


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_notebook_has_the_code_of_the_script(name: str) -> None:
    program = program_of(RECIPES[name].config)
    script = to_script(program)
    cells = [cell for cell in json.loads(to_notebook(program))["cells"] if cell["cell_type"] == "code"]
    lines = [line.strip() for cell in cells for line in "".join(cell["source"]).splitlines()]
    assert [line for line in lines if line not in script] == ["figure.show()"]


# Runs the script of each folder there, one after the other: torch takes seconds to import.
EACH = """
import os, runpy, sys
for folder in sys.argv[1:]:
    os.chdir(folder)
    runpy.run_path("script.py", run_name="__main__")
"""


def run_as_scripts(folders: Iterable[Path]) -> str:
    """What they print, in a process that knows nothing of the app."""
    done = subprocess.run([sys.executable, "-I", "-c", EACH, *folders], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_as_notebook(content: str, folder: Path) -> None:
    """In a kernel of its own."""
    notebook = nbformat.reads(content, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(KEPT))
    NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(folder)}}).execute()


SAMPLE = {"dataset": "mnist-sample", "train_fraction": 0.1, "epochs": 2, "batch_size": 32, "device": "cpu"}
MAPS_DROPPED = (Conv2d(out_channels=4, init="kaiming-normal"), Dropout(p=0.3, channels=True), MaxPool2d(kernel_size=4))
BLOCKS = (
    Conv2d(out_channels=4),
    Residual(body=(Conv2d(out_channels=4, padding=1, init="uniform"), Dropout(p=0.1))),
    Parallel(paths=((SqueezeExcite(), Conv2d(out_channels=2, kernel_size=1, init="xavier-uniform")), ())),
    MaxPool2d(kernel_size=8),
)


AVERAGED = {"weight_average": 0.99, "augmentation": "none", "architecture": "seven-step-mnist"}
FEW = {"train_fraction": 0.01, "epochs": 2}
FLAT_NORM = (MaxPool2d(kernel_size=7), Flatten(), Linear(out_features=8), BatchNorm1d(), Activation())
ALL_BUT_ONE = 399  # of the sample's 400 images


def network_of(*layers: Layer) -> dict[str, Any]:
    layers = (*layers, Flatten(), Linear(out_features="classes"))
    return Architecture(name="own", title="Own", layers=layers).model_dump()


@pytest.mark.parametrize(
    "fields",
    [
        {"schedule": "one-cycle", "optimizer": "adamw", "augmentation": "none", "label_smoothing": 0.1},
        {"schedule": "step", "step_epochs": 1, "optimizer": "sgd", "nesterov": True, "weight_decay": 1e-3},
        {"schedule": "one-cycle", "optimizer": "sgd", "momentum": 0.5, "precision": "bfloat16", "label_smoothing": 0.2},
        {"schedule": "cosine", "optimizer": "sgd", "nesterov": False, "momentum": 0.0, "augmentation": "shift"},
        {"schedule": "constant", "optimizer": "rmsprop", "learning_rate": 1e-3, "normalise": "symmetric"},
        {"early_stopping": 1, "epochs": 6, "learning_rate": 0.1, "augmentation": "erase", "schedule": "constant"},
        {"augmentation": "handwriting", "normalise": "unit", "train_fraction": 0.7, "epochs": 1, "excluded": "3,4000"},
        {"augmentation": "affine", "architecture": "small-vgg", "precision": "bfloat16", "epochs": 1},
        {"architecture": network_of(*MAPS_DROPPED), "precision": "float32", "train_fraction": 1.0, "excluded": "17"},
        {"architecture": network_of(*BLOCKS), "precision": "bfloat16", "augmentation": "flip"},
        {"architecture": "quick", "precision": "float16", "train_fraction": 0.01, "epochs": 1},
        {"augmentation": "mild", "batch_size": 3000, "epochs": 1},
        {"class_balance": "weights", "label_smoothing": 0.1, "augmentation": "trivial", "epochs": 1},
        {"class_balance": "sampling", "augmentation": "none", "gradient_clipping": 0.5, "schedule": "constant"},
        {"mixup": 0.2, "cutmix": 1.0, "weight_average": 0.9, "augmentation": "flip", "precision": "bfloat16"},
        {"cutmix": 1.0, "class_balance": "weights", "warmup_epochs": 1, "schedule": "cosine", "augmentation": "none"},
        {"warmup_epochs": 1, "schedule": "step", "step_epochs": 1, "epochs": 3, "early_stopping": 1, **AVERAGED},
        {"warmup_epochs": 1, "schedule": "constant", "gradient_clipping": 1.0, "precision": "float16", **FEW},
        {"micro_batch": 12, "class_balance": "weights", "label_smoothing": 0.1, "gradient_clipping": 0.5, **FEW},
        {"micro_batch": 5, "mixup": 0.2, "augmentation": "none", "precision": "float16", **FEW},
        {
            "architecture": network_of(*FLAT_NORM),
            "batch_size": ALL_BUT_ONE,
            "micro_batch": ALL_BUT_ONE // 2 - 1,
            "augmentation": "none",
            "schedule": "one-cycle",
        },
        {
            "architecture": network_of(*FLAT_NORM),
            "batch_size": ALL_BUT_ONE // 7,
            "augmentation": "shift",
            "schedule": "step",
        },
    ],
    ids=lambda fields: "-".join(map(str, fields)),
)
def test_every_setting_is_in_the_program(
    fields: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "_TOO_SLOW", {})  # float16 scales its gradients, here as on a GPU
    config = RunConfig.model_validate({"architecture": "quick", **SAMPLE, **fields})
    run = trained(config, tmp_path)
    monkeypatch.chdir(SAMPLE_FILE.parent)
    script = to_script(program_of(config)).replace(SAVED, "")
    assert_equal(carried_out(script), run)


def test_a_program_changes_its_threads_where_the_run_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes_threads(monkeypatch)
    config = RunConfig.model_validate({"architecture": "quick", **SAMPLE, "mixup": 0.2})
    torch.set_num_threads(2)
    run = trained(config, tmp_path, threads=2)
    monkeypatch.chdir(SAMPLE_FILE.parent)
    script = to_script(program_of_run(run)).replace(SAVED, "")
    assert run.history().threads
    assert_equal(carried_out(script), run)
    torch.set_num_threads(THREADS)


def carried_out(script: str) -> dict[str, Any]:
    """What a script comes to, run here."""
    names: dict[str, Any] = {}
    with torch.random.fork_rng():
        exec(compile(script, "script.py", "exec"), names)
    return {"weights": names["network"].state_dict(), "history": names["history"], "hits": names["hits"]}


def test_a_program_has_what_its_config_needs_and_no_more() -> None:
    plain = to_script(program_of(short("basic-cnn", precision="float32")))
    assert not [
        word for word in ("scheduler", "autocast", "standardise", "best_", "dropout", "DEVICE") if word in plain
    ]
    decayed = to_script(program_of(short("fashion-part-3")))
    assert "CosineAnnealingLR" in decayed
    assert '"Ankle boot"' in decayed


MODERN = RunConfig(
    schedule="cosine",
    warmup_epochs=2,
    gradient_clipping=1,
    weight_average=0.99,
    label_smoothing=0.1,
    class_balance="weights",
    augmentation="trivial",
    mixup=0.2,
    cutmix=1,
    early_stopping=3,
)
PARTED = {"micro_batch": 48, "device": "cpu", "mixup": 0, "cutmix": 0, "augmentation": "none"}
CONFIGS = {
    **{recipe.name: recipe.config for recipe in RECIPES.values() if recipe.config.dataset in PROGRAMMED},
    "modern": MODERN,
    "balanced": MODERN.model_copy(update={"class_balance": "sampling", "schedule": "constant", "device": "cpu"}),
    "parted": MODERN.model_copy(update=PARTED),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_program_reads_as_linted_code(name: str, tmp_path: Path) -> None:
    file = tmp_path / "script.py"
    file.write_text(to_script(program_of(CONFIGS[name])), encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    for check in (["check", "--select", "E,F,I,W,UP"], ["format", "--check"]):
        done = subprocess.run(
            [*ruff, *check, "--isolated", "--line-length", "120", file], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_a_notebook_has_a_text_and_a_cell_of_code_for_each_step() -> None:
    program = program_of(RECIPES["basic-cnn"].config)
    cells = json.loads(to_notebook(program))["cells"]
    assert [cell["cell_type"] for cell in cells] == ["markdown", *["markdown", "code"] * 7]
    assert [step.title for step in program.steps] == [
        *("Import", "Data", "Network", "Instantiate", "Loss and optimiser", "Train", "Plot")
    ]
    assert "figure.show()" in "".join(cells[-1]["source"])
    assert to_notebook(program) == to_notebook(program)


@pytest.mark.parametrize(
    "title", ["SEED", "Path", "F", "tensor dataset", 'a""" + exit() + """', "# <img src=x> \\ `", "classes"]
)
def test_a_title_is_never_code(title: str) -> None:
    own = Architecture.model_validate({**network_of(), "title": title, "description": f'{title}\n"""\nexit()'})
    program = program_of(RunConfig.model_validate({**SAMPLE, "architecture": own}))
    assert "<" not in program.title
    bound = [name for node in ast.parse(to_script(program)).body for name in bound_by(node)]
    once = {"SEED", "Path", "F", "TensorDataset", "CLASSES", "DIGITS", *(name for name in bound if name[:3] == "Net")}
    assert all(bound.count(name) <= 1 for name in once)


def bound_by(node: ast.stmt) -> list[str]:
    """The names that a statement of a module gives a meaning."""
    match node:
        case ast.ClassDef() | ast.FunctionDef():
            return [node.name]
        case ast.Import() | ast.ImportFrom():
            return [alias.asname or alias.name for alias in node.names]
        case ast.Assign():
            return [inner.id for target in node.targets for inner in ast.walk(target) if isinstance(inner, ast.Name)]
    return []


def test_the_names_a_program_has_of_its_own_are_no_networks() -> None:
    """A network of such a name gets another."""
    scripts = [to_script(program_of(config)) for config in CONFIGS.values()]
    names = {name for script in scripts for node in ast.parse(script).body for name in bound_by(node)}
    networks = {class_name(config.architecture.title) for config in CONFIGS.values()}
    capital = {name for name in names - networks if name[0].isupper() and "_" not in name}
    assert capital
    assert {name for name in capital if class_name(name) == name} == set()


@pytest.mark.parametrize("name", CONFIGS)
def test_functions_of_several_modules_have_names_of_their_own(name: str) -> None:
    functions = re.findall(r"^def (\w+)", to_script(program_of(CONFIGS[name])), re.MULTILINE)
    assert len(functions) == len(set(functions))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"parent": "run@3"}, "starts from other weights"),
        ({"lessons": [{"strokes": [[[0.1, 0.1], [0.9, 0.9]]], "label": "7"}]}, "learns your drawings"),
        ({"dataset": "cifar10"}, "no program for CIFAR-10"),
    ],
)
def test_what_no_program_tells_is_refused(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ProgramError, match=told):
        program_of(RunConfig.model_validate(fields))


def test_a_run_that_took_turns_is_refused(finished_run: Run, tmp_path: Path) -> None:
    assert program_of_run(finished_run) == program_of(finished_run.config)
    other = Run(Path(copytree(finished_run.folder, tmp_path / finished_run.id)))
    other.write_summary(other.summary.model_copy(update={"rates_set": 1}))
    with pytest.raises(ProgramError, match="set by hand"):
        program_of_run(other)


@pytest.mark.parametrize(
    ("name", "torchvision"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST"), ("kmnist", "KMNIST")]
)
def test_files_are_fetched_from_where_torchvision_has_them(name: str, torchvision: str) -> None:
    known = getattr(datasets, torchvision)
    assert downloads()[name].mirror in known.mirrors
    assert sorted(downloads()[name].checksums.items()) == sorted(known.resources)


def test_a_file_that_is_missing_is_fetched_and_checked(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a mirror on this disk, which has one damaged file."""
    mirror, here = tmp_path / "mirror", tmp_path / "here"
    here.mkdir()
    copytree(real_data / "MNIST" / "raw", mirror)
    (mirror / "t10k-labels-idx1-ubyte.gz").write_bytes(b"not the labels")
    monkeypatch.chdir(here)
    code = "\n".join(step.code for step in program_of(short("basic-cnn")).steps[:2])
    code = code.replace(downloads()["mnist"].mirror, f"{mirror.as_uri()}/")
    for name, checksum in downloads()["mnist"].checksums.items():
        if name != "t10k-labels-idx1-ubyte.gz":  # the real files, packed by another hand
            code = code.replace(checksum, hashlib.md5((mirror / name).read_bytes()).hexdigest())
    with pytest.raises(ValueError, match=r"t10k-labels-idx1-ubyte\.gz arrived damaged"):
        exec(compile(code, "script.py", "exec"), {})
    fetched = {file.name for file in (here / "data" / "MNIST" / "raw").iterdir()}
    assert fetched == {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz"}
