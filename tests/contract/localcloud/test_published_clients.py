"""AWS's own client libraries against the laptop, used as their documents show."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import numpy as np
import pytest
import sagemaker
from awscrt import mqtt5
from awsiot import mqtt5_client_builder
from sagemaker.amazon.amazon_estimator import RecordSet
from sagemaker.deserializers import JSONDeserializer
from sagemaker.inputs import TrainingInput
from sagemaker.pipeline import PipelineModel
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn.estimator import SKLearn

from localcloud.environment import client_environment
from tests.contract.localcloud.cloud import Cloud, running_cloud
from tests.contract.localcloud.published.hurried import Clock

INSTANCE = "ml.m5.large"
SECONDS = 30
VALUES = np.append(np.random.default_rng(0).normal(1_000, 50, 400), [9_000.0]).reshape(-1, 1)
SCRIPT = Path(__file__).parent / "published" / "preprocess.py"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with (
        running_cloud(tmp_path_factory.mktemp("cloud") / "home") as found,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in client_environment(found.settings).items():
            patch.setenv(name, value)
        patch.delenv("AWS_PROFILE", raising=False)
        patch.setattr("sagemaker.session.time", Clock())
        yield found


@pytest.fixture(scope="module")
def session(cloud: Cloud) -> sagemaker.Session:
    # Without a bucket the SDK asks AWS's own STS for the account, whatever AWS_ENDPOINT_URL says.
    cloud.client("s3").create_bucket(Bucket="published")
    return sagemaker.Session(boto3.Session(), default_bucket="published")


@pytest.fixture(scope="module")
def role(cloud: Cloud) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": ["sagemaker.amazonaws.com", "states.amazonaws.com"]},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam = cloud.client("iam")
    made = iam.create_role(RoleName="Notebook", AssumeRolePolicyDocument=json.dumps(trust))
    for policy in ("AmazonSageMakerFullAccess", "AmazonS3FullAccess"):
        iam.attach_role_policy(RoleName="Notebook", PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    arn: str = made["Role"]["Arn"]
    return arn


@pytest.fixture(scope="module")
def forest(session: sagemaker.Session, role: str) -> sagemaker.RandomCutForest:
    """Train as AWS's introduction to the algorithm does."""
    bucket = session.default_bucket()
    estimator = sagemaker.RandomCutForest(
        role=role,
        instance_count=1,
        instance_type=INSTANCE,
        data_location=f"s3://{bucket}/rcf/",
        output_path=f"s3://{bucket}/rcf/output",
        num_samples_per_tree=256,
        num_trees=50,
        sagemaker_session=session,
    )
    records = estimator.record_set(VALUES)
    assert isinstance(records, RecordSet)
    estimator.fit(records)
    return estimator


def scores_of(answer: Any) -> list[float]:
    return [record["score"] for record in answer["scores"]]


def test_random_cut_forest_is_trained_on_a_record_set_and_scores_by_its_predictor(
    forest: sagemaker.RandomCutForest,
) -> None:
    predictor = forest.deploy(initial_instance_count=1, instance_type=INSTANCE)
    by_records = [record.label["score"].float32_tensor.values[0] for record in predictor.predict(VALUES)]
    predictor.serializer, predictor.deserializer = CSVSerializer(), JSONDeserializer()
    by_csv = scores_of(predictor.predict(VALUES))

    assert int(np.argmax(by_csv)) == len(VALUES) - 1
    np.testing.assert_allclose(by_records, by_csv, rtol=1e-6)
    predictor.delete_endpoint()


def test_its_transformer_scores_a_file(forest: sagemaker.RandomCutForest, session: sagemaker.Session) -> None:
    bucket = session.default_bucket()
    lines = "\n".join(str(value) for value in VALUES.ravel())
    session.upload_string_as_file_body(lines, bucket, "rcf/volumes.csv")
    transformer = forest.transformer(1, INSTANCE, output_path=f"s3://{bucket}/rcf/scored")

    transformer.transform(f"s3://{bucket}/rcf/volumes.csv", content_type="text/csv", split_type="Line")
    transformer.wait()

    found = session.read_s3_file(bucket, "rcf/scored/volumes.csv.out")
    assert len(scores_of(json.loads(found))) == len(VALUES)


