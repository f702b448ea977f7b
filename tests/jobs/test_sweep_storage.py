from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from cnnlab.jobs.sweep_storage import DATABASE, JOURNAL, create_study, cut_torn_line, load_study


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_study(tmp_path)
    study = load_study(tmp_path, "none")
    for _ in range(2):
        trial = study.ask()
        study.tell(trial, trial.suggest_float("rate", 0.0, 1.0))
    return tmp_path


def test_optunas_own_tools_open_the_journal(folder: Path) -> None:
    backend = optuna.storages.journal.JournalFileBackend(str(folder / JOURNAL))
    study = optuna.load_study(study_name=folder.name, storage=optuna.storages.JournalStorage(backend))
    assert [trial.value for trial in study.trials] == [trial.params["rate"] for trial in study.trials]


def test_reading_writes_nothing_and_a_killed_process_leaves_no_lock(folder: Path) -> None:
    before = (folder / JOURNAL).read_bytes()
    assert len(load_study(folder, "median").trials) == 2
    assert (folder / JOURNAL).read_bytes() == before
    assert [path.name for path in folder.iterdir()] == [JOURNAL]
    (folder / f"{JOURNAL}.lock").symlink_to(folder / JOURNAL)  # as Optuna's own would stay
    load_study(folder, "none").ask()


def test_a_last_line_that_is_half_written_is_passed_over_and_cut_before_the_next_is_written(folder: Path) -> None:
    path = folder / JOURNAL
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    study = load_study(folder, "none")
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE, TrialState.RUNNING]
    cut_torn_line(folder)
    assert whole.startswith(path.read_bytes())
    study.tell(1, 0.5)
    assert load_study(folder, "none").trials[1].value == 0.5
    cut_torn_line(folder)
    assert load_study(folder, "none").trials[1].value == 0.5


def test_a_journal_without_a_line_is_left_as_it_is(folder: Path) -> None:
    (folder / JOURNAL).write_bytes(b"no journal")
    cut_torn_line(folder)
    assert (folder / JOURNAL).read_bytes() == b"no journal"


def test_what_is_missing_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_study(tmp_path, "none")
    cut_torn_line(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_database_of_an_older_sweep_is_read_and_written(tmp_path: Path) -> None:
    older = optuna.create_study(
        study_name=tmp_path.name, storage=f"sqlite:///{tmp_path / DATABASE}", direction="maximize"
    )
    older.tell(older.ask(), 0.25)
    study = load_study(tmp_path, "median")
    study.tell(study.ask(), 0.5)
    assert [trial.value for trial in older.trials] == [0.25, 0.5]
    assert not (tmp_path / JOURNAL).exists()
