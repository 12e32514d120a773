"""Which API the front serves: the one whose URL is the output `ServiceUrl` of a deployed stack."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

OUTPUT = "ServiceUrl"


class NothingDeployedError(RuntimeError):
    """No deployed stack has an API to serve."""


@dataclass(frozen=True, slots=True)
class Target:
    """An HTTP API, and who issues the tokens that it takes."""

    api_id: str
    pool_id: str | None
    """The Cognito user pool of its JWT authorizer; None where it has none."""
    client_id: str | None


def find_target(cloudformation: Any, apigateway: Any) -> Target:
    """Look for the API with boto3 clients.

    Raises
    ------
    NothingDeployedError
        If no stack has the output.
    """
    for url in _urls(cloudformation):
        api_id = re.sub(r"^https?://", "", url).partition(".")[0]
        for authorizer in apigateway.get_authorizers(ApiId=api_id)["Items"]:
            tokens = authorizer.get("JwtConfiguration")
            if tokens and tokens.get("Audience"):
                return Target(api_id, tokens["Issuer"].rpartition("/")[2], tokens["Audience"][0])
        return Target(api_id, None, None)
    raise NothingDeployedError(f"no stack has the output {OUTPUT}: deploy one with an HTTP API first")


def _urls(cloudformation: Any) -> Iterator[str]:
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            if not stack["StackStatus"].startswith("DELETE"):
                for output in stack.get("Outputs", []):
                    if output["OutputKey"] == OUTPUT:
                        yield output["OutputValue"]
