"""The drivers can be imported anywhere, since what only a Pi has is imported when it is opened."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import drivers

FOLDER = Path(drivers.__file__).parent
OUR_OWN = {"controller", "drivers", "msgspec"}


def imported(body: list[ast.stmt]) -> Iterator[str]:
    """The top packages that these statements import as the module is loaded."""
    for statement in body:
        match statement:
            case ast.Import(names=names):
                yield from (name.name.partition(".")[0] for name in names)
            case ast.ImportFrom(module=module, level=0):
                yield (module or "").partition(".")[0]
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                continue
            case _:
                for _, value in ast.iter_fields(statement):
                    if isinstance(value, list):
                        yield from imported([x for x in value if isinstance(x, ast.stmt)])


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.py")), ids=lambda file: file.name)
def test_vendor_libraries_are_imported_inside_functions_only(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert set(imported(tree.body)) - set(sys.stdlib_module_names) - OUR_OWN == set()


@pytest.mark.parametrize(
    "text", ["import lgpio", "if True:\n    import lgpio", "class A:\n    from lgpio import b"]
)
def test_a_vendor_import_outside_a_function_is_found(text):
    assert set(imported(ast.parse(text).body)) == {"lgpio"}


def test_loading_every_driver_loads_no_vendor_library():
    names = [f"drivers.{file.stem}" for file in FOLDER.glob("[!_]*.py")]
    text = (
        f"import importlib, sys; [importlib.import_module(n) for n in {names}];"
        "print({'gpiozero', 'lgpio', 'board', 'adafruit_dht'} & set(sys.modules))"
    )
    told = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True, cwd=FOLDER.parent
    )
    assert told.stdout == "set()\n"
