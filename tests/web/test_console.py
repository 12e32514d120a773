"""The console's own checks: its types, its component tests, the size and the policy of what is built."""

import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"


@pytest.mark.parametrize(
    "command",
    [("tsc", "--noEmit"), ("vitest", "run", "--reporter=dot")],
    ids=["types", "component tests"],
)
def test_console_passes_its_own_checks(command: tuple[str, ...]) -> None:
    program = WEB / "node_modules" / ".bin" / command[0]
    if not program.exists():
        pytest.fail(f"{program} is not there: `make setup` installs it")
    done = subprocess.run([program, *command[1:]], cwd=WEB, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
