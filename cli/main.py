"""The `watchkeeper` command of a checkout: one verb a module, and those of the library."""

from __future__ import annotations

from cli.failures import AwsReportingGroup
from watchkeeper.command.main import CHECKOUT_VERBS, LIBRARY_VERBS, application

_ELSEWHERE = {
    "acknowledge": "cli.responding:acknowledge",
    "approve": "cli.models:approve",
    "assign": "cli.responding:assign",
    "cost": "cli.cost.command:cost",
    "demo": "cli.demo.command:demo",
    "devices": "cli.fleet.command:devices",
    "init": "cli.init:init",
    "incident": "cli.incidents:incident",
    "pause": "cli.pausing:pause",
    "resume": "cli.pausing:resume",
    "preflight": "cli.preflight.command:preflight",
    "snooze": "cli.responding:snooze",
}
"""The verbs that are not in a module of their name."""

app = application(
    {**LIBRARY_VERBS, **{name: f"cli.{name}:{name}" for name in CHECKOUT_VERBS}, **_ELSEWHERE},
    AwsReportingGroup,
    "Streaming anomaly detection as code. AWS is found as every AWS client finds it: "
    "AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL.",
)
