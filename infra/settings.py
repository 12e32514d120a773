"""What a deployment is told from outside: CDK context (`-c KEY=VALUE`) and the CLI's own variables."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from constructs import Construct
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec import WorkloadSpec

ROOT = Path(__file__).resolve().parent.parent

Stage = Literal["aws", "laptop"]
NO_WORKLOAD = "none"
"""Asks for the shared stacks alone."""


class Settings(BaseModel):
    """Settings of one deployment.

    `stage` decides one thing only: whether the model code's compiled dependencies are built for AWS's images
    or for the interpreter at hand.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage = "aws"
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")] = "us-east-1"
    workloads: Path = ROOT / "workloads"
    """Folder with one YAML file a workload."""
    workload: str | None = None
    """Those whose stacks are synthesized, separated by commas, or `none`; without a value every one's."""
    shared: bool = True
    """Whether the shared stacks are synthesized, too."""
    build: Path = ROOT / "build"
    """Folder for the bundles of code."""
    service_cors_origins: list[Annotated[str, Field(pattern=r"^https?://[^/*\s]+$")]] = []
    """Origins, such as `https://app.example.com`, of browsers that may call the anomaly service."""
    service_address: Annotated[str, Field(pattern=r"^https?://[^/*\s]+$")] | None = None
    """Where people reach the anomaly service, such as `https://watch.example.com` (a domain name of API
    Gateway); links in alerts lead there. Without it, API Gateway's own address; on the laptop, that of
    `WATCHKEEPER_SERVICE_URL`."""
    service_mfa: Literal["optional", "required"] = "optional"
    """Whether every user of the anomaly service needs an authenticator; programs have none."""
    service_documents: Literal["public", "closed"] = "public"
    """Whether `/docs` and `/openapi.json` answer without a token."""

    console: Literal["cloudfront", "off"] = "cloudfront"
    """Where the console's site is; `off` leaves out its stack, live events and sign-in page included, for a
    new account that AWS does not yet let have CloudFront."""
    console_origins: list[Annotated[str, Field(pattern=r"^(https://[^/*\s]+|http://localhost(:\d+)?)$")]] = []
    """Further origins, such as `http://localhost:5173`, whose `/console/` people may sign in from."""

    fleet: Literal["on", "off"] = "on"
    """Whether devices may join by claim, be quarantined, and renew their certificates; it costs nothing while
    no device does."""

    service_open_tasks: Annotated[int, Field(ge=1, le=1000)] = 50
    """How many tasks of one tenant may be queued or running at once; the next one is refused with 429."""
    monthly_budget_usd: Annotated[float, Field(ge=0)] = 500
    """What the account may spend in a month before the alert topic is told; 0 makes no budget."""

    def chosen(self, workloads: Sequence[WorkloadSpec]) -> list[WorkloadSpec]:
        """Return the workloads whose stacks are synthesized.

        Raises
        ------
        InvalidInputError
            If one that is asked for is not among them.
        """
        if self.workload is None:
            return list(workloads)
        wanted = [] if self.workload == NO_WORKLOAD else self.workload.split(",")
        known = {spec.name: spec for spec in workloads}
        if unknown := [name for name in wanted if name not in known]:
            raise InvalidInputError(
                f"context key 'workload' is {self.workload!r}: {', '.join(unknown)} not in "
                f"{self.workloads}; known: {', '.join(known)}"
            )
        return [known[name] for name in wanted]

    @classmethod
    def from_context(cls, scope: Construct) -> Settings:
        """Read the settings from CDK context.

        The region is also read from `CDK_DEFAULT_REGION`, on the laptop the service's address from
        `WATCHKEEPER_SERVICE_URL`.

        Raises
        ------
        InvalidInputError
            If a value is not allowed; the message names the key, the value and what is allowed.
        """
        given = {name: scope.node.try_get_context(name) for name in cls.model_fields}
        given["region"] = given["region"] or os.environ.get("CDK_DEFAULT_REGION")
        if given["stage"] == "laptop":
            given["service_address"] = given["service_address"] or os.environ.get("WATCHKEEPER_SERVICE_URL")
        try:
            return cls.model_validate({name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            faults = "; ".join(
                f"context key {'.'.join(map(str, fault['loc']))!r} is {fault['input']!r}: {fault['msg']}"
                for fault in error.errors()
            )
            raise InvalidInputError(f"{faults}. Set it with `cdk synth -c KEY=VALUE`.") from error
