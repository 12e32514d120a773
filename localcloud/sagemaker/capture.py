"""Data capture: sampled requests and answers as JSON lines in S3, in Model Monitor's format."""

import base64
import json
import random
import uuid
from collections import defaultdict
from datetime import datetime, timezone

from localcloud.sagemaker import locations
from localcloud.sagemaker.context import Context
from localcloud.sagemaker.sender import Sender
from localcloud.sagemaker.serving import Reply
from localcloud.sagemaker.shapes import Document


class DataCapture(Sender):
    """Collects captured records and uploads a file a variant every second."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "captured data")
        self._lines: defaultdict[tuple[str, str, str, str | None], list[str]] = defaultdict(list)

    def record(
        self,
        endpoint: str,
        variant: str,
        config: Document | None,
        body: bytes,
        content_type: str,
        reply: Reply,
        inference_id: str | None,
        role: str | None,
    ) -> None:
        """Capture one exchange, if the configuration asks for it and the sample takes it.

        Parameters
        ----------
        role
            ARN of the role that writes it.
        """
        if not config or not config.get("EnableCapture", True):
            return
        if random.random() * 100 >= config["InitialSamplingPercentage"]:
            return
        types = config.get("CaptureContentTypeHeader", {})
        modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
        both = "InputAndOutput" in modes
        captured: Document = {}
        if both or "Input" in modes:
            captured["endpointInput"] = _side("INPUT", body, content_type, types)
        if both or "Output" in modes:
            captured["endpointOutput"] = _side("OUTPUT", reply.body, reply.content_type, types)
        metadata = {
            "eventId": str(uuid.uuid4()),
            "inferenceTime": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if inference_id:
            metadata["inferenceId"] = inference_id
        line = json.dumps({"captureData": captured, "eventMetadata": metadata, "eventVersion": "0"})
        with self._lock:
            self._lines[config["DestinationS3Uri"], endpoint, variant, role].append(line)

    def send(self) -> None:
        """Upload every line collected so far, in one file a variant under the hour's prefix."""
        with self._lock:
            lines, self._lines = self._lines, defaultdict(list)
        for (destination, endpoint, variant, role), records in lines.items():
            now = datetime.now(timezone.utc)
            file = f"{now:%M-%S}-{now.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
            target = locations.parse(
                locations.join(destination, endpoint, variant, f"{now:%Y/%m/%d/%H}", file)
            )
            self._clients.client("s3", role).put_object(
                Bucket=target.bucket,
                Key=target.key,
                Body="".join(f"{record}\n" for record in records).encode(),
                ContentType="application/x-ndjson",
            )


def _side(mode: str, body: bytes, content_type: str, types: Document) -> Document:
    encoding, text = _encode(body, content_type.partition(";")[0].strip(), types)
    return {"observedContentType": content_type, "mode": mode, "data": text, "encoding": encoding}


def _encode(body: bytes, media_type: str, types: Document) -> tuple[str, str]:
    """Encode a body as the configuration's content types say; base64 where they say nothing, as on AWS."""
    for encoding, member in (("CSV", "CsvContentTypes"), ("JSON", "JsonContentTypes")):
        if media_type in types.get(member, []):
            try:
                return encoding, body.decode("utf-8")
            except UnicodeDecodeError:
                break
    return "BASE64", base64.b64encode(body).decode("ascii")
