"""The project's stacks, deployed with the pinned CDK command line: no more of them than has changed."""

from __future__ import annotations

import dataclasses
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
from cli.failures import StepFailedError
from cli.retained import adoptable
from cli.specs import ROOT, WORKLOADS
from cli.stacks import STORAGE
from watchkeeper.command.screen import console, done, errors, say
from watchkeeper.core import layout
from watchkeeper.spec.loading import SUFFIX

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
    "web/dist/.built",
)
"""What the templates and their assets are made from, besides the workloads; a path that does not exist counts
as empty."""
MANIFEST = "manifest.json"
NO_WORKLOAD = "none"
"""Asks for the shared stacks alone."""
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
    shared
        Whether the shared stacks are synthesized, too.
    """

    session: boto3.Session
    stage: Stage
    workload: str | None = None
    root: Path = ROOT
    workloads: Path = WORKLOADS
    shared: bool = True
    run: Run = field(default=run_in_project)

    def deploy(self) -> None:
        """Synthesize if anything changed, bootstrap if needed, deploy the stacks.

        Where the account has the shared stacks as these sources make them, those of the chosen workloads are
        synthesized and deployed alone. Nothing is synthesized that the assembly of all workloads has.

        Raises
        ------
        StepFailedError
            If one of the steps fails.
        """
        stacks = self._alone()
        whole = dataclasses.replace(self, workload=None)
        source = whole if whole._is_current() else self
        if stacks and self.shared_are_deployed():
            say("the shared stacks are up to date")
            source = source if source._is_current() else dataclasses.replace(self, shared=False)
            source.synthesize_and_say()
            source.cdk_deploy("--exclusively", *stacks)
            return
        source.synthesize_and_say()
        if not self.is_bootstrapped():
            account = self.session.client("sts").get_caller_identity()["Account"]
            # Without --app, bootstrapping would run the whole CDK application again.
            self._cdk("bootstrap", "--app", source.assembly, f"aws://{account}/{self.region}")
        source._adopt()
        if source.workload == self.workload:
            source.cdk_deploy("--all")
        else:
            source.cdk_deploy("--exclusively", *_shared(source.templates()), *stacks)

    def _alone(self) -> list[str]:
        """Return the stacks of the chosen workloads."""
        if self.workload is None:
            names = sorted(path.stem for path in self.workloads.glob(f"*{SUFFIX}"))
        else:
            names = [] if self.workload == NO_WORKLOAD else self.workload.split(",")
        return [layout.workload_stack(name) for name in names]

    def shared_are_deployed(self) -> bool:
        """Whether each shared stack is deployed with the template that the sources make.

        What they make, any assembly of the same sources says: shared templates know of no workload.
        """
        made = self._inputs()
        for record in sorted((self.root / ASSEMBLIES).glob(f"{self.stage.value}*.sha256")):
            assembly = Assembly(record.with_suffix(""))
            current = record.read_text().split()[:1] == [made] and (assembly.folder / MANIFEST).is_file()
            if current and STORAGE in assembly.stacks:
                return all(self._is_deployed(name, assembly.stacks[name]) for name in _shared(assembly))
        return False

    def _is_deployed(self, stack: str, template: Path) -> bool:
        if self.status(stack) not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return False
        found = self.session.client("cloudformation").get_template(StackName=stack)["TemplateBody"]
        return bool(found == json.loads(template.read_text()))

    def cdk_deploy(self, *chosen: str) -> None:
        """Deploy stacks of the assembly."""
        self._cdk(
            *("deploy", "--app", self.assembly, *chosen, "--concurrency", str(CONCURRENCY)),
            *("--require-approval", "never", "--progress", "events"),
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
        if self._is_current():
            return False
        fingerprint = self.fingerprint()
        record = self.root / f"{self.assembly}.sha256"
        record.unlink(missing_ok=True)
        context = ["-c", f"workloads={self.workloads}", "-c", f"stage={self.stage.value}"]
        if self.workload is not None:
            context += ["-c", f"workload={self.workload}"]
        if not self.shared:
            context += ["-c", "shared=false"]
        self._cdk("synth", "--quiet", "--output", self.assembly, *context)
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(fingerprint + "\n")
        return True

    def synthesize_and_say(self) -> None:
        """Synthesize if anything changed, and say which."""
        if self.synthesize():
            done(f"templates written to {self.assembly}")
        else:
            say("templates are up to date")

    def _is_current(self) -> bool:
        """Whether the assembly is there, made from the same."""
        record = self.root / f"{self.assembly}.sha256"
        known = record.read_text().strip() if record.is_file() else None
        return known == self.fingerprint() and (self.root / self.assembly / MANIFEST).is_file()

    def templates(self) -> Assembly:
        """Return what would be deployed."""
        self.synthesize()
        return Assembly(self.root / self.assembly)

    def fingerprint(self) -> str:
        """Return hashes of everything that the templates depend on: the sources, and the workloads."""
        return f"{self._inputs()} {_digest(str(self.workloads), _files([self.workloads]))}"

    def _inputs(self) -> str:
        """Return a hash of what the shared stacks' templates depend on."""
        about = f"{self.stage.value}\0{self.region}\0{sys.version_info[:2]}"
        if self.stage is Stage.LAPTOP:  # where links of alerts lead
            about += f"\0{os.environ.get('WATCHKEEPER_SERVICE_URL', '')}"
        return _digest(about, _files(self.root / name for name in INPUTS))

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
        if not self.shared:
            name += ".alone"
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


def _shared(assembly: Assembly) -> list[str]:
    """Return the stacks that are of no workload."""
    return [name for name in assembly.stacks if not name.startswith(layout.workload_stack(""))]


def _digest(about: str, files: Iterable[Path]) -> str:
    digest = hashlib.sha256(f"{about}\0".encode())
    for path in files:
        digest.update(f"{path}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in sorted(paths):
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from (
                file for file in sorted(path.rglob("*")) if file.is_file() and not _IGNORED & set(file.parts)
            )
