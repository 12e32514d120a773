"""cfn-lint over the templates, and over the state machines, whose definitions are files of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import WORKLOADS
from tests.infra.templates import Templates

ROOT = Path(__file__).resolve().parents[2]


Found = dict[Path, list[str]]


@pytest.fixture(scope="module")
def definitions(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A template of each state machine with its definition inside."""
    folder = tmp_path_factory.mktemp("definitions")
    return [
        write(
            folder / f"{machine.stack}-{machine.logical_id}.json",
            json.loads(definition.replace("arn:${Partition}:", "arn:aws:")),
        )
        for machine in templates.resources("AWS::StepFunctions::StateMachine")
        if (definition := templates.asset(machine.properties["DefinitionS3Location"]["Key"]))
    ]


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state machine with a state that the language does not have."""
    definition = {"StartAt": "Ask", "States": {"Ask": {"Type": "Question", "End": True}}}
    return write(tmp_path_factory.mktemp("wrong") / "wrong.json", definition)


@pytest.fixture(scope="module")
def found(assembly: Path, definitions: list[Path], wrong: Path) -> Found:
    """What cfn-lint finds in which file; it reads its rules once for all."""
    files = [*assembly.glob("*.template.json"), *definitions, wrong]
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--format", "json", *map(str, sorted(files))]
    checked = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    told: Found = defaultdict(list)
    for match in json.loads(checked.stdout or pytest.fail(checked.stderr)):
        told[Path(match["Filename"])].append(f"{match['Rule']['Id']} {match['Message']}")
    return told


def test_finds_nothing_in_any_template(assembly: Path, found: Found) -> None:
    files = list(assembly.glob("*.template.json"))
    assert len(files) == 11 + len(WORKLOADS), "the shared ones, and one a workload"

    assert {file: found[file] for file in files if file in found} == {}


def test_finds_nothing_in_any_definition_of_a_state_machine(definitions: list[Path], found: Found) -> None:
    assert len(definitions) > 10

    assert {file: found[file] for file in definitions if file in found} == {}


def test_finds_a_state_that_the_language_does_not_have(wrong: Path, found: Found) -> None:
    assert [told for told in found[wrong] if told.startswith("E3601 'Question' is not one of")]


def write(path: Path, definition: dict[str, Any]) -> Path:
    properties = {"RoleArn": "arn:aws:iam::123456789012:role/name", "Definition": definition}
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    path.write_text(json.dumps({"Resources": {"Machine": machine}}))
    return path
