"""Last step of a deployment: the new release is the live one, models that cannot return are removed, and who
looks on is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, ClassVar

from aws_lambda_powertools import Logger

from lambdas.adapters import clients
from lambdas.adapters.event_bus import EventBridgeBus, EventBus
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore
from lambdas.adapters.sagemaker_resources import SageMakerControlPlane, SageMakerResources
from lambdas.runtime.workflow_payload import run_of
from lambdas.runtime.workflow_step import AwsCalls, StepEnvironment, step_handler
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.timestamps import format_instant
from watchkeeper.kinds import AnyRelease
from watchkeeper.lifecycle.published import PUBLISHED_DETAIL_TYPE, PublishedRelease
from watchkeeper.lifecycle.release import Release


@dataclass(frozen=True, kw_only=True)
class PublishReleaseEnvironment(StepEnvironment):
    """What `publish_release` is told when it is deployed."""

    service: ClassVar[str] = "publish_release"
    purpose: ClassVar[str] = "Makes a release the live one"
    calls: ClassVar[AwsCalls] = AwsCalls(
        series=("GetItem", "PutItem", "DeleteItem", "Query"),
        models=("DescribeModel", "DeleteModel"),
        endpoints=("DescribeEndpoint", "DeleteEndpoint"),
        endpoint_configs=("DescribeEndpointConfig", "DeleteEndpointConfig"),
        packages=("UpdateModelPackage",),
        tells=True,
    )

    series_table: str
    alert_bus: str


logger = Logger(service=PublishReleaseEnvironment.service)


@dataclass(frozen=True)
class PublishingEffects:
    """Everything outside of `publish_release`."""

    releases: ReleaseStore
    resources: SageMakerResources
    bus: EventBus
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)

    @classmethod
    def in_aws(cls, environment: PublishReleaseEnvironment) -> PublishingEffects:
        """Return the effects in AWS."""
        return cls(
            releases=TableReleaseStore(clients.dynamodb(), environment.series_table),
            resources=SageMakerControlPlane(clients.sagemaker()),
            bus=EventBridgeBus(clients.events(), environment.alert_bus),
        )


def publish(payload: dict[str, Any], effects: PublishingEffects) -> dict[str, Any]:
    """Publish the run's release, approve its package, remove what is older than what it replaces, and tell.

    Registered model packages stay: a retired model can be made from its package again. So do releases of a
    streaming detector: any of them may become the live one again. Where a workload has lost its endpoint, the
    endpoint goes with the models behind it.

    Raises
    ------
    ContractViolationError
        If the run has no staged release, or a newer run is live.
    UnavailableError
        If another release was published at the same time, or the alert bus does not take the event.
    """
    run = run_of(payload)
    release = effects.releases.of_run(run.workload, run.run_id)
    if release is None:
        raise ContractViolationError(f"run {run.run_id} of {run.workload} has no staged release")
    previous = effects.releases.publish(release)
    effects.resources.judge_package(
        release.model_package_arn, approved=True, reason=f"Published by {run.execution_arn}"
    )
    if payload.get("endpoint") is False:
        effects.resources.remove_endpoint(run.names.endpoint)
        if previous is not None:
            _remove_model(previous, effects)
    for old in retired(effects.releases.staged(run.workload), release, previous):
        _remove_model(old, effects)
        effects.releases.remove(run.workload, old.run_id)
        logger.info("retired", extra={"run_id": old.run_id, "model": old.model})
    effects.resources.remove_model(run.names.preprocessor_model)
    before = None if previous is None else previous.run_id
    told = PublishedRelease(run.workload, run.run_id, "published", format_instant(effects.now()), before)
    effects.bus.put(PUBLISHED_DETAIL_TYPE, [told.to_json()])
    return {
        "previous": None
        if previous is None
        else {
            "run_id": previous.run_id,
            "model": previous.model,
            "endpoint_config": previous.endpoint_config,
            "model_package_arn": previous.model_package_arn,
        }
    }


def retired(staged: Iterable[AnyRelease], live: AnyRelease, previous: AnyRelease | None) -> list[AnyRelease]:
    """Return the releases of older runs than the live one that nothing goes back to.

    It goes back to the one that it replaced and, of a streaming detector, to any.
    """
    kept = {live.run_id, *([previous.run_id] if previous else [])}
    return [
        release
        for release in staged
        if release.run_id < live.run_id
        and release.run_id not in kept
        and not (isinstance(release, Release) and release.stream is not None)
    ]


def _remove_model(old: AnyRelease, effects: PublishingEffects) -> None:
    effects.resources.remove_endpoint_config(old.endpoint_config)
    effects.resources.remove_model(old.model)


handle = step_handler(publish, PublishReleaseEnvironment, PublishingEffects.in_aws)
