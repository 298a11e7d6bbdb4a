"""YAML and JSON without their traps: no double keys, no aliases, no dates, and 1e-3 is a number."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from workers.strategy.problems import InvalidStrategy, Problem

LARGEST = 200_000


class _Loader(yaml.SafeLoader):
    """YAML 1.1 of PyYAML, where a strategy could mean something else than it says, refused or read as YAML 1.2 does."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(None, None, "aliases are not allowed", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be one word", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


# PyYAML follows YAML 1.1: `1e-3` is a text, `on` a boolean, 2020-01-01 a date, 1:30 the number 90.
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|false|False)$", "tTfF"),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN\0"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), [*_first] + [""] * (_tag == "null")
    )


def read(text: str) -> Any:
    """The value of a JSON or YAML text. Raises `InvalidStrategy` with the place of an error."""
    if len(text) > LARGEST:
        raise InvalidStrategy([Problem("", f"the text has {len(text)} characters; at most {LARGEST} are read")])
    try:
        return json.loads(text, object_pairs_hook=_once)
    except InvalidStrategy:
        raise
    except (ValueError, RecursionError):  # no JSON, or JSON that YAML will name the fault of
        return _yaml(text)


def _yaml(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, made stricter
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InvalidStrategy([Problem(where, f"not readable as YAML or JSON: {error.problem}")]) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidStrategy([Problem("", f"not readable as YAML or JSON: {error}")]) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InvalidStrategy([Problem("", f"key {twice!r} stands twice")])
    return mapping
