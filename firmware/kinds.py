"""The kinds of parts there are: every driver module that names its table."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import ModuleType

import drivers
from controller.core.partconfig import PartConfig


@cache
def modules() -> Mapping[str, ModuleType]:
    """Return the driver modules by kind; a kind is the module's name with hyphens."""
    found = {}
    for module in pkgutil.iter_modules(drivers.__path__):
        driver = importlib.import_module(f"drivers.{module.name}")
        if hasattr(driver, "TABLE"):
            found[module.name.replace("_", "-")] = driver
    return found


def kinds() -> dict[str, dict[str, type[PartConfig]]]:
    """Return the `Config` of each kind, by table."""
    tables: dict[str, dict[str, type[PartConfig]]] = {
        "input": {},
        "output": {},
        "projector": {},
        "ups": {},
    }
    for kind, driver in modules().items():
        tables.setdefault(driver.TABLE, {})[kind] = driver.Config
    return tables
