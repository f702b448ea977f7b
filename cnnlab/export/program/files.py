"""A program as a script and as a notebook."""

from __future__ import annotations

import ast

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cnnlab.export.program.plot_step import SAVED, SHOWN
from cnnlab.export.program.program import Program


def to_script(program: Program) -> str:
    """Write a program as one Python file, each step under its number and name."""
    steps = [
        f"# {f'{number}. {step.title} ':-<86}\n{_blank_lines(step.code)}{step.code}"
        for number, step in enumerate(program.steps, start=1)
    ]
    return "\n\n\n".join([f'"""{program.title}, in seven steps.\n\n{program.about}\n"""', *steps]) + "\n"


def to_notebook(program: Program) -> str:
    """Write a program as a Jupyter notebook: for each step its description, then its code."""
    cells = [new_markdown_cell(f"# {program.title}, in seven steps\n\n{program.about}")]
    for number, step in enumerate(program.steps, start=1):
        cells.append(new_markdown_cell(f"## {number}. {step.title}\n\n{step.told}"))
        cells.append(new_code_cell(step.code.replace(SAVED, SHOWN)))
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"  # its own are random
    python = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = new_notebook(cells=cells, metadata=python)
    nbformat.validate(notebook)
    written: str = nbformat.writes(notebook)
    return written


def without_helpers(code: str) -> tuple[str, str]:
    """Split a step's code after its last function: into functions with their constants, maybe none, and the rest."""
    tree = ast.parse(code)
    ends = [part.end_lineno or 0 for part in tree.body if isinstance(part, ast.FunctionDef)]
    lines = code.splitlines()
    at = max(ends, default=0)
    return "\n".join(lines[:at]), "\n".join(lines[at:]).lstrip("\n")


def _blank_lines(code: str) -> str:
    """Choose the blank lines between a heading and its code, as black and ruff format them."""
    return "\n\n" if code.startswith(("class ", "def ", "@")) else "\n"
