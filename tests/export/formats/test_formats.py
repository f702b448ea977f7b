"""Every format: it answers as the app does, and a file that does not is not handed out."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import onnx
import pytest
import torch
from packaging.requirements import Requirement
from PIL import Image

from cnnlab.drawings.preprocess import stroke_ink
from cnnlab.export.formats import torch_script
from cnnlab.export.formats.exporting import Step, exported
from cnnlab.export.formats.onnx_file import METADATA
from cnnlab.export.formats.table import EXPORTS
from cnnlab.export.portable import ExportError, Portable
from cnnlab.networks.layers import KINDS
from cnnlab.networks.presets import PRESETS
from cnnlab.networks.source import class_name
from cnnlab.runs.run import Run
from tests.data.pictures.photos import saved
from tests.export.bricks import BRICKS
from tests.export.portables import portable
from tests.samples import SEVEN

SHAPE = (3, 24, 24)
EXACT = ["onnx", "onnx.py", "py"]


def test_all_kinds_are_among_the_bricks() -> None:
    kinds = {layer.kind for draft in BRICKS.values() for layer in draft.layers}
    assert kinds == set(KINDS)


@pytest.mark.parametrize("suffix", EXACT)
@pytest.mark.parametrize("bricks", BRICKS)
def test_a_network_of_all_bricks_answers_alike(suffix: str, bricks: str) -> None:
    given = portable(BRICKS[bricks], SHAPE)
    _, answer = EXPORTS[suffix].write(given)
    assert answer
    for count in (1, 7):  # any number of images at once
        images = torch.randint(0, 256, (count, *SHAPE), dtype=torch.uint8)
        assert (answer(images) - given.trained.probabilities(images)).abs().max() <= 1e-5


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_answers_alike_as_a_python_file(name: str) -> None:
    EXPORTS["py"].write(portable(PRESETS[name], (1, 28, 28), seed=3))


def test_a_trained_networks_files_are_compared_on_its_test_images(finished_run: Run) -> None:
    last: Step
    *steps, last = exported(finished_run, ["onnx", "float16.onnx", "int8.onnx"])
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert last.here
    assert last.here.images == 500
    plain, half, small = (file.row for file in last.files)
    assert plain
    assert half
    assert small
    assert (plain.agreed, plain.hits) == (500, last.here.hits)
    assert small.agreed >= 495
    assert half.agreed >= 499
    for file in last.files:
        onnx.checker.check_model(onnx.load_from_string(file.content), full_check=True)
    assert small.bytes < half.bytes < 0.6 * plain.bytes


def test_only_what_was_not_judged_before_counts_as_a_look(listed_run: Run) -> None:
    before = listed_run.looks
    for epoch, looks in ((2, before), (1, before + 1)):
        *_, _ = exported(listed_run, [], epoch)
        assert listed_run.looks == looks


def test_a_file_that_answers_otherwise_is_not_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    given = portable(PRESETS["quick"], (1, 28, 28))
    other = portable(PRESETS["quick"], (1, 28, 28), seed=1)
    content = torch_script.write(other)
    monkeypatch.setattr(torch_script, "write", lambda _: content)
    with pytest.raises(ExportError, match="its answers would differ"):
        EXPORTS["py"].write(given)


def test_a_page_whose_rounded_weights_answer_otherwise_is_not_handed_out() -> None:
    given = portable(PRESETS["quick"], (1, 28, 28))
    other = replace(given.examples, probabilities=given.examples.probabilities.roll(1, 1))
    with pytest.raises(ExportError, match="float32 the page would answer otherwise than here"):
        EXPORTS["html"].write(replace(given, examples=other))


@pytest.mark.parametrize(("name", "bits"), [("lenet-5", 8), ("quick", 16)])
def test_a_page_has_as_few_bits_as_its_answers_allow(name: str, bits: int) -> None:
    content, _ = EXPORTS["html"].write(portable(PRESETS[name], (1, 28, 28)))
    assert f"epoch 1, in {bits} bits<" in content.decode()


def test_onnx_says_what_it_is_and_how_it_is_asked() -> None:
    given = portable(PRESETS["quick"], (1, 28, 28))
    content, _ = EXPORTS["onnx"].write(given)
    properties = {one.key: one.value for one in onnx.load_from_string(content).metadata_props}
    described = json.loads(properties[METADATA])
    assert described["classes"] == list(given.trained.classes)
    assert (described["shape"], described["preparation"]) == ([1, 28, 28], "photo")
    assert torch.allclose(torch.tensor(described["examples"]["probabilities"]), given.examples.probabilities)


@pytest.mark.parametrize("title", ['"""\nimport os', "Rows", "class", "\\", "{title}", "猫"])
def test_no_title_breaks_a_python_file(title: str) -> None:
    draft = PRESETS["quick"].model_copy(update={"title": title})
    given = portable(draft, (1, 28, 28), classes=3)
    content, _ = EXPORTS["py"].write(given)
    tree = ast.parse(content)
    names = Counter(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    names += Counter(
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    )
    assert max(names.values()) == 1  # what is joined in one file must not share names
    assert not any(isinstance(node, ast.Import) and node.names[0].name == "os" for node in tree.body)


def alone(package: str, folder: Path, seen: set[str] | None = None) -> None:
    """Link a package and what it needs, and nothing else, into ``folder``."""
    seen = set() if seen is None else seen
    if package in seen:
        return
    seen.add(package)
    try:
        found = distribution(package)
    except PackageNotFoundError:
        return
    for top in {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "bin")}:
        link = folder / top
        if not link.exists():
            link.symlink_to(found.locate_file(top))  # type: ignore[arg-type]
    for text in found.requires or ():
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            alone(needed.name, folder, seen)


