"""Pieces of Python put together: lines that hold or not, functions borrowed from ours, imports that are used."""

from __future__ import annotations

import ast
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
    """Take the source of a module's function and of all that it uses of the module, in the module's order."""
    source = getsource(module)
    pieces = {defined: node for node in ast.parse(source).body for defined in _defined(node)}
    wanted, found = [name], {name}
    while wanted:
        used = _names(pieces[wanted.pop()]) & pieces.keys() - found
        wanted += used
        found |= used
    texts = (_segment(source, node) for defined, node in pieces.items() if defined in found)
    return "\n\n\n".join(texts)


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
