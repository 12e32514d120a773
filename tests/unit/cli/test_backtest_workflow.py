"""The example of a workflow uses the command as it is."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from typer.testing import CliRunner

from cli.main import app

ROOT = Path(__file__).parents[3]


def test_options_in_the_workflow_are_those_of_the_command() -> None:
    workflow = yaml.safe_load((ROOT / "docs/examples/backtest-pull-request.yml").read_text())
    [script] = [step["run"] for step in workflow["jobs"]["compare"]["steps"] if step.get("name") == "Compare"]
    command = script.partition("watchkeeper backtest")[2].partition("; then")[0]
    used = set(re.findall(r"--[a-z-]+", command)) | {"--labels"}

    said = CliRunner().invoke(app, ["backtest", "--help"], env={"COLUMNS": "200"}).output

    assert {"--compare", "--history", "--markdown", "--plot"} <= used
    assert all(option in said for option in used)


def test_the_workflow_may_not_change_the_repository() -> None:
    workflow = yaml.safe_load((ROOT / "docs/examples/backtest-pull-request.yml").read_text())

    assert workflow["permissions"]["contents"] == "read"
    assert "pull_request_target" not in workflow[True]  # YAML reads `on` as true
