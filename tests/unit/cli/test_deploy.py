"""Deploying: synthesize once, bootstrap once, and stop at the first failure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import boto3
import pytest
from typer.testing import CliRunner

from cli.deploy import deploy
from cli.deployer import Deployer, Stage
from cli.failures import StepFailedError
from cli.main import app
from cli.specs import WORKLOADS

ASSEMBLY = "build/assemblies/laptop"


class FakeCdk:
    """Stands for the CDK's command line: remembers, and writes an assembly as it would."""

    def __init__(self, root: Path, failing: str = "") -> None:
        self.root = root
        self.failing = failing
        self.calls: list[list[str]] = []
        self.environment: Mapping[str, str] = {}

    def __call__(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        self.calls.append(list(command[1:]))
        self.environment = environment
        if command[1] == self.failing:
            return 7
        if command[1] == "synth":
            (self.root / ASSEMBLY).mkdir(parents=True, exist_ok=True)
            (self.root / ASSEMBLY / "manifest.json").write_text('{"artifacts": {}}')
        return 0

    def verbs(self) -> list[str]:
        return [call[0] for call in self.calls]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "node_modules/.bin").mkdir(parents=True)
    (tmp_path / "node_modules/.bin/cdk").touch()
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra/stack.py").write_text("a = 1\n")
    return tmp_path


def deployer(session: boto3.Session, root: Path, cdk: FakeCdk, stage: Stage = Stage.LAPTOP) -> Deployer:
    return Deployer(session, stage, root=root, run=cdk)


def test_bootstraps_an_empty_account_and_deploys_all_stacks(session: boto3.Session, root: Path) -> None:
    cdk = FakeCdk(root)

    deployer(session, root, cdk).deploy()

    assert cdk.verbs() == ["synth", "bootstrap", "deploy"]
    assert cdk.calls[0][-2:] == ["-c", "stage=laptop"]
    assert cdk.calls[1] == ["bootstrap", "--app", ASSEMBLY, "aws://123456789012/us-east-1"]
    assert {"--all", "--require-approval", "never", "--app", ASSEMBLY} <= set(cdk.calls[2])
    assert cdk.environment["CDK_DEFAULT_REGION"] == "us-east-1"


def test_second_deployment_of_the_same_sources_does_not_synthesize(
    session: boto3.Session, root: Path
) -> None:
    cdk = FakeCdk(root)
    session.client("cloudformation").create_stack(
        StackName="CDKToolkit", TemplateBody='{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'
    )
    deployer(session, root, cdk).deploy()
    deployer(session, root, cdk).deploy()

    assert cdk.verbs() == ["synth", "deploy", "deploy"]


def test_a_changed_source_another_stage_or_a_lost_assembly_synthesizes_anew(
    session: boto3.Session, root: Path
) -> None:
    cdk = FakeCdk(root)
    assert deployer(session, root, cdk).synthesize()
    assert not deployer(session, root, cdk).synthesize()

    (root / "infra/stack.py").write_text("a = 2\n")
    assert deployer(session, root, cdk).synthesize()
    assert deployer(session, root, cdk, Stage.AWS).synthesize()
    (root / ASSEMBLY / "manifest.json").unlink()
    assert deployer(session, root, cdk, Stage.AWS).synthesize()


def test_what_a_deleted_stack_has_kept_is_imported_before_the_deployment(
    session: boto3.Session, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {"Bucket": {"BucketName": "data-1"}, "OfAnEarlierVersion": {"TableName": "t"}}
    monkeypatch.setattr("cli.deployer.adoptable", lambda session, stack: kept)
    cdk = FakeCdk(root)
    one = deployer(session, root, cdk)
    one.synthesize()
    folder = root / ASSEMBLY
    (folder / "storage.json").write_text('{"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}')
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "storage.json"}}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"WatchkeeperStorage": stack}}))

    one.deploy()

    assert cdk.verbs() == ["synth", "bootstrap", "import", "deploy"]
    assert cdk.calls[2][1] == "WatchkeeperStorage"
    assert json.loads(cdk.calls[2][-1]) == {"Bucket": {"BucketName": "data-1"}}


