from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnlab.__main__ import main
from cnnlab.data.datasets import DATASETS
from cnnlab.runs.store import RunStore, runs_folder
from tests.cli.commands import call, last_line, refusal
from tests.conftest import ROOT
from tests.data.pictures.photos import folder_of, photos, saved, scene, zip_of

pytestmark = pytest.mark.slow


def test_pictures_are_added_listed_checked_trained_on_removed_and_restored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = photos(each=20) | {"cat/same.png": saved(scene(7)), "dog/same.png": saved(scene(7)), "cat/x.jpg": b""}
    archive = zip_of(files, tmp_path / "pets.zip")
    told = last_line(call(capsys, "data", "add", str(archive), "--name", "pets", "--size", "16", "--json"))
    assert (told["version"], told["classes"], told["shape"]) == (1, ["cat", "dog"], [3, 16, 16])
    assert {row["file"] for row in told["used"]} == set(files) - {"cat/x.jpg"}
    assert told["refused"] == [{"file": "cat/x.jpg", "reason": "the file is empty"}]
    assert told["same_picture_two_classes"] == [["cat/h.png", "cat/same.png", "dog/same.png"]]

    (listed,) = last_line(call(capsys, "data", "list", "--json"))
    assert (listed["name"], listed["digest"]) == ("pets", told["digest"])
    checked = last_line(call(capsys, "data", "check", "pets", "--json"))
    assert checked["findings"]["two_classes"] == told["same_picture_two_classes"]
    assert "Same picture in two classes: 1" in call(capsys, "data", "check", "pets@1")

    trained = last_line(
        call(capsys, "train", "--dataset", "pets", "--architecture", "basic-cnn", "--epochs", "1", "--json")
    )
    run = RunStore(runs_folder()).open(trained["run"])
    assert run.config.dataset == f"pets@1:{told['digest'][:8]}"
    assert run.summary.classes == ("cat", "dog")

    packed = tmp_path / "packed.zip"
    call(capsys, "data", "pack", "pets", "--to", str(packed))
    known = {"unpacked": run.config.dataset, "is_new": False}
    assert last_line(call(capsys, "data", "unpack", str(packed), "--json")) == known
    assert "already exists" in call(capsys, "data", "unpack", str(packed))
    both = tmp_path / "both.zip"
    assert last_line(call(capsys, "pack", run.id, "--to", str(both), "--pictures", "--json"))["pictures"] == [
        run.config.dataset
    ]
    assert f"pictures {run.config.dataset} were already there" in call(capsys, "unpack", str(both))

    removed = last_line(call(capsys, "data", "remove", "pets", "--json"))["removed"]
    assert "pets@1" not in DATASETS
    assert "pets" in refusal(capsys, "train", "--dataset", "pets")
    call(capsys, "data", "restore", removed)
    assert "pets@1" in DATASETS


def test_a_class_of_none_is_added_from_another_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, "data", "add", str(folder_of(photos(), tmp_path / "in")), "--name", "pets", "--size", "16")
    assert "8 of none added, from version 1" in call(capsys, "data", "none", "pets", "--from", "mnist-sample")
    assert "has a class 'none' already" in refusal(capsys, "data", "none", "pets", "--from", "mnist-sample")
    told = last_line(call(capsys, "data", "none", "pets@1", "--from", "mnist-sample", "--json"))
    assert (told["number"], told["classes"]) == (3, ["cat", "dog", "none"])
    assert "choose one of" in refusal(capsys, "data", "none", "pets@1", "--from", "nothing")


def test_the_report_in_words_names_files_and_reasons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(photos() | {"cat/broken.png": b"no", "notes.txt": b""}, tmp_path / "in")
    told = call(capsys, "data", "add", str(folder), "--name", "pets")
    assert "16 pictures of 2 classes" in told
    assert "cat/broken.png: the file is not a readable image" in told
    assert "notes.txt: no picture by its name" in told


def test_what_was_refused_is_said_in_one_line_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = photos() | {f"cat/{number}\x1b.png": b"no" for number in range(4)}
    files |= {f"cow/{number}.png": b"" for number in range(3)}
    archive = zip_of(files, tmp_path / "x.zip")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["cnnlab", "data", "add", str(archive), "--name", "pets", "--json"])
        main()
    told = capsys.readouterr()
    assert len(last_line(told.out)["refused"]) == 7
    assert told.err.startswith("Warning: no file of the class 'cow' could be used, 7 of the files refused (cat/0.png: ")
    assert told.err.count("\n") == 1
    assert "\x1b" not in told.err


def test_a_version_that_is_missing_is_told_from_a_missing_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(capsys, "data", "add", str(folder_of(photos(), tmp_path / "in")), "--name", "pets")
    for version in ("x", "9"):
        told = refusal(capsys, "data", "check", f"pets@{version}")
        assert f"pets has no version {version} here: choose one of 1" in told
    assert "there is no data set" in refusal(capsys, "data", "check", "birds@x")


@pytest.mark.parametrize("group", [[], ["data"]])
def test_a_group_alone_shows_its_help(group: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        call(capsys, *group)
    told = capsys.readouterr().err
    assert end.value.code == 2
    assert told.startswith("Usage: ")
    assert "\nCommands:\n" in told


def test_names_of_strangers_move_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = {f"cat/\x1b[2J{number}.png": saved(scene(900)) for number in (1, 2)}
    files = photos(("cat", "\x1b[31mdog")) | same | {"cat/\x1b]0;x\x07.png": b"no"}
    told = call(capsys, "data", "add", str(zip_of(files, tmp_path / "x.zip")), "--name", "pets")
    told += call(capsys, "data", "check", "pets")
    assert "copies" in told
    assert "]0;x.png: the file is not a readable image" in told
    assert "\x1b" not in told
    assert "\x07" not in told


@pytest.mark.parametrize(
    ("files", "name", "told"),
    [
        ({"cat/a.png": b"x"}, "pets", "only one class"),
        (photos(), "No Name", "is not a name"),
        ({}, "pets", "folder per class"),
    ],
)
def test_what_cannot_be_added_is_told_in_one_line(
    files: dict[str, bytes], name: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder_of(files, tmp_path / "in").mkdir(exist_ok=True)
    assert told in refusal(capsys, "data", "add", str(tmp_path / "in"), "--name", name)


def test_a_messy_archive_comes_to_what_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    cases = ROOT.parent / "shared" / "cases"
    if not (cases / "messy-photos.zip").exists():
        pytest.skip(f"no messy-photos.zip in {cases}")
    expected = json.loads((cases / "messy-photos.expected.json").read_text(encoding="utf-8"))
    told = last_line(call(capsys, "data", "add", str(cases / "messy-photos.zip"), "--name", "messy", "--json"))
    assert {row["file"] for row in told["used"]} == set(expected["use"])
    assert {row["file"] for row in told["refused"]} == set(expected["refuse"])
    assert all(row["reason"] and "\n" not in row["reason"] for row in told["refused"])
    assert {row["file"] for row in told["ignored"]} == set(expected["ignore"])
    for kind in ("near_duplicates", "same_picture_two_classes"):
        assert sorted(map(sorted, told[kind])) == sorted(map(sorted, expected[kind]))
