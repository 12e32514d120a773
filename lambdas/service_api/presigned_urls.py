"""Uploads and downloads: a URL for one request to S3, made for the caller's own files only."""

from __future__ import annotations

from lambdas.http.problems import ServiceProblemError
from lambdas.service_api.documents import MAX_FILE_BYTES, Download, Upload
from lambdas.service_api.effects import ServiceEffects
from lambdas.service_api.tenant_bucket import URL_SECONDS
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.service.tenant_files import RESULTS_FOLDER, tenant_key

_CONTENT_TYPES = {".csv": "text/csv", ".parquet": "application/vnd.apache.parquet"}


def presign_upload(effects: ServiceEffects, tenant: str, key: str, size_bytes: int) -> Upload:
    """Return how to upload a file; its size and type are part of the signature.

    Raises
    ------
    ServiceProblemError
        If the file is too large, or may not be uploaded under this key.
    """
    if size_bytes > MAX_FILE_BYTES:
        raise ServiceProblemError("file_too_large", f"size_bytes is {size_bytes}; at most {MAX_FILE_BYTES}")
    content_type = next((kind for end, kind in _CONTENT_TYPES.items() if key.lower().endswith(end)), None)
    if content_type is None:
        raise ContractViolationError(f"key {key!r} has an extension that the request's type lets through")
    # Results and models there are the service's own: what is uploaded is never loaded as a model.
    if RESULTS_FOLDER in key.split("/"):
        raise ServiceProblemError(
            "invalid_key", f"key {key!r}: folder {RESULTS_FOLDER} is for results; choose another folder"
        )
    url = effects.files.upload_url(tenant_key(tenant, key), size_bytes, content_type)
    return Upload(
        key=key,
        url=url,
        headers={"Content-Type": content_type, "Content-Length": str(size_bytes)},
        expires_in_seconds=URL_SECONDS,
    )


def presign_download(effects: ServiceEffects, tenant: str, key: str) -> Download:
    """Return where to download a file.

    Raises
    ------
    ServiceProblemError
        If the caller has no such file (`file_not_found`); another tenant's is not told from a missing one.
    """
    try:
        found = effects.files.find(tenant_key(tenant, key))
    except InvalidInputError as error:
        raise ServiceProblemError.of(error) from error
    if found is None:
        raise ServiceProblemError("file_not_found", f"there is no file {key!r}")
    return Download(
        key=key,
        url=effects.files.download_url(found.key),
        size_bytes=found.size_bytes,
        expires_in_seconds=URL_SECONDS,
    )
