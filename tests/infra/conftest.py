"""The synthesized templates, once for a session and for all of its worker processes."""

from __future__ import annotations

import fcntl
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.infra.templates import Templates

ROOT = Path(__file__).resolve().parents[2]
EXTRA_WORKLOAD = "pump_pressure"
SPECS = sorted([*ROOT.glob("workloads/*.yaml"), *Path(__file__).parent.glob("workloads/*.yaml")])
WORKLOADS = sorted(path.stem for path in SPECS)
"""The project's, and those of these tests."""


@pytest.fixture(scope="session")
def cdk_context() -> dict[str, Any]:
    """The context of `cdk.json`, which the CDK command line gives to the application."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory, worker_id: str, cdk_context: dict[str, Any]) -> Path:
    """The cloud assembly of the project's workloads and of one that is only a file in a test's folder."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    outdir = shared / "cdk.out"
    with (shared / "cdk.out.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (outdir / "manifest.json").exists():
            _synthesize(shared, outdir, cdk_context)
    return outdir


@pytest.fixture(scope="session")
def templates(assembly: Path) -> Templates:
    """The templates of the assembly."""
    return Templates.read(assembly)


def _synthesize(folder: Path, outdir: Path, context: dict[str, Any]) -> None:
    files = folder / "workloads"
    files.mkdir()
    for source in SPECS:
        shutil.copy(source, files)
    synthesize(files, outdir, context)


def synthesize(
    workloads: Path, outdir: Path, context: dict[str, Any], *, checks: bool = True, shared: bool = True
) -> None:
    """Synthesize the application of a folder of workloads; the code that it deploys stands beside it."""
    import aws_cdk as cdk

    from infra.application import add_checks, add_stacks
    from infra.bundles import StandInBundles
    from infra.settings import Settings
    from watchkeeper.spec import load_workloads

    folder = workloads.parent
    app = cdk.App(outdir=str(outdir), context=context, builtin_cloud_formation_validation=False)
    settings = Settings(region="eu-west-1", workloads=workloads, build=folder / "build", shared=shared)
    specs = load_workloads(workloads)
    bundles = StandInBundles(settings, folder)
    add_stacks(app, settings=settings, workloads=specs, bundles=bundles)
    if checks:
        add_checks(app)
    app.synth()
