"""The service model of SageMaker, from botocore: what a request may hold and what an answer has."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from localcloud.sagemaker.errors import InvalidRequestError

Document = dict[str, Any]


@lru_cache(maxsize=1)
def service_model() -> ServiceModel:
    """Return the pinned botocore's model of the ``sagemaker`` API."""
    return botocore.session.get_session().get_service_model("sagemaker")


def check_request(operation: str, request: Document) -> None:
    """Refuse a request that AWS's own validation refuses.

    Raises
    ------
    InvalidRequestError
        With AWS's text for each broken constraint (presence, enumeration, length, range, pattern).
    """
    shape = service_model().operation_model(operation).input_shape
    problems = list(_problems(shape, request, "")) if shape else []
    if problems:
        plural = "s" if len(problems) > 1 else ""
        raise InvalidRequestError(f"{len(problems)} validation error{plural} detected: {'; '.join(problems)}")


def answer(operation: str, document: Document) -> Document:
    """Keep the members that the operation's answer has, and only those with a value."""
    shape = service_model().operation_model(operation).output_shape
    if shape is None:
        return {}
    return {name: document[name] for name in shape.members if document.get(name) is not None}


def coerce(operation: str, properties: Document) -> Document:
    """Give values of a template (where numbers and booleans may be text) the types of the API."""
    shape = service_model().operation_model(operation).input_shape
    return dict(_coerce(shape, properties)) if shape else properties


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        if not isinstance(value, dict):
            yield f"Value at '{path}' failed to satisfy constraint: Member must be an object"
            return
        for name in shape.required_members:
            if value.get(name) is None:
                where = _join(path, name)
                yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
        for name, member in value.items():
            if name in shape.members and member is not None:
                yield from _problems(shape.members[name], member, _join(path, name))
    elif isinstance(shape, ListShape):
        yield from _size_problems(shape, value, path)
        for index, member in enumerate(value, start=1):
            yield from _problems(shape.member, member, f"{path}.{index}.member")
    elif isinstance(shape, MapShape):
        yield from _size_problems(shape, value, path)
        for key, member in value.items():
            yield from _problems(shape.value, member, f"{path}.{key}.member")
    else:
        yield from _scalar_problems(shape, value, path)


def _scalar_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    head = f"Value '{value}' at '{path}' failed to satisfy constraint: Member must"
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name == "string":
        if not isinstance(value, str):
            yield f"{head} be a string"
            return
        allowed = getattr(shape, "enum", None)
        if allowed and value not in allowed:
            yield f"{head} satisfy enum value set: [{', '.join(allowed)}]"
        yield from _size_problems(shape, value, path)
        pattern = shape.metadata.get("pattern")
        compiled = _pattern(pattern) if pattern else None
        if compiled and not compiled.fullmatch(value):
            yield f"{head} satisfy regular expression pattern: {pattern}"
    elif shape.type_name in ("integer", "long", "float", "double"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"{head} be a number"
        elif low is not None and value < low:
            yield f"{head} have value greater than or equal to {low}"
        elif high is not None and value > high:
            yield f"{head} have value less than or equal to {high}"
    elif shape.type_name == "boolean" and not isinstance(value, bool):
        yield f"{head} be a boolean"


def _size_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    head = f"Value '{value}' at '{path}' failed to satisfy constraint: Member must have length"
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and len(value) < low:
        yield f"{head} greater than or equal to {low}"
    if high is not None and len(value) > high:
        yield f"{head} less than or equal to {high}"


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text)
    except re.error:  # Java's \p{L} classes, which Python has not
        return None


def _join(path: str, name: str) -> str:
    name = name[0].lower() + name[1:]
    return f"{path}.{name}" if path else name


def _coerce(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {
            name: _coerce(shape.members[name], member) if name in shape.members else member
            for name, member in value.items()
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_coerce(shape.member, member) for member in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _coerce(shape.value, member) for key, member in value.items()}
    if shape.type_name in ("integer", "long") and isinstance(value, str):
        return int(value)
    if shape.type_name in ("float", "double") and isinstance(value, str):
        return float(value)
    if shape.type_name == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if shape.type_name == "string" and isinstance(value, bool):
        return str(value).lower()
    if shape.type_name == "string" and isinstance(value, int | float):
        return str(value)
    return value
