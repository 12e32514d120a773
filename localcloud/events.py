"""S3's events on EventBridge in AWS's shape.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html.
"""

import json
from typing import Any

from localcloud.part import Part
from localcloud.seams import eventbridge, s3


class EventsPart(Part):
    """Corrects the events that ministack's S3 puts on the default bus."""

    def install(self) -> None:
        """Wrap ministack's dispatch of events."""
        self._original = eventbridge.dispatch_event.replace(self._dispatch)

    def _dispatch(self, event: dict[str, Any], view: object = None) -> Any:
        if event.get("Source") == "aws.s3" and view is None:
            event = s3_event(event)
        return self._original(event, view)


def s3_event(event: dict[str, Any]) -> dict[str, Any]:
    """Return an S3 event with the object's version and without what AWS does not send."""
    detail = json.loads(event["Detail"])
    detail.pop("event-version", None)
    found = detail["object"]
    version = s3.latest_version(detail["bucket"]["name"], found["key"])
    if version and event["DetailType"] == "Object Created":
        found["version-id"] = version
    time = event["Time"]
    seconds = f"{time.partition('.')[0]}Z" if isinstance(time, str) and "." in time else time
    return {**event, "Detail": json.dumps(detail), "Time": seconds}
