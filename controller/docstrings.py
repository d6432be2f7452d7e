"""What a struct's docstring says of it, and of its single fields: lines "* `field`: meaning"."""

from __future__ import annotations

import inspect
import re
from typing import Any


def meanings_of(form: type[Any]) -> tuple[list[str], dict[str, str]]:
    """Return a docstring's paragraphs, and the words that it has for single fields."""
    prose: list[str] = []
    meanings: dict[str, str] = {}
    for paragraph in inspect.cleandoc(form.__doc__ or "").split("\n\n"):
        for item in re.split(r"\n(?=\* `)", paragraph):
            text = " ".join(item.split())
            found = re.fullmatch(r"\* `([\w.]+)`: (.*)", text)
            if found is not None:
                meanings[found[1]] = found[2]
            elif text:
                prose.append(text)
    return prose, meanings
