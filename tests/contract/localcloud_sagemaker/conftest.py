"""A running gateway with the laptop's SageMaker, and the clients of a stock boto3."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.localcloud_sagemaker.gateway import BUCKET, PROGRAM, Gateway
from tests.contract.localcloud_sagemaker.program import archive

os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home = tmp_path_factory.mktemp("localcloud")
    running = Gateway(home)
    running.start()
    try:
        fill_bucket(running.client("s3"))
        yield running
    finally:
        running.end()
        shutil.rmtree(home / "s3", ignore_errors=True)


@pytest.fixture(scope="session")
def s3(gateway: Gateway) -> Any:
    return gateway.client("s3")


@pytest.fixture(scope="session")
def sagemaker(gateway: Gateway) -> Any:
    return gateway.client("sagemaker")


@pytest.fixture(scope="session")
def runtime(gateway: Gateway) -> Any:
    return gateway.client("sagemaker-runtime")


def fill_bucket(s3: Any) -> None:
    """Put what the jobs and models of the tests read."""
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="train/a.csv", Body=b"1\n2\n")
    s3.put_object(Bucket=BUCKET, Key="train/more/b.csv", Body=b"3\n")
    s3.put_object(
        Bucket=BUCKET, Key="model.tar.gz", Body=archive({"weights.txt": "1", "code/inference.py": "x"})
    )
    s3.put_object(Bucket=BUCKET, Key="sourcedir.tar.gz", Body=archive({"own.py": "y"}))
    s3.upload_file(str(PROGRAM), BUCKET, "code/program.py")
