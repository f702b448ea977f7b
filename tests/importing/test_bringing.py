"""A file from elsewhere is an ordinary run: every page and command takes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
import torch
from safetensors.torch import save
from torch import nn

from cnnlab.data.batches import scaling
from cnnlab.data.datasets import DATASETS
from cnnlab.export.formats.onnx_file import METADATA, write
from cnnlab.export.portable import Portable
from cnnlab.importing import checking, probing
from cnnlab.importing.bringing import TAG, Brought, Source, bring
from cnnlab.importing.foreign_file import ForeignError, content_of
from cnnlab.networks.build import build
from cnnlab.networks.designs import write_design
from cnnlab.networks.presets import PRESETS
from cnnlab.runs import trained as trained_runs
from cnnlab.runs.archive import pack_file, unpack
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.runs.trained import load_trained
from cnnlab.training.config import Parent
from cnnlab.ui.shell.state import FORM_PARENT
from tests.cli.commands import call, last_line, refusal
from tests.importing.files import assembled, exported
from tests.pages.driver import button, checked, open_page
from tests.samples import TINY
from tests.trainings import train

SAMPLE = "mnist-sample"
SHAPE = (1, 28, 28)


@pytest.fixture(scope="session")
def file(packed: Portable) -> bytes:
    """The finished run's network as ONNX."""
    return write(packed)


def brought(content: bytes, **given: object) -> Brought:
    return bring(Source("digits.onnx", content), SAMPLE, RunStore(runs_folder()), **given)  # type: ignore[arg-type]


def test_ones_own_export_comes_back_with_the_same_answers(finished_run: Run, file: bytes) -> None:
    made = brought(file)
    run, summary, before = made.run, made.run.summary, finished_run.summary
    assert (made.taken.normalise, made.taken.is_guessed) == ("standard", False)
    assert (summary.status, summary.classes, summary.epoch) == ("finished", before.classes, 1)
    assert summary.test_accuracy == before.test_accuracy
    assert summary.validation_accuracy == pytest.approx(finished_run.history().epochs[-1]["validation_accuracy"])
    images = trained_runs.test_split(finished_run)
    ours, theirs = (load_trained(each).probabilities(images) for each in (run, finished_run))
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert run.title == "Two epochs"
    assert run.about.tags == (TAG,)
    assert f"exported from the run {finished_run.id}, after epoch" in run.about.note
    assert "trained elsewhere" in run.about.note
    assert run.looks == 1


def test_it_travels_and_is_learned_from(file: bytes, tmp_path: Path) -> None:
    run = brought(file).run
    pack_file([run], tmp_path / "run.zip")
    with (tmp_path / "run.zip").open("rb") as archive:
        assert unpack(archive, RunStore(tmp_path / "elsewhere")).added == [run.id]
    config = run.config
    branch = train(
        architecture=config.architecture, parent=f"{run.id}@1", train_fraction=0.1, normalise=config.normalise
    )
    assert branch.summary.status == "finished"
    assert branch.summary.test_accuracy


PLACES = {"Inside": "Filters", "Evaluate": "Confusion", "Draw": ""}


def test_pages_take_it(file: bytes) -> None:
    run = brought(file).run
    for page, view in PLACES.items():
        open_page(page, run, view=view)
    open_page("Inside", run, view="Weights over time")
    train = open_page("Train", run)
    checked(train.button("branch.go").click().run())
    assert train.session_state[FORM_PARENT.name] == Parent(run=run.id, epoch=1)


def test_compare_brings_a_file_in_and_says_why_another_is_refused(file: bytes) -> None:
    page = open_page("Compare")
    uploader = next(one for one in page.file_uploader if "network file" in one.label)
    uploader.set_value([("digits.onnx", file, "application/octet-stream")]).run()
    button(page, "Import network").click().run()
    (run,) = RunStore(runs_folder()).all()
    assert "Imported: Two epochs" in checked(page).success[0].value.replace("\\", "")
    assert run.about.tags == (TAG,)
    page.toggle("compare.bring.head").set_value(True).run()
    uploader = next(one for one in page.file_uploader if "network file" in one.label)
    uploader.set_value([("digits.onnx", file, "application/octet-stream")]).run()
    button(page, "Import network").click().run()
    assert "train only" in checked(page).success[0].value.replace("\\", "")
    uploader = next(one for one in page.file_uploader if "network file" in one.label)
    uploader.set_value([("digits.onnx", b"PK", "application/octet-stream")]).run()
    button(page, "Import network").click().run()
    assert "can run code" in page.error[0].value


