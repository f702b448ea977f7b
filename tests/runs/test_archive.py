from __future__ import annotations

import json
import os
import random
import stat
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from pkgutil import resolve_name
from shutil import copyfile, copytree
from time import time
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
import torch
from safetensors.torch import save_file

from cnnlab.drawings.strokes import LabelledDrawing
from cnnlab.files import ABANDONED, through_file
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.build import build
from cnnlab.networks.layers import Flatten, Linear
from cnnlab.people.belonging import Belonging
from cnnlab.runs import archive
from cnnlab.runs.archive import ArchiveError, Unpacked, pack, pack_file, unpack
from cnnlab.runs.archive_checks import admit
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import load_trained, test_split
from cnnlab.training.config import MAX_LESSONS, MAX_POINTS, Parent, RunConfig
from tests.samples import lesson
from tests.trainings import copied

test_split.__test__ = False  # type: ignore[attr-defined]  # a function of the package, not a test

ID = "20260101-000000-abc"
Entries = list[tuple[ZipInfo, bytes]]
Change = Callable[[Entries], Entries]


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """Where runs arrive; one is there already."""
    store = RunStore(tmp_path / "arrived")
    store.create(RunConfig())
    return store


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def packed(*runs: Run) -> BytesIO:
    file = BytesIO()
    pack(runs, file)
    return file


def entries(file: BytesIO) -> Entries:
    with ZipFile(file) as whole:
        return [(info, whole.read(info)) for info in whole.infolist()]


def zipped(listed: Entries) -> BytesIO:
    file = BytesIO()
    with ZipFile(file, "w") as made:
        for info, content in listed:
            made.writestr(info, content)
    return file


def deflated(listed: Entries) -> Entries:
    for info, _ in listed:
        info.compress_type = ZIP_DEFLATED
    return listed


def entry(name: str, content: bytes = b"{}", kind: int = stat.S_IFREG, compression: int = ZIP_DEFLATED) -> Change:
    info = ZipInfo(name)
    info.external_attr = (kind | 0o644) << 16
    info.compress_type = compression
    return lambda listed: [*listed, (info, content)]


def without(name: str) -> Change:
    return lambda listed: [(info, content) for info, content in listed if not info.filename.endswith(name)]


def replaced(name: str, content: bytes) -> Change:
    return lambda listed: [(info, content if info.filename.endswith(name) else old) for info, old in listed]


def nothing_arrived(store: RunStore, before: dict[str, bytes]) -> bool:
    folders = [path.name for path in store.folder.iterdir() if path.is_dir()]
    return contents(store.folder) == before and folders == [store.all()[0].id]


def test_a_run_arrives_byte_for_byte_and_answers_as_before(finished_run: Run, store: RunStore) -> None:
    assert unpack(packed(finished_run), store) == Unpacked([finished_run.id], [])
    arrived = store.open(finished_run.id)
    before = contents(finished_run.folder)
    assert contents(arrived.folder) == {name: content for name, content in before.items() if name != "lock"}
    assert arrived.summary == finished_run.summary
    images = test_split(finished_run).images[:5]
    answers = [load_trained(run).probabilities(images) for run in (finished_run, arrived)]
    assert torch.equal(*answers)


def test_an_archive_does_not_say_whose_a_run_is_and_it_becomes_who_imports_its(
    finished_run: Run, tmp_path: Path
) -> None:
    adas = copied(finished_run, RunStore(tmp_path / "a", "a" * 32))
    adas.show(True)
    file = packed(adas)
    assert not [name for name in ZipFile(file).namelist() if "belongs" in name]
    bobs = RunStore(tmp_path / "b", "b" * 32)
    unpack(file, bobs)
    assert bobs.open(adas.id).belonging == Belonging(owner="b" * 32)


