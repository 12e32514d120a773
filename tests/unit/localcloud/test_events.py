import json

from localcloud.events import s3_event


def test_event_has_aws_shape() -> None:
    detail = {
        "version": "0",
        "event-version": "1.0",
        "bucket": {"name": "b"},
        "object": {"key": "k", "size": 1},
    }

    found = s3_event(
        {"DetailType": "Object Created", "Detail": json.dumps(detail), "Time": "2026-01-01T00:00:00.123Z"}
    )

    assert found["Time"] == "2026-01-01T00:00:00Z"
    assert json.loads(found["Detail"]) == {
        "version": "0",
        "bucket": {"name": "b"},
        "object": {"key": "k", "size": 1},
    }
