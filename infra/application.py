"""The whole application: the stacks that exist once, and one for each workload."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from infra.bundles import Bundles
from infra.settings import Settings
from infra.sharing import SharedParts
from infra.withdrawn_services import WithdrawnServicesCheck
from infra.workload import WorkloadStack
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec import DeviceBehaviourWorkload, WorkloadSpec
from watchkeeper.spec.loading import SUFFIX

PROJECT_TAG = "watchkeeper:project"


def add_stacks(
    app: cdk.App, *, settings: Settings, workloads: Sequence[WorkloadSpec], bundles: Bundles
) -> None:
    """Add the stacks that the settings ask for."""
    environment = cdk.Environment(region=settings.region)
    owners: list[cdk.Stack] = []
    if settings.shared:
        from infra.shared_stacks import add_shared_stacks  # who deploys a workload alone does without

        owners = add_shared_stacks(app, settings=settings, bundles=bundles, env=environment)
    watching = [spec for spec in workloads if isinstance(spec, DeviceBehaviourWorkload)]
    wanting = [spec.name for spec in watching if spec.mitigation is not None]
    if settings.fleet == "off" and wanting:
        raise InvalidInputError(
            f"context key 'fleet' is 'off', and mitigation of {', '.join(wanting)} needs the fleet: set "
            "it to 'on'"
        )
    shared = SharedParts()
    for spec in workloads:
        text = (settings.workloads / f"{spec.name}{SUFFIX}").read_text(encoding="utf-8-sig")
        stack = WorkloadStack(app, spec, text=text, bundles=bundles, shared=shared, env=environment)
        for owner in owners:
            stack.add_stack_dependency(owner)
    cdk.Tags.of(app).add(PROJECT_TAG, "watchkeeper")


def add_checks(app: cdk.App) -> None:
    """Let synthesis fail on what cdk-nag's rules for AWS Solutions find and on withdrawn services."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), WithdrawnServicesCheck())
