from __future__ import annotations

import json
from unittest.mock import patch

import pytest

from cnnlab.export.card.facts import Facts, facts
from cnnlab.export.card.markdown import markdown
from cnnlab.export.portable import Portable

HOSTILE = "# <script>alert(1)</script> [x](javascript:y) | `z` ~~ $x^2$\n---\nlicense: mit"


@pytest.fixture(scope="module")
def told(packed: Portable) -> Facts:
    with patch("cnnlab.evaluation.corruptions.IMAGES", 100):
        return facts(packed)


def test_it_begins_with_fields_for_hugging_face(told: Facts) -> None:
    _, head, _ = markdown(told | {"title": "Cats 😀"}).split("---\n", 2)
    fields = {name: json.loads(value) for name, value in (line.split(": ", 1) for line in head.splitlines())}
    (model,) = fields["model-index"]
    assert model["results"][0]["metrics"] == [{"type": "accuracy", "value": round(told["test"]["accuracy"], 4)}]
    assert '"Cats 😀"' in head  # YAML would read JSON's escapes as two characters that nothing can write
    assert fields["license_name"] == "cc-by-sa-3.0"


def test_names_are_shown_as_they_are(told: Facts) -> None:
    network = {**told["network"], "classes": [HOSTILE], "title": HOSTILE}
    classes = [{**told["test"]["classes"][0], "Class": HOSTILE, "Most taken for": HOSTILE}]
    data = {**told["data"], "title": HOSTILE, "source": HOSTILE, "licence": HOSTILE}
    text = markdown(
        told | {"title": HOSTILE, "network": network, "data": data, "test": {**told["test"], "classes": classes}}
    )
    plain = markdown(told)
    body = text.split("\n---\n", 1)[1]
    assert "<script>" not in body.replace("\\<", "")
    assert "$" not in body.replace("\\$", "")  # a formula
    assert "](" not in body.replace("\\](", "")
    assert text.count("\n---\n") == plain.count("\n---\n") == 1
    assert [line for line in text.splitlines() if line.startswith("#")][1:] == [
        line for line in plain.splitlines() if line.startswith("#")
    ][1:]
    (row,) = [line for line in body.splitlines() if line.startswith("| # ")]
    assert row.replace("\\|", "").count("|") == 7


def test_of_many_epochs_the_table_keeps_some_and_the_last(told: Facts) -> None:
    curves = [{**told["curves"][0], "epoch": epoch} for epoch in range(1, 101)]
    section = markdown(told | {"curves": curves}).split("## How it came about")[1].split("##")[0]
    epochs = [int(line.split("|")[1]) for line in section.splitlines()[4:] if line.startswith("|")]
    assert (len(epochs), epochs[-1]) == (25, 100)


def test_a_training_that_ended_early_or_went_on_is_told_so(told: Facts) -> None:
    same = "bit for bit"
    assert same in markdown(told)
    assert same not in markdown(told | {"since": {**told["since"], "more_epochs": 1}})
    assert "The program repeats that" in markdown(told | {"since": {**told["since"], "threads_changed": 2}})
    assert "threads." in markdown(told | {"trained_on": {**told["trained_on"], "seconds": None}})


def test_of_a_training_elsewhere_nothing_is_told_that_is_not_known(told: Facts) -> None:
    text = markdown(told | {"reproduce": None, "trained_on": None, "settings": {}, "curves": []})
    assert "Trained elsewhere, judged" in text
    assert not any(words in text for words in ("images taught", "seconds on", "adamw", "training loss", "cnnlab train"))
