"""A stock boto3 client and the stock AWS CLI use endpoint and workflow; nothing of ours is in between."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.stacks import Deployment
from tests.local.histories import machine_temperature
from tests.local.laptop import Laptop
from tests.local.training import champion, entered_in
from tests.local.waiting import until

pytestmark = pytest.mark.local

WORKLOAD, ENDPOINT = "machine_temperature", "watchkeeper-machine-temperature"
ROW = "2013-12-02 21:15:00, 75"
ROWS = ["2024-01-20 10:00:00,80.2", "2024-01-20 10:05:00,44.8,80.1,79.9,80.0", "2024-01-20T10:10:00Z,79.7"]


@pytest.fixture
def served(laptop: Laptop) -> Laptop:
    champion(laptop, WORKLOAD, machine_temperature())
    return laptop


def invoke(laptop: Laptop, body: str, accept: str) -> str:
    answer = laptop.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=ENDPOINT, ContentType="text/csv", Accept=accept, Body=body
    )
    assert answer["ContentType"] == accept
    text: str = answer["Body"].read().decode()
    return text


def aws(laptop: Laptop, command: str, *positional: str, **options: str) -> Any:
    """Run a command of the stock AWS CLI and return what it prints, which is JSON."""
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
    done = laptop.command("aws", *command.split(), *words, *positional, "--output", "json")
    return json.loads(done.stdout)


def test_boto3_gets_one_score_a_row_in_their_order_in_both_formats(served: Laptop) -> None:
    (only,) = json.loads(invoke(served, ROW, "application/json"))["scores"]
    alone = [json.loads(invoke(served, row, "application/json"))["scores"] for row in ROWS]
    together = json.loads(invoke(served, "\n".join(ROWS), "application/json"))
    lines = invoke(served, "\n".join(ROWS), "application/jsonlines").splitlines()

    assert only["score"] >= 0
    assert together == {"scores": [scores[0] for scores in alone]}
    assert [json.loads(line) for line in lines] == together["scores"]
    assert together["scores"][1]["score"] > together["scores"][0]["score"]


def test_csv_is_accepted_and_answered_with_json_as_on_aws(served: Laptop, tmp_path: Path) -> None:
    request = {"EndpointName": ENDPOINT, "ContentType": "text/csv", "Accept": "text/csv", "Body": ROW}
    answer = served.client("sagemaker-runtime").invoke_endpoint(**request)
    options = {"endpoint_name": ENDPOINT, "content_type": "text/csv", "accept": "text/csv", "body": ROW}
    aws(served, "sagemaker-runtime invoke-endpoint", str(tmp_path / "answer.json"), **options)

    assert answer["ContentType"] == "application/json"
    assert list(json.loads(body := answer["Body"].read())) == ["scores"]
    assert (tmp_path / "answer.json").read_bytes() == body


def test_a_list_of_values_gets_a_score_each_where_the_model_needs_no_time(served: Laptop) -> None:
    values = ["80.2", "44.8", "79.7"]
    timed = [f"2024-01-20 10:00:00,{value}" for value in values]

    assert served.ask(WORKLOAD, *values) == served.ask(WORKLOAD, *timed)
    with pytest.raises(ClientError, match=r"record 1: '80.2 44.8' is several .* separated by newlines"):
        served.ask(WORKLOAD, "80.2 44.8")


def test_bad_row_is_a_model_error_that_names_the_record(served: Laptop) -> None:
    with pytest.raises(ClientError) as refused:
        invoke(served, f"{ROWS[0]}\n2024-01-20 10:05:00,hot\n{ROWS[2]}", "application/json")

    error = refused.value.response
    assert error["Error"]["Code"] == "ModelError"
    assert 400 <= error["OriginalStatusCode"] < 500
    assert error["OriginalMessage"] == (
        "record 2: value: 'hot' is not a number; "
        "write digits with a point, or leave the cell empty where a value is missing"
    )


def test_aws_cli_invokes_the_endpoint(served: Laptop, tmp_path: Path) -> None:
    answered = aws(
        served,
        "sagemaker-runtime invoke-endpoint",
        str(tmp_path / "answer.json"),
        endpoint_name=ENDPOINT,
        content_type="text/csv",
        accept="application/json",
        body=ROW,
    )

    assert answered["ContentType"] == "application/json"
    scores = json.loads((tmp_path / "answer.json").read_text())["scores"]
    assert [score["score"] for score in scores] == served.ask(WORKLOAD, ROW)


def test_aws_cli_starts_an_execution_and_reads_why_it_failed(served: Laptop) -> None:
    machine = Deployment(served.session).state_machine_arn(WORKLOAD)
    hour = {"reason": "by hand", "start": "2024-01-08T00:00:00Z", "end": "2024-01-08T01:00:00Z"}

    started = aws(served, "stepfunctions start-execution", state_machine_arn=machine, input=json.dumps(hour))
    arn = started["executionArn"]

    def settled() -> Any:
        now = aws(served, "stepfunctions describe-execution", execution_arn=arn)
        return now["status"] != "RUNNING" and now

    done = until(settled, what="the end of the execution", every=1.0)
    history = aws(served, "stepfunctions get-execution-history", execution_arn=arn)["events"]

    assert done["status"] == "FAILED"
    assert "too little history: 12 intervals of 300 s" in done["cause"]
    assert history[0]["type"] == "ExecutionStarted"
    assert history[-1]["executionFailedEventDetails"]["cause"] == done["cause"]
    names = entered_in(history)
    assert names[:2] == ["OpenRun", "ValidateInput"]
    assert names[-3:] == ["CleanUp", "NotifyFailed", "Failed"]
    assert served.ask(WORKLOAD, ROW)
