from __future__ import annotations

from base64 import b64decode, b64encode
from types import SimpleNamespace
from typing import Any

import pytest

from cnnlab.data.pictures.collecting import MAX_BURST, CollectingError, Collection
from cnnlab.drawings.strokes import DrawingError
from cnnlab.ui.shell.state import RECORDER, RECORDER_ERROR, RECORDER_SEEN
from cnnlab.ui.widgets import recorder
from cnnlab.ui.widgets.recorder import carry_out
from tests.data.pictures.photos import saved, scene

FRAME = b64encode(saved(scene(0), "JPEG")).decode()


def record(frames: list[Any], place: Any = 0) -> dict[str, Any]:
    return {"what": "record", "place": place, "frames": frames}


def test_classes_are_added_and_named_and_bursts_recorded_and_removed() -> None:
    collection = Collection()
    carry_out(collection, {"what": "add", "name": "none"})
    carry_out(collection, {"what": "rename", "place": 0, "name": " a/cup\n"})
    carry_out(collection, record([FRAME] * 3))
    carry_out(collection, record([FRAME] * 4))
    carry_out(collection, {"what": "undo", "place": 0})
    assert [(one.name, one.count, len(one.bursts)) for one in collection.classes] == [
        ("a-cup", 3, 1),
        ("", 0, 0),
        ("none", 0, 0),
    ]


@pytest.mark.parametrize("frames", [[], ["no picture"], [FRAME, 3], [FRAME, FRAME[:200]]])
def test_a_burst_with_anything_else_than_pictures_is_refused_whole(frames: list[Any]) -> None:
    collection = Collection()
    with pytest.raises(DrawingError):
        carry_out(collection, record(frames))
    assert collection.count == 0


def test_a_burst_without_end_is_refused() -> None:
    with pytest.raises(CollectingError, match="at once: 101"):
        carry_out(Collection(), record([FRAME] * 3 * MAX_BURST))


@pytest.mark.parametrize(
    "action",
    [
        record([FRAME], place=9),
        record([FRAME], place="first"),
        record(None),  # type: ignore[arg-type]
        {"what": "undo", "place": 0},
        {"what": "rename"},
    ],
)
def test_what_our_script_cannot_ask_changes_nothing(action: dict[str, Any]) -> None:
    collection = Collection()
    with pytest.raises((IndexError, KeyError, TypeError)):
        carry_out(collection, action)
    assert collection.count == 0


def test_what_the_camera_shows_is_kept_to_be_named_and_changes_no_class(monkeypatch: pytest.MonkeyPatch) -> None:
    state = SimpleNamespace(action={"what": "look", "number": 7, "frame": FRAME})
    monkeypatch.setattr(RECORDER, "get", lambda: state)
    collection = Collection()
    recorder._act(collection)
    assert RECORDER_SEEN.get() == b64decode(FRAME)
    state.action = {"what": "look", "number": 8}
    recorder._act(collection)
    assert "invalid request" in RECORDER_ERROR.get()


@pytest.mark.parametrize("state", [None, {}])
def test_what_arrives_after_its_page_was_left_changes_nothing(state: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(RECORDER), "get", lambda key: state)
    collection = Collection()
    recorder._act(collection)
    assert collection.count == 0
