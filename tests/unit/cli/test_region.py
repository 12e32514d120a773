"""The region of a command, as every other client of AWS finds it."""

from __future__ import annotations

import boto3
import pytest
import typer
from typer.testing import CliRunner

from cli.failures import AwsReportingGroup

app = typer.Typer(cls=AwsReportingGroup)


@app.command()
def region() -> None:
    """Say which region a session is of."""
    typer.echo(boto3.Session().region_name)


@app.callback()
def main() -> None:
    """Have several commands."""


def test_the_variable_of_the_other_clients_names_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")

    assert CliRunner().invoke(app, ["region"]).output.strip() == "eu-west-1"
