"""The one door to torchvision: its downloads get a time limit, and builds that do not fit torch's are borne.

A CUDA build of torchvision beside a CPU build of torch is what a plain install gives many users. There its compiled
library cannot load, and ``import torchvision`` then fails while describing two operators that were never defined. The
data sets need neither, so their bare schemas are defined first. With a matching pair this does nothing.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from urllib.request import BaseHandler, Request, build_opener, install_opener

import torch

from cnnlab.places import how_to_install

SILENCE_SECONDS = 30.0  # of a server, before or amid its answer: then a download has failed

_BOXES = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def _library_loads() -> bool:
    spec = find_spec("torchvision")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"torchvision is not installed: {how_to_install()}")
    libraries = [path for path in Path(spec.origin).parent.glob("_C.*") if path.suffix in {".so", ".pyd"}]
    try:
        for library in libraries:
            torch.ops.load_library(library)
    except OSError:
        return False
    return bool(libraries)


def define_missing_operators() -> torch.library.Library | None:
    """Define torchvision's ``nms`` and ``qnms`` where its own library cannot; else return None.

    The caller keeps what is returned: the definitions live as long as it does.
    """
    if _library_loads():
        return None
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(operator + _BOXES)
    return library


class _TimeLimit(BaseHandler):
    """Give requests without a timeout SILENCE_SECONDS to connect and for each read."""

    def http_request(self, request: Request) -> Request:
        if not isinstance(request.timeout, float | int | None):
            request.timeout = SILENCE_SECONDS
        return request

    https_request = http_request


install_opener(build_opener(_TimeLimit))  # torchvision asks urllib, and passes no timeout on

_operators = define_missing_operators()

from torchvision import datasets, transforms  # noqa: E402

__all__ = ["datasets", "define_missing_operators", "imagenet_names", "transforms"]


def imagenet_names() -> list[str]:
    """List the English names of ImageNet's 1,000 classes, as torchvision's own networks have them."""
    models = import_module("torchvision.models")
    names: list[str] = models.ResNet18_Weights.DEFAULT.meta["categories"]
    return names