def test_design_and_weights_are_a_network() -> None:
    network = build(TINY, SHAPE, 10, seed=1)
    source = Source("tiny.json", write_design(TINY).encode(), save(dict(network.state_dict())))
    made = bring(source, SAMPLE, RunStore(runs_folder()), normalise="unit")
    assert made.run.config.architecture == TINY
    weights = load_trained(made.run).network.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in network.state_dict().items())
    with pytest.raises(ForeignError, match="do not fit the layers"):
        bring(replace(source, weights=save({"conv1.weight": torch.ones(1)})), SAMPLE, RunStore(runs_folder()))
    with pytest.raises(ForeignError, match="come together"):
        bring(replace(source, weights=None), SAMPLE, RunStore(runs_folder()))
    with pytest.raises(ForeignError, match="pickle"):
        bring(replace(source, weights=b"\x80\x04."), SAMPLE, RunStore(runs_folder()))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda name, given: given.to(torch.float8_e4m3fn), "of a type that is not known here"),
        (lambda name, given: given.int(), "of a type that is not known here"),
        (lambda name, given: -given if name.endswith("running_var") else given, "answers are not finite"),
    ],
)
def test_weights_that_give_no_answers_are_refused(
    change: Callable[[str, torch.Tensor], torch.Tensor], told: str
) -> None:
    draft = PRESETS["quick"]
    weights = build(draft, SHAPE, 10).state_dict()
    floats = {name: given for name, given in weights.items() if given.is_floating_point()}
    content = save({name: change(name, given).contiguous() for name, given in floats.items()})
    source = Source("net.json", write_design(draft).encode(), content)
    with pytest.raises(ForeignError, match=told):
        bring(source, SAMPLE, RunStore(runs_folder()), normalise="unit")
    assert not RunStore(runs_folder()).all()


def test_weights_of_a_type_that_nobody_here_has_are_refused() -> None:
    head = json.dumps({"a": {"dtype": "F4", "shape": [16], "data_offsets": [0, 8]}}).encode()
    source = Source("net.json", write_design(TINY).encode(), len(head).to_bytes(8, "little") + head + bytes(8))
    with pytest.raises(ForeignError, match="can be read"):
        bring(source, SAMPLE, RunStore(runs_folder()))


def test_a_strangers_scale_of_pixels_is_found_by_validation_images(finished_run: Run) -> None:
    content = exported(load_trained(finished_run).network, SHAPE)
    made = brought(content, title="A stranger's")
    assert (made.taken.normalise, made.taken.is_guessed) == ("standard", True)
    assert made.run.summary.test_accuracy == finished_run.summary.test_accuracy
    assert "does not tell how its pixels are scaled" in made.run.about.note
    assert brought(content, normalise="unit").run.config.normalise == "unit"


class Scaled(nn.Module):
    """A network that scales its pixels by numbers of its own."""

    def __init__(self, network: nn.Module, mean: float, std: float) -> None:
        super().__init__()
        self.network, self.mean, self.std = network, mean, std

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.network((x - self.mean) / self.std)
        return logits


@pytest.mark.slow
def test_a_scale_that_no_run_has_becomes_a_norm(finished_run: Run) -> None:
    (mean,), (std,) = scaling(DATASETS[SAMPLE], "standard")
    made = brought(exported(Scaled(load_trained(finished_run).network, mean + 0.01, std), SHAPE))
    assert made.run.config.normalise == "unit"
    assert made.run.config.architecture.layers[0].kind == "batch-norm2d"
    assert made.run.summary.test_accuracy == pytest.approx(finished_run.summary.test_accuracy, abs=0.05)


