"""The fenced scripts of a document, run as they stand; only the laptop's ports are those of the tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tests.local.laptop import ROOT, Laptop

CLOCKS = ROOT / "tests" / "contract" / "localcloud" / "published"
HURRIED = "import hurried, sagemaker.session; sagemaker.session.time = hurried.Clock()\n"
"""Before a script with the SageMaker SDK, which looks only every 10 to 30 seconds how far a job is."""
GUIDES = ROOT / "docs" / "guides"
FENCE = re.compile(r"^```(python|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def run_scripts(
    document: Path, laptop: Laptop, folder: Path, other: Mapping[str, str] = MappingProxyType({})
) -> list[str]:
    """Run a document's fenced scripts one after the other in one folder; return what each prints.

    `other` is put in place of what they say, besides ports.
    """
    settings = laptop.cloud.settings
    addresses = {
        "http://localhost:8000": laptop.service_url,
        "http://127.0.0.1:4566": settings.endpoint_url,
        "port=8883": f"port={settings.mqtt_tls_port}",
        **other,
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    told = []
    for language, script in FENCE.findall(document.read_text()):
        for documented, here in addresses.items():
            script = script.replace(documented, here)
        if language == "python" and "import sagemaker" in script:
            script = HURRIED + script
        program = [sys.executable, "-c"] if language == "python" else ["bash", "-euo", "pipefail", "-c"]
        done = subprocess.run(
            [*program, script],
            cwd=folder,
            env={**os.environ, **laptop.variables, "PATH": path, "PYTHONPATH": str(CLOCKS)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        told.append(done.stdout)
    return told
