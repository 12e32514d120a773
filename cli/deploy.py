"""`watchkeeper deploy`: synthesize once, bootstrap once, deploy every stack."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Protocol

import boto3
import typer
from botocore.exceptions import ClientError

from cli.assembly import Assembly
from cli.diff import say_what_changes
from cli.failures import StepFailedError
from cli.preflight.report import examine, show_end, show_finding
from cli.retained import adoptable
from cli.specs import ROOT, WORKLOADS, path_of, spec_of
from cli.stacks import STORAGE
from watchkeeper.command.screen import console, done, errors, say
from watchkeeper.core import layout
from watchkeeper.spec import WorkloadSpec, load_workloads

ASSEMBLIES = "build/assemblies"
"""The cloud assemblies, and beside each a hash of what it was made from."""
INPUTS = (
    "app.py",
    "cdk.json",
    "infra",
    "lambdas",
    "model_code",
    "package-lock.json",
    "pipeline",
    "requirements.txt",
)
"""What the templates and their assets are made from, besides the workloads; a path that does not exist counts
as empty."""
BOOTSTRAP_STACK = "CDKToolkit"
CONCURRENCY = 4
LOG = "build/cdk.log"
SHOWN_CHARACTERS = 6000
"""How much of the log's end is shown when a step fails."""

_IGNORED = {"__pycache__"}


class Stage(StrEnum):
    """Whose machines the model code's compiled dependencies are built for."""

    AWS = "aws"
    LAPTOP = "laptop"


StageOption = Annotated[
    Stage,
    typer.Option(envvar="WATCHKEEPER_STAGE", help="`laptop` builds compiled code for this machine."),
]


