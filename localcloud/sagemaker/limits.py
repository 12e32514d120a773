"""The account's quotas of instances: what would go beyond one is refused, in AWS's words."""

from __future__ import annotations

from collections import Counter

from localcloud.sagemaker.context import Context
from localcloud.sagemaker.errors import SageMakerError
from localcloud.sagemaker.kinds import ENDPOINT, PROCESSING_JOB, TRAINING_JOB, TRANSFORM_JOB, Kind
from localcloud.sagemaker.shapes import Document
from localcloud.service_quotas import instance_quota

_RUNNING = ("InProgress", "Stopping")
_USES = {
    TRAINING_JOB: ("training job", "Number of instances across all training jobs"),
    PROCESSING_JOB: ("processing job", "Number of instances across all processing jobs"),
    TRANSFORM_JOB: ("transform job", "Number of instances across all transform jobs"),
    ENDPOINT: ("endpoint", "Number of instances across active endpoints"),
}


def require_job_quota(context: Context, kind: Kind, request: Document) -> None:
    """Refuse a job for whose instances there is no quota.

    Raises
    ------
    SageMakerError
        ``ResourceLimitExceeded``.
    """
    running = Counter[str]()
    for job in context.store.all(kind):
        if job[kind.status] in _RUNNING:
            running += _of_job(job)
    _require(context, kind, running, _of_job(request))


def require_endpoint_quota(context: Context, plan: Document) -> None:
    """Refuse an endpoint, or an update, whose fleet would be beyond a quota beside what is there.

    Raises
    ------
    SageMakerError
        ``ResourceLimitExceeded``.
    """
    there = Counter[str]()
    for endpoint in context.store.all(ENDPOINT):
        if endpoint["EndpointStatus"] != "Failed":
            there += _of_plan(endpoint["_plan"])
    _require(context, ENDPOINT, there, _of_plan(plan))


def _require(context: Context, kind: Kind, running: Counter[str], more: Counter[str]) -> None:
    use, of_all = _USES[kind]
    for instance, count in more.items():
        _compare(context, instance_quota(instance, use), running[instance], count)
    if more:
        _compare(context, of_all, running.total(), more.total())


def _compare(context: Context, quota: str, running: int, more: int) -> None:
    limit = int(context.quotas.value("sagemaker", quota))
    if running + more > limit:
        raise SageMakerError(
            "ResourceLimitExceeded",
            f"The account-level service limit '{quota}' is {limit} Instances, with current utilization of "
            f"{running} Instances and a request delta of {more} Instances. Please use AWS Service Quotas to "
            "request an increase for this quota. If AWS Service Quotas is not available, contact AWS support "
            "to request an increase for this quota.",
        )


def _of_job(job: Document) -> Counter[str]:
    cluster = (
        job.get("ResourceConfig")
        or job.get("ProcessingResources", {}).get("ClusterConfig")
        or job.get("TransformResources", {})
    )
    instance = cluster.get("InstanceType")
    return Counter({instance: cluster.get("InstanceCount", 1)} if instance else {})


def _of_plan(plan: Document) -> Counter[str]:
    found = Counter[str]()
    for variant in plan["variants"]:
        if "InstanceType" in variant:
            found[variant["InstanceType"]] += variant.get("InitialInstanceCount", 1)
    return found
