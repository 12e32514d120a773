"""cfn-lint over the templates, and over the state machines, whose definitions are files of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.infra.conftest import WORKLOADS
from tests.infra.templates import Templates

ROOT = Path(__file__).resolve().parents[2]


def lint(files: list[Path]) -> str:
    """Return what cfn-lint finds; nothing if all is well."""
    checked = subprocess.run(
        [str(Path(sys.executable).with_name("cfn-lint")), *map(str, sorted(files))],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    return checked.stdout + checked.stderr if checked.returncode else ""


def test_finds_nothing_in_any_template(assembly: Path) -> None:
    files = list(assembly.glob("*.template.json"))
    assert len(files) == 11 + len(WORKLOADS), "the shared ones, and one a workload"

    assert lint(files) == ""


def test_finds_nothing_in_any_definition_of_a_state_machine(templates: Templates, tmp_path: Path) -> None:
    machines = templates.resources("AWS::StepFunctions::StateMachine")
    assert len(machines) > 10

    files = [
        write(
            tmp_path / f"{machine.stack}-{machine.logical_id}.json",
            json.loads(definition.replace("arn:${Partition}:", "arn:aws:")),
        )
        for machine in machines
        if (definition := templates.asset(machine.properties["DefinitionS3Location"]["Key"]))
    ]

    assert lint(files) == ""


def test_finds_a_state_that_the_language_does_not_have(tmp_path: Path) -> None:
    definition = {"StartAt": "Ask", "States": {"Ask": {"Type": "Question", "End": True}}}

    assert "E3601 'Question' is not one of" in lint([write(tmp_path / "wrong.json", definition)])


def write(path: Path, definition: dict[str, Any]) -> Path:
    properties = {"RoleArn": "arn:aws:iam::123456789012:role/name", "Definition": definition}
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    path.write_text(json.dumps({"Resources": {"Machine": machine}}))
    return path
