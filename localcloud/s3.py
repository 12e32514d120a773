"""S3: what AWS does where a request leaves something to it."""

import uuid

from localcloud.seams import s3
from localcloud.settings import Settings

_ENCRYPTION = "x-amz-server-side-encryption"
_KEY_ID = f"{_ENCRYPTION}-aws-kms-key-id"


class S3Part:
    """S3 in the server."""

    def __init__(self, settings: Settings) -> None:
        key = uuid.uuid5(uuid.NAMESPACE_URL, f"{settings.account}/{settings.region}/aws/s3")
        self._managed_key = f"arn:aws:kms:{settings.region}:{settings.account}:key/{key}"

    def install(self) -> None:
        """Register with ministack."""
        self._resolve = s3.encryption_of_write.replace(self._encryption_of_write)

    async def start(self) -> None:
        """Nothing to start."""

    def shutdown(self) -> None:
        """Nothing to end."""

    def _encryption_of_write(self, headers: dict[str, str], bucket: str) -> object:
        """`aws:kms` without a key is encrypted with the account's own key `aws/s3`, as the API says."""
        if headers.get(_ENCRYPTION) == "aws:kms" and not headers.get(_KEY_ID):
            headers = {**headers, _KEY_ID: self._managed_key}
        return self._resolve(headers, bucket)
