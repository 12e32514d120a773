"""The life of a Glue run, with a program in Spark's place."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.glue.api import Api
from localcloud.glue.errors import GlueError
from localcloud.glue.runs import RunSupervisor
from localcloud.images.registry import COMPLETE, LocalImage
from localcloud.role_clients import RoleClients
from localcloud.seams import glue
from localcloud.settings import Settings

ROLE = "arn:aws:iam::123456789012:role/jobs"
PROGRAM = """\
import json, pathlib, sys, time
arguments = json.loads(pathlib.Path("job.json").read_text())["arguments"]
print("1begun", flush=True)
time.sleep(float(arguments.get("--sleep", "0")))
if "--fail" in arguments:
    pathlib.Path("failure").write_text(arguments["--fail"])
    sys.exit(3)
"""


class Nothing:
    """A client that answers everything with nothing."""

    def list_buckets(self) -> dict[str, Any]:
        return {"Buckets": []}

    class exceptions:  # noqa: N801  # as boto3 has it
        ResourceAlreadyExistsException = KeyError

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda **_: None


class Clients(RoleClients):
    def client(self, service: str, role: str | None = None) -> Any:
        return Nothing()


class Laptop:
    """Glue in one process, which can be started again."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home)
        environment = home / "image"
        (environment / "bin").mkdir(parents=True)
        (environment / COMPLETE).touch()
        program = home / "program.py"
        program.write_text(PROGRAM)
        command = [sys.executable, "-S", str(program)]
        self.image = LocalImage("glue", environment / "bin" / "python", [], [], command, home)
        self.start()

    def start(self) -> None:
        clients = Clients(self.settings, None, "session")
        self.runs = RunSupervisor(self.settings, clients, self.image, lambda: None)
        self.api = Api(self.runs, None, self.settings.account, self.settings.region)
        self.runs.open()

    def job(self, name: str = "job", **members: Any) -> None:
        command = {"Name": "glueetl", "ScriptLocation": "s3://b/x.py"}
        self.api.call("CreateJob", {"Name": name, "Role": ROLE, "Command": command, **members})

    def run(self, name: str = "job", **arguments: str) -> str:
        given = {f"--{key}": value for key, value in arguments.items()}
        return str(self.api.call("StartJobRun", {"JobName": name, "Arguments": given})["JobRunId"])

    def state(self, run: str, *wanted: str, name: str = "job") -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.api.call("GetJobRun", {"JobName": name, "RunId": run})["JobRun"]
            if found["JobRunState"] in wanted:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{run} is {found}")


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    made = Laptop(tmp_path)
    try:
        yield made
    finally:
        made.runs.close()
        with made.runs.records():
            glue.jobs.clear()
            glue.runs.clear()


def test_run_that_ends_well_has_succeeded(laptop: Laptop) -> None:
    laptop.job()
    found = laptop.state(laptop.run(), "SUCCEEDED")
    assert "ErrorMessage" not in found
    assert not [name for name in found if name.startswith("_")]


def test_failed_run_is_tried_again_as_often_as_the_job_says(laptop: Laptop) -> None:
    laptop.job(MaxRetries=1)
    first = laptop.run(fail="ValueError: why")
    assert laptop.state(first, "FAILED")["ErrorMessage"] == "ValueError: why"
    second = laptop.state(f"{first}_attempt_1", "FAILED")
    assert (second["Attempt"], second["PreviousRunId"]) == (1, first)
    assert len(laptop.api.call("GetJobRuns", {"JobName": "job"})["JobRuns"]) == 2


def test_stopped_run_ends_its_program(laptop: Laptop) -> None:
    laptop.job()
    run = laptop.run(sleep="60")
    laptop.state(run, "RUNNING")
    stopped = laptop.api.call("BatchStopJobRun", {"JobName": "job", "JobRunIds": [run, "jr_none"]})
    assert [each["JobRunId"] for each in stopped["SuccessfulSubmissions"]] == [run]
    assert stopped["Errors"][0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    laptop.state(run, "STOPPED")


def test_no_more_runs_at_once_than_the_job_allows(laptop: Laptop) -> None:
    laptop.job()
    laptop.run(sleep="60")
    with pytest.raises(GlueError, match="Concurrent runs exceeded for job") as refused:
        laptop.run()
    assert refused.value.code == "ConcurrentRunsExceededException"


def test_argument_that_a_job_fixes_is_not_overridden(laptop: Laptop) -> None:
    laptop.job(NonOverridableArguments={"--sleep": "0"})
    with pytest.raises(GlueError, match="--sleep"):
        laptop.run(sleep="1")


def test_run_that_the_end_of_the_server_interrupts_begins_again_and_its_execution_waits_for_it(
    laptop: Laptop,
) -> None:
    laptop.job()
    request = {"JobName": "job", "Arguments": {"--sleep": "1"}}
    run = laptop.api.start(request, "execution")["JobRunId"]
    laptop.state(run, "RUNNING")
    laptop.runs.close()
    laptop.start()
    assert laptop.api.start(request, "execution")["JobRunId"] == run
    laptop.state(run, "SUCCEEDED")
    assert laptop.api.start(request, "execution")["JobRunId"] != run
