"""`python -m benchmarks.synthesis`: synthesize many workloads as a deployment does, cdk-nag's rules included.

The workloads are copies of one file of `workloads/` under other names and topics. The bundles of code are
small stand-ins: they do not depend on the workloads.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import aws_cdk as cdk
import psutil
import typer

from infra.application import add_checks, add_stacks
from infra.bundles import StandInBundles
from infra.settings import ROOT, Settings
from watchkeeper.core import layout
from watchkeeper.spec import load_workloads

TEMPLATE = "water_flow"


def write_workloads(folder: Path, count: int) -> None:
    """Write as many workload files."""
    folder.mkdir()
    text = (ROOT / "workloads" / f"{TEMPLATE}.yaml").read_text()
    for number in range(count):
        name = f"flow_{number:04d}"
        own = text.replace(TEMPLATE, name).replace("topic: ", f"topic: {name}/")
        (folder / f"{name}.yaml").write_text(own)


def synthesize(folder: Path, context: dict[str, object]) -> Path:
    """Synthesize the workloads of a folder and return the cloud assembly."""
    settings = Settings(workloads=folder / "workloads", build=folder / "build")
    specs = load_workloads(settings.workloads)
    bundles = StandInBundles(settings, folder)
    outdir = folder / "cdk.out"
    app = cdk.App(outdir=str(outdir), context=context, builtin_cloud_formation_validation=False)
    add_stacks(app, settings=settings, workloads=specs, bundles=bundles)
    add_checks(app)
    app.synth()
    return outdir


def main(workloads: Annotated[int, typer.Argument(help="How many.", min=1)] = 200) -> None:
    """Print the time of a synthesis and the size of its templates."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_workloads(folder / "workloads", workloads)
        began = time.perf_counter()
        assembly = synthesize(folder, context)
        seconds, processor = time.perf_counter() - began, _processor_seconds()
        sizes = {path: path.stat().st_size for path in assembly.glob("*.template.json")}
        kinds = {path: Counter(_types(path)) for path in sizes}
    own = next(path for path in sizes if path.name.startswith(layout.workload_stack("flow_0000")))
    print(f"{workloads} workloads, {len(sizes)} stacks: {seconds:.0f} s, of processors {processor:.0f} s")
    most = max(kind.total() for kind in kinds.values())
    print(f"largest template: {max(sizes.values()):,} bytes, {most} resources")
    print(f"a workload's stack: {sizes[own]:,} bytes, {kinds[own].total()} resources")
    everything = sum(kinds.values(), Counter())
    for kind in (
        "AWS::IAM::Role",
        "AWS::Events::Rule",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
    ):
        print(f"{kind}: {everything[kind]}")


def _types(path: Path) -> list[str]:
    return [resource["Type"] for resource in json.loads(path.read_text())["Resources"].values()]


def _processor_seconds() -> float:
    here = psutil.Process()
    return sum(sum(each.cpu_times()[:2]) for each in (here, *here.children(recursive=True)))


typer.run(main)
