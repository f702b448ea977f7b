"""Archives that are none, that lie, climb out of their folder, or would fill the disk."""

from __future__ import annotations

import json
import stat
import struct
import warnings
from collections.abc import Callable
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile, ZipInfo

from hypothesis import strategies as st

from tests.faults.bad_configs import BAD, TYPED
from tests.faults.bad_runs import PNG, SUMMARY, changed, header
from tests.faults.ground import Case, Ground, command

MB = 1_000_000
Entries = list[tuple[ZipInfo, bytes]]
Make = Callable[[bytes], bytes]


def cases(ground: Ground) -> st.SearchStrategy[Case]:
    run_id = ground.run.id
    outside = st.builds(
        lambda climb, name: climb + name,
        st.sampled_from(
            ["../", "../../", "/", "C:/", "C:\\", "..\\", "\\\\host\\", f"{run_id}/../", f"{run_id}\\", "./"]
        ),
        st.sampled_from(["config.json", "etc/passwd", f"{run_id}/config.json", "a.py", "\0"]),
    )
    foreign = st.text(min_size=1, max_size=300).map(lambda name: f"{run_id}/{name}.html")
    files = sorted(path.relative_to(ground.run.folder).as_posix() for path in ground.run.folder.rglob("*.*"))
    made: st.SearchStrategy[tuple[str, Make]] = st.one_of(
        (outside | foreign).map(lambda name: (f"with {name[:60]!r}", _more(name))),
        st.sampled_from([stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFDIR]).map(
            lambda kind: ("with a link, a device or a folder", _more(f"{run_id}/about.json", b"/etc/passwd", kind))
        ),
        st.sampled_from([ZIP_BZIP2, ZIP_LZMA]).map(
            lambda how: ("packed in another way", _more(f"{run_id}/about.json", b"{}", how=how))
        ),
        st.builds(_bomb, st.sampled_from(files), st.integers(21, 60), st.just(run_id)),
        st.integers(1, 5).map(lambda depth: (f"{depth} archives in one another", lambda old: _nested(old, depth))),
        st.sampled_from(files).map(lambda name: (f"with {name} twice", _twice(name))),
        st.sampled_from(["config.json", "summary.json"]).map(lambda name: (f"without {name}", _without(name))),
        st.integers(20_001, 22_000).map(lambda n: (f"of {n} entries", lambda _: _crowd(n))),
        st.floats(0, 0.99).map(lambda share: (f"cut at {share:.0%}", lambda old: old[: int(share * len(old))])),
        st.floats(0.01, 1).map(lambda share: (f"its first {share:.0%} gone", lambda old: old[int(share * len(old)) :])),
        st.binary(max_size=3000).map(lambda junk: ("random bytes", lambda _: junk)),
        st.sampled_from(
            [PNG, b"", b"Rar!\x1a\x07\0", b"\x1f\x8b\x08\0" * 9, b"7z\xbc\xaf'\x1c", b"<html>", header(9)]
        ).map(lambda content: ("another kind of file, renamed", lambda _: content)),
        st.builds(
            lambda name, at, bit: (f"a bit of {name} flipped", _flipped(name, at, bit)),
            st.sampled_from([name for name in files if name.endswith(".safetensors")]),
            st.floats(0, 0.999),
            st.integers(0, 7),
        ),
        st.builds(
            lambda field, value: (f"a length of {value}", _lying(field[0], field[1], value)),
            st.sampled_from(_LENGTHS),
            st.integers(2**24, 2**32 - 1),
        ),
        st.just(("encrypted", _encrypted)),
        st.integers(2, 200).map(lambda n: (f"{n} entries over one another", lambda old: _overlapping(old, run_id, n))),
        st.sampled_from(sorted(SUMMARY)).flatmap(
            lambda name: SUMMARY[name].map(
                lambda value: (
                    f"summary {name} = {value!r:.60}",
                    _replaced("summary.json", lambda old: changed(old, name, value)),
                )
            )
        ),
        st.sampled_from(TYPED).flatmap(
            lambda name: BAD[name].map(
                lambda value: (
                    f"config {name} = {value!r:.60}",
                    _replaced("config.json", lambda old: changed(old, name, value)),
                )
            )
        ),
        st.sampled_from(_LINES).map(
            lambda line: ("with a foreign history", _replaced("history.jsonl", lambda old: line + old))
        ),
        st.sampled_from(_ABOUT).map(lambda about: ("with a foreign about.json", _more(f"{run_id}/about.json", about))),
        st.sampled_from([name for name in files if name.endswith(".safetensors")]).flatmap(
            lambda name: st.integers(1, 2 * 10**7).map(
                lambda n: (f"with {n} numbers more in {name}", _replaced(name, lambda old: _longer(old, n)))
            )
        ),
        st.integers(80, 200).map(lambda n: (f"with {n} epochs more of nothing but zeros", _zeros(run_id, n))),
        st.integers(3, 2**63).map(
            lambda n: ("with lying weights", _replaced("epoch-001.safetensors", lambda _: header(n)))
        ),
    )
    return made.map(lambda how: _case(ground, *how))


_LINES = [
    b"hello\n",
    b"[" * 50_000 + b"\n",
    b'{"kind": "step", "step": "1"}\n',
    b"\xff\xfe\n",
    b"null\n",
    b"1e999\n",
    b"{}\n",
    b"[1]" * 10**6,
]
_ABOUT = [b"[]", b"{", b'{"title": 1}', b'{"tags": [[]]}', b'{"note": "' + b"x" * 6000 + b'"}', b"[" * 90_000, b"\xff"]
_LENGTHS: list[tuple[bytes, int]] = [
    (b"PK\x01\x02", 20),
    (b"PK\x01\x02", 24),
    (b"PK\x01\x02", 42),
    (b"PK\x05\x06", 12),
    (b"PK\x05\x06", 16),
]


