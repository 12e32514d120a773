"""Addresses in S3 and paths of a container."""

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from localcloud.sagemaker import locations
from localcloud.sagemaker.errors import JobFailedError


class FakeS3:
    """The listing and the download of a bucket."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects

    def get_paginator(self, _: str) -> "FakeS3":
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        keys = sorted(key for key in self.objects if key.startswith(Prefix))
        return [{"Contents": [{"Key": key}]} for key in keys]

    def download_file(self, _: str, key: str, target: str) -> None:
        Path(target).write_bytes(self.objects[key])

    def download_fileobj(self, _: str, key: str, file: Any) -> None:
        file.write(self.objects[key])


@pytest.mark.parametrize(
    "uri",
    [
        "s3://bucket/a/b.csv",
        "https://s3.us-east-1.amazonaws.com/bucket/a/b.csv",
        "https://s3-us-west-2.amazonaws.com/bucket/a/b.csv",
        "https://bucket.s3.us-east-1.amazonaws.com/a/b.csv",
        "http://127.0.0.1:4566/bucket/a/b.csv",
    ],
)
def test_every_form_of_an_address_is_read(uri: str) -> None:
    assert locations.parse(uri) == ("bucket", "a/b.csv")


def test_what_is_no_address_is_refused_by_name() -> None:
    with pytest.raises(JobFailedError, match="file:///etc/passwd"):
        locations.parse("file:///etc/passwd")


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("in", ["a.csv", "more/b.csv"]),
        ("in/", ["a.csv", "more/b.csv"]),
        ("in/a.csv", ["a.csv"]),
        ("in/mo", ["more/b.csv"]),
        ("", ["in/", "in/a.csv", "in/more/b.csv"][1:]),
    ],
)
def test_objects_are_named_relative_to_their_prefix(prefix: str, names: list[str]) -> None:
    s3 = FakeS3({"in/": b"", "in/a.csv": b"1", "in/more/b.csv": b"2"})
    assert [name for _, name in locations.listed(s3, f"s3://bucket/{prefix}")] == names


def test_empty_prefix_is_a_failure_that_names_it() -> None:
    with pytest.raises(JobFailedError, match="s3://bucket/none"):
        locations.listed(FakeS3({}), "s3://bucket/none")


def test_key_that_would_leave_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobFailedError, match="outside"):
        locations.download(FakeS3({"in/../../evil": b"x"}), {"S3Uri": "s3://bucket/in"}, tmp_path / "channel")
    assert list(tmp_path.rglob("*")) == []


def test_archive_member_that_would_leave_the_folder_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../evil"))
    with pytest.raises(JobFailedError, match=r"m\.tar\.gz"):
        locations.extract_archive(
            FakeS3({"m.tar.gz": buffer.getvalue()}), "s3://bucket/m.tar.gz", tmp_path / "model"
        )
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("text", "localized"),
    [
        ("/opt/ml", "/root-1"),
        ("/opt/ml/input/data", "/root-1/input/data"),
        ('"/opt/ml/code.tar.gz"', '"/root-1/code.tar.gz"'),
        ("--in=/opt/ml/a:/opt/ml/b", "--in=/root-1/a:/root-1/b"),
        ("file:///opt/ml/model/code", "/root-1/model/code"),
        ("/mnt/opt/ml/x", "/mnt/opt/ml/x"),
        ("/opt/mlflow", "/opt/mlflow"),
        ("s3://bucket/opt/ml/x", "s3://bucket/opt/ml/x"),
    ],
)
def test_only_paths_of_the_container_are_rewritten(text: str, localized: str) -> None:
    assert locations.localize(text, Path("/root-1")) == localized


def test_local_path_outside_the_container_is_refused() -> None:
    with pytest.raises(JobFailedError, match="/data"):
        locations.local_path("/data/in", Path("/root-1"))


def manifest(content: bytes) -> tuple[FakeS3, dict[str, str]]:
    source = {"S3DataType": "ManifestFile", "S3Uri": "s3://bucket/in/.amazon.manifest"}
    return FakeS3({"in/.amazon.manifest": content, "in/a.pbr": b"a", "in/more/b.pbr": b"b"}), source


def test_a_manifest_names_the_objects_behind_its_prefix(tmp_path: Path) -> None:
    s3, source = manifest(b'[{"prefix": "s3://bucket/in/"}, "a.pbr", "more/b.pbr"]')

    locations.download(s3, source, tmp_path)

    assert [key for (_, key), _ in locations.sourced(s3, source)] == ["in/a.pbr", "in/more/b.pbr"]
    assert (tmp_path / "a.pbr").read_bytes() + (tmp_path / "more" / "b.pbr").read_bytes() == b"ab"


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'["a.pbr"]', b"[{}]", b"1,2"])
def test_what_is_no_manifest_fails_the_job_by_name(content: bytes) -> None:
    with pytest.raises(JobFailedError, match=r"s3://bucket/in/.amazon.manifest is no manifest"):
        locations.sourced(*manifest(content))
