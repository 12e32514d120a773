"""The two versions: a workload file as it lies there, and as it was at a git ref, or another file."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

from cli.specs import path_of, spec_of
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec import AnomalyWorkload, WorkloadSpec, WorkloadSpecError, load_workload

YAML = (".yaml", ".yml")


def spec_here(workload: str) -> tuple[Path, AnomalyWorkload]:
    """Return the file of a workload, given by its name or path, and what it says.

    Raises
    ------
    InvalidInputError
        If there is no such workload, its spec is wrong, or it is of another kind.
    """
    path = path_of(workload)
    return path, _of_telemetry(spec_of(workload), str(path))


def spec_before(named: str, path: Path) -> AnomalyWorkload:
    """Return the version that the workload in `path` is compared with.

    Parameters
    ----------
    named
        A workload file, or a git ref: then it is the same file at that ref.

    Raises
    ------
    InvalidInputError
        If there is no such file or ref, the file was not there, or what it says is wrong.
    """
    if named.endswith(YAML):
        other = Path(named)
        if not other.is_file():
            raise InvalidInputError(f"--compare {named}: there is no such file")
        text = other.read_text(encoding="utf-8")
        return _of_telemetry(_spec_of_text(text, other.with_name(path.name), named), named)
    name = f"{named}:{path}"
    return _of_telemetry(_spec_of_text(text_at(named, path), path, name), name)


def text_at(ref: str, path: Path) -> str:
    """Return what a file said at a git ref.

    Raises
    ------
    InvalidInputError
        If git does not know it; says what git said.
    """
    if ref.startswith("-"):
        raise InvalidInputError(f"--compare {ref}: not a git ref")
    command = ["git", "-C", str(path.parent), "show", f"{ref}:./{path.name}"]
    try:
        found = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise InvalidInputError(f"--compare {ref}: git is not installed; name a file instead") from error
    if found.returncode:
        said = found.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise InvalidInputError(
            f"--compare {ref}: {path} is not known at it ({said}). Fetch the ref (in CI: a checkout with "
            "`fetch-depth: 0`), or name a file that ends in .yaml"
        )
    return found.stdout.decode()


def _spec_of_text(text: str, path: Path, name: str) -> WorkloadSpec:
    """Read a spec as if `path` had it: what it is compared with may lie under any name."""
    try:
        return load_workload(path, text)
    except WorkloadSpecError as error:
        raise WorkloadSpecError(
            [dataclasses.replace(problem, file=name) for problem in error.problems]
        ) from error


def _of_telemetry(spec: WorkloadSpec, name: str) -> AnomalyWorkload:
    if isinstance(spec, AnomalyWorkload):
        return spec
    raise InvalidInputError(
        f"{name}: --compare is for telemetry, and the workload is of kind {spec.kind}; train both versions, "
        "and compare their evaluations"
    )
