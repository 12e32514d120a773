"""`python -m benchmarks.service.fuzz`: schemathesis against the published OpenAPI document, on the laptop.

Every answer must be documented: status, content type, headers, schema; none may be a 5xx. The check
`positive_data_acceptance` is left out: a file that does not exist, or a page token that nobody gave, is well
formed and refused.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.service.cloud import Service, deployed, given

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "ignored_auth",
)


def main(
    cases: Annotated[
        int, typer.Option(min=1, help="Random cases for each operation, beside the covering ones.")
    ] = 200,
    seed: Annotated[int, typer.Option(help="Same seed, same cases.")] = 0,
    here: Annotated[
        bool, typer.Option("--here", help="Use the cloud of LOCALCLOUD_HOME and LOCALCLOUD_PORT, as it is.")
    ] = False,
) -> None:
    """Fuzz the service; ends with schemathesis's own status."""
    place: AbstractContextManager[Service] = given() if here else deployed()
    with place as service, tempfile.TemporaryDirectory() as folder:
        raise typer.Exit(run(service, Path(folder), cases=cases, seed=seed))


def run(service: Service, folder: Path, *, cases: int, seed: int) -> int:
    """Run schemathesis in a folder and return its exit status.

    Parameters
    ----------
    cases
        Random cases for each operation.
    """
    document = folder / "openapi.json"
    with urllib.request.urlopen(f"{service.front}/openapi.json", timeout=60) as answer:
        document.write_text(json.dumps(json.load(answer)))
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", str(document), "--url", service.url, "--header", f"Authorization: Bearer {service.token}"),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", str(cases), "--seed", str(seed)),
        *("--checks", ",".join(CHECKS), "--continue-on-failure", "--no-color", "--warnings", "off"),
        *("--request-timeout", "60"),
    ]
    return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    typer.run(main)
