"""The verbs of the command: each is found, and brings only what it needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import typer

from cli.main import app
from watchkeeper.command.failures import FAILURE, REJECTED, USAGE
from watchkeeper.command.main import CHECKOUT_VERBS, EXIT_STATUS, LIBRARY_VERBS

ROOT = Path(__file__).parents[3]
SCORE = """
import json, sys
from typer.testing import CliRunner
from cli.main import app
columns = ["--timestamp", "time", "--value", "value", "--output", sys.argv[2]]
done = CliRunner().invoke(app, ["score", sys.argv[1], *columns])
assert done.exit_code == 0, done.output
heavy = ("boto3", "botocore", "matplotlib", "numba", "pandas", "pyarrow", "scipy", "sklearn")
print(json.dumps([name for name in heavy if name in sys.modules]))
"""


def test_every_verb_of_the_command_is_found() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    context = typer.Context(group)
    assert set(group.list_commands(context)) == {*LIBRARY_VERBS, *CHECKOUT_VERBS}
    for name in group.list_commands(context):
        verb = group.get_command(context, name)
        assert verb is not None
        assert verb.name == name
        assert verb.help


def completions(*words: str) -> list[str]:
    """What a shell is told that the last word may become, and which modules that took."""
    program = "import sys; from cli.main import app; sys.argv = ['watchkeeper']; app()"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", program],
        cwd=ROOT,
        env={
            "PYTHONPATH": f"{ROOT}:{ROOT / 'model_code'}",
            "_WATCHKEEPER_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(("watchkeeper", *words)),
            "COMP_CWORD": str(len(words)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "boto3" not in done.stderr or len(words) > 1
    return done.stdout.split()


def test_a_shell_completes_verbs_without_importing_them_and_workloads_by_name() -> None:
    assert completions("st") == ["status"]
    assert set(completions("")) >= {"init", "score", "why", "destroy"}
    assert completions("plot", "machine_") == ["machine_temperature"]


def test_scoring_a_file_imports_neither_aws_nor_other_detectors(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("time,value\n" + "".join(f"2026-01-01T00:{row:02}:00Z,{row}\n" for row in range(60)))
    done = subprocess.run(
        [sys.executable, "-c", SCORE, table, tmp_path / "scored.csv"],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'model_code'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == []


def test_exit_statuses_are_in_the_help_and_in_the_guide() -> None:
    guide = (ROOT / "docs/guides/reading-scores.md").read_text(encoding="utf-8")
    for number in (0, FAILURE, USAGE, REJECTED):
        assert f"{number} " in EXIT_STATUS
        assert f"| {number} |" in guide
