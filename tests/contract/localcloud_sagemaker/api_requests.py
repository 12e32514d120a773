"""Requests of the tests, and what they wait for."""

import itertools
from typing import Any

from tests.contract.localcloud_sagemaker.gateway import BUCKET, IMAGE, ROLE, wait_until

_numbers = itertools.count(1)


def unique(word: str) -> str:
    return f"{word}-{next(_numbers)}"


def training_request(name: str, *, max_runtime: int = 60, **hyperparameters: str) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "HyperParameters": hyperparameters,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "mean", "Regex": "mean: ([0-9.]+);"}],
        },
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train"}},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": max_runtime},
    }


def processing_request(name: str, *arguments: str, **environment: str) -> dict[str, Any]:
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/program.py", "process"],
            "ContainerArguments": [
                "--in",
                "/opt/ml/processing/in",
                "--out",
                "/opt/ml/processing/out",
                *arguments,
            ],
        },
        "Environment": environment,
        "ProcessingInputs": [
            _input("code", f"s3://{BUCKET}/code/program.py"),
            _input("in", f"https://s3.us-east-1.amazonaws.com/{BUCKET}/train"),
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {
                        "S3Uri": f"s3://{BUCKET}/processed/{name}",
                        "LocalPath": "/opt/ml/processing/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
    }


def container(**environment: str) -> dict[str, Any]:
    return {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz", "Environment": environment}


def create_model(sagemaker: Any, *containers: dict[str, Any], **options: Any) -> str:
    name = unique("model")
    which = {"PrimaryContainer": containers[0]} if len(containers) == 1 else {"Containers": list(containers)}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, **which, **options)
    return name


def variant(model: str, name: str = "v1", **options: Any) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        **options,
    }


def create_config(sagemaker: Any, *variants: dict[str, Any], **options: Any) -> str:
    name = unique("config")
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=list(variants), **options)
    return name


def create_endpoint(sagemaker: Any, config: str) -> str:
    name = unique("endpoint")
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    assert settled(sagemaker, name)["EndpointStatus"] == "InService"
    return name


def settled(sagemaker: Any, endpoint: str) -> dict[str, Any]:
    def described() -> Any:
        answer = sagemaker.describe_endpoint(EndpointName=endpoint)
        return answer if answer["EndpointStatus"] in ("InService", "Failed") else None

    return dict(wait_until(described))


def ended(sagemaker: Any, kind: str, name: str, seconds: float = 20) -> dict[str, Any]:
    title = kind.title()

    def described() -> Any:
        answer = getattr(sagemaker, f"describe_{kind}_job")(**{f"{title}JobName": name})
        return answer if answer[f"{title}JobStatus"] not in ("InProgress", "Stopping") else None

    return dict(wait_until(described, seconds))


def _input(name: str, uri: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"/opt/ml/processing/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }
