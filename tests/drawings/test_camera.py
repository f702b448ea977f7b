from __future__ import annotations

from base64 import b64encode
from io import BytesIO

import pytest
from PIL import Image

from cnnlab.drawings.camera import MAX_FRAME_BYTES, frame_bytes, read_frame
from cnnlab.drawings.strokes import DrawingError


def jpeg(side: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (side, side), "teal").save(file, "JPEG")
    return file.getvalue()


def test_a_picture_of_the_camera_is_read() -> None:
    assert read_frame(frame_bytes(b64encode(jpeg(224)).decode())).size == (224, 224)


@pytest.mark.parametrize("sent", [None, 3, {"a": 1}, ["x"], "no base64!", "ü", "abc"])
def test_what_is_no_text_of_a_picture_is_refused(sent: object) -> None:
    with pytest.raises(DrawingError, match="what is no picture"):
        frame_bytes(sent)


def test_too_many_bytes_or_pixels_are_refused_before_they_are_decoded() -> None:
    with pytest.raises(DrawingError, match="more than 200 kB"):
        frame_bytes("A" * (2 * MAX_FRAME_BYTES))
    with pytest.raises(DrawingError, match="larger than 640×640"):
        read_frame(jpeg(641))


@pytest.mark.parametrize("content", [b"", b"no picture", jpeg(64)[:300]])
def test_what_is_no_whole_picture_is_refused(content: bytes) -> None:
    with pytest.raises(DrawingError):
        read_frame(content)
