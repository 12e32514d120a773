"""The operations of Glue that are about jobs."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Callable
from typing import Any

from localcloud.authorization.authority import AccessDeniedError, Authority
from localcloud.glue.definitions import Document, check_capacity, check_timeout, job_of
from localcloud.glue.errors import GlueError, InvalidInputError, NotFoundError, UnsupportedError
from localcloud.glue.runs import UNDER_WAY, RunSupervisor, new_run
from localcloud.sagemaker.clock import now
from localcloud.seams import glue

SESSION = "GlueJobRunnerSession"  # name of the sessions that Glue has of roles
_LARGEST_PAGE = 200
_REFUSED = (
    *("CreateTrigger", "StartTrigger", "UpdateTrigger", "CreateWorkflow", "StartWorkflowRun"),
    *("CreateCrawler", "StartCrawler", "UpdateCrawler"),
)

Handler = Callable[[Document], Document]


class Api:
    """Dispatches operations.

    Parameters
    ----------
    runs
        Runs jobs.
    authority
        Decides which roles Glue may assume; without one none is looked at.
    account, region
        Where the jobs are.
    """

    def __init__(self, runs: RunSupervisor, authority: Authority | None, account: str, region: str) -> None:
        self._runs = runs
        self.authority = authority
        self._account = account
        self._region = region
        self._opened_at = now()
        self.operations: dict[str, Handler] = {
            "CreateJob": self._create,
            "UpdateJob": self._update,
            "DeleteJob": self._delete,
            "GetJob": lambda request: {"Job": self._job(request["JobName"])},
            "GetJobs": self._list_jobs,
            "ListJobs": self._list_names,
            "BatchGetJobs": self._batch_get,
            "StartJobRun": lambda request: self.start(request, None),
            "GetJobRun": lambda request: {"JobRun": _shown(self._run(request["JobName"], request["RunId"]))},
            "GetJobRuns": self._list_runs,
            "BatchStopJobRun": self._stop,
            **{name: _refusing(name) for name in _REFUSED},
        }

    def call(self, operation: str, request: Document) -> Document:
        """Carry out one operation of `operations`.

        Raises
        ------
        GlueError
            As AWS gives it, or ``UnsupportedOperation``.
        """
        with self._runs.records():
            return copy.deepcopy(self.operations[operation](request))

    def job_arn(self, name: str) -> str:
        """Return the ARN of a job."""
        return f"arn:aws:glue:{self._region}:{self._account}:job/{name}"

    def _create(self, request: Document) -> Document:
        name = request["Name"]
        if name in glue.jobs:
            raise GlueError("AlreadyExistsException", f"Job with name {name} already exists.")
        created = now()
        self._keep(name, request, CreatedOn=created, LastModifiedOn=created)
        glue.runs[name] = []
        if request.get("Tags"):
            glue.tags[self.job_arn(name)] = dict(request["Tags"])
        return {"Name": name}

    def _update(self, request: Document) -> Document:
        name = request["JobName"]
        created = self._job(name)["CreatedOn"]
        self._keep(name, request["JobUpdate"], CreatedOn=created, LastModifiedOn=now())
        return {"JobName": name}

    def _keep(self, name: str, request: Document, **members: Any) -> None:
        job = job_of(request)
        if ":role/" not in job["Role"]:
            job["Role"] = f"arn:aws:iam::{self._account}:role/{job['Role']}"
        if self.authority is not None:
            try:
                self.authority.assume("glue", job["Role"], SESSION, self.job_arn(name))
            except AccessDeniedError as error:
                raise InvalidInputError(
                    f"Role {job['Role']} should be given assume role permissions for Glue Service."
                ) from error
        security = job.get("SecurityConfiguration")
        if security and security not in glue.security_configurations:
            raise NotFoundError(f"Security configuration {security} not found.")
        glue.jobs[name] = {"Name": name, **job, **members}

    def _delete(self, request: Document) -> Document:
        name = request["JobName"]
        for run in glue.runs.get(name, []):
            if run["JobRunState"] in UNDER_WAY:
                self._runs.stop(run)
        glue.jobs.pop(name, None)
        glue.runs.pop(name, None)
        glue.tags.pop(self.job_arn(name), None)
        return {"JobName": name}

    def start(self, request: Document, owner: str | None) -> Document:
        """Start a run.

        Parameters
        ----------
        request
            Of a `StartJobRun`.
        owner
            ARN of the Step Functions execution that asks, if one does. An execution that is resumed after a
            restart of the server enters its last state again, and is given the run that it had started there.

        Raises
        ------
        GlueError
            As AWS gives it.
        """
        with self._runs.records():
            return self._start(request, owner)

    def _start(self, request: Document, owner: str | None) -> Document:
        job = self._job(request["JobName"])
        if "JobRunId" in request:
            raise UnsupportedError("retrying a run by its id: start a new one")
        check_capacity(request)
        check_timeout(request)
        arguments = dict(request.get("Arguments", {}))
        fixed = sorted(arguments.keys() & job["NonOverridableArguments"].keys())
        if fixed:
            raise InvalidInputError(f"Arguments cannot be overridden: {', '.join(fixed)}")
        under_way = [run for run in glue.runs[job["Name"]] if run["JobRunState"] in UNDER_WAY]
        for run in under_way:
            known = owner is not None and run["_owner"] == owner and run["Arguments"] == arguments
            if known and run["StartedOn"] < self._opened_at:
                return {"JobRunId": run["Id"]}
        if len(under_way) >= job["ExecutionProperty"]["MaxConcurrentRuns"]:
            raise GlueError("ConcurrentRunsExceededException", f"Concurrent runs exceeded for {job['Name']}")
        own = {
            name: request[name] for name in ("Timeout", "WorkerType", "NumberOfWorkers") if request.get(name)
        }
        run = new_run(job, f"jr_{secrets.token_hex(32)}", arguments, _owner=owner, **own)
        glue.runs[job["Name"]].append(run)
        self._runs.start(job, run)
        return {"JobRunId": run["Id"]}

    def _stop(self, request: Document) -> Document:
        stopped, errors = [], []
        for run_id in request["JobRunIds"]:
            named = {"JobName": request["JobName"], "JobRunId": run_id}
            try:
                run = self._run(request["JobName"], run_id)
                if run["JobRunState"] not in UNDER_WAY:
                    raise GlueError(
                        "InvalidInputException",
                        f"JobRun {run_id} is in state {run['JobRunState']} and cannot be stopped",
                    )
            except GlueError as error:
                detail = {"ErrorCode": error.code, "ErrorMessage": str(error)}
                errors.append({**named, "ErrorDetail": detail})
            else:
                self._runs.stop(run)
                stopped.append(named)
        return {"SuccessfulSubmissions": stopped, "Errors": errors}

    def _list_jobs(self, request: Document) -> Document:
        return _page("Jobs", list(glue.jobs.values()), request)

    def _list_names(self, request: Document) -> Document:
        wanted = request.get("Tags", {})
        names = [
            name for name in glue.jobs if wanted.items() <= glue.tags.get(self.job_arn(name), {}).items()
        ]
        return _page("JobNames", names, request)

    def _batch_get(self, request: Document) -> Document:
        names = request["JobNames"]
        return {
            "Jobs": [glue.jobs[name] for name in names if name in glue.jobs],
            "JobsNotFound": [name for name in names if name not in glue.jobs],
        }

    def _list_runs(self, request: Document) -> Document:
        runs = glue.runs[self._job(request["JobName"])["Name"]]
        return _page("JobRuns", [_shown(run) for run in reversed(runs)], request)

    def _job(self, name: str) -> Document:
        job: Document | None = glue.jobs.get(name)
        if job is None:
            raise NotFoundError(f"Job with name: {name} not found.")
        return job

    def _run(self, job: str, run_id: str) -> Document:
        found: Document | None = next((run for run in glue.runs.get(job, []) if run["Id"] == run_id), None)
        if found is None:
            raise NotFoundError(f"Job run {run_id} of job {job} not found.")
        return found


def _shown(run: Document) -> Document:
    return {name: value for name, value in run.items() if not name.startswith("_")}


def _page(member: str, items: list[Any], request: Document) -> Document:
    start, count = int(request.get("NextToken") or 0), int(request.get("MaxResults") or _LARGEST_PAGE)
    page: Document = {member: items[start : start + count]}
    if start + count < len(items):
        page["NextToken"] = str(start + count)
    return page


def _refusing(operation: str) -> Handler:
    def refuse(request: Document) -> Document:
        raise UnsupportedError(operation)

    return refuse
