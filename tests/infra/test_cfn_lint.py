from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.infra.conftest import WORKLOADS

ROOT = Path(__file__).resolve().parents[2]


def test_cfn_lint_finds_nothing_in_any_template(assembly: Path) -> None:
    files = sorted(str(file) for file in assembly.glob("*.template.json"))
    assert len(files) == 8 + len(WORKLOADS), "the shared ones, and one a workload"

    checked = subprocess.run(
        [str(Path(sys.executable).with_name("cfn-lint")), *files],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
