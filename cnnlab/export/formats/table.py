"""Every format in which a network leaves the lab; each file is checked before it is handed out."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from cnnlab.export.portable import Answer, ExportError, NotOpenedError, Portable


class _Module(Protocol):
    """A module of this folder."""

    def write(self, portable: Portable) -> bytes:
        """Write the file. Raises ExportError where the format lacks something that the network has."""

    def opened(self, content: bytes) -> Answer:
        """Open the file as whoever gets it would; only of formats that open here.

        Raises NotOpenedError where this machine lacks what opens it.
        """


@dataclass(frozen=True)
class Format:
    """A format: how its files' names end, where they run, and the module that writes them."""

    suffix: str
    title: str
    use: str
    module: str
    tolerance: float  # of probabilities, against the app's own
    opens_here: bool = True  # else the file checks itself where it is opened

    @property
    def _module(self) -> _Module:
        return cast("_Module", import_module(f"cnnlab.export.formats.{self.module}"))  # slow, and rarely needed

    def write(self, portable: Portable) -> tuple[bytes, Answer | None]:
        """Write the file, and open it to answer the examples; it comes with None where this machine cannot open it.

        Raises ExportError where the network cannot be written so, or the file answers otherwise than the app.
        """
        content, examples = self._module.write(portable), portable.examples
        if not self.opens_here:
            return content, None
        try:
            answer = self._module.opened(content)
        except NotOpenedError:
            return content, None
        apart = float((answer(examples.images) - examples.probabilities).abs().max())
        if not apart <= self.tolerance:
            raise ExportError(
                f"as {self.title} its answers would differ (probabilities differ by up to {apart:.2g}): choose "
                "another format"
            )
        return content, answer


_FORMATS = [
    Format("html", "HTML page", "opens in any browser, offline: draw or choose a picture", "html_file", 0.02, False),
    Format("onnx", "ONNX", "for ONNX Runtime and other ONNX software, in any language", "onnx_file", 1e-5),
    Format("float16.onnx", "ONNX, 16 bits", "ONNX with weights of 16 bits, for graphics cards", "float16_file", 0.02),
    Format(
        "int8.onnx",
        "ONNX, 8 bits",
        "ONNX with 8-bit numbers, for small machines",
        "int8_file",
        0.15,
    ),
    Format("tflite", "TensorFlow Lite", "for phones; litert-torch must be installed", "tflite_file", 1e-5),
    Format(
        "h",
        "C header",
        "for microcontrollers: one function, with its flash and RAM needs",
        "c_header",
        0.05,
    ),
    Format("py", "Python with PyTorch", "one file to read and run; needs only torch", "torch_script", 1e-5),
    Format(
        "onnx.py",
        "Python with ONNX Runtime",
        "one file if PyTorch is too large; needs only ONNX Runtime",
        "onnx_script",
        1e-5,
    ),
    Format(
        "report.html",
        "Report",
        "one page to read, print or save as PDF: settings, curves, classes, mistakes",
        "report_file",
        0,
        False,
    ),
    Format("md", "Card", "for people: its training data and its accuracy", "markdown_card", 0, False),
    Format("card.json", "Card, JSON", "the card's content, for programs", "json_card", 0, False),
]
EXPORTS: dict[str, Format] = {form.suffix: form for form in _FORMATS}