def test_storage_that_is_deployed_adopts_nothing(
    session: boto3.Session, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = '{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'
    session.client("cloudformation").create_stack(StackName="WatchkeeperStorage", TemplateBody=body)
    monkeypatch.setattr("cli.deployer.adoptable", lambda session, stack: {"T": {"BucketName": "b"}})
    cdk = FakeCdk(root)

    deployer(session, root, cdk).deploy()

    assert "import" not in cdk.verbs()


def test_one_workload_has_an_assembly_of_its_own_with_its_stack_alone(
    session: boto3.Session, root: Path
) -> None:
    cdk = FakeCdk(root)

    one = Deployer(session, Stage.LAPTOP, "water_flow", root=root, run=cdk)
    one.deploy()

    assert one.assembly == f"{ASSEMBLY}.water_flow"
    assert cdk.calls[0] == [
        *("synth", "--quiet", "--output", one.assembly),
        *("-c", f"workloads={WORKLOADS}", "-c", "stage=laptop"),
        *("-c", "workload=water_flow"),
    ]
    assert {"--all", "--app", one.assembly} <= set(cdk.calls[-1])
    assert deployer(session, root, cdk).synthesize(), "the assembly of all is another one"


SHARED = ("WatchkeeperStorage", "WatchkeeperTraining")


def topic(name: str) -> str:
    return json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}}})


def write_assembly(folder: Path, *stacks: str) -> None:
    artifacts = {}
    for stack in stacks:
        (folder / f"{stack}.json").write_text(topic(stack))
        properties = {"templateFile": f"{stack}.json"}
        artifacts[stack] = {"type": "aws:cloudformation:stack", "properties": properties}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))


def test_a_workload_goes_alone_where_the_shared_stacks_are_deployed_as_these_sources_make_them(
    session: boto3.Session, root: Path
) -> None:
    cdk = FakeCdk(root)
    deployer(session, root, cdk).synthesize()
    write_assembly(root / ASSEMBLY, *SHARED, "Watchkeeper-water-flow")
    for stack in SHARED:
        session.client("cloudformation").create_stack(StackName=stack, TemplateBody=topic(stack))

    elsewhere = root / "infra"
    Deployer(session, Stage.LAPTOP, "water_flow,air", root=root, workloads=elsewhere, run=cdk).deploy()

    synth, deploying = cdk.calls[1:]
    assert synth[-2:] == ["-c", "shared=false"]
    assert synth[synth.index("--output") + 1] == deploying[deploying.index("--app") + 1]
    assert deploying[3:6] == ["--exclusively", "Watchkeeper-water-flow", "Watchkeeper-air"]


def test_a_new_workload_goes_with_the_others_and_without_the_shared_stacks_as_these_are_deployed(
    session: boto3.Session, root: Path, tmp_path: Path
) -> None:
    cdk, workloads = FakeCdk(root), tmp_path / "workloads"
    workloads.mkdir()
    (workloads / "water_flow.yaml").touch()
    all_of_them = Deployer(session, Stage.LAPTOP, root=root, workloads=workloads, run=cdk)
    all_of_them.synthesize()
    write_assembly(root / ASSEMBLY, *SHARED, "Watchkeeper-water-flow")
    for stack in SHARED:
        session.client("cloudformation").create_stack(StackName=stack, TemplateBody=topic(stack))
    (workloads / "air.yaml").touch()

    all_of_them.deploy()

    synth, deploying = cdk.calls[1:]
    assert synth[-2:] == ["-c", "shared=false"]
    assert deploying[3:6] == ["--exclusively", "Watchkeeper-air", "Watchkeeper-water-flow"]


@pytest.mark.parametrize("change", ["sources", "deployed", "status", "stage"])
def test_a_workload_goes_with_the_shared_stacks_where_these_may_differ(
    session: boto3.Session, root: Path, change: str
) -> None:
    cdk, client = FakeCdk(root), session.client("cloudformation")
    deployer(session, root, cdk).synthesize()
    write_assembly(root / ASSEMBLY, *SHARED)
    for stack in SHARED[: 1 if change == "status" else 2]:
        name = "another" if change == "deployed" and stack == SHARED[1] else stack
        client.create_stack(StackName=stack, TemplateBody=topic(name))
    if change == "sources":
        (root / "infra/stack.py").write_text("a = 2\n")
    stage = Stage.AWS if change == "stage" else Stage.LAPTOP

    elsewhere = root / "infra"
    Deployer(session, stage, "water_flow", root=root, workloads=elsewhere, run=cdk).deploy()

    assert "shared=false" not in cdk.calls[1]
    assert "--all" in cdk.calls[-1]


