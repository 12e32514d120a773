"""Objects in S3 and the files of a container: addresses, downloads, uploads, archives."""

import io
import json
import re
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from localcloud.sagemaker.errors import JobFailedError

S3Client = Any  # boto3 makes its clients at run time

# s3.REGION.amazonaws.com/BUCKET/KEY and BUCKET.s3.REGION.amazonaws.com/KEY; the CDK writes the first.
_PATH_STYLE = re.compile(r"https?://(?:s3[.-][^/]*|127\.0\.0\.1:\d+|localhost:\d+)/([^/]+)/?(.*)")
_HOST_STYLE = re.compile(r"https?://([^/]+?)\.s3[.-][^/]*/?(.*)")
_PREFIX = "/opt/ml"


class Location(NamedTuple):
    """An object or a prefix."""

    bucket: str
    key: str

    @property
    def uri(self) -> str:
        """As ``s3://BUCKET/KEY``."""
        return f"s3://{self.bucket}/{self.key}"


def parse(uri: str) -> Location:
    """Read ``s3://…`` or the https URL of a bucket.

    Raises
    ------
    JobFailedError
        When it is neither.
    """
    if uri.startswith("s3://"):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return Location(bucket, key)
    for form in (_PATH_STYLE, _HOST_STYLE):
        if match := form.fullmatch(uri):
            return Location(match[1], match[2])
    raise JobFailedError(f"ClientError: {uri} is not an S3 location; write s3://BUCKET/KEY")


def join(prefix: str, *parts: str) -> str:
    """Append to a prefix, with exactly one slash between the parts."""
    return "/".join([prefix.rstrip("/"), *parts])


def listed(s3: S3Client, uri: str) -> list[tuple[str, str]]:
    """List objects as (key, name relative to the prefix).

    A prefix that is one object's whole key gives that object under its own file name. A prefix that ends in
    the middle of a name (``data/part-``) gives names relative to its folder.

    Raises
    ------
    JobFailedError
        When there is none.
    """
    location = parse(uri)
    found: list[tuple[str, str]] = []
    folder = location.key if location.key.endswith("/") or not location.key else f"{location.key}/"
    parent = location.key.rpartition("/")[0]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=location.bucket, Prefix=location.key):
        for item in page.get("Contents", []):
            key = item["Key"]
            if key.endswith("/"):
                continue
            relative = (
                key.removeprefix(folder) if key.startswith(folder) else key.removeprefix(parent).lstrip("/")
            )
            found.append((key, relative))
    if not found:
        raise JobFailedError(
            f'ClientError: Data download failed: No S3 objects found under S3 URL "{uri}" given in input '
            "data source. Please ensure that the bucket exists in the selected region, and that objects "
            "exist under that S3 prefix."
        )
    return found


def sourced(s3: S3Client, source: Mapping[str, Any]) -> list[tuple[Location, str]]:
    """List the objects of a data source, each with its name in the container.

    Parameters
    ----------
    source
        With `S3Uri` and, where it is not a prefix, `S3DataType`. A `ManifestFile` is the object
        `[{"prefix": "s3://BUCKET/PREFIX"}, "NAME", …]`: the names follow the prefix as they are.

    Raises
    ------
    JobFailedError
        When there is none, or the manifest is not such a list.
    """
    location = parse(source["S3Uri"])
    if source.get("S3DataType", "S3Prefix") == "S3Prefix":
        return [(Location(location.bucket, key), name) for key, name in listed(s3, location.uri)]
    manifest = io.BytesIO()
    try:
        s3.download_fileobj(location.bucket, location.key, manifest)
        first, *names = json.loads(manifest.getvalue())
        prefix = first["prefix"]
    except (ClientError, ValueError, TypeError, KeyError) as error:
        raise JobFailedError(
            f"ClientError: Data download failed: {location.uri} is no manifest "
            f'[{{"prefix": "s3://BUCKET/PREFIX"}}, "NAME", …]: {error}'
        ) from error
    return [(parse(f"{prefix}{name}"), name) for name in names]


def download(s3: S3Client, source: Mapping[str, Any], folder: Path) -> None:
    """Download all objects of a data source (`sourced`) into a folder."""
    for (bucket, key), relative in sourced(s3, source):
        target = folder / relative
        if not target.resolve().is_relative_to(folder.resolve()):
            raise JobFailedError(f"ClientError: s3://{bucket}/{key} would be written outside {folder}")
        target.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(target))


def upload_folder(s3: S3Client, folder: Path, uri: str) -> None:
    """Upload every file of a folder under a prefix."""
    location = parse(uri)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            s3.upload_file(
                str(path),
                location.bucket,
                join(location.key, path.relative_to(folder).as_posix()).lstrip("/"),
            )


def upload_archive(s3: S3Client, folder: Path, uri: str) -> None:
    """Upload a folder's content as one ``tar.gz``."""
    location = parse(uri)
    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
            for path in sorted(folder.iterdir()):
                archive.add(path, path.name)
        file.seek(0)
        s3.upload_fileobj(file, location.bucket, location.key)


def extract_archive(s3: S3Client, uri: str, folder: Path) -> None:
    """Download a ``tar.gz`` and unpack it, refusing members that would leave the folder.

    Raises
    ------
    JobFailedError
        When it is not a tar archive or has such a member.
    """
    location = parse(uri)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile() as file:
        s3.download_fileobj(location.bucket, location.key, file)
        file.seek(0)
        try:
            with tarfile.open(fileobj=file) as archive:
                archive.extractall(folder, filter="data")
        except tarfile.TarError as error:
            raise JobFailedError(
                f"ClientError: Failed to extract model data archive from URL {uri}: {error}"
            ) from error


def localize(text: str, root: Path) -> str:
    """Replace ``/opt/ml`` by the container's own root, wherever it begins a path in the text."""
    return re.sub(rf"(?<![\w./-]){_PREFIX}(?=/|$|\W)", str(root), text.replace(f"file://{_PREFIX}", _PREFIX))


def local_path(path: str, root: Path) -> Path:
    """Return where a container path lies on the laptop.

    Raises
    ------
    JobFailedError
        When it is not under ``/opt/ml``.
    """
    if not path.startswith(f"{_PREFIX}/"):
        raise JobFailedError(f"ClientError: local path {path} must be under {_PREFIX}")
    return root / path.removeprefix(f"{_PREFIX}/")
