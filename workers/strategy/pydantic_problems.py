"""Pydantic's findings in the words of a strategy: our paths, and "did you mean" for a misspelt key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel

from workers.strategy.models import Strategy
from workers.strategy.problems import Problem, did_you_mean

if TYPE_CHECKING:
    from pydantic import ValidationError

_UNION_TAGS = {"int", "float"}


def found_by_pydantic(error: ValidationError) -> list[Problem]:
    """One problem per place: a union reports each of its members, of which the first is enough."""
    found: dict[str, Problem] = {}
    for item in error.errors(include_url=False, include_context=False):
        place = [part for part in item["loc"] if part not in _UNION_TAGS]
        if place and place[-1] == "[key]":
            place.pop()
        path = ".".join(map(str, place))
        found.setdefault(path, Problem(path, _message(item["type"], item["msg"], place, item["input"])))
    return list(found.values())


def fields(model: type[BaseModel]) -> dict[str, Any]:
    """Key in a specification (the alias where there is one) -> annotation."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def model_of(annotation: Any) -> type[BaseModel] | None:
    """The model an annotation is, also within an optional."""
    if get_origin(annotation) in {dict, list}:
        return None
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _message(kind: str, message: str, place: list[int | str], given: Any) -> str:
    if kind == "extra_forbidden":
        return f"unknown key; {did_you_mean(str(place[-1]), _siblings(place[:-1]))}"
    if kind == "missing":
        return "is missing"
    text = message[0].lower() + message[1:]
    return text if isinstance(given, (dict, list)) else f"{text}, not {str(given)[:80]!r}"


def _siblings(place: list[int | str]) -> list[str]:
    """Known keys of the model at `place`."""
    annotation: Any = Strategy
    for part in place:
        model = model_of(annotation)
        if model is None:
            arguments = get_args(annotation)
            annotation = arguments[-1] if arguments else None
        else:
            annotation = fields(model).get(str(part))
    model = model_of(annotation)
    return list(fields(model)) if model else []
