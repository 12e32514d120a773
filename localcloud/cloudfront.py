"""CloudFront: what a distribution may read of a bucket, and what it is told of an object that is missing.

The distribution itself is ministack's: behaviors, functions (in Node), policies of headers.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from xml.sax.saxutils import escape

from localcloud.authorization.authority import AccessDeniedError, Authority
from localcloud.authorization.needs import Need
from localcloud.part import Part
from localcloud.seams import s3

Answer = tuple[int, dict[str, Any], bytes]


class CloudFrontPart(Part):
    """Evaluates each fetch of an origin with an origin access control by the policy of its bucket.

    Parameters
    ----------
    authority
        Evaluates.
    """

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def install(self) -> None:
        """Stand before ministack's fetches."""
        self._origin_allows = s3.origin_allows.replace(self._allows)
        self._fetch_on = s3.origin_fetch.replace(self._fetch)

    def _allows(self, owner: str, bucket: str, key: str, distribution: str, identity: str) -> bool:
        if not distribution:  # of an origin without one
            return bool(self._origin_allows(owner, bucket, key, distribution, identity))
        return self._may("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", distribution)

    def _fetch(
        self,
        bucket: str,
        key: str,
        method: str,
        headers: Mapping[str, str],
        source_arn: str = "",
        oai_id: str = "",
    ) -> Answer:
        answer: Answer = self._fetch_on(bucket, key, method, headers, source_arn, oai_id)
        if answer[0] != HTTPStatus.FORBIDDEN or not source_arn:
            return answer
        # S3 tells that an object is missing only to who may list the bucket
        bucket_arn = f"arn:aws:s3:::{bucket}"
        if not self._may("s3:GetObject", f"{bucket_arn}/{key}", source_arn):
            return answer
        if not self._may("s3:ListBucket", bucket_arn, source_arn):
            return answer
        document = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
            f"<Message>The specified key does not exist.</Message><Key>{escape(key)}</Key></Error>"
        )
        return HTTPStatus.NOT_FOUND, {"Content-Type": "application/xml"}, document.encode()

    def _may(self, action: str, resource: str, distribution: str) -> bool:
        try:
            self._authority.require_of_service("cloudfront", Need(action, resource), distribution)
        except AccessDeniedError:
            return False
        return True
