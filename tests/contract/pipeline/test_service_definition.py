"""The anomaly service's state machines are sound, and every path in them exists when its state is reached."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any, get_type_hints

import pytest

from pipeline.__main__ import REGION
from pipeline.contracts import OUTPUTS, TaskState
from pipeline.service.definition import service_definitions
from pipeline.service.requests import MADE_ALREADY
from pipeline.settings import ServiceSettings
from pipeline.substitutions import Substitution
from tests.contract.pipeline.asl import expanded, known_paths, used_paths
from watchkeeper.service.job_names import of_any_request
from watchkeeper.service.tasks import Task

States = dict[str, dict[str, Any]]

GIVEN = ("tenant", "id", "bucket", "parameters", "files", "outputs", "results")
"""Fields of the input that states read."""


@pytest.fixture(scope="module")
def definitions() -> dict[Task, dict[str, Any]]:
    return dict(service_definitions(ServiceSettings(region=REGION)))


@pytest.fixture(params=list(Task), ids=lambda task: task.value)
def machine(request: pytest.FixtureRequest, definitions: dict[Task, dict[str, Any]]) -> dict[str, Any]:
    return definitions[request.param]


def all_states(machine: dict[str, Any]) -> States:
    """Return the states with those of iterations."""
    found = dict(machine["States"])
    for state in machine["States"].values():
        found |= all_states(state["Iterator"]) if "Iterator" in state else {}
    return found


def of_input(*names: str) -> set[str]:
    hints = get_type_hints(TaskState)
    return {"$"} | {each for name in names for each in expanded(f"$.{name}", hints[name])}


def known_at(machine: dict[str, Any], given: set[str]) -> dict[str, set[str]]:
    return known_paths(machine["States"], machine["StartAt"], given, OUTPUTS)


def test_every_state_is_reached_and_has_what_it_reads(machine: dict[str, Any]) -> None:
    known = known_at(machine, of_input(*GIVEN))
    assert set(known) == set(machine["States"])
    for name, state in machine["States"].items():
        reads = used_paths({key: value for key, value in state.items() if key != "Iterator"})
        assert reads - known[name] == set(), name
        if "Iterator" in state:
            passed = {key.removesuffix(".$") for key in state["Parameters"]}
            inside = known_at(state["Iterator"], of_input(*passed))
            for inner, step in state["Iterator"]["States"].items():
                assert used_paths(step) - inside[inner] == set(), inner


def test_results_stand_where_the_contract_says(machine: dict[str, Any]) -> None:
    for name, state in all_states(machine).items():
        if state["Type"] in ("Task", "Map") or name in OUTPUTS:
            assert state["ResultPath"] == (OUTPUTS[name][0] if name in OUTPUTS else None), name
        if "ResultSelector" in state:
            selected = {key.removesuffix(".$") for key in state["ResultSelector"]}
            assert selected == {field.name for field in dataclasses.fields(OUTPUTS[name][1])}, name


def test_every_write_to_the_request_is_conditional_and_passed_over_when_made(
    machine: dict[str, Any],
) -> None:
    writes = [state for state in all_states(machine).values() if "updateItem" in state.get("Resource", "")]
    assert writes
    for state in writes:
        assert state["Parameters"]["ConditionExpression"]
        (catch,) = state["Catch"]
        assert (catch["ErrorEquals"], catch["ResultPath"]) == ([MADE_ALREADY], None)
        assert catch["Next"] == state["Next"]
        expression = " ".join(state["Parameters"][f"{kind}Expression"] for kind in ("Update", "Condition"))
        assert set(re.findall(r"#\w+", expression)) == set(state["Parameters"]["ExpressionAttributeNames"])
        assert set(re.findall(r":\w+", expression)) == set(state["Parameters"]["ExpressionAttributeValues"])


def test_jobs_are_isolated_encrypted_and_named_by_the_request(machine: dict[str, Any]) -> None:
    jobs = [state for state in all_states(machine).values() if state.get("Resource", "").endswith(".sync")]
    assert jobs
    for state in jobs:
        parameters = state["Parameters"]
        name = parameters.get("TrainingJobName.$") or parameters["ProcessingJobName.$"]
        assert "$.id" in name
        assert "${KmsKeyArn}" in str(parameters)
        network = parameters.get("NetworkConfig", parameters)
        assert network["EnableNetworkIsolation"] is True


def test_placeholders_are_substitutions(machine: dict[str, Any]) -> None:
    placeholders = set(re.findall(r"\$\{(\w+)\}", json.dumps(machine)))
    assert placeholders <= {each.value for each in Substitution}
    assert Substitution.REQUESTS_TABLE_NAME.value in placeholders


def test_a_search_runs_a_bounded_number_of_jobs() -> None:
    settings = ServiceSettings(region=REGION, search_jobs=5, search_concurrency=2)
    states = service_definitions(settings)[Task.TRAIN]["States"]
    assert states["PlanSearch"]["Result"] == {"chunks": [0, 1, 2, 3, 4]}
    search = states["SearchHyperparameters"]
    assert search["MaxConcurrency"] == 2
    share = search["Iterator"]["States"]["SearchShare"]["Parameters"]
    assert share["HyperParameters"]["chunks"] == "5"


def test_a_pattern_of_names_ends_in_its_only_wildcard() -> None:
    assert of_any_request("a-{}-{}") == "a-*"