def test_an_archive_cannot_say_whose_a_run_is(finished_run: Run, store: RunStore) -> None:
    forged = zipped(entry(f"{finished_run.id}/belongs.json")(entries(packed(finished_run))))
    with pytest.raises(ArchiveError, match="is no file of a run"):
        unpack(forged, store)


def test_nobody_takes_the_id_of_somebody_elses_deleted_run(finished_run: Run, store: RunStore) -> None:
    file, ada, bob = packed(finished_run), RunStore(store.folder, "a" * 32), RunStore(store.folder, "b" * 32)
    unpack(file, ada)
    store.delete(finished_run.id)
    assert unpack(file, bob) == Unpacked([], [finished_run.id])
    store.restore(finished_run.id)
    assert store.open(finished_run.id).owner == ada.owner
    store.delete(finished_run.id)
    assert unpack(file, ada).added == [finished_run.id]


def test_runs_that_do_not_fit_their_owners_room_stay_out(finished_run: Run, store: RunStore) -> None:
    before = contents(store.folder)
    with pytest.raises(ArchiveError, match="1 kB of disk left"):
        unpack(packed(finished_run), store, room=1000)
    assert nothing_arrived(store, before)


def test_the_checkpoints_of_a_provable_run_travel_along(finished_run: Run, store: RunStore, tmp_path: Path) -> None:
    run = RunStore(tmp_path / "runs").create(finished_run.config, provable=True)
    copytree(finished_run.folder, run.folder, dirs_exist_ok=True)
    run.write_summary(finished_run.summary.model_copy(update={"id": run.id}))
    copyfile(run.folder / "checkpoint.safetensors", run.checkpoints.path(2))
    unpack(packed(run), store)
    arrived = store.open(run.id)
    assert arrived.checkpoints.path(2).read_bytes() == run.checkpoints.path(2).read_bytes()
    assert arrived.checkpoints.read(2).progress.epoch == 2


def test_a_branch_opens_where_its_parent_is_not(finished_run: Run, store: RunStore, tmp_path: Path) -> None:
    parent, lessons = Parent(run=finished_run.id, epoch=2), tuple(lesson("7", number / 500) for number in range(500))
    branch = RunStore(tmp_path / "runs").create(finished_run.config.model_copy(update={"lessons": lessons}))
    kept = branch.config.model_copy(update={"parent": parent})
    (branch.folder / "config.json").write_text(kept.model_dump_json())
    branch.write_summary(finished_run.summary.model_copy(update={"id": branch.id}))
    branch.save_weights(2, finished_run.weights(2))
    unpack(packed(branch), store)
    arrived = store.open(branch.id)
    assert arrived.config == kept
    assert load_trained(arrived).epoch == 2
    assert "taught 500 drawings" in arrived.title
    assert store.origin(arrived) is None


