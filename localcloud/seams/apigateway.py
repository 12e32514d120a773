"""API Gateway: the call of a function that every request of an HTTP API passes."""

from collections.abc import Callable
from typing import Any

from ministack.services import apigateway as _apigateway

from localcloud.seams.replacing import Replaceable

invoke_lambda_proxy = Replaceable(_apigateway, "_invoke_lambda_proxy")
function_of: Callable[[str], str] = _apigateway._extract_lambda_ref_from_integration_uri
"""The function's ARN in an integration's URI."""
validate_token: Callable[..., Any] = _apigateway._validate_jwt_authorizer
"""Checks a token as a JWT authorizer says: its claims, its scopes, and the refusal."""