def test_a_workload_goes_with_the_shared_stacks_from_the_assembly_of_all_where_that_is_there(
    session: boto3.Session, root: Path
) -> None:
    cdk = FakeCdk(root)
    deployer(session, root, cdk).synthesize()
    write_assembly(root / ASSEMBLY, *SHARED, "Watchkeeper-air", "Watchkeeper-water-flow")

    Deployer(session, Stage.LAPTOP, "water_flow", root=root, run=cdk).deploy()

    assert cdk.verbs() == ["synth", "bootstrap", "deploy"]
    assert cdk.calls[-1][1:6] == ["--app", ASSEMBLY, "--exclusively", *SHARED]
    assert [each for each in cdk.calls[-1] if each.startswith("Watchkeeper-")] == ["Watchkeeper-water-flow"]


def test_a_workload_whose_whole_assembly_is_there_goes_alone_from_it(
    session: boto3.Session, root: Path
) -> None:
    cdk = FakeCdk(root)
    one = Deployer(session, Stage.LAPTOP, "water_flow", root=root, run=cdk)
    one.synthesize()
    (root / one.assembly).mkdir()
    write_assembly(root / one.assembly, *SHARED, "Watchkeeper-water-flow")
    for stack in SHARED:
        session.client("cloudformation").create_stack(StackName=stack, TemplateBody=topic(stack))

    one.deploy()

    assert cdk.verbs() == ["synth", "deploy"]
    assert cdk.calls[1][1:5] == ["--app", one.assembly, "--exclusively", "Watchkeeper-water-flow"]


@pytest.mark.parametrize(
    ("arguments", "deployed", "chosen"),
    [
        (["--stage", "aws"], [], "mine"),
        (["--stage", "aws"], ["Watchkeeper-water-flow"], "mine,water_flow"),
        (["--stage", "aws", "--samples"], [], None),
        (["--stage", "aws", "--workload", "water_flow"], [], "water_flow"),
        (["--stage", "laptop"], [], None),
        (["--stage", "laptop", "--no-samples"], [], "mine"),
    ],
)
def test_samples_are_deployed_into_an_account_only_where_they_are_asked_for(
    session: boto3.Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    deployed: list[str],
    chosen: str | None,
) -> None:
    sample = (WORKLOADS / "water_flow.yaml").read_text()
    (tmp_path / "water_flow.yaml").write_text(sample)
    own = sample.replace("name: water_flow", "name: mine").replace("sample: true\n", "")
    (tmp_path / "mine.yaml").write_text(own)
    for module in ("cli.deploy", "cli.specs"):
        monkeypatch.setattr(f"{module}.WORKLOADS", tmp_path)
    body = '{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'
    for name in deployed:
        session.client("cloudformation").create_stack(StackName=name, TemplateBody=body)
    made: list[str | None] = []
    monkeypatch.setattr(Deployer, "deploy", lambda self: made.append(self.workload))

    outcome = CliRunner().invoke(app, ["deploy", "--no-preflight", *arguments])

    assert outcome.exit_code == 0, outcome.output
    assert made == [chosen]
    assert ("samples are left out: water_flow" in outcome.output) is (chosen == "mine")


def test_a_synthesis_that_failed_is_not_taken_for_done(session: boto3.Session, root: Path) -> None:
    with pytest.raises(StepFailedError, match="`cdk synth` failed with status 7"):
        deployer(session, root, FakeCdk(root, failing="synth")).deploy()

    assert deployer(session, root, FakeCdk(root)).synthesize()


def test_an_absent_cdk_names_the_remedy(session: boto3.Session, root: Path) -> None:
    (root / "node_modules/.bin/cdk").unlink()

    with pytest.raises(StepFailedError, match="make setup"):
        deployer(session, root, FakeCdk(root)).synthesize()


def test_a_workload_given_by_its_file_is_deployed_from_its_folder(
    session: boto3.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, object] = {}

    class Recorded(Deployer):
        def deploy(self) -> None:
            made[str(self.workload)] = self.workloads

    monkeypatch.setattr("cli.deploy.Deployer", Recorded)
    monkeypatch.setattr("cli.deploy.say_what_changes", lambda *_: None)
    file = tmp_path / "water_flow.yaml"
    file.write_text((WORKLOADS / "water_flow.yaml").read_text())

    deploy(workload=str(file), stage=Stage.LAPTOP)

    assert made == {"water_flow": tmp_path}
