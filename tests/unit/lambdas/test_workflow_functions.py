"""The training workflow's functions on fakes."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest

from lambdas.adapters.run_documents import SmokeCase
from lambdas.adapters.sagemaker_resources import EndpointDescription
from lambdas.steps.clean_up import CleanUpEffects, clean_up
from lambdas.steps.decide_promotion import decide
from lambdas.steps.publish_release import PublishingEffects, publish
from lambdas.steps.smoke_test import SmokeTestEffects, SmokeTestError, check
from lambdas.steps.stage_release import StagingEffects, stage
from lambdas.steps.verify_deployment import EndpointRolledBackError, verify
from tests.unit.lambdas.builders import (
    BEGIN,
    WORKLOAD,
    make_evaluation,
    make_metrics,
    make_plan,
    make_release,
    make_run,
    run_payload,
)
from tests.unit.lambdas.fakes import (
    FakeEndpoint,
    FakeLogGroups,
    FakeObjectStore,
    FakeReleaseStore,
    FakeResources,
    RememberedEvents,
    run_documents,
)
from tests.unit.lambdas.golden_events import golden_event
from watchkeeper.core.errors import ContractViolationError, UnavailableError
from watchkeeper.core.layout import VARIANT
from watchkeeper.lifecycle.published import PublishedRelease
from watchkeeper.lifecycle.run import TrainingRun

RUN = make_run(5)
OLD = make_release(1)
PACKAGE_ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/pump/5"


def served(
    run: TrainingRun = RUN,
    status: str = "InService",
    reason: str = "",
    weights: dict[str, float] | None = None,
) -> EndpointDescription:
    return EndpointDescription(status, run.names.endpoint_config, reason, weights or {VARIANT: 1.0})


def resources_of(*minutes: int, endpoint: EndpointDescription | None = None) -> FakeResources:
    """Models and configurations of the runs that were started at these minutes."""
    runs = [make_run(minute) for minute in minutes]
    return FakeResources(
        models={name for run in runs for name in (run.names.model, run.names.preprocessor_model)},
        endpoint_configs={run.names.endpoint_config: {VARIANT: 1.0} for run in runs},
        endpoints={RUN.names.endpoint: endpoint} if endpoint else {},
    )


# decide_promotion


def test_good_candidate_is_approved_with_its_figures() -> None:
    objects = run_documents(RUN, plan=make_plan().to_json(), evaluation=make_evaluation(RUN).to_json())
    decision = decide(run_payload(RUN), objects)
    assert decision["approved"] is True
    assert decision["metrics"]["alerts_per_week"] == 1.0
    assert "pr_auc" not in decision["metrics"]


def test_candidate_over_the_plans_budget_is_rejected_with_the_reason() -> None:
    noisy = make_evaluation(RUN, candidate=make_metrics(alerts_per_week=50.0))
    objects = run_documents(RUN, plan=make_plan().to_json(), evaluation=noisy.to_json())
    decision = decide(run_payload(RUN), objects)
    assert decision["approved"] is False
    assert any("50.00 alerts a week" in reason for reason in decision["reasons"])


def test_missing_evaluation_is_a_contract_violation_that_names_it() -> None:
    with pytest.raises(ContractViolationError, match=f"{RUN.uris.evaluation}evaluation.json does not exist"):
        decide(run_payload(RUN), run_documents(RUN, plan=make_plan().to_json()))


@pytest.mark.parametrize("run", [None, {}, {**RUN.to_dict(), "more": 1}, "text"])
def test_payload_without_a_run_is_a_contract_violation(run: object) -> None:
    with pytest.raises(ContractViolationError, match="run"):
        decide({"run": run}, FakeObjectStore())


# stage_release

SMOKE = json.dumps({"rows": ["r1", "r2", "r3", "r4"], "scores": [1.0, 2.0, 3.0, 3.0], "tolerance": 1e-6})


@pytest.mark.parametrize(
    ("scores", "probe"),
    [
        ((1.0, 5.0, 2.0), ("b", 5.0)),
        ((1.0, 9.0, 9.0), ("a", 1.0)),
        ((0.0, 0.0, 0.4), ("c", 0.4)),
        ((2.0, 2.0, 2.0), ("a", 2.0)),
    ],
)
def test_probe_has_the_highest_score_that_no_other_row_has(
    scores: tuple[float, ...], probe: tuple[str, float]
) -> None:
    assert SmokeCase(("a", "b", "c"), scores, 1e-6).probe() == probe


def test_staged_release_is_made_from_run_evaluation_and_package() -> None:
    releases = FakeReleaseStore()
    effects = StagingEffects(
        run_documents(RUN, evaluation=make_evaluation(RUN).to_json(), smoke=SMOKE),
        releases,
        logs := FakeLogGroups(),
        lambda: BEGIN,
    )
    assert stage(run_payload(RUN, model_package_arn=PACKAGE_ARN), effects) == {"run_id": RUN.run_id}
    release = releases.of_run(WORKLOAD, RUN.run_id)
    assert release is not None
    assert (release.endpoint_config, release.model) == (RUN.names.endpoint_config, RUN.names.model)
    assert (release.model_package_arn, release.released_at) == (PACKAGE_ARN, "2024-01-01T00:00:00Z")
    assert release.threshold == make_evaluation(RUN).threshold
    assert (release.probe_row, release.probe_score) == ("r2", 2.0)
    assert releases.live(WORKLOAD) is None
    assert logs.settled == [f"/aws/sagemaker/Endpoints/{RUN.names.endpoint}"]


def test_a_release_without_an_endpoint_has_no_log_group() -> None:
    documents = run_documents(RUN, evaluation=make_evaluation(RUN).to_json(), smoke=SMOKE)
    effects = StagingEffects(documents, FakeReleaseStore(), logs := FakeLogGroups(), lambda: BEGIN)
    stage({**run_payload(RUN, model_package_arn=PACKAGE_ARN), "endpoint": False}, effects)
    assert logs.settled == []


def test_staging_again_keeps_the_time_of_the_first() -> None:
    releases = FakeReleaseStore()
    objects = run_documents(RUN, evaluation=make_evaluation(RUN).to_json(), smoke=SMOKE)
    for minute in (0, 9):
        effects = StagingEffects(
            objects, releases, FakeLogGroups(), lambda minute=minute: BEGIN + timedelta(minutes=minute)
        )  # type: ignore[misc]  # binds the loop's value
        stage(run_payload(RUN, model_package_arn=PACKAGE_ARN), effects)
    (release,) = releases.staged(WORKLOAD)
    assert release.released_at == "2024-01-01T00:00:00Z"


def test_evaluation_of_another_run_is_refused() -> None:
    objects = run_documents(RUN, evaluation=make_evaluation(make_run(1)).to_json())
    with pytest.raises(ContractViolationError, match=f"is of run {make_run(1).run_id}, not of {RUN.run_id}"):
        stage(
            run_payload(RUN, model_package_arn=PACKAGE_ARN),
            StagingEffects(objects, FakeReleaseStore(), FakeLogGroups()),
        )


# verify_deployment


def test_requested_configuration_in_service_is_verified() -> None:
    answer = verify(run_payload(RUN), resources_of(5, endpoint=served()))
    assert answer == {"endpoint": RUN.names.endpoint, "endpoint_config": RUN.names.endpoint_config}


def test_silent_rollback_fails_with_both_configurations_and_the_reason() -> None:
    rolled_back = served(make_run(1), reason="an alarm fired")
    with pytest.raises(EndpointRolledBackError) as error:
        verify(run_payload(RUN), resources_of(1, 5, endpoint=rolled_back))
    for part in (RUN.names.endpoint_config, make_run(1).names.endpoint_config, "an alarm fired"):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        (resources_of(5), "does not exist"),
        (resources_of(5, endpoint=served(status="Updating")), "is Updating, not InService"),
        (resources_of(endpoint=served()), "although it is live"),
        (resources_of(5, endpoint=served(weights={VARIANT: 0.0})), "asks for"),
        (resources_of(5, endpoint=served(weights={VARIANT: 1.0, "other": 1.0})), "asks for"),
        (
            dataclasses.replace(
                resources_of(endpoint=served()), endpoint_configs={RUN.names.endpoint_config: {"x": 1.0}}
            ),
            "has no variant",
        ),
    ],
)
def test_any_other_deployment_is_a_contract_violation(resources: FakeResources, message: str) -> None:
    with pytest.raises(ContractViolationError, match=message):
        verify(run_payload(RUN), resources)


# smoke_test


def smoke(scores: list[float], values: tuple[float, ...] = (10.0, 20.0), **endpoint: Any) -> dict[str, Any]:
    case = {"rows": [f"2024-01-01,s,{value}" for value in values], "scores": scores, "tolerance": 1e-6}
    fake = StrictEndpoint()
    for name, value in endpoint.items():
        setattr(fake, name, value)
    return check(run_payload(RUN), SmokeTestEffects(run_documents(RUN, smoke=json.dumps(case)), fake))


class StrictEndpoint(FakeEndpoint):
    """Refuses malformed rows, as the real one should."""

    strict = True

    def _score(self, rows: Any) -> Any:
        malformed = [row for row in rows if not row.startswith("2024")]
        return super()._score(["t,s,666" if self.strict else "t,s,1" for _ in malformed] or rows)


def test_same_scores_pass_within_the_tolerance() -> None:
    assert smoke([1.0, 2.0000001]) == {"rows": 2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scores": [1.0, 2.1]}, "has 2.0, in the evaluation it had 2.1"),
        ({"scores": [2.0, 1.0]}, "has 1.0, in the evaluation it had 2.0"),
        ({"scores": [1.0, 66.6], "values": (10.0, 666.0)}, "refuses a row of the test part: bad luck"),
        ({"scores": [1.0, 2.0], "strict": False}, "must answer 4xx"),
    ],
)
def test_any_difference_fails_the_smoke_test(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SmokeTestError, match=message):
        smoke(**arguments)


def test_busy_endpoint_is_retried_and_not_failed() -> None:
    with pytest.raises(UnavailableError):
        smoke([1.0, 2.0], failure=UnavailableError("busy"))


@pytest.mark.parametrize(
    "document",
    [
        "{}",
        "no json",
        '{"rows": [], "scores": [], "tolerance": 1}',
        '{"rows": ["a"], "scores": [], "tolerance": 1}',
    ],
)
def test_smoke_document_without_rows_cannot_pass(document: str) -> None:
    with pytest.raises(ContractViolationError, match=r"smoke\.json"):
        check(run_payload(RUN), SmokeTestEffects(run_documents(RUN, smoke=document), FakeEndpoint()))


# publish_release


def publishing_effects(*minutes: int) -> PublishingEffects:
    """Runs were released at these minutes, one after the other, but the last is only staged."""
    releases = FakeReleaseStore()
    for minute in minutes:
        releases.stage(make_release(minute))
        if minute != minutes[-1]:
            releases.publish(make_release(minute))
    return PublishingEffects(releases, resources_of(*minutes), RememberedEvents())


def test_first_release_has_no_previous_one() -> None:
    effects = publishing_effects(5)
    assert publish(run_payload(RUN), effects) == {"previous": None}
    assert effects.releases.live(WORKLOAD) == make_release(5)


def test_previous_release_can_return_and_older_ones_are_removed() -> None:
    effects = publishing_effects(1, 2, 3, 5)
    resources: Any = effects.resources
    for _ in range(2):
        answer = publish(run_payload(RUN), effects)
        assert answer["previous"]["run_id"] == make_run(3).run_id
    assert set(resources.endpoint_configs) == {make_run(minute).names.endpoint_config for minute in (3, 5)}
    assert {make_run(minute).names.model for minute in (3, 5)} <= resources.models
    assert not {make_run(minute).names.model for minute in (1, 2)} & resources.models
    assert [release.run_id for release in effects.releases.staged(WORKLOAD)] == [
        make_run(minute).run_id for minute in (3, 5)
    ]


def test_who_looks_on_is_told_of_a_release_by_the_same_id_each_time() -> None:
    effects = publishing_effects(3, 5)
    for _ in range(2):
        publish(run_payload(RUN), effects)
    bus: Any = effects.bus
    assert {event.pop("type") for event in bus.events} == {"Release Published"}
    told = [PublishedRelease.from_dict(event) for event in bus.events]
    assert [(each.what, each.run_id, each.previous) for each in told] == [
        ("published", RUN.run_id, make_run(3).run_id)
    ] * 2
    assert len({each.event_id for each in told}) == 1


def test_a_release_that_nobody_could_be_told_of_is_published_and_the_step_comes_again() -> None:
    effects = publishing_effects(3, 5)
    bus: Any = effects.bus
    bus.down = True
    with pytest.raises(UnavailableError):
        publish(run_payload(RUN), effects)
    assert effects.releases.live(WORKLOAD) == make_release(5)


def test_the_published_package_is_approved_and_no_other() -> None:
    effects = publishing_effects(3, 5)
    resources: Any = effects.resources
    publish(run_payload(RUN), effects)
    assert resources.packages == {
        make_release(5).model_package_arn: (True, f"Published by {RUN.execution_arn}")
    }


def test_models_that_only_jobs_used_are_removed() -> None:
    effects = publishing_effects(5)
    publish(run_payload(RUN), effects)
    assert not effects.resources.model_exists(RUN.names.preprocessor_model)
    assert effects.resources.model_exists(RUN.names.model)


def test_release_of_a_newer_run_stays_live_and_nothing_is_removed() -> None:
    effects = publishing_effects(5, 9, 10)
    with pytest.raises(ContractViolationError, match="newer run"):
        publish(run_payload(RUN), effects)
    assert len(effects.releases.staged(WORKLOAD)) == 3


def test_run_without_staged_release_cannot_be_published() -> None:
    with pytest.raises(ContractViolationError, match="no staged release"):
        publish(run_payload(RUN), PublishingEffects(FakeReleaseStore(), FakeResources(), RememberedEvents()))


# clean_up


def failed_run(
    endpoint: EndpointDescription | None, *, live: bool = True, published: bool = False
) -> CleanUpEffects:
    releases = FakeReleaseStore()
    if live:
        releases.release(OLD)
    releases.stage(make_release(5))
    if published:
        releases.publish(make_release(5))
    return CleanUpEffects(releases, resources_of(1, 5, endpoint=endpoint))


def taken_back(effects: CleanUpEffects) -> dict[str, Any]:
    return clean_up(
        run_payload(RUN, error={"Error": "States.TaskFailed", "Cause": "the job failed"}), effects
    )


@pytest.mark.parametrize("published", [False, True])
def test_the_package_of_a_failed_run_is_rejected_unless_it_was_published(published: bool) -> None:
    effects = failed_run(served(RUN), published=published)
    resources: Any = effects.resources
    reason = taken_back(effects)["reason"]
    assert resources.packages == {make_release(5).model_package_arn: (published, reason)}


def test_what_a_failed_run_made_is_removed_and_what_serves_stays() -> None:
    effects = failed_run(served(make_run(1)))
    result = taken_back(effects)
    assert result["reason"] == (
        "States.TaskFailed: the job failed. "
        f"Endpoint {RUN.names.endpoint} has configuration {make_run(1).names.endpoint_config}, as before."
    )
    assert set(result["removed"]) == {
        f"model {RUN.names.model}",
        f"model {RUN.names.preprocessor_model}",
        f"endpoint configuration {RUN.names.endpoint_config}",
        f"release of run {RUN.run_id}",
    }
    assert effects.releases.live(WORKLOAD) == OLD
    resources: Any = effects.resources
    assert set(resources.endpoint_configs) == {OLD.endpoint_config}
    assert OLD.model in resources.models


def test_cleaning_up_twice_finds_nothing_left() -> None:
    effects = failed_run(served(make_run(1)))
    taken_back(effects)
    assert taken_back(effects)["removed"] == []


def test_endpoint_that_never_served_is_removed() -> None:
    effects = failed_run(served(status="Failed"), live=False)
    assert f"endpoint {RUN.names.endpoint}" in taken_back(effects)["removed"]
    assert effects.resources.endpoint(RUN.names.endpoint) is None
    assert effects.releases.staged(WORKLOAD) == []


def test_model_that_serves_but_failed_its_test_gives_way_to_the_live_release() -> None:
    effects = failed_run(served())
    result = taken_back(effects)
    endpoint = effects.resources.endpoint(RUN.names.endpoint)
    assert endpoint is not None
    assert endpoint.endpoint_config == OLD.endpoint_config
    assert f"goes back to configuration {OLD.endpoint_config}" in result["reason"]
    # Until the endpoint has changed, its answers still come from the run's model.
    assert effects.releases.of_run(WORKLOAD, RUN.run_id) is not None
    assert effects.resources.model_exists(RUN.names.model)


def test_first_model_that_failed_its_test_stays_unpublished() -> None:
    effects = failed_run(served(), live=False)
    assert "is not published" in taken_back(effects)["reason"]
    assert effects.resources.endpoint(RUN.names.endpoint) is not None
    assert effects.resources.model_exists(RUN.names.model)


def test_published_release_is_never_taken_back() -> None:
    effects = failed_run(served(), published=True)
    result = taken_back(effects)
    assert result["removed"] == [f"model {RUN.names.preprocessor_model}"]
    assert effects.releases.live(WORKLOAD) == make_release(5)


def test_endpoint_that_still_changes_is_looked_at_again_later() -> None:
    effects = failed_run(served(status="Updating"))
    with pytest.raises(UnavailableError, match="is Updating"):
        taken_back(effects)
    assert effects.resources.model_exists(RUN.names.model)


def test_run_that_had_made_nothing_leaves_nothing() -> None:
    effects = CleanUpEffects(FakeReleaseStore(), FakeResources())
    assert taken_back(effects)["removed"] == []


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (
            "clean_up_lambda_error",
            "InvalidInputError: execution input has the unknown key 'strat'; did you mean 'start'?",
        ),
        (
            "clean_up_job_error",
            "States.TaskFailed: no telemetry to learn from: 1 files, 3 records, none accepted.",
        ),
    ],
)
def test_error_before_the_run_has_a_name_is_told_in_words(event: str, reason: str) -> None:
    effects = CleanUpEffects(FakeReleaseStore(), FakeResources())
    assert clean_up(golden_event(event), effects) == {"reason": reason, "removed": []}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"Error": "ModelRejected", "Cause": '["Too noisy.", "Worse."]'}, "ModelRejected: Too noisy. Worse."),
        ({"Error": "X", "Cause": '{"other": 1}'}, 'X: {"other": 1}.'),
        ({"Error": "X", "Cause": "17"}, "X: 17."),
        ({}, "an error without a name: no cause given."),
        ({"Error": "X", "Cause": "y" * 5000}, f"X: {'y' * 1999}…"),
    ],
)
def test_every_cause_becomes_a_sentence(error: dict[str, str], reason: str) -> None:
    effects = CleanUpEffects(FakeReleaseStore(), FakeResources())
    assert clean_up({"run": None, "error": error}, effects)["reason"] == reason
