"""The session's values have their names in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.ui.shell import state
from tests.conftest import ROOT

METHODS = ("get", "pop", "setdefault")
SOURCES = sorted((ROOT / "cnnlab" / "ui").rglob("*.py"))


def is_session(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "session_state"


def keys(tree: ast.Module) -> Iterator[ast.expr]:
    """The expressions by which a module names values of the session; an attribute of it is a literal name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and is_session(node.value):
            yield node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            if is_session(node.func.value):
                yield node.args[0]
        elif isinstance(node, ast.Compare) and any(map(is_session, node.comparators)):
            yield node.left
        elif isinstance(node, ast.Attribute) and is_session(node.value) and node.attr not in METHODS:
            yield ast.Constant(node.attr)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Key":
            yield node.args[0]


def is_literal(key: ast.expr, tree: ast.Module) -> bool:
    """Whether a key begins with text that is written here, or is the name of such a one."""
    if isinstance(key, ast.JoinedStr):
        return bool(key.values) and is_literal(key.values[0], tree)
    if isinstance(key, ast.FormattedValue):
        return is_literal(key.value, tree)
    if isinstance(key, ast.Name):
        assigned = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
        named = [node.value for node in assigned if any(ast.dump(t) == _stored(key.id) for t in node.targets)]
        return any(is_literal(value, tree) for value in named)
    return isinstance(key, ast.Constant) and isinstance(key.value, str)


def _stored(name: str) -> str:
    return ast.dump(ast.Name(name, ast.Store()))


def literals(source: str) -> list[str]:
    tree = ast.parse(source)
    return [ast.unparse(key) for key in keys(tree) if is_literal(key, tree)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "cnnlab" / "ui")))
def test_no_value_of_the_session_is_named_elsewhere(path: Path) -> None:
    assert bool(literals(path.read_text(encoding="utf-8"))) == (path == Path(state.__file__))


@pytest.mark.parametrize(
    "source",
    [
        'st.session_state["a"]',
        'st.session_state.get(f"a.{b}")',
        "st.session_state.pop(A, None)\nA = 'a'",
        "st.session_state.a = 1",
        "'a' in st.session_state",
        'B = "a"\nst.session_state[f"{B}.c"]',
        'Key("a", 0)',
    ],
)
def test_a_name_is_found_however_it_is_written(source: str) -> None:
    assert literals(source)


@pytest.mark.parametrize("source", ["st.session_state[key]", 'st.session_state[f"{key}.numbers"]'])
def test_a_widgets_own_key_is_no_name(source: str) -> None:
    assert not literals(source)


def test_no_two_keys_have_the_same_name() -> None:
    names = [value.name for value in vars(state).values() if isinstance(value, state.Key)]
    assert len(names) == len(set(names))


def page() -> None:
    import streamlit as st  # noqa: PLC0415

    from cnnlab.ui.shell.state import Key  # noqa: PLC0415

    count, seen = Key("count", 0), Key[list[str]]("seen", [])
    st.write(count.get(), count.is_set, count.put(2), count.take(), count.is_set)
    seen.fill([]).append("a")
    st.write(len(seen.fill([])))
    seen.drop()
    st.write(len(seen.get()))


def test_a_value_is_kept_changed_in_place_and_forgotten() -> None:
    app = AppTest.from_function(page).run()
    assert not app.exception
    assert [text.value for text in app.markdown] == ["`0` `False` `2` `2` `False`", "`1`", "`0`"]
