"""Service Quotas: what the account may have of what, asked for and granted; SageMaker refuses beyond it.

``LOCALCLOUD_ACCOUNT_AGE`` says which: an established account has quotas that nothing here reaches; a new one
has what AWS gives new accounts, which is no instance of SageMaker at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import botocore.session

from localcloud.part import Part
from localcloud.seams.gateway import service_handlers, service_patterns
from localcloud.seams.responses import error_response_json, json_response
from localcloud.settings import Settings

Document = dict[str, Any]

_TARGET = "ServiceQuotasV20190624."
_LIST = Path(__file__).with_name("service_quotas.json")
_PLENTY = 100
"""Instances of each type that an established account has."""
_USES = {
    "endpoint": "ProductionVariantInstanceType",
    "training job": "TrainingInstanceType",
    "processing job": "ProcessingInstanceType",
    "transform job": "TransformInstanceType",
}
"""What instances are used for, and the enumeration of the API that has the types."""


class NoSuchQuotaError(Exception):
    """There is no such quota or service."""


class ServiceQuotas:
    """The account's quotas.

    Parameters
    ----------
    settings
        Of the local cloud; granted increases are kept below its home.
    """

    def __init__(self, settings: Settings) -> None:
        self._new = settings.account_age == "new"
        self._file = settings.home / "service-quotas.json"
        self._region, self._account = settings.region, settings.account

    def value(self, service: str, name: str) -> float:
        """Return the account's value of a quota.

        Raises
        ------
        NoSuchQuotaError
            If AWS has no such quota.
        """
        return self._applied(_quota(service, name=name))

    def call(self, operation: str, request: Document) -> Document:
        """Carry out one operation.

        Raises
        ------
        NoSuchQuotaError
            For an unknown service or quota.
        KeyError
            For an operation that is not here.
        """
        handlers: dict[str, Callable[[Document], Document]] = {
            "ListServices": self._list_services,
            "ListServiceQuotas": lambda asked: self._list(asked, applied=True),
            "ListAWSDefaultServiceQuotas": lambda asked: self._list(asked, applied=False),
            "GetServiceQuota": lambda asked: {"Quota": self._described(_asked(asked), applied=True)},
            "GetAWSDefaultServiceQuota": lambda asked: {
                "Quota": self._described(_asked(asked), applied=False)
            },
            "RequestServiceQuotaIncrease": self._grant,
        }
        return handlers[operation](request)

    def _applied(self, quota: Document) -> float:
        granted = self._granted().get(quota["code"])
        if granted is not None:
            return granted
        return float(quota["new"] if self._new and "new" in quota else quota["present"])

    def _granted(self) -> dict[str, float]:
        granted: dict[str, float] = json.loads(self._file.read_text()) if self._file.is_file() else {}
        return granted

    def _described(self, quota: Document, *, applied: bool) -> Document:
        arn = f"arn:aws:servicequotas:{self._region}:{self._account}:{quota['service']}/{quota['code']}"
        return {
            "ServiceCode": quota["service"],
            "ServiceName": _list_of_aws()["services"][quota["service"]]["name"],
            "QuotaArn": arn,
            "QuotaCode": quota["code"],
            "QuotaName": quota["name"],
            "Value": self._applied(quota) if applied else float(quota["default"]),
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": quota["service"] == "iam",
            "QuotaAppliedAtLevel": "ACCOUNT",
        }

    def _list(self, request: Document, *, applied: bool) -> Document:
        found = _quotas(request.get("ServiceCode", ""))
        start = int(request.get("NextToken") or 0)
        end = start + int(request.get("MaxResults") or 100)
        page = [self._described(quota, applied=applied) for quota in found[start:end]]
        return {"Quotas": page, **({"NextToken": str(end)} if end < len(found) else {})}

    def _list_services(self, request: Document) -> Document:
        services = _list_of_aws()["services"].items()
        return {"Services": [{"ServiceCode": code, "ServiceName": each["name"]} for code, each in services]}

    def _grant(self, request: Document) -> Document:
        quota, value = _asked(request), float(request["DesiredValue"])
        staged = self._file.with_suffix(".staged")
        staged.write_text(json.dumps(self._granted() | {quota["code"]: value}))
        staged.replace(self._file)
        described = self._described(quota, applied=True)
        kept = ("ServiceCode", "ServiceName", "QuotaCode", "QuotaName", "QuotaArn", "Unit", "GlobalQuota")
        return {
            "RequestedQuota": {
                "Id": hashlib.sha256(f"{quota['code']}{value}".encode()).hexdigest()[:32],
                "DesiredValue": value,
                "Status": "APPROVED",
                **{name: described[name] for name in kept},
            }
        }


class ServiceQuotasPart(Part):
    """Registers Service Quotas with ministack, which has none."""

    def __init__(self, settings: Settings) -> None:
        self._quotas = ServiceQuotas(settings)

    def install(self) -> None:
        """Register the service."""
        service_patterns["servicequotas"] = {
            "host_patterns": [r"servicequotas\."],
            "target_prefixes": [_TARGET],
        }
        service_handlers["servicequotas"] = self.handle

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Any:
        """Answer one request."""
        operation = headers.get("x-amz-target", "").removeprefix(_TARGET)
        try:
            return json_response(self._quotas.call(operation, json.loads(body or b"{}")))
        except NoSuchQuotaError as error:
            return error_response_json("NoSuchResourceException", str(error), 400)
        except KeyError:
            message = f"The laptop's Service Quotas does not implement {operation}."
            return error_response_json("UnsupportedOperation", message, 400)


def instance_quota(kind: str, use: str) -> str:
    """Return the name of SageMaker's quota of an instance type.

    Examples
    --------
    >>> instance_quota("ml.m5.large", "training job")
    'ml.m5.large for training job usage'
    """
    return f"{kind} for {use} usage"


@lru_cache(maxsize=1)
def _list_of_aws() -> Document:
    document: Document = json.loads(_LIST.read_text())
    return document


@lru_cache(maxsize=32)
def _quotas(service: str) -> list[Document]:
    known = _list_of_aws()["services"].get(service)
    if known is None:
        raise NoSuchQuotaError(f"The laptop knows no quotas of the service {service!r}.")
    found = [{"service": service, "present": quota["default"], **quota} for quota in known["quotas"]]
    return found + _instance_quotas() if service == "sagemaker" else found


def _instance_quotas() -> list[Document]:
    model = botocore.session.get_session().get_service_model("sagemaker")
    codes = _list_of_aws()["instance_codes"]
    return [
        {
            "service": "sagemaker",
            "name": name,
            "code": codes.get(name) or "L-" + hashlib.sha256(name.encode()).hexdigest()[:8].upper(),
            "default": 0,
            "new": 0,
            "present": _PLENTY,
        }
        for use, enumeration in _USES.items()
        for kind in model.shape_for(enumeration).metadata["enum"]
        for name in (instance_quota(kind, use),)
    ]


def _quota(service: str, **wanted: str) -> Document:
    for quota in _quotas(service):
        if all(quota[member] == value for member, value in wanted.items()):
            return quota
    raise NoSuchQuotaError(f"The laptop knows no quota of {service} with {wanted}.")


def _asked(request: Document) -> Document:
    return _quota(request.get("ServiceCode", ""), code=request.get("QuotaCode", ""))
