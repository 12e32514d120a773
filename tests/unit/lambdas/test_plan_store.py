"""Plans from parameters."""

from __future__ import annotations

import pytest

from lambdas.adapters import clients
from lambdas.adapters.plan_store import CACHE_SECONDS, ParameterPlanStore
from tests.unit.lambdas.builders import WORKLOAD, make_plan
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.layout import plan_parameter
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.kinds import digest_of


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def deploy(plan: WorkloadPlan) -> None:
    clients.ssm().put_parameter(
        Name=plan_parameter(WORKLOAD), Value=plan.to_json(), Type="String", Overwrite=True
    )


def test_changed_plan_takes_effect_after_a_minute(aws: object) -> None:
    clock = Clock()
    store = ParameterPlanStore(clients.ssm(), clock)
    deploy(make_plan())
    assert store.plan_of(WORKLOAD) == make_plan()
    deploy(make_plan(lateness_seconds=7))
    clock.now += CACHE_SECONDS - 1
    assert store.plan_of(WORKLOAD) == make_plan()
    clock.now += 1
    assert store.plan_of(WORKLOAD) == make_plan(lateness_seconds=7)


def test_who_insists_on_a_plan_gets_a_changed_one_at_once(aws: object) -> None:
    store = ParameterPlanStore(clients.ssm(), Clock())
    deploy(make_plan())
    store.plan_of(WORKLOAD)
    changed = make_plan(lateness_seconds=7)
    deploy(changed)
    assert store.deployed_plan_of(WORKLOAD, digest_of(changed)) == changed


def test_who_insists_on_a_plan_that_is_not_there_is_told_of_the_deployment(aws: object) -> None:
    deploy(make_plan())
    with pytest.raises(InvalidInputError, match=r"was made for [0-9a-f]{16}: a deployment changes it"):
        ParameterPlanStore(clients.ssm()).deployed_plan_of(WORKLOAD, digest_of(make_plan(lateness_seconds=7)))


def test_workload_without_parameter_is_invalid_input(aws: object) -> None:
    with pytest.raises(InvalidInputError, match=r"add workloads/pump\.yaml and deploy"):
        ParameterPlanStore(clients.ssm()).plan_of(WORKLOAD)


def test_plan_of_another_release_is_a_contract_violation(aws: object) -> None:
    deploy(make_plan(version=99))
    with pytest.raises(ContractViolationError, match="plan of version 99"):
        ParameterPlanStore(clients.ssm()).plan_of(WORKLOAD)
