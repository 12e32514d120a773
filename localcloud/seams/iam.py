"""IAM and STS: roles, the policies of roles and of resources, grants of keys, sessions, and refusals."""

from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions as _actions
from ministack.core import iam_evaluator as _evaluator
from ministack.core import lambda_runtime as _runtime
from ministack.services import iam as _iam
from ministack.services import kms as _kms
from ministack.services import lambda_svc as _lambda
from ministack.services import sts as _sts

from localcloud.seams.replacing import Replaceable

roles: Any = _iam._roles
grants: Any = _kms._grants
sessions: dict[str, dict[str, Any]] = _sts._sessions

register_session: Callable[[str, dict[str, Any]], None] = _sts.register_session
managed_policy: Callable[[str, str], Any] = _evaluator._resolve_managed_policy_document
resource_policy: Callable[[str, str], tuple[Any, str] | None] = _evaluator._resource_policy
"""The policy of a service's resource by its ARN, and its owner; None where there is no such resource."""

resolve_key: Callable[[str], dict[str, Any] | None] = _kms._resolve_key
"""A key's record by its id, ARN or alias."""

s3_action: Callable[..., str | None] = _actions._s3_action
s3_additional_checks: Callable[..., list[tuple[str, str]]] = _actions.s3_additional_checks
refusal: Callable[..., tuple[int, dict[str, str], bytes]] = _actions.access_denied_response


def add_aws_managed_policy(name: str, document: str) -> None:
    """Add a policy of AWS's own that ministack lacks; it refuses to give one that it does not know."""
    record = _iam._make_aws_managed_record(name, document)
    _iam._aws_managed_policies.setdefault(record["Arn"], record)


warm_credentials = Replaceable(_runtime, "execution_credentials")
cold_credentials = Replaceable(_lambda, "execution_credentials")
"""Credentials of the functions that ministack runs itself, in warm processes and in others."""
