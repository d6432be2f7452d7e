"""Sentences in the reader's language, by id. May import: the standard library.

One flat TOML file for each language, with the same keys in all of them. Ids: `alarm.<condition>`
and `advice.<condition>` for alarms, `ui.*` for the panel, all others are reasons. Placeholders
are {named}; a value that is not known is written as "?", so that a text never fails. What
stands in [brackets] is left out as a whole where one of its values is not known.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

LOCALES = ("en", "zh-CN")
FALLBACK = "en"

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")


def text(locale: str, id: str, values: Mapping[str, object] | None = None) -> str:
    """Return the sentence `id` with `values` filled in; an id that no file has, as it is."""
    sentence = texts(locale).get(id) or texts(FALLBACK).get(id) or id
    comma = texts(locale)["list.comma"]
    words = {name: _word(value, comma) for name, value in (values or {}).items()}

    def keep(clause: re.Match[str]) -> str:
        names = _PLACEHOLDER.findall(clause[1])
        return clause[1] if all(words.get(name, "?") != "?" for name in names) else ""

    sentence = _OPTIONAL.sub(keep, sentence)
    return _PLACEHOLDER.sub(lambda found: words.get(found[1], "?"), sentence)


def texts(locale: str) -> Mapping[str, str]:
    """Return all sentences of the language that is nearest to `locale`."""
    return _load(nearest(locale) or FALLBACK)


def nearest(locale: str) -> str | None:
    """Return the language we have for a BCP 47 tag such as "zh-Hans" or "en-GB", if any."""
    wanted = locale.lower()
    for have in LOCALES:
        if wanted == have.lower() or wanted.split("-")[0] == have.split("-")[0]:
            return have
    return None


@cache
def _load(locale: str) -> Mapping[str, str]:
    raw = files(__name__).joinpath(f"{locale}.toml").read_text(encoding="utf-8")
    loaded = tomllib.loads(raw)
    assert all(isinstance(value, str) for value in loaded.values()), "the tables are flat"
    return loaded


def _word(value: object, comma: str) -> str:
    match value:
        case None | "":
            return "?"
        case float():
            return f"{value:.1f}".removesuffix(".0")
        case list() | tuple():
            return comma.join(_word(each, comma) for each in value) or "?"
        case _:
            return str(value)
