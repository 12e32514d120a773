"""Service Quotas of a running laptop, as AWS's own client sees them."""

from __future__ import annotations

from pathlib import Path

from tests.contract.localcloud.cloud import running_cloud

ENDPOINTS = "ml.m5.large for endpoint usage"


def test_a_new_account_has_no_instance_until_an_increase_is_asked_for(tmp_path: Path) -> None:
    with running_cloud(tmp_path / "home", LOCALCLOUD_ACCOUNT_AGE="new") as cloud:
        quotas = cloud.client("service-quotas")
        pages = quotas.get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
        found = {quota["QuotaName"]: quota for page in pages for quota in page["Quotas"]}
        assert found[ENDPOINTS]["Value"] == 0
        asked = {"ServiceCode": "sagemaker", "QuotaCode": found[ENDPOINTS]["QuotaCode"]}
        answer = quotas.request_service_quota_increase(**asked, DesiredValue=2.0)
        assert answer["RequestedQuota"]["Status"] == "APPROVED"

    with running_cloud(tmp_path / "home", LOCALCLOUD_ACCOUNT_AGE="new") as cloud:
        quota = cloud.client("service-quotas").get_service_quota(**asked)["Quota"]
        assert quota["Value"] == 2
