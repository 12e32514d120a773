"""The contract of the anomaly service: locations, spellings, inputs of executions, reasons of failures."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.detectors.catalogue import MODELS, RULES, chosen_name
from watchkeeper.service.failures import Failure, describe_failure, failure_of
from watchkeeper.service.tasks import Task, TaskFiles, TaskInput, request_key_id, task_input
from watchkeeper.service.tenant_files import relative_key, tenant_key, tenant_root

REQUEST_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
FEATURES = "tenants/acme/project/file/cogen.csv"


def train_input(charts: bool = True) -> TaskInput:
    return task_input(
        tenant="acme",
        request="0123456789abcdef",
        task=Task.TRAIN,
        bucket="bucket",
        parameters={"request_id": REQUEST_ID, "model_name": "DBSCAN", "save_charts": charts},
        files=TaskFiles(features=FEATURES),
        charts=charts,
    )


def test_results_are_beside_the_input() -> None:
    document = train_input()

    assert document.outputs.folder == f"tenants/acme/project/file/anomaly_detection/train/{REQUEST_ID}/"
    assert document.results == {
        "predictions_label_file": f"project/file/anomaly_detection/train/{REQUEST_ID}/predictions.csv",
        "predictions_charts_file": f"project/file/anomaly_detection/train/{REQUEST_ID}/charts/index.html",
        "model_path": f"project/file/anomaly_detection/train/{REQUEST_ID}/model.tar.gz",
    }


def test_results_name_no_charts_where_none_are_drawn() -> None:
    document = train_input(charts=False)

    assert document.outputs.charts is None
    assert "predictions_charts_file" not in document.results


@pytest.mark.parametrize("document", [{}, {"task": "other"}, {**train_input().to_dict(), "more": 1}])
def test_refuses_an_input_of_another_form(document: dict[str, object]) -> None:
    with pytest.raises(ContractViolationError, match="input of a task"):
        TaskInput.from_dict(document)


def test_a_request_id_of_two_tenants_is_two_requests() -> None:
    assert request_key_id("a", REQUEST_ID) != request_key_id("b", REQUEST_ID)
    assert request_key_id("a", REQUEST_ID) == request_key_id("a", REQUEST_ID.upper())


def test_what_earlier_releases_gave_as_id_is_still_the_request() -> None:
    assert request_key_id("a", "5f2b8c0d9e1a7f34") == "5f2b8c0d9e1a7f34"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "..",
        "a/../b",
        "../other/file",
        ".",
        "a/./b",
        "a\\..\\b",
        "a\nb",
        "a%2e",
        "é",
        pytest.param("a" * 701, id="long"),
    ],
)
def test_refuses_a_key_that_could_leave_the_tenants_root(key: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        tenant_key("acme", key)
    assert refused.value.reason == "invalid_key"


@given(st.text(max_size=40))
def test_a_key_is_below_the_tenants_root_or_refused(key: str) -> None:
    try:
        full = tenant_key("acme", key)
    except InvalidInputError:
        return
    assert full == f"tenants/acme/{key}"
    assert ".." not in full.split("/")
    assert relative_key("acme", full) == key


@pytest.mark.parametrize("tenant", ["", "a/b", "..", "-a", "a b", "a" * 65])
def test_refuses_a_tenant_that_is_no_folder_name(tenant: str) -> None:
    with pytest.raises(InvalidInputError):
        tenant_root(tenant)


def test_a_key_of_another_tenant_is_never_answered() -> None:
    with pytest.raises(ContractViolationError):
        relative_key("acme", "tenants/other/file.csv")


@pytest.mark.parametrize("name", MODELS)
def test_understands_every_algorithm_in_any_case(name: str) -> None:
    spellings = (name, name.lower(), f" {name.upper()} ")
    assert {chosen_name(each, MODELS, "model_name") for each in spellings} == {name}


def test_names_the_nearest_algorithm() -> None:
    with pytest.raises(InvalidInputError, match="did you mean DBSCAN"):
        chosen_name("DBSCANN", MODELS, "model_name")


def test_understands_every_method() -> None:
    assert chosen_name(" Quantile ", RULES, "method_name") == "quantile"
    with pytest.raises(InvalidInputError, match="allowed are iqr, quantile, persist"):
        chosen_name("mean", RULES, "method_name")


def test_a_jobs_reason_arrives_as_the_problem_it_is() -> None:
    error = InvalidInputError("column 'load', row 7: 'abc' is not a number", reason="non_numeric_value")
    training = {"FailureReason": f"AlgorithmError: {describe_failure(error)}, exit code: 1"}
    judging = {
        "ProcessingJobName": "x",
        "ProcessingJobStatus": "Failed",
        "ExitMessage": describe_failure(error),
        "FailureReason": "AlgorithmError: See job logs for more information, exit code: 1",
    }
    workflow = {"Status": "FAILED", "Error": "States.TaskFailed", "Cause": json.dumps(judging)}

    for cause in (training, judging, workflow):
        assert failure_of("States.TaskFailed", json.dumps(cause)) == Failure("non_numeric_value", str(error))


def test_a_job_that_says_nothing_has_sagemakers_reason() -> None:
    reason = "AlgorithmError: See job logs for more information, exit code: 1"
    cause = json.dumps({"ExitMessage": "", "FailureReason": reason})

    assert failure_of("States.TaskFailed", cause) == Failure("task_failed", f"States.TaskFailed: {reason}")


@pytest.mark.parametrize(
    ("error", "cause", "expected"),
    [
        ("States.Timeout", "", Failure("task_timed_out", "the task took longer than it may")),
        ("States.TaskFailed", "{}", Failure("task_failed", "States.TaskFailed: {}")),
        ("", "", Failure("task_failed", "no reason given")),
        ("X", '"text"', Failure("task_failed", 'X: "text"')),
    ],
)
def test_a_failure_always_has_a_reason(error: str, cause: str, expected: Failure) -> None:
    assert failure_of(error, cause) == expected
