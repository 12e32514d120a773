"""The laptop's Service Quotas: those of a new account, of an established one, and what is granted."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.service_quotas import NoSuchQuotaError, ServiceQuotas
from localcloud.settings import Settings, SettingsError

ENDPOINTS = "ml.m5.large for endpoint usage"


def quotas(home: Path, age: str = "new") -> ServiceQuotas:
    return ServiceQuotas(Settings(home=home, account_age=age))


def test_a_new_account_may_have_no_instance_and_an_established_one_many(tmp_path: Path) -> None:
    assert quotas(tmp_path).value("sagemaker", ENDPOINTS) == 0
    assert quotas(tmp_path).value("lambda", "Concurrent executions") == 10
    assert quotas(tmp_path, "established").value("sagemaker", ENDPOINTS) == 100


def test_an_increase_is_granted_and_survives_a_restart(tmp_path: Path) -> None:
    asked = {"ServiceCode": "sagemaker", "QuotaCode": "L-614B09FD", "DesiredValue": 5}
    answer = quotas(tmp_path).call("RequestServiceQuotaIncrease", asked)

    assert answer["RequestedQuota"]["Status"] == "APPROVED"
    assert quotas(tmp_path).value("sagemaker", ENDPOINTS) == 5
    default = quotas(tmp_path).call("GetAWSDefaultServiceQuota", asked)
    assert default["Quota"]["Value"] == 0


def test_a_list_comes_in_pages_that_have_every_quota_once(tmp_path: Path) -> None:
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = quotas(tmp_path).call("ListServiceQuotas", {"ServiceCode": "sagemaker", **token})
        found += [quota["QuotaName"] for quota in page["Quotas"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}

    assert len(found) == len(set(found)) > 300
    assert {ENDPOINTS, "Number of instances across active endpoints"} <= set(found)


def test_what_aws_has_not_and_an_age_that_there_is_not_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NoSuchQuotaError, match=r"ml\.z9"):
        quotas(tmp_path).value("sagemaker", "ml.z9.huge for endpoint usage")
    with pytest.raises(SettingsError, match="LOCALCLOUD_ACCOUNT_AGE='old': must be established or new"):
        quotas(tmp_path, "old")
