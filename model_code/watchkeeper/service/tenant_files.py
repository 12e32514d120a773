"""Where a tenant's files are: a caller's key `project/file/name` is `tenants/TENANT/project/file/name`."""

from __future__ import annotations

import re

from watchkeeper.core.errors import ContractViolationError, InvalidInputError

TENANTS = "tenants"
RESULTS_FOLDER = "anomaly_detection"
"""Results are in this folder beside their input."""
DATA_EXTENSIONS = (".csv", ".parquet")
"""What a feature or label file may end in; a request may leave it out."""
MODEL_EXTENSIONS = (".tar.gz",)
KEY_LENGTH = 512
"""Longest key in a request."""
STORED_KEY_LENGTH = 700
"""Longest key of a tenant's file: results have a longer one than their input."""

_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_CHARACTER = "[A-Za-z0-9!_*'()=@+,-]"
_ANY = "[A-Za-z0-9!_*'()=@+,. -]"
_PART = rf"(\.{{0,2}}{_CHARACTER}{_ANY}*|\.{{3}}{_ANY}*)"
KEY_PATTERN = rf"{_PART}(/{_PART})*"
"""What a caller's key looks like; a part is neither empty nor `.` nor `..`."""
_KEY = re.compile(KEY_PATTERN)


def tenant_root(tenant: str) -> str:
    """Prefix of everything of a tenant.

    Raises
    ------
    InvalidInputError
        If the name is not 1 to 64 of `A-Z a-z 0-9 _ -`, the first a letter or digit (reason
        `invalid_tenant`).
    """
    if not _TENANT.fullmatch(tenant):
        raise InvalidInputError(
            f"tenant {tenant!r} is not 1 to 64 of A-Z a-z 0-9 _ -, the first a letter or digit",
            reason="invalid_tenant",
        )
    return f"{TENANTS}/{tenant}/"


def tenant_key(tenant: str, key: str) -> str:
    """Return a caller's key as the bucket knows it: always below the tenant's root.

    Raises
    ------
    InvalidInputError
        If the key has empty, `.` or `..` parts, other characters than file names have, or is too long (reason
        `invalid_key`).

    Examples
    --------
    >>> tenant_key("acme", "project/file/cogen.csv")
    'tenants/acme/project/file/cogen.csv'
    """
    if len(key) > STORED_KEY_LENGTH or not _KEY.fullmatch(key):
        raise InvalidInputError(
            f"key {key[:80]!r} is not of the form project/file/name: at most {STORED_KEY_LENGTH} letters, "
            "digits and !_.*'()=@+,- and space; no empty part, no '.' or '..'",
            reason="invalid_key",
        )
    return f"{tenant_root(tenant)}{key}"


def relative_key(tenant: str, key: str) -> str:
    """Return a key of the bucket as the tenant knows it.

    Raises
    ------
    ContractViolationError
        If it is not below the tenant's root.
    """
    root = tenant_root(tenant)
    if not key.startswith(root):
        raise ContractViolationError(f"key {key!r} is not below {root}")
    return key.removeprefix(root)


def candidate_keys(key: str, extensions: tuple[str, ...]) -> list[str]:
    """Return the keys that a key may mean: itself, if it has one of the extensions, else one with each.

    Examples
    --------
    >>> candidate_keys("project/file/cogen", DATA_EXTENSIONS)
    ['project/file/cogen.csv', 'project/file/cogen.parquet']
    """
    if key.lower().endswith(extensions):
        return [key]
    return [f"{key}{extension}" for extension in extensions]


def output_folder(features: str, task: str, request: str) -> str:
    """Prefix of a task's results, beside its features; it ends in `/`."""
    beside = features.rpartition("/")[0]
    return f"{beside}/{RESULTS_FOLDER}/{task}/{request}/"