def test_a_samples_preprocessor_serves_before_the_forest_in_a_pipeline_model(
    forest: sagemaker.RandomCutForest, session: sagemaker.Session, role: str
) -> None:
    bucket = session.default_bucket()
    lines = "\n".join(str(value) for value in VALUES.ravel())
    session.upload_string_as_file_body(lines, bucket, "raw/volumes.csv")
    preprocessor = SKLearn(
        entry_point=str(SCRIPT),
        role=role,
        framework_version="1.4-2",
        instance_type=INSTANCE,
        sagemaker_session=session,
    )
    preprocessor.fit({"train": TrainingInput(f"s3://{bucket}/raw/")})
    first = preprocessor.create_model(env={"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"})
    pipeline = PipelineModel(
        name="scaled-forest", role=role, models=[first, forest.create_model()], sagemaker_session=session
    )

    pipeline.deploy(initial_instance_count=1, instance_type=INSTANCE, endpoint_name="scaled-forest")
    answer = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="scaled-forest", ContentType="text/csv", Accept="text/csv", Body=lines
    )

    assert len(scores_of(json.load(answer["Body"]))) == len(VALUES)
    session.delete_endpoint("scaled-forest")


def test_kms_without_a_key_is_the_accounts_own_key(cloud: Cloud, session: sagemaker.Session) -> None:
    s3, bucket = cloud.client("s3"), session.default_bucket()

    s3.put_object(Bucket=bucket, Key="secret", Body=b"x", ServerSideEncryption="aws:kms")
    s3.upload_fileobj(io.BytesIO(b"y"), bucket, "more", ExtraArgs={"ServerSideEncryption": "aws:kms"})

    found = [s3.head_object(Bucket=bucket, Key=key) for key in ("secret", "more")]
    assert {each["ServerSideEncryption"] for each in found} == {"aws:kms"}
    (key,) = {each["SSEKMSKeyId"] for each in found}
    assert key.startswith("arn:aws:kms:us-east-1:123456789012:key/")


def test_the_step_functions_sdk_creates_and_executes_a_workflow(role: str) -> None:
    from stepfunctions.steps import Chain, Pass, Wait
    from stepfunctions.workflow import Workflow

    steps = Chain(
        [Pass("Greet", result={"said": "hello"}, result_path="$.greeting"), Wait("Pause", seconds=1)]
    )
    workflow = Workflow(name="Published", definition=steps, role=role)
    workflow.create()
    execution = workflow.execute(inputs={"to": "you"})

    assert execution.get_output(wait=True) == {"to": "you", "greeting": {"said": "hello"}}
    assert execution.list_events()[0]["type"] == "ExecutionStarted"
    workflow.delete()


def test_the_device_sdk_connects_where_iot_says(cloud: Cloud, tmp_path: Path) -> None:
    iot = cloud.client("iot")
    made = iot.create_keys_and_certificate(setAsActive=True)
    allowed = {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iot.create_policy(policyName="published", policyDocument=document)
    iot.attach_policy(policyName="published", target=made["certificateArn"])
    with urlopen(f"{cloud.settings.endpoint_url}/_ministack/iot/ca.pem") as answer:
        (tmp_path / "ca.pem").write_bytes(answer.read())
    (tmp_path / "certificate.pem").write_text(made["certificatePem"])
    (tmp_path / "private.key").write_text(made["keyPair"]["PrivateKey"])
    connected: Future[Any] = Future()
    received: Future[Any] = Future()
    client = mqtt5_client_builder.mtls_from_path(
        endpoint=iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"],
        port=cloud.settings.mqtt_tls_port,
        cert_filepath=str(tmp_path / "certificate.pem"),
        pri_key_filepath=str(tmp_path / "private.key"),
        ca_filepath=str(tmp_path / "ca.pem"),
        client_id="published",
        on_lifecycle_connection_success=connected.set_result,
        on_publish_received=received.set_result,
    )

    client.start()
    connected.result(SECONDS)
    topic = mqtt5.Subscription(topic_filter="published/out", qos=mqtt5.QoS.AT_LEAST_ONCE)
    client.subscribe(mqtt5.SubscribePacket(subscriptions=[topic])).result(SECONDS)
    sent = mqtt5.PublishPacket(topic="published/out", qos=mqtt5.QoS.AT_LEAST_ONCE, payload=b"hello")
    client.publish(sent).result(SECONDS)

    assert received.result(SECONDS).publish_packet.payload == b"hello"
    client.stop()


def test_the_command_line_of_aws_finds_every_service_once_the_shell_has_our_lines(cloud: Cloud) -> None:
    """Version 1 asks AWS's own host for sqs, unless `--endpoint-url` is said."""
    lines = (
        'eval "$("$0" -m localcloud env)"',
        "aws sqs create-queue --queue-name mine --output text",
        'aws sqs send-message --queue-url "$(aws sqs get-queue-url --queue-name mine --output text)" '
        "--message-body hello --query MD5OfMessageBody --output text",
        "aws sns list-topics --output text",
        "aws s3 ls",
    )
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-eu", "-c", "\n".join(lines), sys.executable],
        env={**cloud.environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:2] == [
        f"{cloud.settings.endpoint_url}/{cloud.settings.account}/mine",
        "5d41402abc4b2a76b9719d911017c592",
    ]
