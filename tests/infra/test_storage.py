"""What must outlive every deployment."""

from __future__ import annotations

from tests.infra.conftest import WORKLOADS
from tests.infra.templates import Templates

STACK = "WatchkeeperStorage"

STATEFUL = {
    "CallersUsers2F6DC098": "AWS::Cognito::UserPool",
    "AnomaliesItems967A8EA2": "AWS::DynamoDB::Table",
    "DataAccessLogF8C4FD7F": "AWS::S3::Bucket",
    "DataObjectsE4F380A5": "AWS::S3::Bucket",
    "DevicesItemsAE45517A": "AWS::DynamoDB::Table",
    "IdempotencyItems0E3C62DA": "AWS::DynamoDB::Table",
    "IncidentsItemsDEE8694B": "AWS::DynamoDB::Table",
    "Key961B73FD": "AWS::KMS::Key",
    "PagesObjectsDD11C355": "AWS::S3::Bucket",
    "RequestsItems9F4C3E40": "AWS::DynamoDB::Table",
    "ServiceModels": "AWS::SageMaker::ModelPackageGroup",
    "SeriesItemsA9B76436": "AWS::DynamoDB::Table",
    "TransactionsItems54ADC088": "AWS::DynamoDB::Table",
}
"""A changed logical id is a new, empty resource: change one only together with a migration of its data."""
MADE_AGAIN = ("SiteLog186F363A", "SiteObjectsC1A2A987")
"""What a deployment makes again may go."""


def test_logical_ids_of_stateful_resources_stay_as_they_are(templates: Templates) -> None:
    kinds = set(STATEFUL.values())
    found = {
        each.logical_id: each.type
        for each in templates.resources()
        if each.type in kinds and not each.stack.startswith("Watchkeeper-")
    }
    for logical_id in MADE_AGAIN:
        assert found.pop(logical_id) == "AWS::S3::Bucket"
    alert_key = templates.one("AWS::KMS::Key", stack="WatchkeeperAlerting").logical_id
    del found[alert_key]
    assert found == STATEFUL


def test_data_survives_the_stack(templates: Templates) -> None:
    for kind in ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key"):
        for resource in templates.resources(kind, stack=STACK):
            assert resource.body["DeletionPolicy"] == "Retain", str(resource)
            assert resource.body["UpdateReplacePolicy"] == "Retain", str(resource)


def test_empty_package_groups_go_with_the_stack_so_that_their_names_are_free(templates: Templates) -> None:
    groups = templates.resources("AWS::SageMaker::ModelPackageGroup")
    assert len(groups) == len(WORKLOADS) + 1, "the service's"
    assert {group.body["DeletionPolicy"] for group in groups} == {"Delete"}


def test_every_key_rotates(templates: Templates) -> None:
    keys = templates.resources("AWS::KMS::Key")
    assert len(keys) == 2
    assert all(key.properties["EnableKeyRotation"] is True for key in keys)


def test_buckets_are_encrypted_versioned_and_private(templates: Templates) -> None:
    buckets = templates.resources("AWS::S3::Bucket")
    assert len(buckets) == 5
    for bucket in buckets:
        properties = bucket.properties
        versions = properties.get("VersioningConfiguration")
        is_made_again = bucket.logical_id.startswith(
            ("Pages", "Site")
        )  # by the scoring loop, by a deployment
        assert (versions == {"Status": "Enabled"}) is not is_made_again, str(bucket)
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert "BucketEncryption" in properties


def test_data_bucket_uses_the_data_key_and_logs_access(templates: Templates) -> None:
    properties = templates.one("AWS::S3::Bucket", stack=STACK, having="DataObjects").properties
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": {"Fn::GetAtt": ["Key961B73FD", "Arn"]},
    }
    assert rule["BucketKeyEnabled"] is True
    assert properties["LoggingConfiguration"]["DestinationBucketName"] == {"Ref": "DataAccessLogF8C4FD7F"}


def test_data_bucket_tells_eventbridge_without_a_custom_resource(templates: Templates) -> None:
    properties = templates.one("AWS::S3::Bucket", stack=STACK, having="DataObjects").properties
    assert properties["NotificationConfiguration"] == {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }
    custom = [each.type for each in templates.resources() if each.type.startswith("Custom::")]
    assert custom == ["Custom::ConsoleSite"], "a function of ours, which fills the site's bucket"


def test_buckets_refuse_requests_without_tls(templates: Templates) -> None:
    for policy in templates.resources("AWS::S3::BucketPolicy"):
        assert any(
            statement["Effect"] == "Deny"
            and statement["Action"] == "s3:*"
            and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            for statement in policy.properties["PolicyDocument"]["Statement"]
        ), str(policy)


def test_objects_expire_by_prefix_but_history_and_models_stay(templates: Templates) -> None:
    properties = templates.one("AWS::S3::Bucket", stack=STACK, having="DataObjects").properties
    rules = properties["LifecycleConfiguration"]["Rules"]
    expiring = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    assert expiring == {
        "raw/": 365,
        "raw-errors/": 90,
        "quarantine/": 90,
        "captures/": 30,
        "drift/": 365,
        "scores/": 90,
        "scores-by-hour/": 7,
        "scores-by-day/": 365,
        "queries/": 7,
        "backtests/": 30,
    }
    (everywhere,) = [rule for rule in rules if "Prefix" not in rule]
    assert everywhere["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert everywhere["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}


def test_tables_recover_expire_and_cannot_be_deleted_by_accident(templates: Templates) -> None:
    tables = {each.logical_id: each.properties for each in templates.resources("AWS::DynamoDB::Table")}
    assert {name: table["TimeToLiveSpecification"]["AttributeName"] for name, table in tables.items()} == {
        "SeriesItemsA9B76436": "expires_at",
        "AnomaliesItems967A8EA2": "expires_at",
        "DevicesItemsAE45517A": "expires_at",
        "IdempotencyItems0E3C62DA": "expiration",
        "IncidentsItemsDEE8694B": "expires_at",
        "RequestsItems9F4C3E40": "expires_at",
        "TransactionsItems54ADC088": "expires_at",
    }
    for table in tables.values():
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert table["SSESpecification"]["KMSMasterKeyId"] == {"Fn::GetAtt": ["Key961B73FD", "Arn"]}
        assert table["DeletionProtectionEnabled"] is True
        assert table["TimeToLiveSpecification"]["Enabled"] is True
        assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_users_outlive_the_stack_and_are_made_by_an_administrator(templates: Templates) -> None:
    pool = templates.one("AWS::Cognito::UserPool", stack=STACK)
    assert pool.body["DeletionPolicy"] == "Retain"
    assert pool.properties["DeletionProtection"] == "ACTIVE"
    assert pool.properties["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
