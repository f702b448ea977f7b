from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest
from PIL import Image

from cnnlab.__main__ import cli
from cnnlab.data.datasets import DATASETS
from cnnlab.data.loading import load
from cnnlab.drawings.strokes import write_labelled_drawings
from cnnlab.jobs.sweep import SweepStore
from cnnlab.jobs.sweep_config import parse_sweep
from cnnlab.networks.architecture import summarise
from cnnlab.networks.presets import PRESETS
from cnnlab.people.belonging import give
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import RunConfig
from tests.cli.commands import call, last_line, refusal
from tests.conftest import ROOT
from tests.processes import await_event, running
from tests.samples import lesson

pytestmark = pytest.mark.slow


def test_list_tells_all_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    listed = last_line(call(capsys, "list", "--json"))
    assert [row["name"] for row in listed["datasets"]] == list(DATASETS)
    assert {row["name"]: row["parameters"] for row in listed["architectures"]}["lenet-5"] == 61_706
    plain = call(capsys, "list")
    assert all(name in plain for name in (*DATASETS, *PRESETS))


def test_a_sweep_is_made_and_gone_on_with(capsys: pytest.CaptureFixture[str]) -> None:
    short = ["--epochs", "1", "--train-fraction", "0.1", "--architecture", "quick", "--optimizer", "sgd"]
    searched = ["--search", "learning-rate=0.001:0.01:log", "--search", "nesterov=true,false"]
    made = last_line(call(capsys, "sweep", *short, *searched, "--trials", "2", "--json"))
    assert (made["status"], len(made["trials"])) == ("finished", 2)
    for trial in made["trials"]:
        config = RunStore(runs_folder()).open(trial["run"]).config
        assert (config.learning_rate, config.nesterov) == (trial["learning_rate"], trial["nesterov"])
    plain = call(capsys, "sweep", "--continue", made["sweep"], "--trials", "1")
    assert plain.count("complete") == 3


