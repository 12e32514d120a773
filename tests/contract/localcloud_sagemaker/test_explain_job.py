"""The explain job asks a model behind a shadow endpoint, all of it on the laptop's SageMaker."""

import io
import json
import tarfile
from typing import Any

from pipeline.packaging import build_analysis_code, processing_entrypoint
from tests.contract.localcloud_sagemaker.api_requests import create_model, ended, processing_request, unique
from tests.contract.localcloud_sagemaker.gateway import BUCKET, REPOSITORY

SKLEARN = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
SCRIPT = """
def model_fn(folder): return 3.0
def input_fn(body, kind): return [[float(cell) for cell in line.split(",")] for line in body.split()]
def predict_fn(rows, factor): return [factor * a - b for a, b in rows]
def output_fn(values, accept): return "\\n".join(map(repr, values)), "text/csv"
"""
DATA = "y,a,b\n5,2,1\n-1,1,4\n9,4,3\n"


def job(name: str, configuration: dict[str, Any], s3: Any) -> dict[str, Any]:
    """Put what the job reads, and return its request."""
    prefix = f"explain/{name}"
    s3.put_object(
        Bucket=BUCKET, Key=f"{prefix}/config/analysis_config.json", Body=json.dumps(configuration).encode()
    )
    s3.put_object(Bucket=BUCKET, Key=f"{prefix}/data/data.csv", Body=DATA.encode())
    s3.upload_file(
        str(build_analysis_code("here", REPOSITORY / "build")),
        BUCKET,
        "explain/code/analysis-sourcedir.tar.gz",
    )
    request = processing_request(name, WATCHKEEPER_POLL_SECONDS="1", WATCHKEEPER_WORKLOAD="abalone")
    request["AppSpecification"] = {
        "ImageUri": SKLEARN,
        "ContainerEntrypoint": processing_entrypoint("explain"),
    }
    request["ProcessingInputs"] = [
        {
            "InputName": part,
            "S3Input": {
                "S3Uri": f"s3://{BUCKET}/{key}",
                "LocalPath": f"/opt/ml/processing/input/{part}",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }
        for part, key in (
            ("code", "explain/code"),
            ("config", f"{prefix}/config"),
            ("data", f"{prefix}/data"),
        )
    ]
    request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"].update(LocalPath="/opt/ml/processing/output")
    return request


def model(sagemaker: Any, s3: Any) -> str:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(SCRIPT.encode())
        tar.addfile(member, io.BytesIO(SCRIPT.encode()))
    s3.put_object(Bucket=BUCKET, Key="explain/model.tar.gz", Body=archive.getvalue())
    return create_model(
        sagemaker,
        {
            "Image": SKLEARN,
            "ModelDataUrl": f"s3://{BUCKET}/explain/model.tar.gz",
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            },
        },
    )


def configuration(predictor: dict[str, Any]) -> dict[str, Any]:
    return {
        "dataset_type": "text/csv",
        "headers": ["y", "a", "b"],
        "label": "y",
        "methods": {"shap": {"baseline": [[0, 0]], "seed": 1}},
        "predictor": predictor,
    }


def left_over(sagemaker: Any, prefix: str) -> list[str]:
    endpoints = sagemaker.list_endpoints(NameContains=prefix)["Endpoints"]
    configs = sagemaker.list_endpoint_configs(NameContains=prefix)["EndpointConfigs"]
    return [item["EndpointName"] for item in endpoints] + [item["EndpointConfigName"] for item in configs]


def test_shadow_endpoint_answers_and_is_gone_afterwards(sagemaker: Any, s3: Any) -> None:
    name, prefix = unique("explain"), "shadow-of-explain"
    predictor = {
        "model_name": model(sagemaker, s3),
        "instance_type": "ml.m5.large",
        "initial_instance_count": 1,
        "endpoint_name_prefix": prefix,
        "accept_type": "text/csv",
    }

    sagemaker.create_processing_job(**job(name, configuration(predictor), s3))
    found = ended(sagemaker, "processing", name, seconds=240)

    assert found["ProcessingJobStatus"] == "Completed", found
    values = s3.get_object(Bucket=BUCKET, Key=f"processed/{name}/explanations_shap/out.csv")["Body"].read()
    record = json.load(s3.get_object(Bucket=BUCKET, Key=f"processed/{name}/explain.json")["Body"])
    header, *rows = values.decode().splitlines()
    assert header == "a_label0,b_label0"
    assert [[round(float(cell), 9) for cell in row.split(",")] for row in rows] == [
        [6, -1],
        [3, -4],
        [12, -3],
    ]
    assert record["model"] == f"a shadow endpoint of the model {predictor['model_name']}"
    assert left_over(sagemaker, prefix) == []
