"""Every kind of workload, told apart by `kind`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, TypeAdapter

from watchkeeper.spec.anomaly import AnomalyWorkload
from watchkeeper.spec.behaviour import DeviceBehaviourWorkload
from watchkeeper.spec.fraud import FraudWorkload
from watchkeeper.spec.regression import RegressionWorkload

WorkloadSpec = AnomalyWorkload | DeviceBehaviourWorkload | RegressionWorkload | FraudWorkload
"""A workload of any kind; one of behaviour is an anomaly workload, too."""

WORKLOAD_TYPE: TypeAdapter[WorkloadSpec] = TypeAdapter(
    Annotated[WorkloadSpec, Field(discriminator="kind", title="Watchkeeper workload")]
)
"""Reads a document as the kind of workload that it says it is."""
