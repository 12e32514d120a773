"""`watchkeeper deploy`: look whether the account can take it, deploy the shared stacks and the workloads'."""

from __future__ import annotations

from typing import Annotated

import boto3
import typer

from cli.deployer import NO_WORKLOAD, Deployer, Stage, StageOption
from cli.diff import say_what_changes
from cli.failures import StepFailedError
from cli.preflight.report import examine, show_end, show_finding
from cli.specs import WORKLOADS, path_of, spec_of
from watchkeeper.command.screen import done, say
from watchkeeper.core import layout
from watchkeeper.spec import WorkloadSpec, load_workloads


def deploy(
    workload: Annotated[
        str | None, typer.Option(help="Deploy this workload's stack only, and the shared ones.")
    ] = None,
    stage: StageOption = Stage.AWS,
    samples: Annotated[
        bool | None,
        typer.Option(
            "--samples/--no-samples", help="The project's sample workloads, too; the default on a laptop."
        ),
    ] = None,
    preflight: Annotated[
        bool | None,
        typer.Option(
            "--preflight/--no-preflight",
            help="Look first whether the account can take it; the default for stage aws.",
        ),
    ] = None,
) -> None:
    """Deploy the shared stacks, and the stack of each workload or of one."""
    session = boto3.Session()
    chosen = None
    if workload is not None:
        specs = [spec_of(workload)]
        chosen = specs[0].name
    else:
        specs = load_workloads(WORKLOADS)
        if not (stage is Stage.LAPTOP if samples is None else samples):
            specs = _without_samples(session, specs)
            chosen = ",".join(spec.name for spec in specs) or NO_WORKLOAD
    folder = WORKLOADS if workload is None else path_of(workload).absolute().parent
    deployer = Deployer(session, stage, chosen, workloads=folder)
    if stage is Stage.AWS if preflight is None else preflight:
        report = examine(session, specs, deployer.templates, show_finding)
        show_end(report)
        if report.reds:
            raise StepFailedError(
                "nothing is deployed: see the red lines above; `--no-preflight` deploys all the same"
            )
    if workload is not None:
        say_what_changes(session, specs[0].plan())
    deployer.deploy()
    done("all stacks are deployed" if workload is None else f"{workload} is deployed")


def _without_samples(session: boto3.Session, specs: list[WorkloadSpec]) -> list[WorkloadSpec]:
    """Leave samples out, but those that are deployed: these are kept up to date."""
    stacks = Deployer(session, Stage.AWS)
    kept = [spec for spec in specs if not spec.sample or stacks.status(layout.workload_stack(spec.name))]
    left_out = [spec.name for spec in specs if spec not in kept]
    if left_out:
        say(
            f"samples are left out: {', '.join(left_out)}; `--samples` deploys them, `--workload NAME` one "
            "of them"
        )
    return kept
