"""Finding a workload by its name or by its file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec import (
    AnomalyWorkload,
    FraudWorkload,
    RegressionWorkload,
    WorkloadSpec,
    load_workload,
)

ROOT = Path(__file__).resolve().parent.parent
WORKLOADS_VARIABLE = "WATCHKEEPER_WORKLOADS"
WORKLOADS = Path(os.environ.get(WORKLOADS_VARIABLE) or ROOT / "workloads").absolute()
"""Folder of workload files: the checkout's, or that of a plant of its own."""


def path_of(workload: str) -> Path:
    """Return the file of a workload that is given by its name or by its file."""
    return Path(workload) if workload.endswith((".yaml", ".yml")) else WORKLOADS / f"{workload}.yaml"


def workload_names(incomplete: str) -> list[str]:
    """Return the workloads of this checkout whose names begin so: what the shell completes."""
    return sorted(file.stem for file in WORKLOADS.glob("*.yaml") if file.stem.startswith(incomplete))


WorkloadName = Annotated[
    str, typer.Argument(help="Name of a workload, or its file.", autocompletion=workload_names)
]
"""What most verbs are about."""
MaybeWorkload = Annotated[
    str | None, typer.Argument(help="Name of a workload, or its file.", autocompletion=workload_names)
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]
"""Of each verb that reads."""


def spec_of(workload: str) -> WorkloadSpec:
    """Return the spec of `workloads/NAME.yaml`, or of a file given by its path.

    Raises
    ------
    InvalidInputError
        If there is no such workload, or its spec is wrong.
    """
    path = path_of(workload)
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in WORKLOADS.glob("*.yaml"))) or "none"
        raise InvalidInputError(
            f"no workload {workload!r} ({path} does not exist); known: {known}; `watchkeeper init FILE…` "
            "writes one for files of yours"
        )
    return load_workload(path)


def name_of(workload: str) -> str:
    """Return the name of a workload, which may be deployed from elsewhere, or the one in its file."""
    return spec_of(workload).name if workload.endswith((".yaml", ".yml")) else workload


def anomaly_spec_of(workload: str, verb: str) -> AnomalyWorkload:
    """Return the spec of a workload that watches telemetry; see `spec_of`.

    Parameters
    ----------
    verb
        The command that asks, such as `replay`.

    Raises
    ------
    InvalidInputError
        If it is of another kind, too.
    """
    spec = spec_of(workload)
    if isinstance(spec, AnomalyWorkload):
        return spec
    instead = (
        f"it predicts {spec.target} from a table; use `train`, `invoke` or `backtest`"
        if isinstance(spec, RegressionWorkload)
        else "it judges transactions; use `train`, and the API for a transaction"
    )
    raise InvalidInputError(
        f"`{verb}` is for telemetry, and workload {spec.name} is of kind {spec.kind}: {instead}"
    )


def fraud_spec_of(workload: str, verb: str) -> FraudWorkload:
    """Return the spec of a workload that judges transactions; see `anomaly_spec_of`."""
    spec = spec_of(workload)
    if isinstance(spec, FraudWorkload):
        return spec
    raise InvalidInputError(
        f"`{verb}` is for transactions, and workload {spec.name} is not of kind fraud: name one that is"
    )