class Run(Protocol):
    """Runs a program and returns its exit status."""

    def __call__(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run `command` in the project's folder."""


def run_in_project(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program in the project's folder; what it writes goes to a file, and is shown when it fails."""
    log = ROOT / LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    name = " ".join([Path(command[0]).name, *command[1:2]])
    with console.status(f"{name} (writes to {LOG})"), log.open("w") as stream:
        status = subprocess.run(
            command, cwd=ROOT, env=environment, check=False, stdout=stream, stderr=subprocess.STDOUT
        ).returncode
    if status:
        errors.print(log.read_text()[-SHOWN_CHARACTERS:], markup=False, soft_wrap=True)
    return status


@dataclass(frozen=True)
class Deployer:
    """Deploys the project's stacks with the pinned CDK command line.

    Parameters
    ----------
    workload
        Those whose stacks are deployed, after the shared ones where these changed, separated by commas, or
        `none`; None: every one's.
    """

    session: boto3.Session
    stage: Stage
    workload: str | None = None
    root: Path = ROOT
    workloads: Path = WORKLOADS
    run: Run = field(default=run_in_project)

    def deploy(self) -> None:
        """Synthesize if anything changed, bootstrap if needed, deploy the stacks.

        Raises
        ------
        StepFailedError
            If one of the steps fails.
        """
        if self.synthesize():
            done(f"templates written to {self.assembly}")
        else:
            say("templates are up to date")
        if not self.is_bootstrapped():
            account = self.session.client("sts").get_caller_identity()["Account"]
            # Without --app, bootstrapping would run the whole CDK application again.
            self._cdk("bootstrap", "--app", self.assembly, f"aws://{account}/{self.region}")
        self._adopt()
        self._cdk(
            "deploy",
            "--app",
            self.assembly,
            "--all",
            "--concurrency",
            str(CONCURRENCY),
            "--require-approval",
            "never",
            "--progress",
            "events",
        )

    def _adopt(self) -> None:
        """Take up the data that an earlier `destroy` has kept, instead of beginning with none."""
        if self.status(STORAGE) is not None:
            return
        kept = adoptable(self.session, STORAGE)
        if not kept:
            return
        made = {each.logical_id for each in self.templates().resources if each.stack == STORAGE}
        mapping = {name: identifier for name, identifier in kept.items() if name in made}
        for identifier in mapping.values():
            say(f"adopts what `destroy` has kept: {', '.join(identifier.values())}")
        self._cdk(
            *("import", STORAGE, "--app", self.assembly, "--progress", "events"),
            *("--resource-mapping-inline", json.dumps(mapping)),
        )

    def synthesize(self) -> bool:
        """Write the cloud assembly unless it is there for the same inputs; say whether it was written."""
        fingerprint = self.fingerprint()
        record = self.root / f"{self.assembly}.sha256"
        known = record.read_text().strip() if record.is_file() else None
        if known == fingerprint and (self.root / self.assembly / "manifest.json").is_file():
            return False
        record.unlink(missing_ok=True)
        context = ["-c", f"workloads={self.workloads}", "-c", f"stage={self.stage.value}"]
        if self.workload is not None:
            context += ["-c", f"workload={self.workload}"]
        self._cdk("synth", "--quiet", "--output", self.assembly, *context)
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(fingerprint + "\n")
        return True

    def templates(self) -> Assembly:
        """Return what would be deployed."""
        self.synthesize()
        return Assembly(self.root / self.assembly)

    def fingerprint(self) -> str:
        """Return a hash of everything that the templates depend on."""
        digest = hashlib.sha256(f"{self.stage.value}\0{self.region}\0{sys.version_info[:2]}\0".encode())
        digest.update(f"{self.workloads}\0".encode())
        for path in (*_files(self.root / name for name in INPUTS), *_files([self.workloads])):
            digest.update(f"{path}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def is_bootstrapped(self) -> bool:
        """Whether the CDK's own stack is there."""
        status = self.status(BOOTSTRAP_STACK)
        return (
            status is not None
            and status.endswith("_COMPLETE")
            and not status.startswith(("DELETE", "ROLLBACK"))
        )

    def status(self, stack: str) -> str | None:
        """Return a stack's status; None if there is no such stack."""
        client = self.session.client("cloudformation")
        try:
            return str(client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                return None
            raise

    @property
    def assembly(self) -> str:
        """The cloud assembly of the stage, or of one workload at it, relative to the project's folder."""
        name = self.stage.value
        if self.workload is not None:
            several = "," in self.workload
            name += f".{layout.short_hash(self.workload) if several else self.workload}"
        return f"{ASSEMBLIES}/{name}"

    @property
    def region(self) -> str:
        """The session's region."""
        if self.session.region_name is None:
            raise StepFailedError("no AWS region: set AWS_REGION")
        return self.session.region_name

    def _cdk(self, *arguments: str) -> None:
        cdk = self.root / "node_modules" / ".bin" / "cdk"
        if not cdk.is_file():
            raise StepFailedError(f"no CDK command line at {cdk}: run `make setup`")
        status = self.run([str(cdk), *arguments], self._environment())
        if status:
            raise StepFailedError(f"`cdk {arguments[0]}` failed with status {status}; its messages are above")

    def _environment(self) -> dict[str, str]:
        interpreter = str(Path(sys.executable).parent)
        return {
            **os.environ,
            "PATH": os.pathsep.join([interpreter, os.environ.get("PATH", "")]),
            "AWS_REGION": self.region,
            "CDK_DEFAULT_REGION": self.region,
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        }


def deploy(
    workload: Annotated[
        str | None, typer.Option(help="Deploy this workload's stack only, and the shared ones.")
    ] = None,
    stage: StageOption = Stage.AWS,
    samples: Annotated[
        bool | None,
        typer.Option(
            "--samples/--no-samples", help="The project's sample workloads, too; the default on a laptop."
        ),
    ] = None,
    preflight: Annotated[
        bool | None,
        typer.Option(
            "--preflight/--no-preflight",
            help="Look first whether the account can take it; the default for stage aws.",
        ),
    ] = None,
) -> None:
    """Deploy the shared stacks, and the stack of each workload or of one."""
    session = boto3.Session()
    chosen = None
    if workload is not None:
        specs = [spec_of(workload)]
        chosen = specs[0].name
    else:
        specs = load_workloads(WORKLOADS)
        if not (stage is Stage.LAPTOP if samples is None else samples):
            specs = _without_samples(session, specs)
            chosen = ",".join(spec.name for spec in specs) or "none"
    folder = WORKLOADS if workload is None else path_of(workload).absolute().parent
    deployer = Deployer(session, stage, chosen, workloads=folder)
    if stage is Stage.AWS if preflight is None else preflight:
        report = examine(session, specs, deployer.templates, show_finding)
        show_end(report)
        if report.reds:
            raise StepFailedError(
                "nothing is deployed: see the red lines above; `--no-preflight` deploys all the same"
            )
    if workload is not None:
        say_what_changes(session, specs[0].plan())
    deployer.deploy()
    done("all stacks are deployed" if workload is None else f"{workload} is deployed")


def _without_samples(session: boto3.Session, specs: list[WorkloadSpec]) -> list[WorkloadSpec]:
    """Leave samples out, but those that are deployed: these are kept up to date."""
    stacks = Deployer(session, Stage.AWS)
    kept = [spec for spec in specs if not spec.sample or stacks.status(layout.workload_stack(spec.name))]
    left_out = [spec.name for spec in specs if spec not in kept]
    if left_out:
        say(
            f"samples are left out: {', '.join(left_out)}; `--samples` deploys them, `--workload NAME` one "
            "of them"
        )
    return kept


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in sorted(paths):
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from (
                file for file in sorted(path.rglob("*")) if file.is_file() and not _IGNORED & set(file.parts)
            )
