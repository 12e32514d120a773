"""The list operations: filters, order and pages."""

import base64
import binascii
import json
from typing import Any

from botocore.model import ListShape, StructureShape

from localcloud.sagemaker.errors import InvalidRequestError
from localcloud.sagemaker.kinds import Kind
from localcloud.sagemaker.shapes import Document, service_model

_PAGE = 100
_ASCENDING = ("ListTrainingJobs", "ListProcessingJobs", "ListModelPackages", "ListModelPackageGroups")
_TIMES = {
    "CreationTimeAfter": ("CreationTime", 1),
    "CreationTimeBefore": ("CreationTime", -1),
    "LastModifiedTimeAfter": ("LastModifiedTime", 1),
    "LastModifiedTimeBefore": ("LastModifiedTime", -1),
}


def page(operation: str, kind: Kind, documents: list[Document], request: Document) -> Document:
    """Return one page of summaries."""
    chosen = [document for document in documents if _matches(kind, document, request)]
    default = "Ascending" if operation in _ASCENDING else "Descending"
    by: str = request.get("SortBy", "CreationTime")
    member: str = {"Name": kind.name_member, "Status": kind.status}.get(by, by)
    chosen.sort(
        key=lambda document: document.get(member) or 0,
        reverse=request.get("SortOrder", default) == "Descending",
    )
    summaries = [_summary(operation, kind, document) for document in chosen]
    return slice_page(kind.list_member, summaries, request)


def slice_page(member: str, items: list[Any], request: Document) -> Document:
    """Return the items from the request's token on, and the token of the rest."""
    start = _start(request.get("NextToken"))
    size = request.get("MaxResults", _PAGE)
    answer: Document = {member: items[start : start + size]}
    if start + size < len(items):
        answer["NextToken"] = base64.urlsafe_b64encode(json.dumps({"from": start + size}).encode()).decode()
    return answer


def _matches(kind: Kind, document: Document, request: Document) -> bool:
    if request.get("NameContains", "").lower() not in document.get(kind.name_member, "").lower():
        return False
    if "StatusEquals" in request and document[kind.status] != request["StatusEquals"]:
        return False
    for name in ("ModelPackageGroupName", "ModelApprovalStatus"):
        if name in request and document.get(name) != request[name].rpartition("/")[2]:
            return False
    return all(
        (document.get(member, 0) - request[name]) * sign > 0
        for name, (member, sign) in _TIMES.items()
        if name in request
    )


def _summary(operation: str, kind: Kind, document: Document) -> Document:
    output = service_model().operation_model(operation).output_shape
    listed = output.members[kind.list_member] if output else None
    if not isinstance(listed, ListShape) or not isinstance(listed.member, StructureShape):
        raise TypeError(f"{operation} lists no structures")
    return {name: document[name] for name in listed.member.members if document.get(name) is not None}


def _start(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(json.loads(base64.urlsafe_b64decode(token))["from"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise InvalidRequestError(f"Invalid NextToken: {token}") from None
