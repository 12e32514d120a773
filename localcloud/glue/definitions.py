"""What a job may be: AWS's rules, and what the laptop has of it.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-job.html has the rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.glue.errors import InvalidInputError, UnsupportedError

Document = dict[str, Any]

VERSION = "5.1"
"""Spark 3.5.6 with Python 3.11: AWS's default version, and the only one here."""
STREAMING = "gluestreaming"
BATCH = "glueetl"
WEEK_MINUTES = 10_080

_OTHER_VERSIONS = ("0.9", "1.0", "2.0", "3.0", "4.0", "5.0")
_BATCH_MINUTES = 480
_WORKERS = ("G.1X", "G.2X", "G.4X", "G.8X")
_SMALL_WORKER = "G.025X"
_FEWEST_WORKERS, _WORKERS_BY_DEFAULT = 2, 10
_MOST_RETRIES = 10
_CAPACITY = ("MaxCapacity", "AllocatedCapacity")
_REFUSED = {
    "Connections": "connections of a job",
    "CodeGenConfigurationNodes": "visual jobs",
    "SourceControlDetails": "jobs from source control",
}
_DEFAULTS: Document = {
    "JobMode": "SCRIPT",
    "Description": "",
    "DefaultArguments": {},
    "NonOverridableArguments": {},
    "MaxRetries": 0,
    "ExecutionClass": "STANDARD",
    "WorkerType": "G.1X",
    "NumberOfWorkers": _WORKERS_BY_DEFAULT,
    "GlueVersion": VERSION,
}


def job_of(request: Mapping[str, Any]) -> Document:
    """Return a job's document, all defaults filled in.

    Parameters
    ----------
    request
        Members of a `CreateJob`, of a `JobUpdate`, which replaces all of a job, or of a template.

    Raises
    ------
    GlueError
        For what AWS refuses and for what the laptop has not.
    """
    given = {name: value for name, value in request.items() if value not in (None, "", {}, [])}
    for name, what in _REFUSED.items():
        if given.get(name):
            raise UnsupportedError(what)
    for name in ("Role", "Command"):
        if name not in given:
            raise InvalidInputError(f"{name} is required")
    check_capacity(given)
    job: Document = {**_DEFAULTS, **{name: given[name] for name in given if name not in ("Tags", "Name")}}
    job["ExecutionProperty"] = {"MaxConcurrentRuns": 1, **given.get("ExecutionProperty", {})}
    job["Command"] = _command(given["Command"])
    streaming = job["Command"]["Name"] == STREAMING
    _check_version(str(job["GlueVersion"]))
    _check_workers(job, streaming=streaming)
    if not 0 <= int(job["MaxRetries"]) <= _MOST_RETRIES:
        raise InvalidInputError(f"MaxRetries must be between 0 and {_MOST_RETRIES}")
    if "Timeout" not in job and not streaming:
        job["Timeout"] = _BATCH_MINUTES
    check_timeout(job)
    if "MaintenanceWindow" in job and not streaming:
        raise InvalidInputError("MaintenanceWindow is only supported for streaming jobs")
    if streaming and job["ExecutionClass"] == "FLEX":
        raise InvalidInputError("ExecutionClass FLEX is only supported for glueetl jobs")
    return job


def check_capacity(given: Mapping[str, Any]) -> None:
    """Refuse the capacity that jobs of Glue 2.0 and later do not have.

    Raises
    ------
    InvalidInputError
        As AWS.
    """
    if not any(given.get(name) for name in _CAPACITY):
        return
    if given.get("WorkerType") or given.get("NumberOfWorkers"):
        raise InvalidInputError("Please set only Allocated Capacity or Worker Type and Number of Workers")
    raise InvalidInputError(
        f"For Glue version 2.0 or later jobs, Max Capacity cannot be set (GlueVersion {VERSION}): set Worker "
        "Type and Number of Workers"
    )


def check_timeout(document: Mapping[str, Any]) -> None:
    """Refuse a timeout of more than seven days.

    Raises
    ------
    InvalidInputError
        As AWS.
    """
    minutes = document.get("Timeout")
    if minutes is not None and not 1 <= int(minutes) <= WEEK_MINUTES:
        raise InvalidInputError(f"Timeout must be between 1 and {WEEK_MINUTES} minutes (7 days)")


def _command(command: Mapping[str, Any]) -> Document:
    name = command.get("Name", BATCH)
    if name == "glueray":
        raise InvalidInputError("AWS Glue for Ray is closed to new customers: use glueetl or gluestreaming")
    if name == "pythonshell":
        raise UnsupportedError("Python shell jobs")
    if name not in (BATCH, STREAMING):
        raise InvalidInputError(f"Command name {name!r} is not valid: use {BATCH} or {STREAMING}")
    if str(command.get("PythonVersion", "3")) != "3":
        raise InvalidInputError(f"GlueVersion {VERSION} supports Python version 3 only")
    script = str(command.get("ScriptLocation") or "")
    if not script.startswith("s3://") or script.endswith("/"):
        raise InvalidInputError(f"ScriptLocation {script!r} is not an object in S3: write s3://BUCKET/KEY")
    if not script.endswith(".py"):
        raise UnsupportedError(f"scripts other than Python ({script})")
    return {"Name": name, "ScriptLocation": script, "PythonVersion": "3"}


def _check_version(version: str) -> None:
    if version == VERSION:
        return
    if version in _OTHER_VERSIONS:
        raise UnsupportedError(f"GlueVersion {version}; it has {VERSION}")
    raise InvalidInputError(f"GlueVersion {version} is not supported")


def _check_workers(job: Mapping[str, Any], *, streaming: bool) -> None:
    worker, count = job["WorkerType"], int(job["NumberOfWorkers"])
    if worker == _SMALL_WORKER and not streaming:
        raise InvalidInputError(f"Worker type {_SMALL_WORKER} is only supported for streaming jobs")
    if worker not in (*_WORKERS, _SMALL_WORKER):
        raise InvalidInputError(f"Worker type {worker} is not supported for GlueVersion {VERSION}")
    if count < _FEWEST_WORKERS:
        raise InvalidInputError(f"Number of workers must be at least {_FEWEST_WORKERS}, {count} given")
