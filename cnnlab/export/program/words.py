"""Pieces of Python put together: lines that hold or not, functions borrowed from ours, imports that are used."""

from __future__ import annotations

import ast
from importlib import import_module
from inspect import getsource
from types import ModuleType

from cnnlab.export.program.setting import Setting

# By the name that code uses.
_STANDARD = {
    "gzip": "import gzip",
    "hashlib": "import hashlib",
    "Callable": "from collections.abc import Callable",
    "Iterator": "from collections.abc import Iterator",
    "Sequence": "from collections.abc import Sequence",
    "ceil": "from math import ceil",
    "inf": "from math import inf",
    "radians": "from math import radians",
    "Path": "from pathlib import Path",
    "Any": "from typing import Any",
    "urlopen": "from urllib.request import urlopen",
}
_INSTALLED = {
    "np": "import numpy as np",
    "go": "import plotly.graph_objects as go",
    "torch": "import torch",
    "F": "import torch.nn.functional as F",
    "make_subplots": "from plotly.subplots import make_subplots",
    "Tensor": "from torch import Tensor",
    "nn": "from torch import nn",
    "TensorDataset": "from torch.utils.data import TensorDataset",
}


def lines(*parts: str | bool) -> str:
    """Join the parts with line breaks, without those that are False."""
    return "\n".join(part for part in parts if isinstance(part, str))


def borrowed(module: ModuleType, name: str) -> str:
    """Take the source of a module's function or class and of all that it uses of ours.

    First comes what is of other modules, then what is of this one, in its order.
    """
    source = getsource(module)
    body = ast.parse(source).body
    pieces = {defined: node for node in body for defined in _defined(node)}
    wanted, found, names = [name], {name}, set[str]()
    while wanted:
        used = _names(pieces[wanted.pop()])
        names |= used
        wanted += used & pieces.keys() - found
        found |= used & pieces.keys()
    others = [borrowed(import_module(home), other) for home, other in _imported(body) if other in names]
    texts = (_segment(source, node) for defined, node in pieces.items() if defined in found)
    return "\n\n\n".join([*others, *texts])


def import_code(codes: list[str], setting: Setting) -> str:
    """Write the imports that ``codes`` use, the seed, and a line that prints PyTorch's version and threads."""
    own = lines(
        f"SEED = {setting.config.seed}",
        setting.device != "cpu" and f'DEVICE = "{setting.device}"',
        'print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")',
    )
    used = set().union(*(_names(ast.parse(code)) for code in [*codes, own]))
    groups = [_statements(table, used) for table in (_STANDARD, _INSTALLED)]
    return "\n\n".join([*(group for group in groups if group), own])


def _statements(table: dict[str, str], used: set[str]) -> str:
    """Write plain imports first, then names from modules, those of one module in one line."""
    plain, imported = [], dict[str, list[str]]()
    for name, statement in table.items():
        if name not in used:
            continue
        if statement.startswith("import"):
            plain.append(statement)
        else:
            imported.setdefault(statement.split()[1], []).append(name)
    return "\n".join([*plain, *(f"from {module} import {', '.join(names)}" for module, names in imported.items())])


def _imported(body: list[ast.stmt]) -> list[tuple[str, str]]:
    """List the module and the name of each import from our own modules."""
    imports = [node for node in body if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cnnlab.")]
    return [(node.module or "", alias.name) for node in imports for alias in node.names]


def _defined(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef() | ast.ClassDef():
            return [node.name]
        case ast.Assign(targets=[ast.Name(id=name)]):
            return [name]
    return []


def _names(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _segment(source: str, node: ast.stmt) -> str:
    return "\n".join(source.splitlines()[node.lineno - 1 : node.end_lineno])