def _case(ground: Ground, told: str, make: Make) -> Case:
    file = ground.file("runs.zip", make(ground.archive))
    return Case(f"archive {told}", command("unpack", file, "--runs", ground.scratch / "arrived"))


def _entries(archive: bytes) -> Entries:
    with ZipFile(BytesIO(archive)) as whole:
        return [(info, whole.read(info)) for info in whole.infolist()]


def _zipped(entries: Entries) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are there twice
        for info, content in entries:
            made.writestr(info, content)
    return file.getvalue()


def _more(name: str, content: bytes = b"{}", kind: int = stat.S_IFREG, how: int = ZIP_DEFLATED) -> Make:
    info = ZipInfo("x")
    info.filename = name
    info.external_attr, info.compress_type = (kind | 0o644) << 16, how
    return lambda old: _zipped([*_entries(old), (info, content)])


def _replaced(name: str, change: Callable[[bytes], bytes]) -> Make:
    return lambda old: _zipped(
        [(info, change(content) if info.filename.endswith(name) else content) for info, content in _entries(old)]
    )


def _longer(content: bytes, numbers: int) -> bytes:
    """The same safetensors file with a tensor more, of zeros, which deflate to nothing."""
    length = struct.unpack_from("<Q", content)[0]
    head, body = json.loads(content[8 : 8 + length]), content[8 + length :]
    end = len(body) + 4 * numbers
    head["more"] = {"dtype": "F32", "shape": [numbers], "data_offsets": [len(body), end]}
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + body + bytes(4 * numbers)


def _zeros(run_id: str, epochs: int) -> Make:
    """Weights of more epochs in what little they deflate to, each of a megabyte."""

    def make(archive: bytes) -> bytes:
        more = [(ZipInfo(f"{run_id}/weights/epoch-{100 + number}.safetensors"), bytes(MB)) for number in range(epochs)]
        for info, _ in more:
            info.compress_type = ZIP_DEFLATED
        return _zipped([*_entries(archive), *more])

    return make


def _without(name: str) -> Make:
    return lambda old: _zipped([one for one in _entries(old) if not one[0].filename.endswith(name)])


def _twice(name: str) -> Make:
    return lambda old: _zipped([*_entries(old), *(one for one in _entries(old) if one[0].filename.endswith(name))])


def _bomb(name: str, megabytes: int, run_id: str) -> tuple[str, Make]:
    size = megabytes * MB if not name.endswith(".safetensors") else 401 * MB
    info = ZipInfo(f"{run_id}/{name}")
    info.compress_type = ZIP_DEFLATED
    return f"{size // MB} MB of {name} in little", lambda old: _zipped(
        [*_entries(_without(name)(old)), (info, b" " * size)]
    )


def _nested(archive: bytes, depth: int) -> bytes:
    for level in range(depth):
        archive = _zipped([(ZipInfo(f"inner-{level}.zip"), archive)])
    return archive


def _crowd(entries: int) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_STORED) as made:
        for number in range(entries):
            made.writestr(f"20260101-000000-{number}/config.json", b"{}")
    return file.getvalue()


def _flipped(name: str, at: float, bit: int) -> Make:
    """In an entry's content as it is stored, which its checksum tells; in a deflated one a bit may mean nothing."""

    def make(archive: bytes) -> bytes:
        with ZipFile(BytesIO(archive)) as whole:
            (info,) = (info for info in whole.infolist() if info.filename.endswith(name))
        spoilt = bytearray(archive)
        names, extra = struct.unpack_from("<HH", archive, info.header_offset + 26)
        spoilt[info.header_offset + 30 + names + extra + int(at * info.compress_size)] ^= 1 << bit
        return bytes(spoilt)

    return make


def _lying(signature: bytes, field: int, value: int) -> Make:
    """A length or a place in the list of entries, or in the end that tells where the list is."""

    def make(archive: bytes) -> bytes:
        spoilt = bytearray(archive)
        struct.pack_into("<I", spoilt, archive.rindex(signature) + field, value)
        return bytes(spoilt)

    return make


def _encrypted(archive: bytes) -> bytes:
    spoilt = bytearray(archive)
    for signature, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        spoilt[archive.index(signature) + flags] |= 1
    return bytes(spoilt)


def _overlapping(archive: bytes, run_id: str, count: int) -> bytes:
    """Entries of many names that all are the same bytes (Fifield 2019, "A better zip bomb")."""
    info = ZipInfo(f"{run_id}/weights/epoch-100.safetensors")
    info.compress_type = ZIP_DEFLATED
    single = _zipped([*_entries(archive), (info, b"\0" * MB)])
    start, end = single.rindex(b"PK\x01\x02"), single.rindex(b"PK\x05\x06")
    record, old = single[start:end], b"epoch-100"
    more = b"".join(record.replace(old, b"epoch-%d" % (101 + number)) for number in range(count))
    tail = bytearray(single[end:])
    entries, length = struct.unpack_from("<HHI", tail, 8)[1:]
    struct.pack_into("<HHI", tail, 8, entries + count, entries + count, length + len(more))
    return single[:end] + more + bytes(tail)
