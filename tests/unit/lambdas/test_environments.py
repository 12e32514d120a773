"""What every function is told, and what importing it costs."""

from __future__ import annotations

import dataclasses
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lambdas
from lambdas.runtime.typed_environment import TypedEnvironment
from lambdas.runtime.workflow_step import StepEnvironment
from watchkeeper.core.errors import InvalidInputError


def entry_points(room: Path) -> list[str]:
    """Return the modules with a function's `handle`, below a folder `lambdas`."""
    return sorted(
        ".".join(path.relative_to(room).with_suffix("").parts)
        for path in room.rglob("*.py")
        if re.search(r"^(def handle\(|handle = )", path.read_text(), re.MULTILINE)
    )


ENTRY_POINTS = entry_points(Path(lambdas.__file__).parent)
SERVICES = {
    "scoring.handler": "score_telemetry",
    "alerting.handler": "publish_alert",
    "fraud.handler": "fraud_api",
    "fraud.simulating.handler": "simulate_transactions",
    "console.handler": "console_api",
    "incidents.handler": "group_anomalies",
}
"""Names in logs and metrics of functions that are called otherwise than their room or module."""
COMPILED = (
    *("console.handler", "fraud.handler", "fraud.simulating.handler", "service_api.handler"),
    *("loading.export_transactions", "loading.load_graph", "scoring.handler", "scoring.try_release"),
    *("live.let_subscribe", "backtesting.run_backtest"),
)
"""Have bundles of their own, with pydantic and with numpy."""
FORBIDDEN = ("numpy", "pandas", "pydantic", "scipy", "sklearn", "sagemaker")


def environment_of(entry_point: str) -> TypedEnvironment:
    module = importlib.import_module(f"lambdas.{entry_point}")
    (kind,) = (
        found
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, TypedEnvironment)
        and found not in (TypedEnvironment, StepEnvironment)
    )
    names = [field.name for field in dataclasses.fields(kind)]
    return kind(**{name: f"value of {name}" for name in names})


def test_there_are_thirty_five_functions() -> None:
    assert len(ENTRY_POINTS) == 35


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_function_reads_the_environment_that_infra_writes(entry_point: str) -> None:
    environment = environment_of(entry_point)
    assert type(environment).from_environ(environment.variables()) == environment
    service = SERVICES.get(entry_point) or entry_point.removesuffix(".handler").rpartition(".")[2]
    assert environment.service == service
    assert environment.variables()["POWERTOOLS_SERVICE_NAME"] == service


def test_missing_variables_are_all_named() -> None:
    environment = type(environment_of("scoring.handler"))
    with pytest.raises(InvalidInputError) as error:
        environment.from_environ({"DATA_BUCKET": "b", "ALERT_BUS": ""})
    assert "ALERT_BUS, ANOMALIES_TABLE, IDEMPOTENCY_TABLE, PAGE_BUCKET, SERIES_TABLE" in str(error.value)


def test_handlers_import_without_compiled_packages_and_without_aws() -> None:
    """In a process of its own: no region and no credentials, so that a client made at import would fail."""
    modules = [f"lambdas.{name}" for name in ENTRY_POINTS if name not in COMPILED]
    program = (
        f"import sys, {', '.join(modules)}\n"
        f"assert all(callable(sys.modules[name].handle) for name in {modules})\n"
        f"print([name for name in {FORBIDDEN} if name in sys.modules])"
    )
    root = Path(lambdas.__file__).parents[1]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ |= {"PYTHONPATH": os.pathsep.join([str(root), str(root / "model_code")])}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
