"""The console's own checks: its types, its component tests, the size and the policy of what is built."""

import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"


@pytest.mark.parametrize("script", ["check", "test"])
def test_console_passes_its_own_checks(script: str) -> None:
    installed = WEB / "node_modules" / ".bin" / "vitest"
    if not installed.exists():
        pytest.fail(f"{installed} is not there: `make setup` installs it")
    done = subprocess.run(["npm", "run", "--silent", script], cwd=WEB, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
