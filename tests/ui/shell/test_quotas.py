"""What members of a class may use: counted from their trainings, and refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier

import pytest

from cnnlab.classroom.freezing import hand_in
from cnnlab.classroom.hand_ins import HandIns
from cnnlab.data.datasets import own_pictures
from cnnlab.files import bytes_below
from cnnlab.jobs.job import Job
from cnnlab.jobs.queue import TrainingQueue
from cnnlab.jobs.sweep_config import Among, SweepConfig, images_at_most
from cnnlab.people.belonging import give
from cnnlab.people.rights import ADMINISTRATOR, Person
from cnnlab.people.rules import ClassRules
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import RunConfig
from cnnlab.ui.shell import person, quotas, session
from tests.classroom.samples import NOW, assignment
from tests.data.pictures.photos import added, folder_of, photos
from tests.samples import TINY
from tests.trainings import finish, wait_for

SESSION = "streamlit.runtime.caching.cache_resource_api.get_session_id_or_throw"
ADA = Person("member", "a" * 32)
SHORT = RunConfig(architecture=TINY, epochs=2, train_fraction=0.2)
IMAGES = 2 * 810  # a fifth of 4,050, in both epochs

Limited = Callable[..., None]


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Limited:
    """Makes Ada use the server, with these quotas."""
    monkeypatch.setattr(person, "me", lambda: ADA)
    monkeypatch.setattr(SESSION, lambda: "Ada's session")
    return lambda **of: monkeypatch.setattr(person, "class_rules", lambda: ClassRules(code="blue whale", **of))


@pytest.mark.parametrize("somebody", [Person("teacher", "b" * 32), ADMINISTRATOR])
def test_those_in_charge_have_no_quotas(somebody: Person, limited: Limited, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(queued=1, images_a_day=1)
    assert quotas.are_limited()
    monkeypatch.setattr(person, "me", lambda: somebody)
    assert not quotas.are_limited()


@pytest.mark.parametrize(
    ("of", "why"), [({"images_a_day": IMAGES - 1}, "a day: train for fewer epochs"), ({"disk_mb": 1}, "of disk")]
)
def test_a_start_that_does_not_fit_is_refused_and_leaves_nothing(
    of: dict[str, int], why: str, limited: Limited, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(**of)
    monkeypatch.setattr(quotas, "_bytes_of", lambda owner: 1_000_000)
    with pytest.raises(RunError, match=why):
        session.add(SHORT)
    assert not RunStore(runs_folder()).all()
    limited(images_a_day=IMAGES, disk_mb=2, queued=1)
    finish(session.add(SHORT))


def test_what_is_removed_from_the_queue_counts_no_longer(limited: Limited, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(images_a_day=IMAGES, queued=1)
    monkeypatch.setattr("cnnlab.jobs.executor.Local.queue", TrainingQueue(0))
    job = session.add(SHORT)
    wait_for(job, "queued")
    assert quotas.used().images == IMAGES
    with pytest.raises(RunError, match="1 of your trainings wait or run"):
        session.add(SHORT.model_copy(update={"seed": 1}))
    session.remove(job)
    assert quotas.used().images == 0


def test_a_teacher_who_removes_a_training_gives_its_images_back(
    limited: Limited, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(images_a_day=IMAGES)
    monkeypatch.setattr("cnnlab.jobs.executor.Local.queue", TrainingQueue(0))
    job = session.add(SHORT)
    wait_for(job, "queued")
    monkeypatch.setattr(person, "me", lambda: Person("teacher", "b" * 32))
    session.remove(job)
    monkeypatch.setattr(person, "me", lambda: ADA)
    assert quotas.used().images == 0


def test_what_waits_has_its_disk_already(limited: Limited, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(disk_mb=1)
    monkeypatch.setattr("cnnlab.jobs.executor.Local.queue", TrainingQueue(0))
    left = quotas.disk_left()
    job = session.add(SHORT)
    wait_for(job, "queued")
    needs = quotas.needs(SHORT).bytes
    assert quotas.used().bytes >= needs > job.run.disk_bytes
    assert quotas.disk_left() <= left - needs
    session.remove(job)


def test_pages_that_start_at_once_have_one_quota(limited: Limited) -> None:
    limited(images_a_day=IMAGES)
    at_once = Barrier(4)

    def begun(seed: int) -> Job | None:
        at_once.wait()
        with suppress(RunError):
            return session.add(SHORT.model_copy(update={"seed": seed}))
        return None

    with ThreadPoolExecutor(4) as pages:
        (job,) = filter(None, pages.map(begun, range(4)))
    finish(job)


def test_a_trial_of_a_sweep_finds_what_was_begun_since(limited: Limited) -> None:
    limited(images_a_day=IMAGES)
    account = quotas.account(ADA.id)
    account.check(SHORT, 0)
    finish(session.add(SHORT))
    with pytest.raises(RunError, match="left today"):
        account.check(SHORT, 0)


def test_what_was_trained_counts_though_it_is_deleted(limited: Limited) -> None:
    limited(images_a_day=IMAGES)
    job = finish(session.add(SHORT))
    assert quotas.used().images == IMAGES
    store = RunStore(runs_folder())
    store.delete(job.run.id)
    store.delete_for_good(job.run.id)
    assert quotas.used().images == IMAGES
    with pytest.raises(RunError, match=r"0 of 1\.6 k left today"):
        session.add(SHORT)


def test_no_more_run_at_once_than_are_allowed(limited: Limited, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(running=1)
    monkeypatch.setattr("cnnlab.jobs.executor.Local.queue", TrainingQueue(2))
    first, second = (session.add(SHORT.model_copy(update={"epochs": 1000, "seed": seed})) for seed in (1, 2))
    wait_for(first, "training")
    wait_for(second, "queued")
    assert second.place == 1
    first.stop()
    wait_for(second, "training")
    second.stop()


def test_the_disk_of_runs_and_data_sets_counts_also_when_they_are_deleted(
    limited: Limited, listed_run: Run, tmp_path: Path
) -> None:
    limited(disk_mb=100)
    assert quotas.used().bytes == 0
    give(listed_run.folder, ADA.id)
    own = quotas.used().bytes
    assert own == pytest.approx(listed_run.disk_bytes, rel=0.01)
    RunStore(runs_folder()).delete(listed_run.id)
    assert quotas.used().bytes == pytest.approx(own, rel=0.01)
    version = added(folder_of(photos(), tmp_path / "in"), own_pictures(ADA.id)).version
    with_pictures = quotas.used().bytes
    assert with_pictures > own
    own_pictures(ADA.id).remove(version.name)
    assert quotas.used().bytes == with_pictures
    added(folder_of(photos(), tmp_path / "in"), own_pictures("b" * 32))
    assert quotas.used().bytes == with_pictures


def test_a_copy_for_an_assignment_counts_with_what_the_persons_runs_no_longer_hold(
    limited: Limited, listed_run: Run
) -> None:
    limited(disk_mb=100)
    give(listed_run.folder, ADA.id)
    before = quotas.used().bytes
    task = assignment(config=listed_run.config)
    copy = Run(runs_folder() / hand_in(listed_run, task, ADA, HandIns(runs_folder()), NOW).run)
    weights = bytes_below(copy.folder / "weights")
    shared = quotas.used().bytes
    assert 0 < shared - before < copy.disk_bytes - weights + 1_000  # the weights are linked
    store = RunStore(runs_folder())
    store.delete(listed_run.id)
    assert quotas.used().bytes == pytest.approx(shared, rel=0.01)
    store.delete_for_good(listed_run.id)
    assert quotas.used().bytes == copy.disk_bytes > weights
    store.delete(copy.id)  # as a teacher does
    assert quotas.used().bytes == 0


def test_a_sweep_takes_as_much_as_all_its_trials() -> None:
    space = {"epochs": Among(options=(2, 4)), "train_fraction": Among(options=(0.1, 0.2))}
    config = SweepConfig(base=SHORT, space=space, trials=3, pruner="none")
    assert images_at_most(config) == 3 * 4 * 810
    needs = quotas.sweep_needs(config)
    assert (needs.queued, needs.images) == (0, 3 * 4 * 810)
