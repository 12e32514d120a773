"""The workload spec: its types, how a file is read, and the detection plan that follows from it."""

from workloads.spec.alerting import Subscription
from workloads.spec.loading import load_workload, load_workloads
from workloads.spec.problems import Problem, WorkloadSpecError
from workloads.spec.regression import RegressionWorkload
from workloads.spec.types import AnomalyWorkload, WorkloadSpec

__all__ = [
    "AnomalyWorkload",
    "Problem",
    "RegressionWorkload",
    "Subscription",
    "WorkloadSpec",
    "WorkloadSpecError",
    "load_workload",
    "load_workloads",
]
