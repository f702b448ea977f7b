"""Pictures that are none, are torn, or claim sizes that no memory holds."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from cnnlab.drawings.images import read_picture
from cnnlab.drawings.page import find_characters
from cnnlab.drawings.preprocess import network_input
from tests.faults.ground import Case, Ground, command


def _saved(kind: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


WHOLE = {kind: _saved(kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")}
FOREIGN = [
    *(_saved(kind) for kind in ("PPM", "ICO", "TGA", "PDF", "PCX", "SGI", "ICNS")),
    b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>',
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    b"hello",
    b"",
    b"{}",
    b"PK\x03\x04",
    b"\x80\x04\x95pickle.",
]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png(width: int, height: int, *chunks: tuple[bytes, bytes], depth: int = 8, colours: int = 0) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*one) for one in ((b"IHDR", head), *chunks))


def _bmp(width: int, height: int) -> bytes:
    head = b"BM" + struct.pack("<IHHI", 54, 0, 0, 54)
    return head + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


def _gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + WHOLE["GIF"][13:]


def _webp(width: int, height: int) -> bytes:
    """Two frames on a canvas of that size."""
    file = BytesIO()
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("white", "black")]
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    spoilt = bytearray(file.getvalue())
    spoilt[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(spoilt)


def _tiff(width: int, height: int, tags: int = 0) -> bytes:
    entries = [
        (256, width),
        (257, height),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 10**9),
        (277, 1),
        (278, height),
        (279, 9),
    ]
    entries += [(40_000 + number, 1) for number in range(tags)]
    listed = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + listed + b"\0\0\0\0"


def _spread(megabytes: int) -> bytes:
    """Text that is little in the file and much out of it."""
    text = b"a\0\0" + zlib.compress(b" " * (megabytes * 1_000_000))
    return _png(9, 9, (b"zTXt", text), (b"IDAT", zlib.compress(b"\xff" * 90)), (b"IEND", b""))


def _blank(width: int, height: int, light: int) -> bytes:
    file = BytesIO()
    Image.new("L", (width, height), light).save(file, "PNG")
    return file.getvalue()


def claimed(side: int) -> st.SearchStrategy[bytes]:
    """Pictures of more than ``side`` pixels a side, or of other sizes that are not there."""
    sides, gif, webp = st.integers(side, 2**31 - 1), st.integers(side, 65_535), st.integers(side, 2**24)
    return st.one_of(
        st.builds(_png, sides, sides),
        st.builds(lambda width, height: _png(width, height, (b"IDAT", zlib.compress(b"\0" * 10**6))), sides, sides),
        st.builds(_bmp, sides, sides),
        st.builds(_gif, gif, gif),
        st.builds(_tiff, sides, sides),
        st.builds(_tiff, st.integers(1, 4096), st.integers(1, 4096), st.integers(1, 5000)),
        st.builds(_webp, webp, webp),
        st.builds(_spread, st.integers(70, 200)),
        st.sampled_from([(0, 0), (0, 9), (9, 0)]).map(lambda size: _png(*size)),
        st.integers(1, 4096).map(lambda side: _png(side, side, (b"IDAT", b"none"), (b"IEND", b""))),
    )


TORN: st.SearchStrategy[bytes] = st.one_of(
    st.builds(
        lambda kind, share: WHOLE[kind][: int(share * len(WHOLE[kind]))],
        st.sampled_from(sorted(WHOLE)),
        st.floats(0, 0.6),
    ),
    st.builds(lambda kind, junk: WHOLE[kind][:9] + junk, st.sampled_from(sorted(WHOLE)), st.binary(max_size=1000)),
    st.binary(max_size=1000),
    st.sampled_from(FOREIGN),
)
EMPTY: st.SearchStrategy[bytes] = st.builds(
    _blank, st.integers(1, 4096), st.integers(1, 4096), st.sampled_from([0, 255])
)


def cases(ground: Ground) -> st.SearchStrategy[Case]:
    doors: st.SearchStrategy[Callable[[bytes], Callable[[], object]]] = st.sampled_from(
        [
            lambda content: (
                lambda: network_input(read_picture(content), (1, 28, 28), is_drawn=True, is_light_on_dark=True)
            ),
            lambda content: lambda: find_characters(read_picture(content)),
            lambda content: command("predict", ground.run.folder, ground.file("digit.png", content)),
        ]
    )
    return st.builds(_case, claimed(4097) | TORN | EMPTY, doors)


def _case(content: bytes, door: Callable[[bytes], Callable[[], object]]) -> Case:
    return Case(f"picture, {len(content)} bytes: {content[:60]!r}", door(content))
