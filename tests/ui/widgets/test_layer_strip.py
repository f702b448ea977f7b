"""What the strip of layers sends to the browser of an answer."""

from __future__ import annotations

from cnnlab.ui.widgets.layer_strip import MOST_CLASSES, Answer


def test_the_likeliest_classes_are_sent_in_their_own_order_with_labels_for_what_can_be_seen() -> None:
    data = Answer(["cat", "dog\nowl", "eel"], [0.004, 0.9956, 0.0004], "Answer").data()
    assert [row["name"] for row in data["rows"]] == ["cat", "dog owl", "eel"]
    assert [row["told"] for row in data["rows"]] == ["", "99.6%", ""]
    assert [row["best"] for row in data["rows"]] == [False, True, False]
    assert data["alt"] == "Answer: dog owl 99.6%"
    many = Answer(
        [str(number) for number in range(1000)], [number / 499_500 for number in range(1000)], "Answer"
    ).data()
    assert [row["name"] for row in many["rows"]] == [str(number) for number in range(1000 - MOST_CLASSES, 1000)]
