"""The workload spec: its types, how a file is read, and the detection plan that follows from it.

For what runs on a developer's machine: infra, pipeline and the command. It needs pydantic and PyYAML, and is
not packed for jobs and functions, which read the plan. The files themselves are in the folder `workloads/`.
"""

from watchkeeper.spec.alerting import Subscription
from watchkeeper.spec.anomaly import AnomalyWorkload
from watchkeeper.spec.behaviour import DeviceBehaviourWorkload
from watchkeeper.spec.fraud import FraudWorkload
from watchkeeper.spec.loading import load_workload, load_workloads
from watchkeeper.spec.problems import Problem, WorkloadSpecError
from watchkeeper.spec.regression import RegressionWorkload
from watchkeeper.spec.types import WorkloadSpec

__all__ = [
    "AnomalyWorkload",
    "DeviceBehaviourWorkload",
    "FraudWorkload",
    "Problem",
    "RegressionWorkload",
    "Subscription",
    "WorkloadSpec",
    "WorkloadSpecError",
    "load_workload",
    "load_workloads",
]
