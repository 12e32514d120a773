"""What a deployment is told from outside."""

from __future__ import annotations

from typing import Any

import pytest
from constructs import RootConstruct

from infra.settings import Settings
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec import load_workloads


@pytest.fixture(autouse=True)
def no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CDK_DEFAULT_REGION", raising=False)


def settings_of(context: dict[str, Any]) -> Settings:
    root = RootConstruct()
    for key, value in context.items():
        root.node.set_context(key, value)
    return Settings.from_context(root)


def test_deploys_to_aws_in_us_east_1_when_nothing_is_said() -> None:
    settings = settings_of({})
    assert (settings.stage, settings.region) == ("aws", "us-east-1")


def test_region_follows_the_clis_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_DEFAULT_REGION", "eu-central-1")
    assert settings_of({}).region == "eu-central-1"


def test_region_of_the_context_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_DEFAULT_REGION", "eu-central-1")
    assert settings_of({"region": "us-gov-west-1"}).region == "us-gov-west-1"


def test_refuses_an_unknown_stage_and_says_which_there_are() -> None:
    with pytest.raises(InvalidInputError, match=r"'stage' is 'cloud'.*'aws' or 'laptop'"):
        settings_of({"stage": "cloud"})


def test_refuses_a_region_that_is_none() -> None:
    with pytest.raises(InvalidInputError, match="'region' is 'Europe'"):
        settings_of({"region": "Europe"})


def test_refuses_an_origin_that_would_let_everyone_in() -> None:
    assert settings_of({"service_cors_origins": ["https://a.example"]}).service_cors_origins
    with pytest.raises(InvalidInputError, match="service_cors_origins"):
        settings_of({"service_cors_origins": ["*"]})


def test_a_budget_of_nothing_is_none_and_a_negative_one_is_refused() -> None:
    assert settings_of({}).monthly_budget_usd == 500
    assert settings_of({"monthly_budget_usd": 0}).monthly_budget_usd == 0
    with pytest.raises(InvalidInputError, match="monthly_budget_usd"):
        settings_of({"monthly_budget_usd": -1})


def test_one_workload_is_chosen_by_its_name() -> None:
    workloads = load_workloads(Settings().workloads)
    assert len(settings_of({}).chosen(workloads)) == len(workloads) > 1
    assert [spec.name for spec in settings_of({"workload": "water_flow"}).chosen(workloads)] == ["water_flow"]


def test_several_workloads_are_chosen_by_their_names_and_none_by_a_word() -> None:
    workloads = load_workloads(Settings().workloads)
    chosen = settings_of({"workload": "water_flow,abalone"}).chosen(workloads)
    assert [spec.name for spec in chosen] == ["water_flow", "abalone"]
    assert settings_of({"workload": "none"}).chosen(workloads) == []


def test_refuses_a_workload_that_has_no_file_and_says_which_have() -> None:
    workloads = load_workloads(Settings().workloads)
    with pytest.raises(InvalidInputError, match=r"'workload' is 'water': water not in .*known: .*water_flow"):
        settings_of({"workload": "water"}).chosen(workloads)