def test_no_network_is_named_as_what_stands_beside_it() -> None:
    content, _ = EXPORTS["py"].write(portable(PRESETS["quick"], (1, 28, 28)))
    found = [node for node in ast.parse(content).body if not isinstance(node, ast.ClassDef)]
    names = {node.name for node in found if isinstance(node, ast.FunctionDef)}
    for part in (part for node in found for part in ast.walk(node)):
        match part:
            case ast.Name(name, ast.Store()) | ast.alias(name):
                names.add(name)
    assert {"BOX", "WEIGHTS"} < names
    assert not [name for name in names if class_name(name) == name]


@pytest.mark.parametrize(("suffix", "package"), [("py", "torch"), ("onnx.py", "onnxruntime")])
def test_a_python_file_needs_its_package_alone(suffix: str, package: str, packed: Portable, tmp_path: Path) -> None:
    content, _ = EXPORTS[suffix].write(packed)
    file, picture, packages = tmp_path / "predict.py", tmp_path / "seven.png", tmp_path / "packages"
    file.write_bytes(content)
    picture.write_bytes(saved(Image.fromarray(255 - stroke_ink(SEVEN))))
    packages.mkdir()
    alone(package, packages)
    asked = ["predict.py", str(picture), str(file)]
    start = f"import sys, runpy; sys.path.append({str(packages)!r}); sys.argv = {asked}"
    run = f"{start}; runpy.run_path({str(file)!r}, run_name='__main__')"
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "ignore", "-c", run], capture_output=True, text=True, check=False
    )
    assert ended.stdout.startswith(f"{picture}: 7 ")
    assert "pip install pillow" in ended.stderr  # of what is no PNG
    assert ended.returncode == 1


@pytest.mark.parametrize(
    ("part", "other"), [(b"EXPECTED = [[0.", b"EXPECTED = [[9."), (b'EXAMPLES = """\nc', b'EXAMPLES = """\nd')]
)
def test_a_python_file_that_was_changed_stops(part: bytes, other: bytes, tmp_path: Path) -> None:
    content, _ = EXPORTS["py"].write(portable(PRESETS["quick"], (1, 28, 28)))
    assert content.count(part) == 1
    file = tmp_path / "predict.py"
    file.write_bytes(content.replace(part, other))
    ended = subprocess.run([sys.executable, str(file), "a.png"], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("this file is damaged")
    assert ended.stderr.count("\n") == 1
