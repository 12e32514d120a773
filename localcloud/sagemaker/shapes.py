"""The service model of SageMaker, from botocore: what a request may hold and what an answer has."""

from functools import lru_cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from localcloud.constraints import broken_constraints
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
    text = broken_constraints(service_model().operation_model(operation).input_shape, request)
    if text:
        raise InvalidRequestError(text)


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
