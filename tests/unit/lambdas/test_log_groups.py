"""Log groups of endpoints."""

from __future__ import annotations

from lambdas.adapters import clients
from lambdas.adapters.log_groups import RETENTION_DAYS, KeyedLogGroups

KEY = "arn:aws:kms:us-east-1:123456789012:key/data"
NAME = "/aws/sagemaker/Endpoints/watchkeeper-pump"


def test_a_group_is_made_once_with_key_and_retention(aws: object) -> None:
    client = clients.logs()
    for _ in range(2):
        KeyedLogGroups(client, KEY).settle(NAME)
    (group,) = client.describe_log_groups(logGroupNamePrefix=NAME)["logGroups"]
    assert (group["kmsKeyId"], group["retentionInDays"]) == (KEY, RETENTION_DAYS)


def test_a_group_that_sagemaker_made_gets_a_retention(aws: object) -> None:
    client = clients.logs()
    client.create_log_group(logGroupName=NAME)
    KeyedLogGroups(client, KEY).settle(NAME)
    (group,) = client.describe_log_groups(logGroupNamePrefix=NAME)["logGroups"]
    assert group["retentionInDays"] == RETENTION_DAYS
