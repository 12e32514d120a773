"""A function in the local cloud meets what it meets on AWS."""

import io
import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.contract.localcloud.cloud import Cloud, eventually, running_cloud

SOURCE = """
import json, os, time

class OwnError(Exception):
    pass

def handle(event, context):
    print("got", json.dumps(event))
    if "fail" in event:
        raise OwnError(event["fail"])
    if "exit" in event:
        os._exit(event["exit"])
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "import" in event:
        __import__(event["import"])
    if "metric" in event:
        print(json.dumps({"_aws": {"Timestamp": 0, "CloudWatchMetrics": [{"Namespace": "Contract",
            "Dimensions": [["workload"]], "Metrics": [{"Name": "Scored", "Unit": "Count"}]}]},
            "workload": "w", "Scored": event["metric"]}))
    return {"process": os.getpid(), "environment": dict(os.environ), "request": context.aws_request_id,
            "left": context.get_remaining_time_in_millis()}
"""

LOGS = {
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "arn:aws:logs:*:*:log-group:/aws/lambda/*",
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp("cloud"), LOCALCLOUD_LAMBDA_CONCURRENCY="3") as found:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as bundle:
            bundle.writestr("function.py", SOURCE)
        found.client("lambda").create_function(
            FunctionName="contract",
            Runtime="python3.11",
            Role=found.role("contract", "lambda", LOGS),
            Handler="function.handle",
            Code={"ZipFile": archive.getvalue()},
            Timeout=2,
            Environment={"Variables": {"OWN": "value"}},
        )
        yield found


def invoke(cloud: Cloud, event: dict[str, Any]) -> tuple[str | None, Any]:
    answer = cloud.client("lambda").invoke(FunctionName="contract", Payload=json.dumps(event))
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


def test_error_keeps_its_own_type_and_trace(cloud: Cloud) -> None:
    error, body = invoke(cloud, {"fail": "on purpose"})

    assert error == "Unhandled"
    assert (body["errorType"], body["errorMessage"]) == ("OwnError", "on purpose")
    assert "in handle" in body["stackTrace"][0]


def test_exit_of_the_process_is_a_runtime_exit_error_and_the_next_call_works(cloud: Cloud) -> None:
    error, body = invoke(cloud, {"exit": 3})

    assert (error, body["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert invoke(cloud, {})[0] is None


def test_timeout_is_enforced(cloud: Cloud) -> None:
    error, body = invoke(cloud, {"sleep": 30})

    assert (error, body["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert "Task timed out after 2.00 seconds" in body["errorMessage"]


def test_environment_has_the_function_and_the_runtime_and_nothing_else(cloud: Cloud) -> None:
    environment = invoke(cloud, {})[1]["environment"]

    assert environment["OWN"] == "value"
    assert environment["AWS_ENDPOINT_URL"] == cloud.settings.endpoint_url
    own = {
        "OWN",
        "LANG",
        "PATH",
        "PYTHONPATH",
        "PYTHONUNBUFFERED",
        "TZ",
        "_HANDLER",
        "POWERTOOLS_TRACE_DISABLED",
    }
    # What CPython and awslambdaric set themselves.
    own |= {"LC_CTYPE", "_X_AMZN_TRACE_ID"}
    assert {name for name in environment if not name.startswith(("AWS_", "LAMBDA_"))} <= own


def test_only_what_the_runtime_provides_can_be_imported(cloud: Cloud) -> None:
    assert invoke(cloud, {"import": "boto3"})[0] is None
    assert invoke(cloud, {"import": "numpy"})[1]["errorType"] == "ModuleNotFoundError"


def test_worker_is_reused(cloud: Cloud) -> None:
    assert invoke(cloud, {})[1]["process"] == invoke(cloud, {})[1]["process"]


def test_parallel_calls_get_workers_up_to_the_limit(cloud: Cloud) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: invoke(cloud, {"sleep": 0.3}), range(6)))

    assert [error for error, _ in answers] == [None] * 6
    assert 1 < len({body["process"] for _, body in answers}) <= 3


def test_log_has_the_platform_lines_in_order(cloud: Cloud) -> None:
    request = invoke(cloud, {"mark": "find me"})[1]["request"]
    logs = cloud.client("logs")

    def lines() -> list[str]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName="/aws/lambda/contract")
        return [event["message"] for page in pages for event in page["events"]]

    found = eventually(
        lambda: lines() if any(f"REPORT RequestId: {request}" in line for line in lines()) else [], what="log"
    )
    start = found.index(f"START RequestId: {request} Version: $LATEST")
    assert "find me" in found[start + 1]
    assert found[start + 2] == f"END RequestId: {request}"
    assert found[start + 3].startswith(f"REPORT RequestId: {request}\tDuration: ")


def test_embedded_metric_becomes_a_metric(cloud: Cloud) -> None:
    invoke(cloud, {"metric": 7})

    found = cloud.client("cloudwatch").list_metrics(Namespace="Contract", MetricName="Scored")["Metrics"]
    assert [metric["Dimensions"] for metric in found] == [[{"Name": "workload", "Value": "w"}]]


def test_alarm_on_an_expression_follows_the_metric_and_can_be_set_by_hand(cloud: Cloud) -> None:
    client = cloud.client("cloudwatch")
    metric = {"Namespace": "Contract", "MetricName": "Load", "Dimensions": [{"Name": "Host", "Value": "a"}]}
    client.put_metric_alarm(
        AlarmName="expression",
        EvaluationPeriods=1,
        Threshold=50,
        ComparisonOperator="GreaterThanThreshold",
        Metrics=[
            {"Id": "m", "ReturnData": False, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}},
            {"Id": "e", "Expression": "m * 100"},
        ],
    )

    def state() -> str:
        return str(client.describe_alarms(AlarmNames=["expression"])["MetricAlarms"][0]["StateValue"])

    client.put_metric_data(
        Namespace="Contract",
        MetricData=[{"MetricName": "Load", "Dimensions": metric["Dimensions"], "Value": 1}],
    )
    eventually(lambda: state() == "ALARM", what="alarm")
    client.set_alarm_state(AlarmName="expression", StateValue="OK", StateReason="by hand")
    client.put_metric_data(
        Namespace="Contract",
        MetricData=[{"MetricName": "Load", "Dimensions": metric["Dimensions"], "Value": 1}],
    )
    assert state() == "OK"


def test_new_configuration_gets_a_new_worker(cloud: Cloud) -> None:
    before = invoke(cloud, {})[1]["process"]
    client = cloud.client("lambda")
    client.update_function_configuration(
        FunctionName="contract", Environment={"Variables": {"OWN": "changed"}}
    )
    try:
        after = invoke(cloud, {})[1]
    finally:
        client.update_function_configuration(
            FunctionName="contract", Environment={"Variables": {"OWN": "value"}}
        )

    assert after["environment"]["OWN"] == "changed"
    assert after["process"] != before
