"""The first state: what may run, and what the run is called."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest

from lambdas.adapters import clients
from lambdas.adapters.incident_store import Book
from lambdas.adapters.object_store import ObjectUri
from lambdas.adapters.registered_models import RegisteredModel, SageMakerRegisteredModels
from lambdas.adapters.sagemaker_resources import EndpointDescription
from lambdas.steps.decide_promotion import decide
from lambdas.steps.execution_input import (
    RunningExecution,
    TrainingInProgressError,
    checked_input,
    refuse_if_older_runs,
)
from lambdas.steps.validate_input import ValidationEffects, validate
from tests.unit.lambdas.builders import BEGIN, BUCKET, make_evaluation, make_plan, make_release
from tests.unit.lambdas.fakes import (
    FakePlanStore,
    FakeRegisteredModels,
    validation_effects,
)
from tests.unit.lambdas.golden_events import golden_event
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import DetectorPlan, MeasurePlan, SeriesSelection, WorkloadPlan
from watchkeeper.incidents.feedback import Label, Mark, Verdict
from watchkeeper.incidents.progress import Change
from watchkeeper.kinds import digest_of
from watchkeeper.lifecycle.run import TrainingRun


def effects_of(**objects: bytes) -> ValidationEffects:
    return validation_effects(make_plan(), **objects)


def validated(effects: ValidationEffects, **changes: Any) -> dict[str, Any]:
    return validate({**golden_event("validate_input"), **changes}, effects)


def test_first_run_has_a_plan_and_no_champion() -> None:
    effects = effects_of(history=b"x")
    result = validated(effects)
    run = TrainingRun.from_dict(result.pop("run"))
    assert result == {
        "champion": {"exists": False, "model": None, "run_id": None, "artifact": None},
        "endpoint": {"exists": False},
        "window": {"start": "2023-01-01T00:00:00Z", "end": ""},
        "sources": {"history": True, "raw": False},
        "registered": {"uri": ""},
    }
    assert run.run_id.startswith("20240101000000-")
    assert run.reason == "scheduled"
    plan = effects.objects.read(ObjectUri.parse(run.uris.plan))
    assert plan is not None
    assert WorkloadPlan.from_json(plan) == make_plan()


@pytest.mark.parametrize("wanted", [True, False])
def test_what_people_say_of_incidents_is_written_for_the_run_as_labels_if_wanted(wanted: bool) -> None:
    plans = FakePlanStore({"pump": make_plan(feedback_labels=wanted)})
    effects = dataclasses.replace(effects_of(history=b"x"), plans=plans)
    runs = ((1_704_067_200, 3),)
    marks = (Mark("pressure|device=a", ("above",), 80.0, runs), Mark("pressure|device=b", (), 80.0, runs))
    for incident_id, what, of in (("1", "real", marks[:1]), ("2", "noise", marks[1:])):
        verdict = Verdict("pump", incident_id, what, "2024-01-01T00:00:00Z", "mia", 60, of)  # type: ignore[arg-type]
        store = effects.incidents
        assert store.commit("pump", store.book("pump"), Book(), Change(verdicts=(verdict,)))
    label = Label(
        "pump", "pressure|device=a", 1_704_070_800, 1_704_070_920, 60, "2024-01-02T00:00:00Z", "mia"
    )
    assert store.commit("pump", store.book("pump"), Book(), Change(labels=(label,)))
    run = TrainingRun.from_dict(validated(effects)["run"])
    labels = effects.objects.read(ObjectUri.parse(f"{run.uris.feedback}labels.json"))
    assert labels is not None
    said = {
        "pressure|device=a": [
            ["2024-01-01T00:00:00Z", "2024-01-01T00:02:00Z"],
            ["2024-01-01T01:00:00Z", "2024-01-01T01:01:00Z"],
        ],
        "pressure|device=b": [],
    }
    assert json.loads(labels) == (said if wanted else {})


def serving_registered(version: int, approval: str, bucket: str = BUCKET) -> ValidationEffects:
    """A workload that serves version 7, and the one version that the registry has."""
    plans = FakePlanStore({"pump": make_plan(detector=DetectorPlan("registered", {"version": 7}))})
    artifact = ObjectUri(bucket, "tenants/acme/anomaly_detection/train/1/model.tar.gz")
    model = RegisteredModel(approval, artifact)
    return dataclasses.replace(
        effects_of(history=b"x"), plans=plans, registered=FakeRegisteredModels({version: model})
    )


def test_an_approved_model_of_the_service_is_what_the_workload_serves() -> None:
    result = validated(serving_registered(7, "Approved"))
    assert result["registered"] == {
        "uri": f"s3://{BUCKET}/tenants/acme/anomaly_detection/train/1/model.tar.gz"
    }


@pytest.mark.parametrize(
    ("version", "approval", "bucket", "said"),
    [
        (6, "Approved", BUCKET, "detector.version is 7: the anomaly service has registered no such model"),
        (7, "Approved", "elsewhere", "the anomaly service has registered no such model"),
        (7, "PendingManualApproval", BUCKET, "is PendingManualApproval, not Approved"),
        (7, "Rejected", BUCKET, "then `watchkeeper approve 7`"),
    ],
)
def test_a_model_that_may_not_serve_is_refused_with_the_remedy(
    version: int, approval: str, bucket: str, said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        validated(serving_registered(version, approval, bucket))


@pytest.mark.usefixtures("aws")
def test_registered_models_are_those_of_the_registry() -> None:
    client = clients.sagemaker()
    client.create_model_package_group(ModelPackageGroupName="g")
    arn = client.create_model_package(
        ModelPackageGroupName="g",
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [
                {"Image": "i", "ModelDataUrl": f"https://s3.us-east-1.amazonaws.com/{BUCKET}/a/m.tar.gz"}
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]
    models = SageMakerRegisteredModels(client, arn.rpartition("/")[0])

    assert models.of_version(1) == RegisteredModel("Approved", ObjectUri(BUCKET, "a/m.tar.gz"))
    assert models.of_version(2) is None


def test_state_that_runs_twice_names_the_same_run() -> None:
    effects = effects_of(history=b"x")
    assert validated(effects)["run"] == validated(effects)["run"]


@pytest.mark.parametrize("model_exists", [True, False])
def test_live_release_is_the_champion_only_if_its_model_exists(model_exists: bool) -> None:
    effects = effects_of(raw=b"x")
    release = make_release()
    effects.releases.publish(release)
    resources: Any = effects.resources
    resources.endpoints[release.endpoint] = EndpointDescription("InService", "c", "", {})
    if model_exists:
        resources.models.add(release.model)
    result = validated(effects)
    assert result["champion"] == (
        {"exists": True, "model": release.model, "run_id": release.run_id, "artifact": None}
        if model_exists
        else {"exists": False, "model": None, "run_id": None, "artifact": None}
    )
    assert result["endpoint"] == {"exists": True}
    assert result["sources"] == {"history": False, "raw": True}


def test_nothing_to_train_on_is_refused_with_both_places() -> None:
    with pytest.raises(InvalidInputError) as error:
        validated(effects_of())
    assert f"s3://{BUCKET}/history/pump/" in str(error.value)
    assert f"s3://{BUCKET}/raw/workload=pump/" in str(error.value)


def test_older_execution_goes_first() -> None:
    effects = effects_of(history=b"x")
    executions: Any = effects.executions
    own = golden_event("validate_input")["execution_arn"]
    executions.listed = [RunningExecution(BEGIN, own), RunningExecution(BEGIN - timedelta(hours=1), "other")]
    with pytest.raises(TrainingInProgressError, match="execution other, started 2023-12-31T23:00:00Z"):
        validated(effects)


@pytest.mark.parametrize(("own", "passes"), [("a", True), ("b", False)])
def test_of_two_started_at_the_same_time_one_goes_on(own: str, passes: bool) -> None:
    listed = [RunningExecution(BEGIN, "b"), RunningExecution(BEGIN, "a")]
    if passes:
        refuse_if_older_runs(RunningExecution(BEGIN, own), listed)
        return
    with pytest.raises(TrainingInProgressError):
        refuse_if_older_runs(RunningExecution(BEGIN, own), listed)


def test_own_start_is_compared_as_it_is_listed() -> None:
    """The list may round times; else an execution could be older than itself."""
    listed = [
        RunningExecution(BEGIN, "own"),
        RunningExecution(BEGIN + timedelta(milliseconds=1), "younger"),
    ]
    refuse_if_older_runs(RunningExecution(BEGIN + timedelta(milliseconds=500), "own"), listed)


@pytest.mark.parametrize("document", [{}, {"reason": "manual"}, {"start": None, "end": None}])
def test_all_keys_are_optional(document: dict[str, Any]) -> None:
    assert checked_input(document).reason == "manual"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "execution input is None, expected an object"),
        ([], r"expected an object with any of end, reason, start"),
        ({"strat": 1}, "unknown key 'strat'; did you mean 'start'"),
        ({"frobnicate": 1}, "unknown key 'frobnicate'; allowed are end, reason, start"),
        ({"reason": ""}, "reason is ''"),
        ({"reason": 3}, "reason is 3"),
        ({"start": "yesterday"}, "start: timestamp 'yesterday'"),
        ({"end": 12}, "end is 12, expected ISO 8601"),
        (
            {"start": "2024-01-02", "end": "2024-01-01T23:00:00-01:00"},
            "start 2024-01-02T00:00:00Z is not before end 2024-01-02T00:00:00Z",
        ),
    ],
)
def test_wrong_input_is_refused_by_key_and_value(document: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        checked_input(document)


def test_workload_that_is_not_deployed_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="'unknown' is not deployed"):
        validated(effects_of(history=b"x"), workload="unknown")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"measures": (MeasurePlan("pressure", "p"), MeasurePlan("flow", "f"))}, "without the measures flow"),
        ({"dimensions": ("hall", "device")}, "with other dimensions (device)"),
        ({"dimensions": ()}, "with other dimensions (device)"),
        ({"exclude": (SeriesSelection(where={"device": ("a",)}),)}, None),
    ],
)
def test_champion_of_another_schema_is_passed_over_and_the_decision_says_why(
    changes: dict[str, Any], why: str | None
) -> None:
    plan = dataclasses.replace(make_plan(), **changes)
    effects = validation_effects(plan, make_release(), history=b"x")
    found = validate({**golden_event("validate_input"), "plan": digest_of(plan)}, effects)
    assert found["champion"]["exists"] is (why is None)
    run = TrainingRun.from_dict(found["run"])
    objects: Any = effects.objects
    objects.write(
        ObjectUri.parse(f"{run.uris.evaluation}evaluation.json"), make_evaluation(run).to_json().encode()
    )
    reasons = decide({"run": found["run"]}, objects)["reasons"]
    told = [reason for reason in reasons if reason.startswith("Not compared with the model in service: run ")]
    assert len(told) == (why is not None)
    assert why is None or why in told[0]
