"""A card in Markdown, with the fields that Hugging Face reads at its top."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from cnnlab.export.card.facts import Facts
from cnnlab.places import command
from cnnlab.text import one_line

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~&$])")  # within a line
LICENCES = {"MIT": "mit", "CC BY-SA 3.0": "cc-by-sa-3.0", "CC BY 4.0": "cc-by-4.0", "CC0": "cc0-1.0"}
MOST_EPOCHS = 30  # in the table of curves; of more, evenly spaced ones


def markdown(facts: Facts) -> str:
    """Write the card. Names are strangers' text: they are shown as they are, never as Markdown."""
    is_ours = facts["reproduce"] is not None
    sections = {
        "": _opening(facts),
        "What it learned from": _data(facts),
        "How it learned": _settings(facts) if is_ours else "It was trained elsewhere, and only judged here.",
        "How well it answers": _test(facts),
        "How sure it is": _calibration(facts),
        "On worse images": _robustness(facts),
        "What nobody tested": "\n".join(f"- {text}" for text in facts["untested"]),
        "How it came about": _curves(facts) if is_ours else "",
        "How to train it again": _reproduce(facts) if is_ours else "",
    }
    told = {title: text for title, text in sections.items() if text}
    body = "\n\n".join(f"## {title}\n\n{text}" if title else text for title, text in told.items())
    return f"---\n{_fields(facts)}\n---\n\n{body}\n"


def plain(text: str) -> str:
    """Escape text so that Markdown shows it as it is, in one line."""
    return _SPECIAL.sub(r"\\\1", one_line(text))


def _fields(facts: Facts) -> str:
    """Write the fields as YAML: each value as JSON, which YAML includes, but for escapes of emoji."""
    data, accuracy = facts["data"], facts["test"]["accuracy"]
    result = {
        "task": {"type": "image-classification"},
        "dataset": {"name": one_line(data["title"]), "type": data["name"]},
        "metrics": [{"type": "accuracy", "value": round(accuracy, 4)}],
    }
    fields = {
        "library_name": "pytorch",
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "cnn", "cnn-lab"],
        "license": "other",
        "license_name": LICENCES.get(data["licence"], "as-its-data-set"),
        "metrics": ["accuracy"],
        "model-index": [{"name": one_line(facts["title"]), "results": [result]}],
    }
    return "\n".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items())


def _opening(facts: Facts) -> str:
    network, test = facts["network"], facts["test"]
    channels, rows, columns = network["input"]
    low, high = test["interval"]
    return (
        f"# {plain(facts['title'])}\n\nA convolutional network ({plain(network['title'])}, {network['parameters']:,} "
        f"parameters) that names images of {rows}×{columns} pixels in {channels} "
        f"{'channel' if channels == 1 else 'channels'} as one of {len(network['classes'])} classes: "
        f"{', '.join(map(plain, network['classes']))}. **{test['accuracy']:.2%}** of {test['images']:,} test images "
        f"are named right (95% interval {low:.2%} to {high:.2%}).\n\n{_came_about(facts)}; fingerprint of the weights "
        f"`{facts['fingerprint']}`."
    )


def _came_about(facts: Facts) -> str:
    day = facts["created"][:10]
    if facts["reproduce"] is None:
        return f"Trained elsewhere, judged {day} with CNN Lab"
    return f"Trained {day} with CNN Lab; weights after epoch {facts['epoch']}"


def _data(facts: Facts) -> str:
    data = facts["data"]
    about = f"{plain(data['title'])} ({plain(data['source'])}). Licence of the data: {plain(data['licence'])}."
    if facts["reproduce"] is None:
        return f"What it learned from is not known. {data['test']:,} test images judged it here, of: {about}"
    lines = [
        f"Data set: {about}",
        f"{data['training']:,} images taught, {data['validation']:,} chose the epoch and the settings, "
        f"{data['test']:,} judged it at the end. How often anyone looked at what it makes of these: "
        f"{facts['test']['looks']}. If you choose by them, its accuracy is less certain.",
        plain(data["caveat"]),
    ]
    return "\n\n".join(filter(None, lines))


def _settings(facts: Facts) -> str:
    on = facts["trained_on"]
    rows = [(plain(name.replace("_", " ")), plain(str(value))) for name, value in facts["settings"].items()]
    took = "" if on["seconds"] is None else f"In {on['seconds']:,.0f} seconds on "
    where = f"{took}{plain(on['device'])}, {plain(on['precision'])}, {on['threads']} threads."
    return f"{where}\n\n{_table(('setting', 'value'), rows)}"


def _test(facts: Facts) -> str:
    rows = [
        (
            plain(row["Class"]),
            f"{row['Images']:,}",
            f"{row['Accuracy']:.1%} ({row['Low']:.1%} to {row['High']:.1%})",
            f"{row['Precision']:.1%}",
            f"{row['F1']:.3f}",
            plain(row["Most taken for"]),
        )
        for row in facts["test"]["classes"]
    ]
    return (
        f"Mean accuracy of the classes: {facts['test']['balanced_accuracy']:.2%}. With 95% intervals (Wilson):\n\n"
        + _table(("class", "images", "accuracy", "precision", "F1", "most taken for"), rows)
    )


def _calibration(facts: Facts) -> str:
    given = facts["calibration"]
    return (
        f"Expected calibration error (15 bins): {given['error']:.3f}. Divided by the temperature "
        f"{given['temperature']:.2f}, fitted on validation images, its logits come to "
        f"{given['error_at_temperature']:.3f}."
    )


def _robustness(facts: Facts) -> str:
    kinds: dict[str, list[str]] = {}
    for row in facts["robustness"]:
        kinds.setdefault(row["corruption"], []).append(f"{row['accuracy']:.1%}")
    images = facts["robustness"][0]["images"]
    head = ("corruption", "none", *(f"strength {number}" for number in range(1, len(next(iter(kinds.values()))))))
    return f"Accuracy on {images:,} test images:\n\n" + _table(head, [(kind, *row) for kind, row in kinds.items()])


def _curves(facts: Facts) -> str:
    epochs = facts["curves"]
    step = -(-len(epochs) // MOST_EPOCHS) or 1
    rows = [
        (
            str(row["epoch"]),
            f"{row['train_loss']:.4f}",
            f"{row['train_accuracy']:.2%}",
            f"{row['validation_loss']:.4f}",
            f"{row['validation_accuracy']:.2%}",
        )
        for row in epochs[::-1][::step][::-1]
    ]
    return _table(("epoch", "training loss", "training accuracy", "validation loss", "validation accuracy"), rows)


def _reproduce(facts: Facts) -> str:
    given, since = facts["reproduce"], facts["since"]
    lines = [f"```sh\n{given['command']}\n```"]
    if given["design"]:
        lines.append(f"with this as `design.json`:\n\n```json\n{json.dumps(given['design'])}\n```")
    if given["needs"]:
        lines.append(f"It needs besides: {' and '.join(given['needs'])}.")
    lines.append(
        f"The program of the training, to read and to change: `{command()} program {facts['run']} --to train.py`."
    )
    if since["more_epochs"] or since["rates_set"]:
        lines.append("It was trained on, or its learning rate set by hand: the command does not repeat that.")
    elif since["threads_changed"]:
        lines.append(
            "Other programs used the processor, so its number of threads changed while it trained. The program repeats "
            "that: on the same processor the weights come out the same, bit for bit. The command does not."
        )
    else:
        lines.append("On the same processor, with as many threads, the weights come out the same, bit for bit.")
    return "\n\n".join(lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
