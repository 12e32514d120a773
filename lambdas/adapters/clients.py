"""AWS clients, each made on first use and kept for the life of the process."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient

POOL_THREADS = 8
"""Parallel requests of one function: the pool of connections is as large."""

_CONFIG = Config(
    connect_timeout=3,
    read_timeout=20,
    max_pool_connections=POOL_THREADS,
    retries={"mode": "standard", "total_max_attempts": 4},
)


@functools.cache
def s3() -> S3Client:
    """Client of S3."""
    client: S3Client = boto3.client("s3", config=_CONFIG)
    return client


@functools.cache
def dynamodb() -> DynamoDBClient:
    """Client of DynamoDB."""
    client: DynamoDBClient = boto3.client("dynamodb", config=_CONFIG)
    return client


@functools.cache
def events() -> EventBridgeClient:
    """Client of EventBridge."""
    client: EventBridgeClient = boto3.client("events", config=_CONFIG)
    return client


@functools.cache
def sns() -> SNSClient:
    """Client of SNS."""
    client: SNSClient = boto3.client("sns", config=_CONFIG)
    return client


@functools.cache
def sqs() -> SQSClient:
    """Client of SQS."""
    client: SQSClient = boto3.client("sqs", config=_CONFIG)
    return client


@functools.cache
def ssm() -> SSMClient:
    """Client of Systems Manager's parameters."""
    client: SSMClient = boto3.client("ssm", config=_CONFIG)
    return client


@functools.cache
def sagemaker() -> SageMakerClient:
    """Client of SageMaker's control plane."""
    client: SageMakerClient = boto3.client("sagemaker", config=_CONFIG)
    return client


@functools.cache
def sagemaker_runtime() -> SageMakerRuntimeClient:
    """Client of SageMaker's endpoints, which may take 60 seconds to answer."""
    client: SageMakerRuntimeClient = boto3.client(
        "sagemaker-runtime", config=_CONFIG.merge(Config(read_timeout=65))
    )
    return client


@functools.cache
def stepfunctions() -> SFNClient:
    """Client of Step Functions."""
    client: SFNClient = boto3.client("stepfunctions", config=_CONFIG)
    return client