def test_the_longest_config_can_be_packed(store: RunStore, tmp_path: Path) -> None:
    numbers = (1 - 2**-30, -1e-5 - 2**-40)  # of many digits
    strokes = [[(numbers[place % 2], -numbers[place % 2]) for place in range(MAX_POINTS // MAX_LESSONS)]]
    lessons = (LabelledDrawing(strokes=strokes, label="7"),) * MAX_LESSONS
    run = RunStore(tmp_path / "runs").create(RunConfig(lessons=lessons))
    assert unpack(packed(run), store).added == [run.id]


def test_a_run_that_is_there_stays_as_it_is(finished_run: Run, store: RunStore) -> None:
    (known,) = store.all()
    file = packed(known, finished_run)
    known.save_weights(7, {"later": torch.ones(1)})
    assert unpack(file, store) == Unpacked([finished_run.id], [known.id])
    assert known.epochs() == [7]
    assert unpack(file, store) == Unpacked([], sorted([known.id, finished_run.id]))


def test_what_is_no_file_of_a_run_stays_out_and_about_goes_along(
    finished_run: Run, store: RunStore, tmp_path: Path
) -> None:
    run = RunStore(tmp_path / "runs").create(finished_run.config.model_copy(update={"epochs": 1000}))
    run.write_summary(finished_run.summary.model_copy(update={"id": run.id}))
    run.save_weights(1000, finished_run.weights(2))
    for name in ("lock", "summary.json.part", "weights/epoch-001.part", "notes.txt", ".hidden"):
        (run.folder / name).touch()
    (run.folder / "about.json").write_text('{"title": "Größer"}', encoding="utf-8")
    names = {info.filename.removeprefix(f"{run.id}/") for info, _ in entries(packed(run))}
    assert names == {"about.json", "config.json", "summary.json", "weights/epoch-1000.safetensors"}
    unpack(packed(run), store)
    assert json.loads((store.open(run.id).folder / "about.json").read_bytes()) == {"title": "Größer"}


def test_a_run_packed_while_it_trains_arrives_interrupted(store: RunStore, tmp_path: Path) -> None:
    run = RunStore(tmp_path / "runs").create(RunConfig())
    with run.held():
        unpack(packed(run), store)
    assert json.loads((store.folder / run.id / "summary.json").read_text())["status"] == "interrupted"


def test_arriving_runs_are_not_listed(finished_run: Run, store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(archive, "admit", lambda run: seen.append((run.folder.parent, store.all())))
    before = store.all()[0].id
    unpack(packed(finished_run), store)
    ((folder, listed),) = seen
    assert folder.parent == store.folder
    assert not folder.exists()
    assert [run.id for run in listed] == [before]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (entry("../escaped"), "'../escaped' is no file of a run"),
        (entry(f"{ID}/../../config.json"), "no file of a run"),
        (entry("../config.json"), "no file of a run"),
        (entry("/tmp/config.json"), "no file of a run"),
        (entry("C:/config.json"), "no file of a run"),
        (entry(f"{ID}\\config.json"), "no file of a run"),
        (entry(f"{ID}/other/"), "no file of a run"),
        (entry(f"{ID}/config.json.part"), "no file of a run"),
        (entry(f"{ID}/lock"), "no file of a run"),
        (entry(f"{ID}/weights/epoch-1.safetensors"), "no file of a run"),
        (entry(f"{ID}/weights/epoch-٣٣٣.safetensors"), "no file of a run"),
        (entry(f"{ID}/weights/epoch-001.pt"), "no file of a run"),
        (entry("evil\n\x1b[31m.html"), r"'evil\\n\\x1b\[31m\.html'"),
        (entry("x" * 60_000), f"'{'x' * 120}' is no file"),
        (entry(f"{ID}/config.json", b"/etc/passwd", stat.S_IFLNK), "is a link or a device"),
        (entry(f"{ID}/config.json", compression=ZIP_BZIP2), "neither stored nor deflated"),
        (entry(f"{ID}/history.jsonl", b"\n" * 30_000_000), r"history\.jsonl' is larger than 20,000,000 bytes"),
        (entry(f"{ID}/about.json", b" " * 100_001), r"about\.json' is larger than 100,000 bytes"),
        (entry(f"{ID}/about.json"), f"run {ID}: its config.json is missing"),
        (lambda listed: [*listed, listed[0]], "is there twice"),
        (without("summary.json"), "summary.json is missing"),
        (replaced("config.json", b'{"epochs": -1}'), "config.json is damaged"),
        (replaced("epoch-001.safetensors", b"\x80\x04\x95pickle."), "is no safetensors file"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_an_archive_of_anything_but_runs_adds_nothing(
    change: Change, words: str, finished_run: Run, store: RunStore, tmp_path: Path
) -> None:
    before, around = contents(store.folder), sorted(tmp_path.iterdir())
    with pytest.raises(ArchiveError, match=words) as refusal:
        unpack(zipped(change(entries(packed(finished_run)))), store)
    assert len(str(refusal.value)) < 400
    assert nothing_arrived(store, before)
    assert sorted(tmp_path.iterdir()) == around


def patched(content: bytes, flag: int) -> bytes:
    """The same archive with ``flag`` set in every header."""
    for signature, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = content.find(signature)
        while at >= 0:
            content = content[: at + place] + struct.pack("<H", flag) + content[at + place + 2 :]
            at = content.find(signature, at + 4)
    return content


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda content: b"", "not a whole ZIP archive"),
        (lambda content: b"hello" * 1000, "not a whole ZIP archive"),
        (lambda content: content[: len(content) // 2], "not a whole ZIP archive"),
        (lambda content: content[len(content) // 2 :], "not a whole ZIP archive"),
        (lambda content: content.replace(b"epochs", b"epochz"), "not a whole ZIP archive"),
        (lambda content: content.replace(b"/config.json", b"/config.jso\0"), "no file of a run"),
        (lambda content: patched(content, 0x1), "is encrypted"),
        (lambda content: patched(content, 0x20), "not a whole ZIP archive"),
    ],
    ids=["empty", "text", "first-half", "second-half", "checksum", "null-byte", "encrypted", "patched-data"],
)
def test_a_damaged_archive_adds_nothing(
    damage: Callable[[bytes], bytes], words: str, store: RunStore, tmp_path: Path
) -> None:
    run = RunStore(tmp_path / "runs").create(RunConfig())
    stored = [(ZipInfo(info.filename), content) for info, content in entries(packed(run))]
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(damage(zipped(stored).getvalue()))
    before = contents(store.folder)
    with damaged.open("rb") as file, pytest.raises(ArchiveError, match=words):
        unpack(file, store)
    assert nothing_arrived(store, before)


def test_a_few_changed_bytes_never_raise_anything_else(store: RunStore, tmp_path: Path) -> None:
    content = packed(RunStore(tmp_path / "runs").create(RunConfig())).getvalue()
    before = contents(store.folder)
    dice = random.Random(0)
    for number in range(300):
        changed = bytearray(content)
        for _ in range(dice.randint(1, 4)):
            changed[dice.randrange(len(changed) - 250, len(changed))] = dice.randrange(256)
        target = RunStore(tmp_path / f"fuzzed-{number}")
        try:
            for run_id in unpack(BytesIO(bytes(changed)), target).added:
                assert target.open(run_id).config == RunConfig()
        except ArchiveError:
            pass
    assert contents(store.folder) == before


@pytest.mark.parametrize(
    ("bound", "value"),
    [("MAX_ENTRIES", 4), ("MAX_BYTES", 1_000_000), ("MAX_LIST_BYTES", 300), ("MAX_WEIGHTS", 260_000)],
)
def test_a_bomb_is_refused_by_what_it_unpacks_to(
    bound: str, value: int, finished_run: Run, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = zipped([(info, b"\0" * len(content)) for info, content in entries(packed(finished_run))])
    before = contents(store.folder)
    monkeypatch.setattr(archive, bound, value)
    with pytest.raises(ArchiveError, match="larger than"):
        unpack(file, store)
    assert nothing_arrived(store, before)


def test_zeros_in_the_shapes_of_a_network_are_bounded_by_the_archives_size(
    finished_run: Run, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is unpacked first, and what is stored as it is, as runs are packed, is taken at any size."""
    file = zipped(deflated([(info, b"\0" * len(content)) for info, content in entries(packed(finished_run))]))
    before = contents(store.folder)
    with monkeypatch.context() as patch, pytest.raises(ArchiveError, match="more than 20 times its size"):
        patch.setattr(archive, "FREE_BYTES", 1_000_000)
        patch.setattr(archive, "_copy", None)
        unpack(file, store)
    assert nothing_arrived(store, before)
    monkeypatch.setattr(archive, "FREE_BYTES", 0)
    assert unpack(packed(finished_run), store).added == [finished_run.id]


def test_a_large_tensor_beside_the_networks_is_not_taken_in(finished_run: Run, store: RunStore, tmp_path: Path) -> None:
    path = tmp_path / "weights"
    save_file({**finished_run.weights(2), "more": torch.zeros(10_000_000)}, path)
    file = zipped(deflated(replaced("epoch-002.safetensors", path.read_bytes())(entries(packed(finished_run)))))
    before = contents(store.folder)
    with pytest.raises(ArchiveError, match=r"epoch-002\.safetensors is of another network"):
        unpack(file, store)
    assert nothing_arrived(store, before)


@pytest.mark.parametrize(
    "litter",
    [
        ".DS_Store",
        f"{ID}/.DS_Store",
        f"{ID}/weights/Thumbs.db",
        f"{ID}/thumbs.db",
        f"{ID}/desktop.ini",
        f"{ID}/._config.json",
        f"__MACOSX/{ID}/._config.json",
        "__MACOSX/",
        f"{ID}/",
        f"{ID}/weights/",
    ],
)
def test_what_computers_leave_in_archives_is_passed_over(litter: str, store: RunStore, tmp_path: Path) -> None:
    run = RunStore(tmp_path / "runs").create(RunConfig())
    name = litter.replace(ID, run.id)
    kind = stat.S_IFDIR if name.endswith("/") else stat.S_IFREG
    assert unpack(zipped(entry(name, b"", kind)(entries(packed(run)))), store).added == [run.id]
    assert {path.name for path in store.open(run.id).folder.iterdir()} == {"config.json", "summary.json"}


def test_json_behind_a_byte_order_mark_arrives(finished_run: Run, store: RunStore) -> None:
    marked = [
        (info, b"\xef\xbb\xbf" + content if not info.filename.endswith(".safetensors") else content)
        for info, content in entries(packed(finished_run))
    ]
    unpack(zipped(marked), store)
    arrived = store.open(finished_run.id)
    assert (arrived.config, arrived.summary) == (finished_run.config, finished_run.summary)
    assert arrived.history() == finished_run.history()


def test_two_who_import_the_same_runs_at_once_both_have_them(
    finished_run: Run, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = packed(finished_run)

    def overtaken(run: Run) -> None:
        monkeypatch.setattr(archive, "admit", admit)
        assert unpack(file, store).added == [run.id]

    monkeypatch.setattr(archive, "admit", overtaken)
    assert unpack(file, store) == Unpacked([], [finished_run.id])
    assert load_trained(store.open(finished_run.id)).epoch == 2


def test_what_a_killed_process_unpacked_goes_once_it_is_old(store: RunStore, tmp_path: Path) -> None:
    left, young = store.folder / ".incoming-old", store.folder / ".incoming-young"
    for folder in (left, young):
        (folder / ID).mkdir(parents=True)
    os.utime(left, times=(time() - ABANDONED.total_seconds() - 1,) * 2)
    unpack(packed(RunStore(tmp_path / "runs").create(RunConfig())), store)
    assert (left.exists(), young.exists()) == (False, True)


WIDE = Architecture(
    name="wide", title="Wide", layers=(Flatten(), Linear(out_features=6000), Linear(out_features="classes"))
)


@pytest.fixture(scope="module")
def large_run(finished_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with 19 MB of weights."""
    run = RunStore(tmp_path_factory.mktemp("large")).create(RunConfig(architecture=WIDE))
    summary = finished_run.summary
    run.write_summary(summary.model_copy(update={"id": run.id, "epoch": 0}))
    run.save_weights(0, build(WIDE, summary.shape, len(summary.classes)).state_dict())
    return run


@contextmanager
def within(megabytes: float) -> Iterator[None]:
    """Fail where more memory is taken meanwhile than that."""
    tracemalloc.start()
    try:
        yield
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken < megabytes * 1e6


def test_packing_and_unpacking_hold_little_of_an_archive_in_memory(
    large_run: Run, store: RunStore, tmp_path: Path
) -> None:
    path = tmp_path / "runs.zip"
    with within(megabytes=5):
        pack_file([large_run], path)
    assert path.stat().st_size > 18e6
    with within(megabytes=5), path.open("rb") as file:
        assert unpack(file, store).added == [large_run.id]


def test_a_download_holds_an_archive_once(large_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_RUNS", str(large_run.folder.parent))
    size = len(packed(large_run).getvalue())
    with within(megabytes=size / 1e6 + 5):
        assert len(through_file(lambda file: pack([large_run], file), large_run.folder.parent)) == size
    assert [path for path in large_run.folder.parent.iterdir() if path.is_dir()] == [large_run.folder]


@pytest.mark.parametrize(
    ("end", "told"), [(KeyboardInterrupt(), KeyboardInterrupt), (OSError(28, "No space left on device"), ArchiveError)]
)
@pytest.mark.parametrize("place", ["cnnlab.runs.archive.admit", "pathlib.Path.rename"])
def test_an_interrupted_arrival_leaves_nothing(
    end: BaseException,
    told: type[BaseException],
    place: str,
    finished_run: Run,
    store: RunStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = packed(RunStore(tmp_path / "runs").create(RunConfig()), finished_run)
    before = contents(store.folder)
    inner: Callable[..., object] = resolve_name(place)
    calls = []

    def second_fails(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 2:
            raise end
        return inner(*arguments)

    monkeypatch.setattr(place, second_fails)
    with pytest.raises(told):
        unpack(file, store)
    assert len(calls) >= 2
    assert nothing_arrived(store, before)


def test_what_could_not_be_unpacked_is_not_packed(
    finished_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ArchiveError, match="named twice"):
        packed(finished_run, finished_run)
    with monkeypatch.context() as patch, pytest.raises(ArchiveError, match="pack fewer at once"):
        patch.setattr(archive, "MAX_ENTRIES", 5)
        packed(finished_run)
    with monkeypatch.context() as patch, pytest.raises(ArchiveError, match="leave that run out"):
        patch.setattr(archive, "MAX_WEIGHTS", 1000)
        packed(finished_run)
    damaged = RunStore(tmp_path).create(RunConfig())
    (damaged.folder / "config.json").unlink()
    with pytest.raises(RunError, match=r"config\.json is missing"):
        packed(damaged)


def test_a_failed_archive_leaves_the_old_file(finished_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "runs.zip"
    path.write_bytes(b"old")
    with pytest.raises(ArchiveError):
        pack_file([finished_run, finished_run], path)
    assert contents(tmp_path) == {"runs.zip": b"old"}
    pack_file([finished_run], path)
    assert contents(tmp_path) == {"runs.zip": packed(finished_run).getvalue()}
    with pytest.raises(ArchiveError, match="choose another place"):
        pack_file([finished_run], tmp_path / "nowhere" / "runs.zip")


@pytest.mark.parametrize("field", [20, 24])  # of the list of entries: packed and unpacked length
def test_an_entry_that_lies_about_its_length_is_refused(field: int, finished_run: Run, store: RunStore) -> None:
    lying = bytearray(packed(finished_run).getvalue())
    struct.pack_into("<I", lying, lying.rindex(b"PK\x01\x02") + field, 2**30)  # of weights, which are stored
    with pytest.raises(ArchiveError, match="two lengths"):
        unpack(BytesIO(lying), store)


def test_a_deflated_entry_of_another_length_is_refused(finished_run: Run, store: RunStore) -> None:
    lying = bytearray(packed(finished_run).getvalue())
    listed = lying.rindex(f"{finished_run.id}/config.json".encode()) - 46  # where the list of entries tells of it
    struct.pack_into("<I", lying, listed + 24, 10_000_000)
    with pytest.raises(ArchiveError, match="not the length"):
        unpack(BytesIO(lying), store)
