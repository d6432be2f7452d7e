"""The core is pure: it stands on the standard library's pure parts, msgspec and itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import controller.core

FOLDER = Path(controller.core.__file__).parent
ALLOWED = {
    "bisect", "struct",
    "__future__", "collections", "controller", "enum", "functools", "itertools", "math",
    "msgspec", "re", "types", "typing",
}  # fmt: skip
"""No time, thread, socket, file or chance: what the core knows it was given."""

IMPURE_CALLS = {"open", "print", "input", "eval", "exec", "__import__"}


def imported(tree):
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=module, level=level):
                assert level == 0, "imports are absolute"
                yield module or ""


def faults(text):
    tree = ast.parse(text)
    found = []
    for name in imported(tree):
        top = name.partition(".")[0]
        ours = name == "controller.core" or name.startswith("controller.core.")
        if top not in ALLOWED or (top == "controller" and not ours):
            found.append(name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found += [node.func.id] if node.func.id in IMPURE_CALLS else []
    return found


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.py")), ids=lambda f: f.stem)
def test_the_core_imports_nothing_impure(file):
    assert faults(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "from threading import Lock",
        "import controller.clock",
        "from controller import guard",
        "def f():\n    import socket",
        "x = open('/dev/null')",
    ],
)
def test_what_is_impure_is_found(text):
    assert faults(text) != []


def test_the_files_are_found():
    assert {"scan.py", "fire.py", "gate.py"} <= {file.name for file in FOLDER.rglob("*.py")}
