"""What the front serves: the API whose URL is the output `ServiceUrl` of a deployed stack, and its console.

A console is a site behind CloudFront (output `ConsoleDomain`), or behind an API of its own, which takes the
tokens of who signed in there (output `ConsoleApiUrl`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OUTPUT = "ServiceUrl"
CONSOLE_API_OUTPUT, CONSOLE_DOMAIN_OUTPUT = "ConsoleApiUrl", "ConsoleDomain"


class NothingDeployedError(RuntimeError):
    """No deployed stack has an API to serve."""


@dataclass(frozen=True, slots=True)
class Target:
    """An HTTP API, and who issues the tokens that it takes."""

    api_id: str
    pool_id: str | None
    """The Cognito user pool of its JWT authorizer; None where it has none."""
    client_id: str | None


@dataclass(frozen=True, slots=True)
class Deployed:
    """All that the front serves."""

    service: Target
    console: Target | None = None
    """The console's own API."""
    domain: str | None = None
    """Of the distribution that has the console's site."""

    def api_for(self, audience: str | None) -> Target:
        """Return the API of a request by the client that its token is for."""
        if self.console is not None and audience is not None and audience == self.console.client_id:
            return self.console
        return self.service


def find_target(cloudformation: Any, apigateway: Any) -> Deployed:
    """Look for what is deployed with boto3 clients.

    Raises
    ------
    NothingDeployedError
        If no stack has the output.
    """
    outputs = _outputs(cloudformation)
    if OUTPUT not in outputs:
        raise NothingDeployedError(f"no stack has the output {OUTPUT}: deploy one with an HTTP API first")
    console = outputs.get(CONSOLE_API_OUTPUT)
    return Deployed(
        service=_api(apigateway, outputs[OUTPUT]),
        console=None if console is None else _api(apigateway, console),
        domain=outputs.get(CONSOLE_DOMAIN_OUTPUT),
    )


def _api(apigateway: Any, url: str) -> Target:
    api_id = re.sub(r"^https?://", "", url).partition(".")[0]
    for authorizer in apigateway.get_authorizers(ApiId=api_id)["Items"]:
        tokens = authorizer.get("JwtConfiguration")
        if tokens and tokens.get("Audience"):
            return Target(api_id, tokens["Issuer"].rpartition("/")[2], tokens["Audience"][0])
    return Target(api_id, None, None)


def _outputs(cloudformation: Any) -> Mapping[str, str]:
    return {
        output["OutputKey"]: output["OutputValue"]
        for page in cloudformation.get_paginator("describe_stacks").paginate()
        for stack in page["Stacks"]
        if not stack["StackStatus"].startswith("DELETE")
        for output in stack.get("Outputs", [])
    }
