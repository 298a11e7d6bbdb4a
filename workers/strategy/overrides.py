"""Changes from a command line, `training.epochs=5000`, put into a specification before it is parsed."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, get_args

from workers.strategy.models import Strategy
from workers.strategy.problems import InvalidStrategy, Problem, did_you_mean
from workers.strategy.pydantic_problems import fields, model_of
from workers.strategy.texts import read

if TYPE_CHECKING:
    from collections.abc import Sequence


def with_overrides(data: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """A copy of `data` with each `path=value` set; values are YAML (`null`, `3`, `[low, high]`), list positions from 0.

    Raises `InvalidStrategy` for unknown paths and unreadable values, all of them at once. Ranges: see `parse`.
    """
    result = copy.deepcopy(data)
    problems: list[Problem] = []
    for override in overrides:
        path, equals, text = override.partition("=")
        path = path.strip()
        try:
            if not equals or not path:
                raise InvalidStrategy([Problem(path, "write PATH=VALUE, such as training.epochs=100")])
            _set(result, path, read(text))
        except InvalidStrategy as error:
            problems += [Problem(path, problem.message) for problem in error.problems]
    if problems:
        raise InvalidStrategy(problems)
    return result


def _set(data: dict[str, Any], path: str, value: Any) -> None:
    *way, last = path.split(".")
    place: Any = data
    annotation: Any = Strategy
    for part in way:
        annotation = _step(annotation, part, place)
        key = int(part) if isinstance(place, list) else part
        if not isinstance(place, list) and place.get(key) is None:
            place[key] = {}
        place = place[key]
        if not isinstance(place, (dict, list)):
            raise InvalidStrategy([Problem(path, f"{part} is a value: nothing can be set within it")])
    _step(annotation, last, place)
    place[int(last) if isinstance(place, list) else last] = value


def _step(annotation: Any, part: str, place: Any) -> Any:
    """The annotation of `part` within `annotation`; `InvalidStrategy` when there can be no such part."""
    model = model_of(annotation)
    if model is not None:
        known = fields(model)
        if part not in known:
            raise InvalidStrategy([Problem(part, f"unknown key {part!r}; {did_you_mean(part, known)}")])
        return known[part]
    if isinstance(place, list):
        if not part.isdecimal() or int(part) >= len(place):
            raise InvalidStrategy([Problem(part, f"no position {part!r}; there are {len(place)}, counted from 0")])
    elif place and part not in place and model_of(get_args(annotation)[-1]):
        raise InvalidStrategy([Problem(part, f"unknown name {part!r}; {did_you_mean(part, place)}")])
    arguments = get_args(annotation)
    return arguments[-1] if arguments else None
