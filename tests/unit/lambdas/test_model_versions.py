"""Versions in the model registry: the adapter in moto's account, and the fake of the console's tests."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lambdas.adapters import clients
from lambdas.adapters.model_versions import ModelVersions, SageMakerModelVersions
from tests.unit.lambdas.conftest import REGION
from tests.unit.lambdas.console_world import AIR, LIVE, FakeModels, versions_of_air

ARN = f"arn:aws:sagemaker:{REGION}:123456789012:model-package"


def in_sagemaker() -> SageMakerModelVersions:
    client = clients.sagemaker()
    client.create_model_package_group(ModelPackageGroupName="watchkeeper-air-quality")
    for each in versions_of_air():
        client.create_model_package(
            ModelPackageGroupName="watchkeeper-air-quality",
            ModelApprovalStatus="Approved" if each.approval == "approved" else "PendingManualApproval",
            InferenceSpecification={
                "Containers": [{"Image": "detector", "ModelDataUrl": uri} for uri in each.artifacts],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            CustomerMetadataProperties={"run": str(each.run_id)},
        )
    return SageMakerModelVersions(client, ARN)


@pytest.fixture(params=["moto", "fake"])
def models(request: pytest.FixtureRequest, aws: SimpleNamespace) -> ModelVersions:
    return in_sagemaker() if request.param == "moto" else FakeModels({AIR: versions_of_air()})


def test_lists_the_newest_first_with_the_run_of_each(models: ModelVersions) -> None:
    found, end = models.listed(AIR, 20, None)
    assert end is None
    assert sorted(each.version for each in found) == [1, 2, 3]
    of_second = next(each for each in found if each.version == 2)
    assert (of_second.run_id, of_second.approval) == (LIVE.run_id, "approved")
    assert of_second.artifacts[0].endswith("model.tar.gz")


def test_a_verdict_stands_with_its_reason(models: ModelVersions) -> None:
    third = models.found(AIR, 3)
    assert third is not None
    assert (third.approval, models.rejected(AIR)) == ("pending", frozenset())
    models.judge(third.arn, approved=False, reason="rejected by mia")
    after = models.found(AIR, 3)
    assert after is not None
    assert (after.approval, after.said) == ("rejected", "rejected by mia")
    assert models.rejected(AIR) == {third.arn}


def test_there_are_none_of_a_workload_without_a_group(models: ModelVersions) -> None:
    assert models.listed("nothing", 20, None) == ([], None)
    assert models.found("nothing", 1) is None
    assert models.rejected("nothing") == frozenset()
