"""The checks of an account and region, in order, and how they are told: as lines, or as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.markup import escape

from cli.assembly import Assembly
from cli.cost.report import document, month_of
from cli.preflight import account, calendars, quotas, receivers, region, sources
from cli.preflight.finding import Check, Finding, Level, answered
from lambdas.costs.model import SERIES, Cost, total
from lambdas.costs.prices import Prices
from watchkeeper.command.screen import console, errors, say
from watchkeeper.core.timestamps import UTC
from watchkeeper.spec import WorkloadSpec

_COLOURS = {Level.GREEN: "green", Level.YELLOW: "yellow", Level.RED: "red"}


@dataclass
class Report:
    """What was found, as far as it has been asked."""

    findings: list[Finding] = field(default_factory=list)
    month: dict[str, list[Cost]] = field(default_factory=dict)
    """What things cost in a month."""
    prices: Prices = field(default_factory=Prices.read)

    @property
    def reds(self) -> int:
        """How many findings a deployment would fail at."""
        return sum(finding.level is Level.RED for finding in self.findings)

    def document(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        return {
            "ready": not self.reds,
            "findings": [asdict(finding) for finding in self.findings],
            **document(self.month, self.prices),
        }


def examine(
    session: boto3.Session,
    workloads: Sequence[WorkloadSpec],
    assembly_of: Callable[[], Assembly],
    tell: Callable[[Finding], None] = lambda finding: None,
) -> Report:
    """Carry out every check; each only reads.

    Parameters
    ----------
    assembly_of
        Gives the templates; asked when it is known that there are credentials and a region.
    tell
        Is told each finding as it is found.
    """
    report = Report()

    def note(finding: Finding) -> None:
        report.findings.append(finding)
        tell(finding)

    credentials = _credentials(session)
    note(credentials)
    if credentials.level is Level.RED:
        return report
    assembly = assembly_of()
    hour_usd: dict[str, float] = {}
    for name, check in _checks(session, workloads, assembly, credentials.figures["account"], hour_usd):
        for finding in answered(name, check):
            note(finding)
    report.prices = report.prices.with_instances(hour_usd)
    report.month = month_of(assembly, workloads, report.prices)
    return report


def show_finding(finding: Finding) -> None:
    """Write a finding and its remedy."""
    colour = _COLOURS[finding.level]
    text = f"[{colour}]● {finding.level.value:6}[/] {finding.check:11} {escape(finding.text)}"
    console.print(text, soft_wrap=True)
    if finding.remedy:
        console.print(f"         {'':11} → {escape(finding.remedy)}", soft_wrap=True)


def show_end(report: Report) -> None:
    """Write what a month costs, and whether a deployment can begin."""
    if report.month:
        idle, endpoints = (total(report.month[name]) for name in ("idle", "endpoints"))
        prices = report.prices
        say(f"costs of a month, list prices of {prices.region}, {prices.as_of}, USD:")
        say(f"  {idle:8.2f}  deployed, nothing trained")
        say(f"  {endpoints:8.2f}  and the endpoints of all workloads, once trained")
        for cost in report.month["endpoints"]:
            if cost.usd is None:
                say(f"  {'?':>8}  {cost.what}: the list has no price of it")
        for name, each in report.month.items():
            if ":" in name:
                say(f"  {total(each):8.2f}  and {name}, with {SERIES:,} series")
    counted = Counter(finding.level for finding in report.findings)
    words = ", ".join(f"{counted[level]} {level.value}" for level in Level)
    (errors.print if report.reds else console.print)(words)


def write_json(report: Report) -> None:
    """Write the whole report as one document."""
    console.out(json.dumps(report.document(), indent=1), highlight=False)


def _credentials(session: boto3.Session) -> Finding:
    if not session.region_name:
        return Finding("credentials", Level.RED, "no AWS region", "export AWS_REGION=us-east-1")
    try:
        identity = session.client("sts").get_caller_identity()
    except (ClientError, BotoCoreError) as error:
        remedy = "export AWS_PROFILE=NAME, or run `aws configure`; then try `aws sts get-caller-identity`"
        return Finding("credentials", Level.RED, str(error), remedy)
    figures = {"account": identity["Account"], "arn": identity["Arn"], "region": session.region_name}
    text = f"{identity['Arn']} in {session.region_name}"
    if identity["Arn"].endswith(":root"):
        remedy = "use a role or a user of IAM Identity Center: the root user should deploy nothing"
        return Finding("credentials", Level.YELLOW, text, remedy, figures)
    return Finding("credentials", Level.GREEN, text, figures=figures)


def _checks(
    session: boto3.Session,
    workloads: Sequence[WorkloadSpec],
    assembly: Assembly,
    account_id: str,
    hour_usd: dict[str, float],
) -> Iterator[tuple[str, Check]]:
    deployed = account.Deployed(session, frozenset(assembly.stacks))
    yield "bootstrap", partial(account.check_bootstrap, session, assembly, account_id)
    yield "services", partial(region.check_services, session, assembly)
    yield "instances", partial(region.check_instances, session, workloads, hour_usd)
    yield "stacks", partial(account.check_stacks, deployed)
    if assembly.counts["AWS::CloudFront::Distribution"]:
        yield "console", partial(account.check_console, session)
    yield "names", partial(account.check_names, session, assembly, deployed)
    yield "retained", partial(account.check_retained, session, deployed)
    yield "receivers", partial(receivers.check_receivers, session, workloads)
    yield "calendars", partial(calendars.check_calendars, workloads, datetime.now(UTC).date())
    yield "sources", partial(sources.check_sources, session, workloads)
    made = _made(deployed)
    yield "quotas", partial(quotas.check_quotas, session, quotas.needs(assembly, workloads, made))
    yield "quotas", partial(quotas.check_fixed, assembly)


def _made(deployed: account.Deployed) -> Counter[str]:
    try:
        return deployed.counts
    except ClientError:  # told by the check of stacks
        return Counter()
