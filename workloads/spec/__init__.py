"""The workload spec: its types, how a file is read, and the detection plan that follows from it."""

from workloads.spec.loading import load_workload, load_workloads
from workloads.spec.problems import Problem, WorkloadSpecError
from workloads.spec.types import WorkloadSpec

__all__ = ["Problem", "WorkloadSpec", "WorkloadSpecError", "load_workload", "load_workloads"]
