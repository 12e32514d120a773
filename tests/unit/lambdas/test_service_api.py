"""The anomaly service's answers, by the function's own entry point."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from lambdas.adapters.object_store import ObjectUri
from lambdas.service_api.open_tasks import TAKEN_SECONDS
from lambdas.service_api.request_table import Place
from lambdas.service_api.submit import LOST_AFTER
from tests.unit.lambdas.builders import BUCKET
from tests.unit.lambdas.service_dependencies import FEATURES, LABELS, MOST_OPEN_TASKS, Service
from watchkeeper.core.errors import UnavailableError
from watchkeeper.service.request_item import Attribute, Status
from watchkeeper.service.tasks import TaskInput, request_key_id

TRAIN, VALID, INFER = (f"/anomaly_detection/{task}/" for task in ("train", "valid", "infer"))
MODEL = "project/file/anomaly_detection/train/0123456789abcdef/model.tar.gz"


@pytest.fixture
def service(aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
    service = Service()
    service.use(monkeypatch)
    return service


def training(**fields: Any) -> dict[str, Any]:
    return {
        "request_id": str(uuid4()),
        "model_name": "DBSCAN",
        "save_charts": True,
        "train_feature_file": "project/file/cogen_feature",
        **fields,
    }


def only_input(service: Service) -> TaskInput:
    (document,) = service.workflows.started.values()
    return TaskInput.from_dict(json.loads(document))


def finish(service: Service, request: str, status: Status, **attributes: Any) -> None:
    """Do to the item what the workflow does."""
    item = service.table.find("acme", request_key_id("acme", request))
    assert item
    service.table.client.put_item(
        TableName=service.table.table,
        Item={
            name: _typed(value)
            for name, value in {**item, Attribute.STATUS.value: status.value, **attributes}.items()
        },
    )


def _typed(value: Any) -> Any:
    from boto3.dynamodb.types import TypeSerializer

    return TypeSerializer().serialize(value)


def test_training_starts_its_workflow_with_the_files_that_were_meant(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    service.put("project/file/cogen_label.csv", LABELS)

    answer = service.call("POST", TRAIN, training(train_label_file="project/file/cogen_label"))

    assert answer.status == 200, answer.text
    assert answer.document.keys() == {"_id", "task", "status", "task_id"}
    assert answer.headers["Location"] == f"{TRAIN}?_id={answer.document['_id']}"
    document = only_input(service)
    assert document.files.features == "tenants/acme/project/file/cogen_feature.csv"
    assert document.files.labels == "tenants/acme/project/file/cogen_label.csv"
    assert document.parameters["model_name"] == "DBSCAN"
    assert answer.document["task_id"].endswith(f":train-{document.id}")


def test_the_request_id_that_the_caller_made_is_the_id_that_a_get_takes(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    body = training()

    answer = service.call("POST", TRAIN, body)

    assert (answer.status, answer.document["_id"]) == (200, body["request_id"])
    for spelling in (body["request_id"], body["request_id"].upper()):
        for path in (f"{TRAIN}?_id={spelling}", f"/requests/{spelling}"):
            assert service.call("GET", path).document["_id"] == body["request_id"]


def test_missing_slash_is_the_same_path(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    body = training()

    first, second = service.call("POST", TRAIN, body), service.call("POST", TRAIN.rstrip("/"), body)

    assert first.document == second.document


@pytest.mark.parametrize("spelling", ["isolation_forest", "Isolation Forest", "IFOREST"])
def test_algorithms_are_known_by_other_spellings(service: Service, spelling: str) -> None:
    service.put("project/file/cogen_feature.csv")

    service.call("POST", TRAIN, training(model_name=spelling))

    assert only_input(service).parameters["model_name"] == "IsolationForest"


def test_repeating_a_request_gives_the_same_task_and_starts_nothing_twice(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    body = training()

    answers = [service.call("POST", TRAIN, body) for _ in range(3)]

    assert answers[0].document == answers[1].document == answers[2].document
    assert len(service.workflows.started) == 1


def test_repeating_a_finished_request_tells_its_status(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    body = training()
    request = service.call("POST", TRAIN, body).document["_id"]
    finish(service, request, Status.SUCCEEDED)
    before = service.workflows.attempts

    assert service.call("POST", TRAIN, body).document["status"] == "succeeded"
    assert service.workflows.attempts == before


@pytest.mark.parametrize(
    "change", [{"model_name": "LOF"}, {"save_charts": False}, {"train_feature_file": "project/file/other"}]
)
def test_another_body_under_the_same_request_id_is_a_conflict(
    service: Service, change: dict[str, Any]
) -> None:
    service.put("project/file/cogen_feature.csv")
    body = training()
    service.call("POST", TRAIN, body)

    answer = service.call("POST", TRAIN, {**body, **change})

    assert (answer.status, answer.problem) == (409, "request_conflict")


def test_request_ids_of_two_tenants_do_not_meet(service: Service) -> None:
    for tenant in ("acme", "other"):
        service.put("project/file/cogen_feature.csv", tenant=tenant)
    body = training()

    first = service.call("POST", TRAIN, body)
    second = service.call("POST", TRAIN, {**body, "model_name": "LOF"}, tenant="other")

    assert (first.status, second.status) == (200, 200)
    assert first.document["_id"] == second.document["_id"] == body["request_id"]
    assert first.document["task_id"] != second.document["task_id"]


def test_a_request_whose_workflow_did_not_start_starts_when_it_is_repeated(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    body = training()
    service.workflows.broken = True
    refused = service.call("POST", TRAIN, body)
    service.workflows.broken = False

    answer = service.call("POST", TRAIN, body)

    assert (refused.status, refused.problem) == (503, "unavailable")
    assert refused.headers["Retry-After"] == "5"
    assert answer.status == 200
    assert len(service.workflows.started) == 1


@pytest.mark.parametrize("path", [TRAIN + "?_id={}", "/requests/{}"])
def test_a_request_whose_start_was_lost_starts_when_it_is_looked_at(service: Service, path: str) -> None:
    request = lost(service)
    service.clock.moment += LOST_AFTER

    looks = [service.call("GET", path.format(request)) for _ in range(2)]

    assert [(look.status, look.document["status"]) for look in looks] == [(200, "queued")] * 2
    name = request_key_id("acme", request)
    item = service.table.find("acme", name)
    assert item
    assert service.workflows.started == {f"train-{name}": item["input"]}


def test_a_request_that_may_still_be_starting_is_not_started_by_a_look(service: Service) -> None:
    request = lost(service)

    assert service.call("GET", f"/requests/{request}").status == 200
    assert service.workflows.started == {}


@pytest.mark.parametrize("status", [Status.RUNNING, Status.SUCCEEDED, Status.FAILED])
def test_a_look_starts_nothing_that_has_been_started(service: Service, status: Status) -> None:
    request = lost(service)
    finish(service, request, status)
    service.clock.moment += LOST_AFTER

    assert service.call("GET", f"/requests/{request}").document["status"] == status.value
    assert service.workflows.started == {}


def test_a_lost_start_that_fails_again_asks_to_look_again(service: Service) -> None:
    request = lost(service)
    service.clock.moment += LOST_AFTER
    service.workflows.broken = True

    answer = service.call("GET", f"{TRAIN}?_id={request}")

    assert (answer.status, answer.problem, answer.headers["Retry-After"]) == (503, "unavailable", "5")


def lost(service: Service) -> str:
    """Write a request down without starting its workflow; return its `_id`."""
    service.put("project/file/cogen_feature.csv")
    service.workflows.broken = True
    assert service.call("POST", TRAIN, training()).status == 503
    service.workflows.broken = False
    (item,) = service.table.newest("acme", task=None, status=None, limit=2, start=None).items
    return str(item["request_id"])


def test_of_two_at_the_same_time_one_is_written_and_both_get_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.put("project/file/cogen_feature.csv")
    body = training()
    first = service.call("POST", TRAIN, body)
    find, blind = type(service.table).find, [True]

    def find_nothing_at_first(self: Any, tenant: str, request: str) -> Any:
        return None if blind and blind.pop() else find(self, tenant, request)

    monkeypatch.setattr(type(service.table), "find", find_nothing_at_first)

    assert service.call("POST", TRAIN, body).document == first.document


def test_a_task_beyond_the_most_that_may_be_open_is_refused_until_one_has_ended(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    first, *_ = bodies = [training() for _ in range(MOST_OPEN_TASKS)]
    for body in bodies:
        assert service.call("POST", TRAIN, body).status == 200
    one_more = training()

    refused = service.call("POST", TRAIN, one_more)

    assert (refused.status, refused.problem) == (429, "too_many_tasks")
    assert int(refused.headers["Retry-After"]) > 0
    assert f"{MOST_OPEN_TASKS} tasks" in refused.document["detail"]
    assert len(service.workflows.started) == MOST_OPEN_TASKS
    assert service.call("POST", TRAIN, first).status == 200, "a repetition takes no other place"

    finish(service, first["request_id"], Status.FAILED)
    assert service.call("POST", TRAIN, one_more).status == 200
    assert service.call("POST", TRAIN, training()).status == 429


def test_the_tasks_of_one_tenant_take_no_place_of_another(service: Service) -> None:
    for tenant in ("acme", "other"):
        service.put("project/file/cogen_feature.csv", tenant=tenant)
    for _ in range(MOST_OPEN_TASKS):
        service.call("POST", TRAIN, training())

    assert service.call("POST", TRAIN, training(), tenant="other").status == 200


def test_a_place_whose_post_died_before_it_wrote_its_request_is_given_up(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    for number in range(MOST_OPEN_TASKS):
        assert service.table.take("acme", Place(f"dead-{number}", service.clock.now()), MOST_OPEN_TASKS)

    assert service.call("POST", TRAIN, training()).status == 429
    service.clock.moment += timedelta(seconds=TAKEN_SECONDS)
    assert service.call("POST", TRAIN, training()).status == 200


def test_results_are_named_when_they_are_there(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    request = service.call("POST", TRAIN, training()).document["_id"]

    def shown() -> Any:
        return service.call("GET", f"{TRAIN}?_id={request}").document

    fields = {
        "_id",
        "task",
        "status",
        "predictions_label_file",
        "model_path",
        "predictions_charts_file",
    }
    assert shown().keys() == fields
    assert shown()["model_path"] is None

    finish(service, request, Status.RUNNING, progress={"done": 1, "total": 4, "message": "searching"})
    assert shown()["progress"] == {"done": 1, "total": 4, "message": "searching"}

    finish(service, request, Status.SUCCEEDED, results=json.dumps(only_input(service).results))
    assert shown().keys() == fields
    assert shown()["model_path"] == f"project/file/anomaly_detection/train/{request}/model.tar.gz"


def test_a_failed_task_says_why(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    request = service.call("POST", TRAIN, training()).document["_id"]
    error = {"type": "non_numeric_value", "message": "column 'load', row 7"}
    finish(service, request, Status.FAILED, error=error)

    assert service.call("GET", f"{TRAIN}?_id={request}").document["error"] == error


def test_validation_understands_the_plural_spellings_and_answers_metrics(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    service.put("project/file/cogen_label.csv", LABELS)
    service.put(MODEL, b"model")

    answer = service.call(
        "POST",
        VALID,
        {
            "request_id": str(uuid4()),
            "model_path": MODEL,
            "save_charts": False,
            "valid_features_file": "project/file/cogen_feature",
            "valid_labels_file": "project/file/cogen_label.csv",
        },
    )
    request = answer.document["_id"]
    finish(service, request, Status.SUCCEEDED, metrics='{"f1": 0.5}', results="{}")

    assert only_input(service).files.model == f"tenants/acme/{MODEL}"
    shown = service.call("GET", f"{VALID}?_id={request}").document
    assert shown == {
        "_id": request,
        "task": "valid",
        "status": "succeeded",
        "metrics": {"f1": 0.5},
        "predictions_label_file": None,
        "predictions_charts_file": None,
    }


@pytest.mark.parametrize("field", ["feature_file", "features_file"])
def test_inference_takes_a_method_or_a_model(service: Service, field: str) -> None:
    service.put("project/file/cogen_feature.csv")
    service.put(MODEL, b"model")
    shared = {field: "project/file/cogen_feature"}

    univariate = service.call(
        "POST",
        INFER,
        {
            "request_id": str(uuid4()),
            "detection_type": "univariate",
            "method_name": "Quantile",
            "model_path": "",
            **shared,
        },
    )
    multivariate = service.call(
        "POST",
        INFER,
        {
            "request_id": str(uuid4()),
            "detection_type": "multivariate",
            "method_name": "",
            "model_path": MODEL.removesuffix(".tar.gz"),
            **shared,
        },
    )

    assert (univariate.status, multivariate.status) == (200, 200), multivariate.text
    models = {
        TaskInput.from_dict(json.loads(each)).files.model for each in service.workflows.started.values()
    }
    assert models == {None, f"tenants/acme/{MODEL}"}
    shown = service.call("GET", f"{INFER}?_id={univariate.document['_id']}").document
    assert shown.keys() == {"_id", "task", "status", "predictions_label_file"}


def test_a_methods_parameters_reach_the_workflow(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    body = {"detection_type": "univariate", "feature_file": "project/file/cogen_feature"}
    service.call("POST", INFER, {**body, "request_id": str(uuid4()), "method_name": "iqr"})
    assert only_input(service).parameters["parameters"] == {}
    service.workflows.started.clear()

    answer = service.call(
        "POST",
        INFER,
        {
            **body,
            "request_id": str(uuid4()),
            "method_name": "Persist",
            "parameters": {"window": 24, "margin": 2.5, "max_gap": None},
        },
    )

    assert answer.status == 200, answer.text
    assert only_input(service).parameters["parameters"] == {"window": 24, "margin": 2.5, "max_gap": None}


@pytest.mark.parametrize(
    ("method", "parameters", "words"),
    [
        ("iqr", {"margn": 2}, "iqr has no parameter 'margn' (did you mean margin?): allowed are low, high"),
        ("iqr", {"margin": -1}, "margin of iqr is -1: give a number from 0 to 1000000"),
        ("iqr", {"margin": True}, "margin of iqr is True"),
        ("quantile", {"low": "0.1"}, "low of quantile is '0.1': give a number from 0 to 1"),
        ("quantile", {"low": 0.999}, "low of quantile is 0.999 and high 0.995: give a low below high"),
        ("persist", {"window": 2.5}, "window of persist is 2.5: give a whole number from 1 to 10000"),
        ("persist", {"margin": 0}, "margin of persist is 0: give a number above 0"),
        ("persist", {"low": 0.1}, "persist has no parameter 'low'"),
        ("iqr", [1], "/parameters"),
    ],
)
def test_a_methods_wrong_parameter_is_named_with_what_is_allowed(
    service: Service, method: str, parameters: object, words: str
) -> None:
    body = {"request_id": str(uuid4()), "detection_type": "univariate", "method_name": method}
    answer = service.call("POST", INFER, {**body, "parameters": parameters, "feature_file": "p/f/n"})
    assert (answer.status, answer.problem) == (422, "invalid_request")
    assert words in answer.document["detail"]
    assert answer.document["errors"][0]["pointer"] == "/parameters"


def test_inference_by_a_streaming_workloads_model(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    service.models.uris = {("water_flow", None): ObjectUri(BUCKET, "runs/water_flow/1/model.tar.gz")}
    body = {
        "request_id": str(uuid4()),
        "detection_type": "multivariate",
        "model_path": "registry/water_flow",
        "feature_file": "project/file/cogen_feature",
    }

    assert service.call("POST", INFER, body).status == 200
    assert only_input(service).files.model == "runs/water_flow/1/model.tar.gz"
    other = service.call(
        "POST", INFER, {**body, "request_id": str(uuid4()), "model_path": "registry/water_flow/7"}
    )
    assert (other.status, other.problem) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("workload", "key"),
    [
        ("anomaly_service", "tenants/globex/p/file/results/1/model.tar.gz"),
        ("anomaly_service", "runs/anomaly_service/1/model.tar.gz"),
        ("anomaly_service_fit", "runs/anomaly_service_fit/1/model.tar.gz"),
        ("water_flow", "tenants/globex/p/file/results/1/model.tar.gz"),
        ("water_flow", "runs/air_quality/1/model.tar.gz"),
    ],
)
def test_the_registry_lends_no_tenants_model(service: Service, workload: str, key: str) -> None:
    service.put("project/file/cogen_feature.csv")
    service.models.uris = {(workload, None): ObjectUri(BUCKET, key)}
    body = {**INFERENCE, "request_id": str(uuid4()), "model_path": f"registry/{workload}"}
    answer = service.call("POST", INFER, body)
    assert (answer.status, answer.problem) == (404, "model_not_found")


INFERENCE = {
    "detection_type": "multivariate",
    "model_path": MODEL,
    "feature_file": "project/file/cogen_feature",
}


@pytest.mark.parametrize(
    ("path", "change", "status", "problem", "words"),
    [
        (TRAIN, {"train_feature_file": "project/file/none"}, 404, "file_not_found", "none.csv' or '"),
        (TRAIN, {"train_label_file": "project/file/none"}, 404, "file_not_found", "train_label_file"),
        (TRAIN, {"train_feature_file": "project/file/both"}, 409, "ambiguous_file", "write the extension"),
        (TRAIN, {"train_feature_file": "project/file/empty.csv"}, 422, "empty_file", "is empty"),
        (
            TRAIN,
            {"train_feature_file": "project/file/text.csv"},
            422,
            "non_numeric_value",
            "column 'load', row 1 (line 3 of the file): 'abc'",
        ),
        (TRAIN, {"train_feature_file": "project/file/latin.csv"}, 422, "unreadable_file", "UTF-8"),
        (TRAIN, {"train_feature_file": "project/file/no.parquet"}, 422, "unreadable_file", "Parquet"),
        (TRAIN, {"train_feature_file": "../other/file"}, 422, "invalid_request", "/train_feature_file"),
        (TRAIN, {"train_feature_file": "a/../../other/x.csv"}, 422, "invalid_request", "project/file/name"),
        (TRAIN, {"train_feature_file": "/etc/passwd"}, 422, "invalid_request", "/train_feature_file"),
        (TRAIN, {"train_feature_file": 7}, 422, "invalid_request", "/train_feature_file"),
        (
            TRAIN,
            {"model_name": "Prophet"},
            422,
            "invalid_request",
            "allowed are watchkeeper, DBSCAN, IsolationForest",
        ),
        (TRAIN, {"model_name": None}, 422, "invalid_request", "/model_name"),
        (TRAIN, {"request_id": "1"}, 422, "invalid_request", "UUID"),
        (TRAIN, {"save_charts": "yes"}, 422, "invalid_request", "/save_charts"),
        (TRAIN, {"epochs": 1}, 422, "invalid_request", "/epochs"),
        (INFER, {"detection_type": "both"}, 422, "invalid_request", "univariate"),
        (INFER, {"model_path": ""}, 422, "invalid_request", "/model_path"),
        (INFER, {"model_path": "project/file/cogen_feature"}, 404, "model_not_found", "not a model"),
        (INFER, {"model_path": MODEL.replace("0123", "4567")}, 404, "model_not_found", "no file"),
        (INFER, {"detection_type": "univariate", "method_name": "mean"}, 422, "invalid_request", "iqr"),
        (INFER, {"detection_type": "univariate"}, 422, "invalid_request", "/method_name"),
    ],
)
def test_refuses_what_cannot_be_done_and_names_it(
    service: Service, path: str, change: dict[str, Any], status: int, problem: str, words: str
) -> None:
    for name in ("cogen_feature.csv", "both.csv", "both.parquet"):
        service.put(f"project/file/{name}")
    service.put("project/file/empty.csv", b"")
    service.put("project/file/text.csv", b"time,load\n1,2\n2,abc\n")
    service.put("project/file/latin.csv", "time,Temp\xe9rature\n1,2\n".encode("latin-1"))
    service.put("project/file/no.parquet", FEATURES)
    service.put(MODEL, b"model")
    body = training() if path == TRAIN else {"request_id": str(uuid4()), **INFERENCE}

    answer = service.call("POST", path, {**body, **change})

    assert (answer.status, answer.problem) == (status, problem), answer.text
    assert words in answer.document["detail"]
    assert service.workflows.started == {}


def test_names_every_wrong_field_at_once(service: Service) -> None:
    answer = service.call("POST", TRAIN, {"request_id": "1", "model_name": "x", "more": 1})

    pointers = {fault["pointer"] for fault in answer.document["errors"]}
    assert pointers == {"/request_id", "/model_name", "/train_feature_file", "/more"}


@pytest.mark.parametrize(
    ("body", "content_type", "status", "problem"),
    [
        ("{", "application/json", 400, "malformed_request"),
        ("", "application/json", 400, "malformed_request"),
        ('{"request_id": NaN}', "application/json", 400, "malformed_request"),
        pytest.param("[" * 20_000, "application/json", 400, "malformed_request", id="deep"),
        ("[]", "application/json", 422, "invalid_request"),
        ("a=b", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        ("{}", "text/plain", 415, "unsupported_media_type"),
        ("{}", None, 422, "invalid_request"),
        pytest.param(
            json.dumps({"more": "x" * 70_000}), "application/json", 413, "request_too_large", id="large"
        ),
    ],
)
def test_refuses_a_body_that_cannot_be_read(
    service: Service, body: str, content_type: str | None, status: int, problem: str
) -> None:
    answer = service.call("POST", TRAIN, body, content_type=content_type)

    assert (answer.status, answer.problem) == (status, problem)


@pytest.mark.parametrize(
    ("method", "path", "status", "problem"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/anomaly_detection/", 404, "not_found"),
        ("GET", "/anomaly_detection/tune/", 404, "not_found"),
        ("GET", "/anomaly_detection/train/more/", 404, "not_found"),
        ("DELETE", TRAIN, 405, "method_not_allowed"),
        ("PUT", "/files/a/b", 405, "method_not_allowed"),
        ("GET", "/files", 405, "method_not_allowed"),
        ("GET", TRAIN, 422, "invalid_request"),
        ("GET", f"{TRAIN}?_id=none", 404, "request_not_found"),
        ("GET", "/requests/none", 404, "request_not_found"),
        ("GET", "/requests/a/b\x80", 404, "request_not_found"),
        ("PUT", "/requests/none", 405, "method_not_allowed"),
        ("POST", "/requests", 405, "method_not_allowed"),
        ("POST", "/files/a", 405, "method_not_allowed"),
        ("GET", "/requests?limit=0", 422, "invalid_request"),
        ("GET", "/requests?limit=many", 422, "invalid_request"),
        ("GET", "/requests?status=done", 422, "invalid_request"),
        ("GET", "/requests?page_token=!", 422, "invalid_request"),
        ("GET", "/requests?page_token=e30=", 422, "invalid_request"),
        ("GET", "/files/project/file/none.csv", 404, "file_not_found"),
        ("GET", "/files/project/../../other/x.csv", 422, "invalid_key"),
        ("GET", "/files/%2e%2e/other/x.csv", 422, "invalid_key"),
    ],
)
def test_every_refusal_of_a_get_is_a_problem(
    service: Service, method: str, path: str, status: int, problem: str
) -> None:
    answer = service.call(method, path)

    assert (answer.status, answer.problem) == (status, problem), answer.text


def test_tells_which_methods_a_path_has(service: Service) -> None:
    assert service.call("DELETE", TRAIN).headers["Allow"] == "GET, POST"


def test_a_request_of_another_task_or_tenant_is_not_found(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    request = service.call("POST", TRAIN, training()).document["_id"]

    assert service.call("GET", f"{VALID}?_id={request}").problem == "request_not_found"
    assert service.call("GET", f"{TRAIN}?_id={request}", tenant="other").problem == "request_not_found"
    assert service.call("GET", f"/requests/{request}", tenant="other").problem == "request_not_found"


def test_a_file_of_another_tenant_is_not_found(service: Service) -> None:
    service.put("project/file/secret.csv", tenant="other")

    assert service.call("GET", "/files/project/file/secret.csv").problem == "file_not_found"
    answer = service.call("POST", TRAIN, training(train_feature_file="project/file/secret.csv"))
    assert answer.problem == "file_not_found"


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"sub": "x", "token_use": "access"},
        {"sub": ""},
        {"sub": "../other"},
        {"sub": "x", "custom:tenant": "a/b"},
    ],
)
def test_a_token_without_a_usable_tenant_is_forbidden(service: Service, claims: dict[str, str]) -> None:
    answer = service.call("GET", "/requests", claims=claims)

    assert (answer.status, answer.problem) == (403, "forbidden")


def test_a_caller_without_a_tenant_is_one_alone(service: Service) -> None:
    service.put("project/file/cogen_feature.csv", tenant="subject")

    answer = service.call("POST", TRAIN, training(), claims={"sub": "subject"})

    assert answer.status == 200
    assert only_input(service).tenant == "subject"


def test_an_upload_is_for_one_file_of_one_size_and_type(service: Service) -> None:
    answer = service.call("POST", "/files", {"key": "project/file/new.csv", "size_bytes": 12})

    assert answer.status == 201
    document = answer.document
    assert "/tenants/acme/project/file/new.csv?" in document["url"]
    assert document["headers"] == {"Content-Type": "text/csv", "Content-Length": "12"}
    assert document["method"] == "PUT"


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        ({"key": "project/file/x.exe", "size_bytes": 1}, 422, "invalid_request"),
        ({"key": "project/file/x", "size_bytes": 1}, 422, "invalid_request"),
        ({"key": "project/anomaly_detection/x.csv", "size_bytes": 1}, 422, "invalid_key"),
        ({"key": "../x.csv", "size_bytes": 1}, 422, "invalid_request"),
        ({"key": "project/file/x.csv", "size_bytes": 0}, 422, "invalid_request"),
        ({"key": "project/file/x.csv", "size_bytes": 6_000_000_000}, 413, "file_too_large"),
        ({"key": "project/file/x.csv"}, 422, "invalid_request"),
    ],
)
def test_refuses_an_upload_that_may_not_be(
    service: Service, body: dict[str, Any], status: int, problem: str
) -> None:
    answer = service.call("POST", "/files", body)

    assert (answer.status, answer.problem) == (status, problem)


def test_a_download_is_for_the_callers_own_file(service: Service) -> None:
    service.put("project/file/my file.csv")

    answer = service.call("GET", "/files/project/file/my%20file.csv")

    assert answer.status == 200, answer.text
    assert answer.document["key"] == "project/file/my file.csv"
    assert answer.document["size_bytes"] == len(FEATURES)


def test_lists_requests_newest_first_in_pages(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    made = [service.call("POST", TRAIN, training()).document["_id"] for _ in range(5)]
    finish(service, made[2], Status.FAILED, error={"type": "x", "message": "y"})

    pages, token = [], ""
    while token is not None:
        page = service.call("GET", f"/requests?limit=2{token}").document
        pages.append([each["_id"] for each in page["requests"]])
        token = page["next_page_token"] and f"&page_token={page['next_page_token']}"

    assert [each for page in pages for each in page] == made[::-1]
    assert max(map(len, pages)) == 2
    failed = service.call("GET", "/requests?status=failed&task=train&limit=1").document
    assert [each["_id"] for each in failed["requests"]] == [made[2]]
    assert service.call("GET", "/requests?task=infer").document["requests"] == []
    assert service.call("GET", "/requests", tenant="other").document["requests"] == []


def test_lists_the_models_that_were_trained_newest_first_in_pages(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    made = [
        service.call("POST", TRAIN, training(model_name=name)).document["_id"] for name in ("LOF", "ecod")
    ]
    for request in made:
        started = service.workflows.started[f"train-{request_key_id('acme', request)}"]
        results = TaskInput.from_dict(json.loads(started)).results
        finish(
            service,
            request,
            Status.SUCCEEDED,
            results=json.dumps(results),
            metrics=json.dumps({"f1": 0.5}),
        )
    running = service.call("POST", TRAIN, training()).document["_id"]
    finish(service, running, Status.RUNNING)

    first = service.call("GET", "/models?limit=1").document
    second = service.call("GET", f"/models?limit=1&page_token={first['next_page_token']}").document

    (model,) = first["models"]
    path = service.call("GET", f"{TRAIN}?_id={made[1]}").document["model_path"]
    assert (model["request"], model["model_name"], model["model_path"]) == (made[1], "ECOD", path)
    assert model["metrics"] == {"f1": 0.5}
    assert [each["request"] for each in second["models"]] == [made[0]]
    assert service.call("GET", "/models", tenant="other").document == {"models": [], "next_page_token": None}


def test_a_page_token_of_another_tenant_shows_nothing_of_theirs(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    for _ in range(3):
        service.call("POST", TRAIN, training())
    token = service.call("GET", "/requests?limit=1").document["next_page_token"]

    page = service.call("GET", f"/requests?page_token={token}", tenant="other").document

    assert page["requests"] == []


def test_shows_everything_that_is_known_of_a_request(service: Service) -> None:
    service.put("project/file/cogen_feature.csv")
    body = training()
    request = service.call("POST", TRAIN, body).document["_id"]

    shown = service.call("GET", f"/requests/{request}").document

    assert shown["parameters"] == {**body, "train_label_file": None, "decimal": "."}
    assert [change["status"] for change in shown["history"]] == ["queued"]
    assert shown["request_id"] == body["request_id"]


def test_a_fault_of_the_service_is_a_problem_without_its_reason(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, tenant: str, request: str) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(type(service.table), "find", fail)
    answer = service.call("GET", "/requests/x")

    assert (answer.status, answer.problem) == (500, "internal_error")
    assert "secret" not in answer.text


def test_a_store_that_does_not_answer_asks_to_try_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, tenant: str, request: str) -> None:
        raise UnavailableError("DynamoDB is away")

    monkeypatch.setattr(type(service.table), "find", fail)

    assert service.call("GET", "/requests/x").problem == "unavailable"


def test_publishes_every_route_with_its_problems(service: Service) -> None:
    document = service.call("GET", "/openapi.json").document

    assert document["openapi"].startswith("3.")
    assert set(document["paths"]) == {
        TRAIN,
        VALID,
        INFER,
        "/files",
        "/files/{key}",
        "/requests",
        "/requests/{request}",
        "/models",
        "/workloads/{workload}/scores",
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            assert {"401", "403", "422", "429", "500", "503"} <= operation["responses"].keys()
            assert list(operation["responses"]["422"]["content"]) == ["application/problem+json"]
    infer = document["paths"][INFER]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert infer["discriminator"]["propertyName"] == "detection_type"


def test_the_page_of_the_api_needs_nothing_from_elsewhere(service: Service) -> None:
    answer = service.call("GET", "/docs")

    assert answer.headers["Content-Type"].startswith("text/html")
    assert "swagger" in answer.text
    assert "<script src=" not in answer.text
    assert "<link rel=" not in answer.text


SCORES = "/workloads/press/scores?series=flow%7Cpump%3D7&from=2026-11-28T00:00:00Z&to=2026-11-29T00:00:00Z"


def scored(minute: int) -> dict[str, Any]:
    start = f"2026-11-28T00:{minute:02d}:00Z"
    of_interval = {"series": "flow|pump=7", "interval_start": start, "value": 1.0, "is_anomaly": False}
    return {**of_interval, **dict.fromkeys(("expected", "lower", "upper", "anomaly_score"), 0.5)}


def test_a_reader_of_a_workload_gets_the_scores_of_a_series_page_by_page(service: Service) -> None:
    service.plans.readers["press"] = ("acme",)
    service.scores.lines = [scored(minute) for minute in range(0, 25, 5)]

    pages, token = [], ""
    while token is not None:
        answer = service.call("GET", f"{SCORES}&limit=2{token and f'&page_token={token}'}")
        assert answer.status == 200, answer.text
        pages.append([each["interval_start"][14:16] for each in answer.document["scores"]])
        token = answer.document["next_page_token"]

    assert pages == [["00", "05"], ["10", "15"], ["20"]]
    first = service.scores.asked[0]
    assert (first["workload"], first["series"], first["limit"]) == ("press", "flow|pump=7", 2)
    assert (first["since"], first["until"]) == ("2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z")


def test_who_is_no_reader_is_refused_and_not_told_whether_there_is_such_a_workload(service: Service) -> None:
    service.plans.readers["press"] = ("other",)
    refused = [service.call("GET", SCORES), service.call("GET", SCORES.replace("press", "nowhere"))]
    assert [answer.problem for answer in refused] == ["forbidden"] * 2
    told = [answer.document["detail"].replace("nowhere", "press") for answer in refused]
    assert told[0] == told[1]
    assert service.scores.asked == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from=2026-11-28", "from=2026-11-30"),
        ("from=2026-11-28", "from=soon"),
        ("series=flow%7Cpump%3D7", "series="),
        ("&to=", "&page_token=bm9uc2Vuc2U=&to="),
        ("&to=", "&limit=1001&to="),
    ],
)
def test_a_wrong_question_about_scores_is_refused(service: Service, old: str, new: str) -> None:
    service.plans.readers["press"] = ("acme",)
    assert service.call("GET", SCORES.replace(old, new)).problem == "invalid_request"
