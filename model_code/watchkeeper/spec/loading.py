"""Reading specs: every mistake of every file is reported at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import time_zone
from watchkeeper.spec.alerting import Subscription
from watchkeeper.spec.calendars import FOLDER, TIMEZONE
from watchkeeper.spec.problems import Problem, WorkloadSpecError, explain, problem_at
from watchkeeper.spec.regression import RegressionWorkload
from watchkeeper.spec.source import YamlSource, YamlSyntaxError, parse_yaml
from watchkeeper.spec.types import WORKLOAD_TYPE, WorkloadSpec

SUFFIX = ".yaml"

_CONSEQUENCES = frozenset({"default_factory_not_called"})
"""Errors that pydantic reports only because of another one."""


def load_workload(path: Path | str, text: str | None = None) -> WorkloadSpec:
    """Read one spec.

    Parameters
    ----------
    text
        What the file is going to say; without it, what it says.

    Raises
    ------
    WorkloadSpecError
        With every mistake in the file.
    """
    path = Path(path)
    problems, spec = _read(path, text)
    if spec is None or problems:
        raise WorkloadSpecError(problems)
    return spec


def load_workloads(directory: Path | str) -> list[WorkloadSpec]:
    """Read every `.yaml` file of a directory, in order of their names.

    Raises
    ------
    WorkloadSpecError
        With every mistake in every file, or if there is no file.
    """
    directory = Path(directory)
    paths = sorted(directory.glob(f"*{SUFFIX}"))
    problems = [_problem(path, "must end in .yaml") for path in sorted(directory.glob("*.yml"))]
    specs = []
    for path in paths:
        found, spec = _read(path)
        problems += found
        if spec is not None:
            specs.append(spec)
    problems += _subscribed_twice(directory, specs)
    if not paths and not problems:
        problems = [_problem(directory, "has no workload: a file NAME.yaml for each")]
    if problems:
        raise WorkloadSpecError(problems)
    return specs


def _subscribed_twice(directory: Path, specs: list[WorkloadSpec]) -> list[Problem]:
    """Find who is to be told by several subscriptions: a topic of SNS takes an address once.

    Routes of one workload share theirs.
    """
    subscribed: dict[tuple[str, str], str] = {}
    problems = []
    for spec in specs:
        for wanted in _subscriptions(spec):
            address = (wanted.protocol, wanted.endpoint)
            shared = subscribed.get(address) == spec.name and not isinstance(spec, RegressionWorkload)
            if address in subscribed and not shared:
                message = (
                    f"subscribes {wanted.protocol} {wanted.endpoint}, as {subscribed[address]} does: "
                    "the alert topic takes an address once; give this one an address of its own, such as "
                    "ops+2@example.com"
                )
                problems.append(_problem(directory / f"{spec.name}{SUFFIX}", message))
            subscribed.setdefault(address, spec.name)
    return problems


def _subscriptions(spec: WorkloadSpec) -> list[Subscription]:
    if isinstance(spec, RegressionWorkload):
        return spec.notifications
    return [route.subscription for route in spec.alerts.routes if route.subscription is not None]


def _read(path: Path, text: str | None = None) -> tuple[list[Problem], WorkloadSpec | None]:
    file = str(path)
    try:
        source = parse_yaml(path.read_text(encoding="utf-8-sig") if text is None else text)
    except OSError as error:
        return [_problem(path, f"cannot be read: {error.strerror}")], None
    except UnicodeDecodeError as error:
        return [_problem(path, f"is not UTF-8: {error.reason} at byte {error.start}")], None
    except YamlSyntaxError as error:
        return [Problem(file, error.line, "", "", str(error))], None
    problems = [
        problem_at(file, source, key, f"is there twice, first in line {first}; keep one", None)
        for key, _, first in source.duplicates
    ]
    if not isinstance(source.document, dict):
        return [
            *problems,
            _problem(path, "must be a mapping of keys to values, beginning with name and kind"),
        ], None
    try:
        spec = WORKLOAD_TYPE.validate_python(source.document, context=_context(path, source.document))
    except ValidationError as error:
        details = [detail for detail in error.errors() if detail["type"] not in _CONSEQUENCES]
        problems += [explain(file, source, detail, WorkloadSpec) for detail in details]
        return problems + _misnamed(path, source), None
    return problems + _misnamed(path, source), spec


def _context(path: Path, document: dict[str, Any]) -> dict[str, Any]:
    """Return what a part of a spec needs of the rest, and of where the file lies."""
    at: Any = document
    for key in ("source", "timestamp", "timezone"):
        at = at.get(key) if isinstance(at, dict) else None
    try:
        time_zone(at := str(at or "UTC"))
    except InvalidInputError:
        at = "UTC"  # told where it is written
    return {FOLDER: path.parent, TIMEZONE: at}


def _misnamed(path: Path, source: YamlSource) -> list[Problem]:
    name = source.document.get("name")
    if not isinstance(name, str) or name == path.stem:
        return []
    return [problem_at(str(path), source, ("name",), f"must be the file's name, {path.stem}", name)]


def _problem(path: Path, message: str) -> Problem:
    return Problem(str(path), 1, "", "", message)
