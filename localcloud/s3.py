"""S3: what AWS does where a request leaves something to it."""

import hashlib
import json
import logging
import os
import uuid
from pathlib import Path

from localcloud.part import Part
from localcloud.seams import s3
from localcloud.settings import Settings

logger = logging.getLogger(__name__)

_SIDECAR = ".meta.json"
_ENCRYPTION = "x-amz-server-side-encryption"
_KEY_ID = f"{_ENCRYPTION}-aws-kms-key-id"


class S3Part(Part):
    """S3 in the server."""

    def __init__(self, settings: Settings) -> None:
        key = uuid.uuid5(uuid.NAMESPACE_URL, f"{settings.account}/{settings.region}/aws/s3")
        self._folder = settings.home / "s3"
        self._managed_key = f"arn:aws:kms:{settings.region}:{settings.account}:key/{key}"

    def install(self) -> None:
        """Mend what a power cut left, and register with ministack; its state is not loaded yet."""
        mend(self._folder)
        self._resolve = s3.encryption_of_write.replace(self._encryption_of_write)

    def _encryption_of_write(self, headers: dict[str, str], bucket: str) -> object:
        """`aws:kms` without a key is encrypted with the account's own key `aws/s3`, as the API says."""
        if headers.get(_ENCRYPTION) == "aws:kms" and not headers.get(_KEY_ID):
            headers = {**headers, _KEY_ID: self._managed_key}
        return self._resolve(headers, bucket)


def mend(folder: Path) -> int:
    """Let each object be whole again whose write was interrupted; return how many they were.

    Ministack writes an object's body, then what it says of it. Between the two an object would have the size
    and the entity tag of the body before, and no answer with it could be read. Nobody was told that the write
    was done, so the new body may stand.
    """
    count = 0
    for place, _, names in os.walk(folder):
        for name in names:
            body = Path(place, name)
            sidecar = body.with_name(f"{name}{_SIDECAR}")
            if name.endswith((_SIDECAR, ".tmp")) or not sidecar.exists():
                continue
            written = body.stat().st_mtime_ns
            if written <= sidecar.stat().st_mtime_ns:
                continue
            said = json.loads(sidecar.read_text())
            if said.get("is_delete_marker"):
                continue
            content = body.read_bytes()
            said.update(size=len(content), etag=f'"{hashlib.md5(content).hexdigest()}"', checksums={})  # noqa: S324  # S3's
            partial = sidecar.with_name(f"{sidecar.name}.tmp")
            partial.write_text(json.dumps(said))
            partial.replace(sidecar)
            logger.warning("S3: the write of %s was interrupted: its new body stands", said.get("key", name))
            count += 1
    return count
