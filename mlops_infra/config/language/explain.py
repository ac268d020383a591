"""Turns pydantic's errors into problems that a person can mend: path, line, nearest valid key."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from mlops_infra.config.language.document import Origin, Path, dotted
from mlops_infra.config.language.invalid import InvalidValueError
from mlops_infra.errors import Problem

_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
}
KEY = "[key]"
"""pydantic's last part of the place of an error that is in a dictionary's key."""
_MISSING = "is missing"
UNKNOWN = ("unknown key", "unknown key here")
"""What is said of a key that no section has."""
_SHOWN = 60
"""Characters of a wrong value that a message repeats."""


def problems(error: ValidationError, model: type[BaseModel], origin: Origin) -> list[Problem]:
    """One problem for each of pydantic's errors, in the order of the file."""
    found: dict[tuple[Path, str], Problem] = {}
    for details in error.errors(include_url=False, include_context=True):
        path = _path(details["loc"])
        problem = _problem(details, path, model, origin)
        found.setdefault((path, problem.message), problem)
    misspelt = {dotted((*path[:-1], meant)) for path, _ in found if (meant := _meant(path, model))}
    # one slip, one problem: what is misspelt is not missing as well
    return [p for p in found.values() if not (p.message == _MISSING and p.path in misspelt)]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The word of `known` that `word` was probably meant to be; None where none is near."""
    # A whole word given in another notation (kube_config, kubeConfig) is the same key.
    plain = {_plain(candidate): candidate for candidate in known}
    close = difflib.get_close_matches(_plain(word), plain, n=1, cutoff=0.6)
    return plain[close[0]] if close else None


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys as the file writes them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


def _path(loc: tuple[int | str, ...]) -> Path:
    return tuple(part for part in loc if part != KEY)


def _problem(details: ErrorDetails, path: Path, model: type[BaseModel], origin: Origin) -> Problem:
    message, suggestion = _explained(details, path, model)
    return Problem(dotted(path), message, origin.line(path), suggestion)


def _explained(details: ErrorDetails, path: Path, model: type[BaseModel]) -> tuple[str, str | None]:
    kind, context, value = details["type"], details.get("ctx", {}), details["input"]
    if kind == "extra_forbidden":
        return _unknown(path, model)
    if kind == "missing":
        return _MISSING, "add it: " + (_purpose(model, path) or "it has no default")
    if kind == "literal_error":
        return f"{_shown(value)} is not one of {context['expected']}", _choice(model, path, value)
    if kind == "string_pattern_mismatch":
        owner = _keys_in(_field(model, path[:-1])) if details["loc"][-1] == KEY else None
        advice = _example(owner or _field(model, path)) or _purpose(model, path)
        return f"{_shown(value)} has the wrong format", advice
    if kind == "value_error" and isinstance(context.get("error"), InvalidValueError):
        invalid = context["error"]
        return str(invalid), invalid.advice or _example(_field(model, path))
    if kind in _KINDS:
        advice = "write it in quotes" if kind == "string_type" and _is_number(value) else None
        return f"must be {_KINDS[kind]}, not {_shown(value)}", advice or _purpose(model, path)
    return f"{details['msg'][:1].lower()}{details['msg'][1:]}", _purpose(model, path)


def _unknown(path: Path, model: type[BaseModel]) -> tuple[str, str | None]:
    owner = _section(model, path[:-1])
    known = keys_of(owner) if owner else []
    if close := _meant(path, model):
        return UNKNOWN[0], f"did you mean '{close}'?"
    elsewhere = _paths_ending_in(str(path[-1]), model)
    if elsewhere:
        return UNKNOWN[1], f"it belongs at {elsewhere}"
    return UNKNOWN[0], "known here: " + (", ".join(known) or "none")


def _meant(path: Path, model: type[BaseModel]) -> str | None:
    """The key that an unknown one was probably meant to be; None for a key that is known."""
    owner = _section(model, path[:-1]) if path else None
    known = keys_of(owner) if owner else []
    return None if not path or path[-1] in known else nearest(str(path[-1]), known)


def _paths_ending_in(key: str, model: type[BaseModel], above: str = "") -> str | None:
    for name, field in model.model_fields.items():
        here = f"{above}{field.alias or name}"
        if _plain(field.alias or name) == _plain(key) and above:
            return here
        inner = _model_in(field.annotation)
        found = _paths_ending_in(key, inner, f"{here}.") if inner else None
        if found:
            return found
    return None


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "keys with values"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = "nothing" if value is None else str(value).lower() if isinstance(value, bool) else None
    text = text or f"'{value}'"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…'"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _choice(model: type[BaseModel], path: Path, value: object) -> str | None:
    field = _field(model, path)
    choices = [str(choice) for choice in _literals(field)] if field is not None else []
    close = nearest(str(value), choices)
    return f"did you mean '{close}'?" if close else None


def _example(annotation: Any) -> str | None:
    """A value that would do, where the type knows one."""
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, FieldInfo) and part.examples:
            return f"for example {part.examples[0]}"
        if part is not annotation and (found := _example(part)):
            return found
    return None


def _purpose(model: type[BaseModel], path: Path) -> str | None:
    """First sentence of the key's own documentation."""
    found = None
    for depth in range(len(path)):
        owner = _section(model, path[:depth])
        if owner is None:
            continue
        for name, info in owner.model_fields.items():
            if (info.alias or name) == path[depth] and info.description:
                found = info.description
    return found.partition("\n")[0] if found else None


def _section(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The section that the keys at `path` belong to."""
    annotation = _field(model, path) if path else model
    return _model_in(annotation)


def _field(model: Any, path: Path) -> Any:
    """The annotation of what stands at `path`; None where nothing does."""
    annotation: Any = model
    for part in path:
        if annotation is None:
            return None
        annotation = _step(_bare(annotation), part)
    return annotation


def _step(annotation: Any, part: str | int) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, info in annotation.model_fields.items():
            if (info.alias or name) == part:
                # pydantic lifts the outermost Annotated off; the example was in it
                return Annotated[info.annotation, info] if info.examples else info.annotation
        return None
    inner = [each for each in get_args(annotation) if each is not Ellipsis]
    return inner[-1] if get_origin(annotation) in (dict, tuple, list) and inner else None


def _keys_in(annotation: Any) -> Any:
    """The annotation of a dictionary's keys; None for all else."""
    bare = _bare(annotation)
    return get_args(bare)[0] if get_origin(bare) is dict else None


def _bare(annotation: Any) -> Any:
    """Without `Annotated` and without `| None`."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [each for each in get_args(annotation) if each is not type(None)]
        return _bare(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _model_in(annotation: Any) -> type[BaseModel] | None:
    bare = _bare(annotation)
    return bare if isinstance(bare, type) and issubclass(bare, BaseModel) else None


def _literals(annotation: Any) -> tuple[Any, ...]:
    bare = _bare(annotation)
    return get_args(bare) if get_origin(bare) is Literal else ()
