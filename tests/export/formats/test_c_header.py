"""The C header: compiled, it answers as PyTorch does with the same rounded weights."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from shutil import which

import pytest
import torch
from torch import nn

from cnnlab.export.c.literals import comment
from cnnlab.export.formats import c_header
from cnnlab.export.formats.c_header import opened, write
from cnnlab.export.formats.table import EXPORTS
from cnnlab.export.portable import ExportError, NotOpenedError, Portable
from cnnlab.networks.presets import PRESETS
from tests.export.bricks import BRICKS
from tests.export.portables import portable, with_rounded_weights
from tests.networks.random_networks import drawn
from tests.samples import TINY

# PyTorch says so once, of padding "same" with kernels of even lengths.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
compiled = pytest.mark.skipif(which("cc") is None, reason="this machine has no C compiler")

PRECISE = 1e-4  # of a probability
SELF_TEST = """#define CNNLAB_SELF_TEST
#include "network.h"
#include <stdio.h>

int main(void)
{
    printf("%g", cnnlab_self_test());
    for (int at = 0; at < CNNLAB_CLASSES; at++) printf("%s%c", cnnlab_classes[at], 0);
    return 0;
}
"""


def apart(given: Portable, count: int = 100) -> float:
    images = torch.randint(0, 256, (count, *given.trained.shape), dtype=torch.uint8)
    answers = opened(write(given))(images)
    assert answers.shape == (count, len(given.trained.classes))
    return float((answers - given.trained.probabilities(images)).abs().max())


def ran(folder: Path, header: bytes, source: str = SELF_TEST) -> bytes:
    (folder / "network.h").write_bytes(header)
    (folder / "program.c").write_text(source)
    subprocess.run(["cc", *c_header.FLAGS, "program.c", "-o", "program", "-lm"], cwd=folder, check=True)
    return subprocess.run([folder / "program"], capture_output=True, check=True).stdout


@compiled
@pytest.mark.parametrize("name", ["quick", "compact", "lenet-5", "small-resnet"])
def test_a_preset_answers_as_with_rounded_weights(name: str) -> None:
    assert apart(with_rounded_weights(portable(PRESETS[name], (1, 28, 28), seed=3))) <= PRECISE


@compiled
@pytest.mark.parametrize("bricks", BRICKS)
def test_all_bricks_answer_alike(bricks: str) -> None:
    assert apart(with_rounded_weights(portable(BRICKS[bricks], (3, 24, 24))), count=10) <= PRECISE


@compiled
def test_any_network_answers_alike() -> None:
    for network in drawn(12):
        made = with_rounded_weights(portable(*network))
        if made.examples.probabilities.isfinite().all():
            assert apart(made, count=10) <= PRECISE


@compiled
def test_a_trained_network_is_hardly_changed_by_its_rounding(packed: Portable) -> None:
    _, answer = EXPORTS["h"].write(packed)
    assert answer
    images = packed.calibration
    assert (answer(images) - packed.trained.probabilities(images)).abs().max() <= c_header.ROUNDING


@compiled
def test_it_tests_itself(tmp_path: Path) -> None:
    content = write(portable(TINY, (3, 16, 16)))
    found = ran(tmp_path, content)
    assert float(found.split(b"class 0", 1)[0]) <= PRECISE
    spoilt = re.sub(rb"cnnlab_expected\[\d+\] = \{\n +", rb"\g<0>NAN,", content).replace(
        b"expected[100]", b"expected[101]"
    )
    assert ran(tmp_path, spoilt).startswith(b"inf")


@compiled
def test_no_name_or_title_breaks_it(tmp_path: Path) -> None:
    names = (
        '"; int main',
        "\\",
        "\\n\n",
        "??/",
        "*/ int x; /*",
        "%s",
        "猫",
        "1\x01" + "2",
        "//",
        "\N{RIGHT-TO-LEFT OVERRIDE}a",
    )
    title = '*/ #error "no" /* ??/ \\\n */ \u202e int main(void) { } /\n#define CNNLAB_CLASSES 99 '
    made = portable(TINY, (3, 16, 16))
    made = replace(made, title=title, dataset=title, run=title, trained=replace(made.trained, classes=names))
    content = write(made)
    assert opened(content)(made.examples.images).shape == (10, 10)
    assert ran(tmp_path, content)[-1 - len("\0".join(names).encode()) :] == ("\0".join(names) + "\0").encode()


def test_it_allocates_nothing_and_says_what_it_needs() -> None:
    text = write(portable(PRESETS["quick"], (1, 28, 28))).decode()
    assert not re.search(r"malloc|alloca|double|printf", text)
    assert set(re.findall("#include <(.*)>", text)) == {"math.h", "stdint.h", "string.h"}
    assert "(29,200 weights of 8 bits)" in text
    (numbers,) = re.findall(r"cnnlab_memory\[(\d+)\];", text)
    assert f"RAM: {4 * int(numbers):,} bytes" in text
    assert "cnnlab_gelu" not in text  # which it does not use


def test_what_c_cannot_hold_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    made = portable(TINY, (3, 16, 16))
    other = replace(made.examples, probabilities=made.examples.probabilities.roll(1, 1))
    with pytest.raises(ExportError, match="8-bit weights its answers would differ"):
        write(replace(made, examples=other))
    odd = nn.Sequential(*made.trained.network, nn.Softsign())
    trained = replace(made.trained, network=odd)
    examples = replace(made.examples, probabilities=trained.probabilities(made.examples.images))
    with pytest.raises(ExportError, match="no step for a Softsign"):
        write(replace(made, trained=trained, examples=examples))
    for limit, words in (("MOST_PRODUCTS", "multiplies .* for an image"), ("MOST_WEIGHTS", "has .* weights")):
        monkeypatch.setattr(c_header, limit, 100)
        with pytest.raises(ExportError, match=f"it {words}, too much for a microcontroller .at most 100."):
            write(made)


@pytest.mark.parametrize("compilers", [(), ("false",)])
def test_without_a_compiler_it_is_written_all_the_same(
    compilers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(c_header, "COMPILERS", compilers)
    content, answer = EXPORTS["h"].write(portable(TINY, (3, 16, 16)))
    assert answer is None
    with pytest.raises(NotOpenedError, match="C compiler"):
        opened(content)


@compiled
def test_a_header_that_no_compiler_takes_is_refused() -> None:
    with pytest.raises(ExportError, match=r"the C compiler refuses it: .*stray"):
        opened(write(portable(TINY, (3, 16, 16))) + b"@")


@pytest.mark.parametrize("words", ["a */ b", "/* a", "*//*/", "??/", "\\\n"])
def test_a_comment_ends_where_it_should(words: str) -> None:
    assert not re.search(r"\*/|/\*|\?\?|\\|\n", comment(words))
