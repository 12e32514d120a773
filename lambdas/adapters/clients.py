"""AWS clients by service, each made on first use and kept for the life of the process."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iot import IoTClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
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


def _made_once(service: str, config: Config = _CONFIG) -> Any:
    return functools.cache(lambda: boto3.client(service, config=config))


athena: Callable[[], Any] = _made_once("athena")
cloudformation: Callable[[], CloudFormationClient] = _made_once("cloudformation")
cloudwatch: Callable[[], CloudWatchClient] = _made_once("cloudwatch")
s3: Callable[[], S3Client] = _made_once("s3")
dynamodb: Callable[[], DynamoDBClient] = _made_once("dynamodb")
events: Callable[[], EventBridgeClient] = _made_once("events")
functions: Callable[[], LambdaClient] = _made_once("lambda", _CONFIG.merge(Config(read_timeout=28)))
"""Who asks a function answers API Gateway itself, which gives up after 30 seconds."""
iot: Callable[[], IoTClient] = _made_once("iot")
iot_data: Callable[[], Any] = _made_once("iot-data")
logs: Callable[[], CloudWatchLogsClient] = _made_once("logs")
secrets: Callable[[], Any] = _made_once("secretsmanager")
sns: Callable[[], SNSClient] = _made_once("sns")
sqs: Callable[[], SQSClient] = _made_once("sqs")
ssm: Callable[[], SSMClient] = _made_once("ssm")
sagemaker: Callable[[], SageMakerClient] = _made_once("sagemaker")
sagemaker_runtime: Callable[[], SageMakerRuntimeClient] = _made_once(
    "sagemaker-runtime", _CONFIG.merge(Config(read_timeout=65))
)
"""Endpoints may take 60 seconds to answer."""
stepfunctions: Callable[[], SFNClient] = _made_once("stepfunctions")
