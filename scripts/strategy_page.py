"""`docs/strategy.md`, its tables: every field of a specification and every indicator, from the code that checks them.

`python -m scripts.strategy_page` writes them anew between the marks of the page.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ktrdr_site.environment import PROJECT
from workers.market.indicators import FUNCTIONS, SOURCES
from workers.strategy.models import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workers.market.indicators import Function

PAGE = PROJECT / "docs" / "strategy.md"
BEGIN, END = "<!-- fields: written by python -m scripts.strategy_page -->", "<!-- end of fields -->"
_LIMITS = {
    "minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}",
    "minLength": "≥ {} characters", "maxLength": "≤ {} characters", "minItems": "≥ {}", "maxItems": "≤ {}",
    "minProperties": "≥ {}", "maxProperties": "≤ {}",
}  # fmt: skip
_TYPES = {"integer": "whole number", "number": "number", "string": "text", "array": "list", "object": "mapping"}


def tables() -> str:
    """Markdown."""
    schema = Strategy.model_json_schema(by_alias=True)
    parts = [_part("The whole", schema, schema["properties"])]
    for name, field in schema["properties"].items():
        found = _definition(schema, field)
        if found:
            parts.append(_part(f"`{name}`", found, found["properties"]))
    return "\n\n".join([*parts, _functions()])


def _definition(schema: Mapping[str, Any], field: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The part that a field is, or is made of."""
    texts = [text for text in _walk(field) if text.startswith("#/$defs/")]
    return schema["$defs"][texts[0].rpartition("/")[2]] if texts else None


def _walk(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _walk(one)
    elif isinstance(value, list):
        for one in value:
            yield from _walk(one)


def _part(title: str, part: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
    about = " ".join(part.get("description", "").split())
    needed = set(part.get("required", ()))
    rows = [_row(name, field, needed=name in needed) for name, field in fields.items()]
    head = ["| field | what | form | default |", "|---|---|---|---|"]
    about = "" if title == "The whole" else f"{about}\n\n"
    return "\n".join([f"### {title}\n\n{about}{head[0]}", head[1], *rows])


def _row(name: str, field: Mapping[str, Any], *, needed: bool) -> str:
    default = "needed" if needed else _default(field)
    return f"| `{name}` | {field.get('description', '')} | {_form(field)} | {default} |"


def _default(field: Mapping[str, Any]) -> str:
    if "default" not in field:
        return "its own defaults" if "$ref" in field else "none"
    value = field["default"]
    return "null" if value is None else f"`{value}`"


def _form(field: Mapping[str, Any]) -> str:
    """Type and limits in words."""
    if "anyOf" in field:
        return " or ".join("null" if one.get("type") == "null" else _form(one) for one in field["anyOf"])
    if "$ref" in field:
        return "mapping, see below"
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{one}`" for one in field["enum"])
    limits = [form.format(f"{field[key]:,}") for key, form in _LIMITS.items() if key in field]
    return ", ".join([_TYPES[field["type"]], *limits])


def _functions() -> str:
    rows = [_function(one) for _, one in sorted(FUNCTIONS.items())]
    head = "| function | what | parameters (default, from to) | outputs | reads |\n|---|---|---|---|---|"
    note = f"Prices to read: {', '.join(SOURCES)}; without one, the close."
    return "\n".join([f"### Functions\n\n{note}\n\n{head}", *rows])


def _function(one: Function) -> str:
    params = ", ".join(f"`{name}` {p.default:g} ({p.low:g} to {p.high:g})" for name, p in one.params.items())
    outputs = "" if one.outputs == ("value",) else ", ".join(one.outputs)
    terms = "" if one.scale_free else " Not for terms: its value depends on the price level."
    return (
        f"| `{one.name}` | {one.words}.{terms} | {params} | {outputs} | {'a price' if one.takes_source else 'bars'} |"
    )


def main() -> None:
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{tables()}\n{END}{rest.split(END)[1]}")
    sys.stdout.write(f"{len(FUNCTIONS)} functions\n")


if __name__ == "__main__":
    main()
