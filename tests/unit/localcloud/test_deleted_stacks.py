"""What a deleted stack still lists."""

from typing import Any

from localcloud.deleted_stacks import STACK, retained


def event(logical_id: str, kind: str, status: str) -> dict[str, Any]:
    return {
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": f"{logical_id}-physical",
        "ResourceType": kind,
        "ResourceStatus": status,
        "Timestamp": "2024-01-01T00:00:00Z",
        "EventId": "1",
    }


def test_only_what_the_last_deletion_skipped_is_retained() -> None:
    events = [
        event("Earlier", "AWS::S3::Bucket", "DELETE_SKIPPED"),  # of an update
        event("stack", STACK, "DELETE_IN_PROGRESS"),
        event("Data", "AWS::S3::Bucket", "DELETE_SKIPPED"),
        event("Queue", "AWS::SQS::Queue", "DELETE_COMPLETE"),
        event("stack", STACK, "DELETE_COMPLETE"),
    ]

    assert retained(events) == {
        "Data": {
            "LogicalResourceId": "Data",
            "PhysicalResourceId": "Data-physical",
            "ResourceType": "AWS::S3::Bucket",
            "ResourceStatus": "DELETE_SKIPPED",
            "Timestamp": "2024-01-01T00:00:00Z",
        }
    }
