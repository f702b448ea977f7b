"""The source of this folder's modules as one piece of a file that leaves the lab."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from inspect import getsource

MODULES = ("resizing", "drawn", "paper", "picture", "preparation")  # each after those that it uses


def joined_source() -> tuple[list[str], str]:
    """Return the imports that the modules need of Python's own library, and all the rest of their source."""
    imports: set[str] = set()
    parts = []
    for name in MODULES:
        source = getsource(import_module(f"cnnlab.export.standalone.{name}"))
        tree = ast.parse(source)
        heads = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        imports |= {ast.unparse(node) for node in heads if not _is_own(node)}
        body = "\n".join(source.splitlines()[heads[-1].end_lineno or 0 :]).strip()
        parts.append(f"# {ast.get_docstring(tree)}\n\n{re.sub(r'  # noqa.*', '', body)}\n")
    return sorted(imports), "\n\n".join(parts)


def _is_own(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and str(node.module).startswith(("cnnlab", "__future__"))
