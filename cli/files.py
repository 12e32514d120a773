"""Files that are named by a path or by their place in S3, as files of this machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import boto3

from lambdas.adapters.object_store import ObjectUri
from watchkeeper.command.screen import say
from watchkeeper.core.errors import InvalidInputError

_S3 = "s3://"


def is_remote(name: str) -> bool:
    """Whether a file's name is a place in S3."""
    return name.startswith(_S3)


def local_files(session: boto3.Session | None, names: Iterable[str], folder: Path) -> list[Path]:
    """Return the files; those of S3 are downloaded into a folder, once unless they changed.

    Parameters
    ----------
    session
        Needed where one is in S3.
    names
        Paths, and URIs such as `s3://BUCKET/KEY` or, of all objects below, `s3://BUCKET/PREFIX/`.

    Raises
    ------
    InvalidInputError
        If there is no such file, or no object under a prefix.
    """
    found: list[Path] = []
    for name in names:
        if session is not None and is_remote(name):
            found += _downloaded(session, name, folder)
        elif Path(name).is_file():
            found.append(Path(name))
        else:
            raise InvalidInputError(f"{name}: no such file")
    return found


def _downloaded(session: boto3.Session, name: str, folder: Path) -> list[Path]:
    bucket, _, prefix = name.removeprefix(_S3).partition("/")
    client = session.client("s3")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    objects = [each for page in pages for each in page.get("Contents", []) if each["Size"]]
    if not objects:
        raise InvalidInputError(f"{name}: no object of S3 has this name, or a name that begins so")
    paths = []
    for each in objects:
        target = folder / bucket / each["ETag"].strip('"') / Path(each["Key"]).name
        if not target.is_file():
            say(f"downloading {ObjectUri(bucket, each['Key'])} ({each['Size']:,} bytes)")
            target.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(bucket, each["Key"], str(target))
        paths.append(target)
    return paths
