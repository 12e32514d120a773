"""Whether alerts can reach whom the routes name: text messages, and the secrets of webhooks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import boto3
from botocore.exceptions import ClientError

from cli.preflight.finding import Finding, Level
from watchkeeper.spec import AnomalyWorkload, FraudWorkload, WorkloadSpec
from watchkeeper.spec.alerting import Route

SANDBOX = "https://docs.aws.amazon.com/sns/latest/dg/sns-sms-sandbox-moving-to-production.html"


def check_receivers(session: boto3.Session, workloads: Sequence[WorkloadSpec]) -> Iterator[Finding]:
    """Ask for the SMS sandbox where a route is a telephone's, and for each secret that a route names."""
    routes = [route for workload in workloads for route in _routes(workload)]
    phones = [
        route.subscription.endpoint
        for route in routes
        if route.subscription is not None and route.subscription.protocol == "sms"
    ]
    if phones:
        yield _text_messages(session, phones)
    secrets = {each.secret for route in routes for each in (route.webhook, route.slack) if each is not None}
    for name in sorted(secrets):
        yield _secret(session, name)


def _text_messages(session: boto3.Session, phones: Sequence[str]) -> Finding:
    figures = {"phones": list(phones)}
    if session.client("sns").get_sms_sandbox_account_status()["IsInSandbox"]:
        return Finding(
            "receivers",
            Level.YELLOW,
            f"the account is in the SMS sandbox: {', '.join(phones)} get text messages once verified",
            f"verify them (aws sns create-sms-sandbox-phone-number), or ask to leave the sandbox: {SANDBOX}",
            figures,
        )
    return Finding("receivers", Level.GREEN, "text messages can be sent", figures=figures)


def _secret(session: boto3.Session, name: str) -> Finding:
    try:
        session.client("secretsmanager").describe_secret(SecretId=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return Finding(
            "receivers",
            Level.YELLOW,
            f"there is no secret {name}: alerts of its route wait, and after a day are dead letters",
            f"aws secretsmanager create-secret --name {name} --secret-string …",
            {"secret": name},
        )
    return Finding("receivers", Level.GREEN, f"the secret {name} is there", figures={"secret": name})


def _routes(workload: WorkloadSpec) -> list[Route]:
    if isinstance(workload, AnomalyWorkload | FraudWorkload):
        return workload.alerts.routes
    return [Route(channel="trainings", subscription=each) for each in workload.notifications]
