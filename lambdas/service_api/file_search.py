"""From what a request calls a file to the one object that it means."""

from __future__ import annotations

from lambdas.adapters.object_store import ObjectUri
from lambdas.adapters.registered_models import registered_model
from lambdas.http.problems import ServiceProblemError
from lambdas.service_api.documents import MAX_FILE_BYTES
from lambdas.service_api.effects import ServiceEffects
from lambdas.service_api.file_head import check_head
from lambdas.service_api.tenant_bucket import StoredFile
from watchkeeper.core.layout import RESERVED_WORKLOAD, runs_of
from watchkeeper.core.plan import Dialect
from watchkeeper.service.tasks import MODEL_FILE
from watchkeeper.service.tenant_files import (
    DATA_EXTENSIONS,
    MODEL_EXTENSIONS,
    RESULTS_FOLDER,
    candidate_keys,
    tenant_key,
)
from watchkeeper.telemetry.dialect import DIALECT

HEAD_BYTES = 65_536


def find_table(
    effects: ServiceEffects, tenant: str, field: str, key: str, *, dialect: Dialect = DIALECT
) -> str:
    """Return the bucket's key of a CSV or Parquet file whose beginning is readable.

    Parameters
    ----------
    field
        The request's field that has the key, for messages.

    Raises
    ------
    ServiceProblemError
        If there is no such file, several are meant, or it is empty or too large.
    InvalidInputError
        If its beginning is not a table of numbers (`non_numeric_value`, `unreadable_file`).
    """
    found = _only(effects, tenant, field, key, DATA_EXTENSIONS, missing="file_not_found")
    if found.size_bytes > MAX_FILE_BYTES:
        raise ServiceProblemError(
            "file_too_large", f"{field} {key!r} has {found.size_bytes} bytes; at most {MAX_FILE_BYTES}"
        )
    if found.size_bytes == 0:
        raise ServiceProblemError("empty_file", f"{field} {key!r} is empty")
    whole = found.size_bytes <= HEAD_BYTES
    head = effects.files.head(found.key, HEAD_BYTES)
    check_head(f"{field} {key!r}", found.key, head, whole=whole, dialect=dialect)
    return found.key


def find_model(effects: ServiceEffects, tenant: str, path: str) -> str:
    """Return the bucket's key of a model that the service trained, or of a workload's approved model.

    Raises
    ------
    ServiceProblemError
        If there is no such model (`model_not_found`).
    """
    registered = registered_model(path)
    if registered is not None:
        workload, version = registered
        uri = _workload_model(effects, workload, version)
        if uri is None:
            which = f"version {version}" if version else "a version"
            raise ServiceProblemError(
                "model_not_found",
                f"model_path {path!r}: the registry has no {which} of {workload} that is approved",
            )
        return uri.key
    folders = path.split("/")
    if RESULTS_FOLDER not in folders[:-1] or not MODEL_FILE.startswith(folders[-1]):
        raise ServiceProblemError(
            "model_not_found",
            f"model_path {path!r} is not a model of this service: use the `model_path` of a train answer, "
            "or registry/WORKLOAD",
        )
    return _only(effects, tenant, "model_path", path, MODEL_EXTENSIONS, missing="model_not_found").key


def _workload_model(effects: ServiceEffects, workload: str, version: int | None) -> ObjectUri | None:
    """Return where a workload's model is. What tenants trained is nobody else's, whatever registered it."""
    if workload.startswith(RESERVED_WORKLOAD):
        return None
    uri = effects.models.model_uri(workload, version)
    own = uri is not None and uri.bucket == effects.files.name and uri.key.startswith(runs_of(workload))
    return uri if own else None


def _only(
    effects: ServiceEffects, tenant: str, field: str, key: str, extensions: tuple[str, ...], *, missing: str
) -> StoredFile:
    candidates = candidate_keys(key, extensions)
    found = [
        file for each in candidates if (file := effects.files.find(tenant_key(tenant, each))) is not None
    ]
    if not found:
        raise ServiceProblemError(
            missing,
            f"{field} {key!r}: there is no file {' or '.join(map(repr, candidates))}; upload it first",
        )
    if len(found) > 1:
        raise ServiceProblemError(
            "ambiguous_file",
            f"{field} {key!r} may mean {' or '.join(map(repr, candidates))}: write the extension too",
        )
    return found[0]