def test_ctrl_c_ends_a_sweep_that_can_go_on(tmp_path: Path) -> None:
    short = ["--epochs", "1000", "--architecture", "quick", "--train-fraction", "0.1"]
    short += ["--search", "learning-rate=0.001:0.01", "--trials", "2"]
    store = RunStore(tmp_path)
    with running(["-m", "cnnlab", "sweep", *short, "--runs", str(tmp_path)]) as process:
        await_event(process, lambda: store.all() and len(store.all()[0].epochs()) > 1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; continue with --continue" in err
    assert "Traceback" not in err
    assert "interrupted" in out
    assert store.all()[0].summary.status == "interrupted"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--search", "learning_rate"], "SETTING=LOW:HIGH"),
        (["--search", "learning_rate=0.1"], "SETTING=LOW:HIGH"),
        (["--search", "learning_rate=1:2:3"], "SETTING=LOW:HIGH"),
        (["--search", "magic=1,2"], "'magic' cannot be searched: choose among learning_rate"),
        (["--continue", "20260101-000000-abcdef", "--epochs", "3"], "keeps the sweep's settings"),
        (["--search", "dataset=mnist,usps"], "cannot be searched"),
        (["--search", "batch_size=64,many"], "batch_size"),
        (["--search", "momentum=low:high"], "momentum"),
        (["--continue", "nope"], "there is no sweep"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert told in refusal(capsys, "sweep", *arguments)
    assert not runs_folder().exists() or not list(runs_folder().glob(".sweeps/*"))


def test_every_field_of_a_config_is_an_option() -> None:
    options = {parameter.name for parameter in cli.commands["train"].params}
    assert set(RunConfig.model_fields) <= options


def test_train_evaluate_and_predict_speak_of_the_same_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    options = ["--epochs", "1", "--architecture", "basic-cnn", "--seed", "3", "--no-nesterov"]
    trained = last_line(call(capsys, "train", *options, "--json"))
    assert set(trained) >= {
        "run",
        "train_accuracy",
        "validation_accuracy",
        "test_accuracy",
        "per_class",
        "parameters",
        "seconds",
        "images_per_second",
    }
    config = RunStore(runs_folder()).open(trained["run"]).config
    assert (config.epochs, config.architecture, config.seed, config.nesterov) == (1, PRESETS["basic-cnn"], 3, False)
    assert trained["parameters"] == 9_098
    for name in (trained["run"], trained["folder"]):
        judged = last_line(call(capsys, "evaluate", name, "--json"))
        assert judged["test_accuracy"] == trained["test_accuracy"]
        assert judged["per_class"] == trained["per_class"]
        assert (judged["balanced_accuracy"], judged["macro_f1"]) == (trained["balanced_accuracy"], trained["macro_f1"])
    assert "balanced accuracy" not in call(capsys, "evaluate", trained["run"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cnnlab.evaluation.balance.IMBALANCED", 1.0)  # so that all data sets are
        assert f"balanced accuracy {judged['balanced_accuracy']:.1%}" in call(capsys, "evaluate", trained["run"])

    drawings = tmp_path / "drawings.json"
    drawings.write_text(json.dumps([{"strokes": [[[0.5, 0], [0.5, 1]]]}, {"strokes": [[[0, 0], [1, 0], [0.5, 1]]]}]))
    predictions = last_line(call(capsys, "predict", trained["run"], str(drawings), "--json"))["predictions"]
    assert len(predictions) == 2
    for prediction in predictions:
        assert prediction["probability"] == max(prediction["probabilities"].values())
        assert prediction["probabilities"][prediction["class"]] == prediction["probability"]
        assert sum(prediction["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_teach_makes_a_branch_and_tells_before_and_after(
    capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnlab.jobs.finetuning.REPLAYED", 300)
    parent = Run(Path(copytree(finished_run.folder, runs_folder() / finished_run.id)))
    drawings = tmp_path / "drawings.json"
    drawings.write_bytes(
        write_labelled_drawings([lesson("2"), lesson("2", 0.1)])
    )  # a hand whose twos are others' sevens
    told = last_line(call(capsys, "teach", parent.id, str(drawings), "--json"))
    branch = RunStore(runs_folder()).open(told["run"])
    assert branch.config.lessons == (lesson("2"), lesson("2", 0.1))
    assert told["parent"] == parent.id
    assert told["taught"]["images"] == 2
    assert told["taught"]["before"] < told["taught"]["after"]
    assert told["test"]["before"] == round(500 * (parent.summary.test_accuracy or 0))
    assert told["test"]["after"] == round(500 * (branch.summary.test_accuracy or 0))
    plain = call(capsys, "teach", str(parent.folder), str(drawings))
    assert "0.0% → 100.0% of 2" in plain
    assert f"→ {branch.summary.test_accuracy:.1%} of 500" in plain  # the same lessons give the same network


def test_a_branch_is_trained_with_settings_of_its_own(
    capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path
) -> None:
    parent = Run(Path(copytree(finished_run.folder, runs_folder() / finished_run.id)))
    drawings = tmp_path / "drawings.json"
    drawings.write_bytes(write_labelled_drawings([lesson()]))
    short = ["--epochs", "1", "--train-fraction", "0.1", "--learning-rate", "0.0001"]
    options = [*short, "--parent", f"{parent.id}@1", "--lessons", str(drawings), "--lesson-share", "0.4"]
    config = RunStore(runs_folder()).open(last_line(call(capsys, "train", *options, "--json"))["run"]).config
    assert str(config.parent) == f"{parent.id}@1"
    assert config.architecture == parent.config.architecture  # which is not the default recipe's
    assert (config.lessons, config.lesson_share, config.learning_rate) == ((lesson(),), 0.4, 0.0001)
    told = refusal(capsys, "train", "--parent", f"{parent.id}@1", "--validation-fraction", "0.3")
    assert "validation_fraction: a branch keeps its parent's" in told


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello", "no JSON list of drawings"),
        (b'[{"strokes": [[[0, 0]]]}]', "label: Field required"),
        (write_labelled_drawings([lesson("x")]), "has no class 'x'"),
        (write_labelled_drawings([lesson()] * 501), "at most 500"),
    ],
)
def test_what_cannot_be_taught_is_refused(
    content: bytes, words: str, capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path
) -> None:
    (tmp_path / "drawings.json").write_bytes(content)
    siblings = set(finished_run.folder.parent.iterdir())
    assert words in refusal(capsys, "teach", str(finished_run.folder), str(tmp_path / "drawings.json"))
    assert set(finished_run.folder.parent.iterdir()) == siblings


def test_find_lr_suggests_a_rate_and_keeps_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--architecture", "basic-cnn", "--augmentation", "none", "--batch-size", "16"]
    found = last_line(call(capsys, "find-lr", *options, "--json"))
    rates = [point["learning_rate"] for point in found["curve"]]
    assert rates == sorted(rates)
    assert rates[0] < found["suggestion"] < rates[-1]
    assert f"suggestion: {found['suggestion']:.2g}" in call(capsys, "find-lr", *options)
    assert RunStore(runs_folder()).all() == []


@pytest.mark.parametrize("name", PRESETS)
def test_network_tells_what_each_layer_gives_and_costs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = summarise(PRESETS[name], (3, 32, 32), 10)
    told = last_line(call(capsys, "network", name, "--dataset", "cifar10", "--json"))
    assert [row["name"] for row in told["layers"]] == [row.name for row in rows]
    assert sum(row["macs"] for row in told["layers"]) == sum(row.macs for row in rows)
    assert f"{sum(row.parameters for row in rows):,} parameters" in call(
        capsys, "network", name, "--shape", "3", "32", "32"
    )


def test_a_network_is_written_as_code_picture_and_design_and_trained_from_that(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, picture, design = (tmp_path / f"net.{ending}" for ending in ("py", "svg", "json"))
    writing = [argument for path in (code, picture, design) for argument in ("--to", str(path))]
    told = call(capsys, "network", "seven-step-mnist", *writing)
    assert "Hint, linear1: 93% of all parameters" in told
    assert "class SevenStepMNIST(nn.Module):" in code.read_text()
    assert picture.read_text().startswith("<svg")
    trained = ("--epochs", "1", "--train-fraction", "0.02", "--json")
    run = last_line(call(capsys, "train", "--architecture", str(design), *trained))["run"]
    assert RunStore(runs_folder()).open(run).config.architecture == PRESETS["seven-step-mnist"]
    assert "conv1" in call(capsys, "network", run)


def test_bench_prints_a_table_and_ends_with_its_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = {
        "machine": {"processor": "one"},
        "loop": {"basic-cnn": {"vs_tutorial": 2.0, "vs_ceiling": 0.96}},
        "time_to_accuracy": {
            "mnist-98": {"quick_s": 2.0, "quick_ratio": 5.0, "ours_s": 0.5, "tutorial_s": 10.0, "ratio": 20.0}
        },
        "augmentation": {"ratio": 30.0},
        "live": {"ratio": 0.98},
        "inference": {"p50_ms": 0.3, "p95_ms": 0.4},
    }
    asked = []

    def measure(quick: bool, folder: Path | None, say: object, precision: str, sections: tuple[str, ...]) -> object:
        asked.append((quick, folder, precision, sections))
        return report

    monkeypatch.setattr("cnnlab.bench.side_by_side.measure", measure)
    chosen = ("--data", "somewhere", "--precision", "float32", "--section", "loop")
    out = call(capsys, "bench", "--quick", *chosen, "--json")
    assert asked == [(True, Path("somewhere"), "float32", ("loop",))]
    assert last_line(out) == report
    assert "10.0 / 0.50" in out
    assert "10.0 / 2.00" in out


def test_an_image_file_is_named(capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path) -> None:
    test = load("mnist-sample").test
    hits = 0
    for number in range(20):
        Image.fromarray(test.images[number, 0].numpy()).save(tmp_path / "digit.png")
        out = call(capsys, "predict", str(finished_run.folder), str(tmp_path / "digit.png"), "--json")
        hits += last_line(out)["predictions"][0]["class"] == str(int(test.labels[number]))
    assert hits >= 17


def test_of_several_files_one_that_cannot_be_read_is_named_in_its_place(
    capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path
) -> None:
    image = Image.fromarray(load("mnist-sample").test.images[0, 0].numpy())
    image.save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    (tmp_path / "c.json").write_text(json.dumps([{"strokes": [[[140, 0], [140, 280]]]}] * 2))
    files = [str(tmp_path / name) for name in ("a.png", "b.png", "c.json")]
    with pytest.raises(SystemExit) as end:
        call(capsys, "predict", str(finished_run.folder), *files, "--json")
    told = capsys.readouterr()
    assert end.value.code == 2
    assert told.err.strip() == "Error: 1 of 3 files cannot be read"
    answers = last_line(told.out)["predictions"]
    assert [answer["file"] for answer in answers] == [files[0], files[1], files[2], files[2]]
    assert ["error" in answer for answer in answers] == [False, True, False, False]
    assert [answer["class"] for answer in answers[2:]] == ["1", "1"]


def test_text_of_strangers_moves_no_terminal(
    capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path
) -> None:
    fields = json.loads(PRESETS["basic-cnn"].model_dump_json()) | {"title": "net\x1b[2J\u202e"}
    (tmp_path / "net.json").write_text(json.dumps(fields))
    assert call(capsys, "network", str(tmp_path / "net.json")).startswith("net[2J: images of")
    names = [f"{name}\x1b[2J.png" for name in "ab"]
    Image.fromarray(load("mnist-sample").test.images[0, 0].numpy()).save(tmp_path / names[0])
    (tmp_path / names[1]).write_bytes(b"no image")
    with pytest.raises(SystemExit):
        call(capsys, "predict", str(finished_run.folder), *(str(tmp_path / name) for name in names))
    told = capsys.readouterr().out
    assert "a[2J.png" in told
    assert "b[2J.png" in told
    assert "\x1b" not in told


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_drawings_are_read_behind_any_byte_order_mark(
    encoding: str, capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path
) -> None:
    drawings = json.dumps([{"strokes": [[[140, 0], [140, 280]]]}])
    (tmp_path / "ones.json").write_text(f"\n {drawings}", encoding=encoding)
    told = call(capsys, "predict", str(finished_run.folder), str(tmp_path / "ones.json"))
    assert told.startswith("1  ")


def test_a_run_is_exported_to_both(
    capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    run, uri = str(finished_run.folder), (tmp_path / "tracking").as_uri()
    both = ["export", run, "--tensorboard", str(tmp_path / "events"), "--mlflow", "--tracking-uri", uri]
    told = last_line(call(capsys, *both, "--json"))
    assert told["run"] == finished_run.id
    assert told["tensorboard"] == str(tmp_path / "events" / finished_run.id)
    assert list(Path(told["tensorboard"]).glob("*tfevents*"))
    assert list((tmp_path / "tracking").glob(f"*/{told['mlflow']}/artifacts/config.json"))
    plain = call(capsys, *both)
    assert told["tensorboard"] in plain
    assert told["mlflow"] in plain


def test_a_network_leaves_as_files(capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path) -> None:
    run, script, onnx = str(finished_run.folder), tmp_path / "net.py", tmp_path / "net.onnx"
    told = last_line(call(capsys, "export", run, "--to", str(script), "--to", str(onnx), "--json"))["files"]
    assert [Path(file["file"]) for file in told] == [script, onnx]
    assert all(file["alike"] == 1 and file["bytes"] == Path(file["file"]).stat().st_size for file in told)
    assert "100.0% with the same answer" in call(capsys, "export", run, "--to", str(script))
    assert "ends in one of .html, .onnx" in refusal(capsys, "export", run, "--to", str(tmp_path / "net.pkl"))
    other = tmp_path / "other.py"
    nowhere = ["--to", str(other), "--to", str(script / "inside.md")]
    assert "cannot be written" in refusal(capsys, "export", run, *nowhere)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.onnx", "net.py"]


def test_an_export_to_nowhere_is_refused(
    capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    run = str(finished_run.folder)
    (tmp_path / "file").write_text("")
    assert "--tensorboard" in refusal(capsys, "export", run)
    assert "--mlflow" in refusal(capsys, "export", run, "--tensorboard", str(tmp_path), "--tracking-uri", "x")
    assert "MLFLOW_TRACKING_URI" in refusal(capsys, "export", run, "--mlflow")
    assert "cannot write" in refusal(capsys, "export", run, "--tensorboard", str(tmp_path / "file" / "inside"))
    assert "there is no run" in refusal(capsys, "export", "no-such-run", "--tensorboard", str(tmp_path))


def test_a_recipe_can_be_changed_option_by_option(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--recipe", "classification-snippet", "--dataset", "mnist-sample", "--epochs", "1"]
    run = last_line(call(capsys, "train", *options, "--json"))["run"]
    config = RunStore(runs_folder()).open(run).config
    assert (config.dataset, config.epochs, config.batch_size, config.normalise) == ("mnist-sample", 1, 64, "symmetric")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--epochs", "0"], "epochs"),
        (["train", "--epochs", "many"], "--epochs"),
        (["train", "--dataset", "nope"], "mnist-sample"),
        (["train", "--learning-rate", "nan"], "learning_rate"),
        (["train", "--device", "mps"], "device"),
        (["train", "--optimizer", "sgd", "--momentum", "0"], "nesterov"),
        (["train", "--epochs", "1", "--optimizer", "sgd", "--learning-rate", "10", "--architecture", "lenet-5"], ""),
        (["train", "--parent", "no-epoch"], "parent: write RUN@EPOCH"),
        (["train", "--parent", "no-such-run@1"], "there is no run"),
        (["train", "--architecture", "no-such-file.json"], "there is no file"),
        (["train", "--architecture", "x" * 10_000 + ".json"], "there is no file"),
        (["network", "x" * 10_000 + ".json"], "there is no file"),
        (["train", "--architecture", "requirements.txt"], "compact"),
        (["network", "no-such-run"], "there is no run"),
        (["network", "quick", "--shape", "1", "4", "4"], "Layer 9 (pool2): "),
        (["network", "quick", "--to", "net.png"], ".py, .svg or .json"),
        (["network", "quick", "--to", "/proc/nowhere/net.py"], "cannot be written"),
        (["train", "--lessons", "no-such-file"], "does not exist"),
        (["find-lr", "--parent", "no-such-run@1"], "leave it out"),
        (["teach", "no-such-run", "no-such-file"], "does not exist"),
        (["evaluate", "no-such-run"], "there is no run"),
        (["evaluate"], "Missing argument"),
        (["predict", "no-such-run", "no-such-file"], "does not exist"),
        (["unpack", "no-such-file"], "does not exist"),
        (["evaluate", "x" * 10_000], "there is no run"),
        (["evaluate", "\x1b[31m\udcff"], "there is no run"),
        (["x" * 10_000], "No such command"),
        (["predict", ".", "/dev/zero"], "there is no run"),
        (["resume", ".", "--epochs", "1", "--learning-rate", "nan"], "nan is not a number"),
        (["train", "--runs", "/dev/null"], "cannot be written"),
        (["sweep", "--runs", "/dev/null"], "choose another folder"),
        (["pack", "--to", "runs.zip"], "Missing argument"),
        (["pack", "no-such-run"], "--to"),
        (["frobnicate"], "frobnicate"),
        (["train", "--frobnicate"], "frobnicate"),
    ],
)
def test_bad_input_ends_with_two_and_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if not words:  # a rate that LeNet's tanh may bear: only a loss that explodes is refused
        arguments = [*arguments[:-1], "fashion-part-3", "--schedule", "constant", "--epochs", "20"]
        words = "lower the learning rate"
    assert words in refusal(capsys, *arguments)


def test_files_that_are_neither_image_nor_drawings_are_refused(
    capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path
) -> None:
    for name, content in (("text.png", b"hello"), ("list.json", b"[1, 2]"), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        refusal(capsys, "predict", str(finished_run.folder), str(tmp_path / name))


def test_packed_runs_are_unpacked_elsewhere(
    capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path
) -> None:
    path, elsewhere = tmp_path / "runs.zip", tmp_path / "elsewhere"
    other = RunStore(runs_folder()).create(RunConfig())
    packed = last_line(call(capsys, "pack", str(finished_run.folder), other.id, "--to", str(path), "--json"))
    told = {"runs": [finished_run.id, other.id], "file": str(path), "bytes": path.stat().st_size, "pictures": []}
    assert packed == told
    assert "2 runs" in call(capsys, "pack", str(finished_run.folder), other.id, "--to", str(path))

    out = call(capsys, "unpack", str(path))
    assert f"1 added to {runs_folder()}, 1 were already there" in out
    assert finished_run.id in out
    unpacked = last_line(call(capsys, "unpack", str(path), "--runs", str(elsewhere), "--json"))
    added = sorted([finished_run.id, other.id])
    assert unpacked == {"added": added, "known": [], "pictures": [], "folder": str(elsewhere)}
    assert RunStore(elsewhere).open(finished_run.id).summary == finished_run.summary


def test_what_is_no_archive_is_refused(capsys: pytest.CaptureFixture[str], finished_run: Run, tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_bytes(b"hello")
    assert "not a whole ZIP archive" in refusal(capsys, "unpack", str(tmp_path / "text.zip"))
    nowhere = str(tmp_path / "nowhere" / "runs.zip")
    assert "choose another place" in refusal(capsys, "pack", str(finished_run.folder), "--to", nowhere)
    assert "there is no run" in refusal(capsys, "pack", "no-such-run", "--to", str(tmp_path / "runs.zip"))
    assert not (tmp_path / "runs.zip").exists()


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cnnlab", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert all(command in done.stdout for command in ("list", "train", "evaluate", "predict", "export"))


def test_resume_trains_a_run_on(capsys: pytest.CaptureFixture[str]) -> None:
    made = last_line(call(capsys, "train", "--epochs", "1", "--train-fraction", "0.1", "--json"))
    told = last_line(call(capsys, "resume", made["folder"], "--epochs", "2", "--learning-rate", "0.001", "--json"))
    assert (told["run"], told["status"]) == (made["run"], "finished")
    assert len(Run(Path(made["folder"])).history().epochs) == 3
    assert "set how many more" in refusal(capsys, "resume", made["folder"])
    assert "give both" in refusal(capsys, "resume", made["folder"], "--learning-rate", "0.001")


def test_the_command_line_is_the_administrators(capsys: pytest.CaptureFixture[str], listed_run: Run) -> None:
    give(listed_run.folder, "a" * 32)
    told = last_line(call(capsys, "evaluate", listed_run.id, "--json"))
    assert told["test_accuracy"] == listed_run.summary.test_accuracy
    assert listed_run.owner == "a" * 32


@pytest.mark.parametrize(("arguments", "script"), [((), "app.py"), (("--class",), "class_app.py")])
def test_the_app_is_started_for_one_or_for_a_class(
    arguments: tuple[str, ...], script: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda program, command: started.append(command))
    call(capsys, "app", *arguments, "--server.port", "8600")
    assert started[0][-3:] == [str(ROOT / script), "--server.port", "8600"]


@pytest.mark.parametrize("command", ["train", "find-lr", "sweep"])
def test_what_a_cpu_is_hopelessly_slow_in_is_refused(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "choose auto" in refusal(capsys, command, "--device", "cpu", "--precision", "float16")
    assert not list(runs_folder().glob("*"))


def test_a_run_that_this_machine_is_hopelessly_slow_in_is_read_but_not_resumed(
    capsys: pytest.CaptureFixture[str], listed_run: Run
) -> None:
    config = listed_run.config.model_copy(update={"device": "cpu", "precision": "float16"})
    (listed_run.folder / "config.json").write_text(config.model_dump_json())
    kept = listed_run.summary
    assert "branch off with auto" in refusal(capsys, "resume", listed_run.id, "--epochs", "1")
    assert listed_run.summary == kept
    assert last_line(call(capsys, "evaluate", listed_run.id, "--json"))["test_accuracy"] == kept.test_accuracy


def test_a_file_without_end_is_refused(capsys: pytest.CaptureFixture[str], finished_run: Run) -> None:
    assert "larger than 50 MB" in refusal(capsys, "predict", str(finished_run.folder), "/dev/zero")
    assert "larger than 10 MB" in refusal(capsys, "teach", str(finished_run.folder), "/dev/zero")


def test_no_rate_trains_nothing_on(capsys: pytest.CaptureFixture[str], finished_run: Run) -> None:
    given = ["--epochs", "1", "--learning-rate", "nan"]
    assert "nan is not a number" in refusal(capsys, "resume", str(finished_run.folder), *given)


def test_a_damaged_sweep_is_told_before_anything_else(capsys: pytest.CaptureFixture[str]) -> None:
    found = SweepStore(runs_folder()).create(parse_sweep({"space": {"learning_rate": {"low": 0.01, "high": 0.1}}}))
    (found.folder / "study.db").write_bytes(b"no database" * 100)
    assert "study.db cannot be read" in refusal(capsys, "sweep", "--continue", found.id)
