"""Python files that answer by themselves: what those of every package share."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from cnnlab.export.portable import Answer, Portable
from cnnlab.export.standalone.source import joined_source
from cnnlab.networks.source import plain

LINE = 110  # letters of packed bytes

_TEMPLATE = '''"""{title}: what does a picture show?

    python THIS_FILE picture.png …

Made by CNN Lab of run {run}. It needs Python 3.11 and the package {package};
pictures other than plain PNG need Pillow besides. Scaling, names of the classes and softmax are inside. When it starts
its network answers {examples} test images, and it stops where an answer differs from the app's. It doubts nothing:
a picture of none of its classes gets one of them, too.
"""

from __future__ import annotations

{imports}

CLASSES = {classes}
CHANNELS, HEIGHT, WIDTH = {shape}
PREPARATION = {preparation!r}
TOLERANCE = {tolerance}  # of the probabilities of its examples


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b85decode("".join(text.split())))


{source}

{answering}

# Using it


def predict(path: str) -> dict[str, float]:
    """Return the probability of each class for a picture file. Raises PictureError, EmptyError and OSError."""
    with open(path, "rb") as file:
        picture = read_picture(file.read(MAX_BYTES + 1))
    pixels = network_pixels(picture, PREPARATION, CHANNELS, WIDTH, HEIGHT)
    flat = bytes(tone for channel in pixels for row in channel for tone in row)
    return dict(zip(CLASSES, probabilities(flat)[0], strict=True))


def check() -> None:
    """Answer the examples. Raises RuntimeError where an answer differs from the app's."""
    for own, expected in zip(probabilities(_unpacked(EXAMPLES)), EXPECTED, strict=True):
        if max(abs(a - b) for a, b in zip(own, expected, strict=True)) > TOLERANCE:
            raise RuntimeError("its examples come out otherwise")


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(f"python {{sys.argv[0]}} picture.png …")
        return 2
    try:
        check()
    except (RuntimeError, ValueError, zlib.error) as error:
        print(f"this file is damaged, or {package} computes otherwise than the app: {{error}}", file=sys.stderr)
        return 1
    failed = 0
    for path in sys.argv[1:]:
        try:
            found = predict(path)
        except (PictureError, EmptyError, OSError) as error:
            print(f"{{path}}: {{error}}", file=sys.stderr)
            failed = 1
            continue
        likeliest = sorted(found, key=found.__getitem__, reverse=True)[:5]
        print(f"{{path}}: " + ", ".join(f"{{name}} {{found[name]:.1%}}" for name in likeliest))
    return failed


EXPECTED = {expected}
EXAMPLES = """
{packed_examples}
"""
{packed}

if __name__ == "__main__":
    sys.exit(main())
'''


def script(
    portable: Portable, package: str, imports: Sequence[str], answering: str, packed: dict[str, bytes], tolerance: float
) -> bytes:
    """Write a Python file; ``answering`` is source that defines ``probabilities(pixels)`` from what is ``packed``.

    The pixels are the bytes of images (N, C, H, W) in a row; the result is a list of lists.
    """
    shared, source = joined_source()
    examples = portable.examples
    return _TEMPLATE.format(
        title=plain(portable.title),
        run=portable.run,
        package=package,
        examples=len(examples.labels),
        imports="\n".join(sorted({*shared, *imports, "import base64", "import sys", "import zlib"})),
        classes=ascii(portable.trained.classes),
        shape=portable.trained.shape,
        preparation=portable.preparation,
        tolerance=tolerance,
        source=source,
        answering=answering.strip(),
        expected=[[round(share, 7) for share in row] for row in examples.probabilities.tolist()],
        packed_examples=_packed(examples.images.numpy().tobytes()),
        packed="\n".join(f'{name} = """\n{_packed(content)}\n"""' for name, content in packed.items()),
    ).encode()


def _packed(content: bytes) -> str:
    text = base64.b85encode(zlib.compress(content, 9)).decode()
    return "\n".join(text[start : start + LINE] for start in range(0, len(text), LINE))


def opened(content: bytes) -> Answer:
    """Import the file as a module; it answers (N, C, H, W) uint8 with (N, classes)."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "taken_away.py"
        path.write_bytes(content)
        spec = spec_from_file_location("taken_away", path)
        assert spec and spec.loader
        module = module_from_spec(spec)
        spec.loader.exec_module(module)

    def answer(images: Tensor) -> Tensor:
        return torch.tensor(module.probabilities(images.contiguous().numpy().tobytes()))

    return answer
