"""A C header for microcontrollers: weights of 8 bits, one function, nothing allocated."""

from __future__ import annotations

import re
import subprocess
import weakref
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from cnnlab.export.answering import Answering
from cnnlab.export.c import header, rounded_network
from cnnlab.export.portable import Answer, ExportError, NotOpenedError, Portable
from cnnlab.networks.architecture import follow

ROUNDING = 0.05  # of a probability, between rounded weights and the app's
MOST_WEIGHTS = 5_000_000  # which a compiler reads in half a minute
MOST_PRODUCTS = 200_000_000  # of an image, which this machine computes in a tenth of a second
COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-O2", "-std=c99", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function")
SECONDS = 120  # to compile

_CLASSES = re.compile(rb"^#define CNNLAB_CLASSES (\d+)$", re.MULTILINE)  # a title that looks so begins no line
_EMPTY = "#include <math.h>\n#include <stdio.h>\nint main(void) { return 0; }\n"
_ANSWERING = """#include <stdio.h>
#include "network.h"

int main(void)
{
    static uint8_t pixels[CNNLAB_PIXELS];
    static float probabilities[CNNLAB_CLASSES];
    while (fread(pixels, 1, sizeof pixels, stdin) == sizeof pixels) {
        cnnlab_predict(pixels, probabilities);
        fwrite(probabilities, sizeof *probabilities, CNNLAB_CLASSES, stdout);
        fflush(stdout);
    }
    return 0;
}
"""


def write(portable: Portable) -> bytes:
    """Write the header.

    Raises ExportError where C cannot hold the network, or its rounded weights answer otherwise than the app does.
    """
    trained, examples = portable.trained, portable.examples
    _check_size(portable)
    with torch.inference_mode():
        expected = Answering(rounded_network(trained.network), trained.standardise)(examples.images)
    apart = float((expected - examples.probabilities).abs().max())
    if not apart <= ROUNDING:
        raise ExportError(
            f"with 8-bit weights its answers would differ (probabilities differ by up to {apart:.2g}): choose another "
            "format"
        )
    return header(portable, expected).encode()


def _check_size(portable: Portable) -> None:
    trained = portable.trained
    rows = [row for row in follow(portable.architecture, trained.shape, len(trained.classes)) if len(row.place) == 1]
    for name, count, most in (
        ("has {:,} weights", sum(row.parameters for row in rows), MOST_WEIGHTS),
        ("multiplies {:,} times for an image", sum(row.macs for row in rows), MOST_PRODUCTS),
    ):
        if count > most:
            raise ExportError(f"it {name.format(count)}, too much for a microcontroller (at most {most:,})")


def opened(content: bytes) -> Answer:
    """Compile the header; it answers (N, C, H, W) uint8 with (N, classes).

    Raises NotOpenedError where this machine has no C compiler, ExportError where that refuses the header.
    """
    return _Compiled(content)


class _Compiled:
    """A program that answers by the header; its file goes when nobody asks any more."""

    def __init__(self, content: bytes) -> None:
        compiler = next(filter(None, map(which, COMPILERS)), None)
        if compiler is None:
            raise NotOpenedError("this machine has no C compiler")
        folder = TemporaryDirectory()
        cleaned = weakref.finalize(self, folder.cleanup)
        self._folder = Path(folder.name)
        (self._folder / "network.h").write_bytes(content)
        if reason := self._compile(compiler, _ANSWERING):
            if self._compile(compiler, _EMPTY):  # a compiler without its headers, or none but by name
                raise NotOpenedError("this machine's C compiler does not work")
            raise ExportError(f"the C compiler refuses it: {reason}")
        program = subprocess.Popen([self._folder / "answer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        cleaned.detach()
        weakref.finalize(self, _end, program, folder)
        self._program = program
        found = _CLASSES.search(content)
        assert found
        self._classes = int(found[1])

    def _compile(self, compiler: str, source: str) -> str:
        """Compile a program; return why it cannot be, in a line."""
        (self._folder / "answer.c").write_text(source)
        command = [compiler, *FLAGS, "answer.c", "-o", "answer", "-lm"]
        try:
            ended = subprocess.run(
                command, cwd=self._folder, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return f"it takes more than {SECONDS} seconds"
        except OSError as error:
            return str(error)
        told = [line for line in ended.stderr.splitlines() if "error" in line]
        return next(iter(told), "it does not say why") if ended.returncode else ""

    def __call__(self, images: Tensor) -> Tensor:
        return torch.stack([self._answer(image.contiguous().numpy().tobytes()) for image in images])

    def _answer(self, pixels: bytes) -> Tensor:
        """Ask the program, which goes on running: starting it takes longer than most answers."""
        source, sink = self._program.stdin, self._program.stdout
        assert source
        assert sink
        try:
            source.write(pixels)
            source.flush()
            probabilities = sink.read(4 * self._classes)
        except OSError:
            probabilities = b""
        if len(probabilities) < 4 * self._classes:
            raise ExportError("as a C program it stops while it answers")
        return torch.from_numpy(np.frombuffer(probabilities, np.float32).copy())


def _end(program: subprocess.Popen[bytes], folder: TemporaryDirectory[str]) -> None:
    program.kill()
    program.communicate()
    folder.cleanup()