def described(content: bytes, **changes: object) -> bytes:
    model = onnx.load_model_from_string(content)
    (entry,) = [one for one in model.metadata_props if one.key == METADATA]
    entry.value = json.dumps(json.loads(entry.value) | changes)
    changed: bytes = model.SerializeToString()
    return changed


def test_other_classes_than_the_data_sets_are_refused(file: bytes) -> None:
    names = [str(number) for number in range(10)]
    with pytest.raises(ForeignError, match=r"tells other classes apart .* \(ten"):
        brought(described(file, classes=[*names[:9], "ten"]))
    with pytest.raises(ForeignError, match="in another order"):
        brought(described(file, classes=names[::-1]))
    with pytest.raises(ForeignError, match="images of 3×28×28"):
        brought(described(file, shape=[3, 28, 28]))
    assert not RunStore(runs_folder()).all()


def test_what_no_export_of_ours_says_is_not_believed(file: bytes) -> None:
    note = brought(described(file, run="x", epoch=10**4200)).run.about.note
    assert "exported from" not in note


def test_answers_that_differ_are_refused(file: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = json.loads(next(one.value for one in onnx.load_model_from_string(file).metadata_props))["examples"]
    turned = examples | {"probabilities": examples["probabilities"][::-1]}
    with pytest.raises(ForeignError, match="answer otherwise than its file: on the file's own examples"):
        brought(described(file, examples=turned))
    with pytest.raises(ForeignError, match="examples are damaged"):
        brought(described(file, examples=examples | {"images": "AAA"}))
    plain = probing.answered
    monkeypatch.setattr(checking, "answered", lambda *given: plain(*given) + 0.01)
    with pytest.raises(ForeignError, match="on random images"):
        brought(file)
    assert not RunStore(runs_folder()).all()


def test_a_batch_of_a_fixed_length_is_fed_so(finished_run: Run) -> None:
    content = exported(load_trained(finished_run).network, SHAPE, batch=4)
    assert brought(content, normalise="standard").run.summary.test_accuracy == finished_run.summary.test_accuracy
    with pytest.raises(ForeignError, match="takes 1000000 images at once"):
        model = onnx.load_model_from_string(content)
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1_000_000
        brought(model.SerializeToString(), normalise="standard")


def test_the_command_tells_what_it_made(file: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "digits.onnx"
    path.write_bytes(file)
    told = last_line(call(capsys, "bring", str(path), "--dataset", SAMPLE, "--title", "Mine", "--json"))
    run = RunStore(runs_folder()).open(told["run"])
    assert (run.title, told["test_accuracy"]) == ("Mine", run.summary.test_accuracy)
    assert told["difference"] < 1e-4
    assert "answers like the file" in call(capsys, "bring", str(path), "--dataset", SAMPLE)
    path.write_bytes(b"PK\x03\x04")
    assert "can run code" in refusal(capsys, "bring", str(path), "--dataset", SAMPLE)


def test_a_missing_or_huge_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ForeignError, match="cannot be read"):
        content_of(tmp_path / "none.onnx")
    monkeypatch.setattr("cnnlab.importing.foreign_file.MAX_BYTES", 10)
    (tmp_path / "large.onnx").write_bytes(bytes(11))
    with pytest.raises(ForeignError, match="has more than"):
        content_of(tmp_path / "large.onnx")


def test_a_network_beyond_all_bounds_is_refused(monkeypatch: pytest.MonkeyPatch, file: bytes) -> None:
    monkeypatch.setattr("cnnlab.importing.taking.MAX_MACS", 1000)
    with pytest.raises(ForeignError, match="1,000 and 500 MB are the most"):
        brought(file)
    with pytest.raises(ForeignError, match="no whole ONNX file"):
        brought(b"no network")
    with pytest.raises(ForeignError, match="whole"):
        brought(assembled([], {}, ["N", *SHAPE]) + b"\xff")
    assert not RunStore(runs_folder()).all()
